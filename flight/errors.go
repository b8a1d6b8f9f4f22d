package flight

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/flightd/flightd/internal/base"
)

// grpcCodes is the one table from our codes to gRPC's.
var grpcCodes = map[base.Code]codes.Code{
	base.CodeInternal:        codes.Internal,
	base.CodeInvalid:         codes.InvalidArgument,
	base.CodeNotFound:        codes.NotFound,
	base.CodeUnavailable:     codes.Unavailable,
	base.CodeCorrupt:         codes.DataLoss,
	base.CodeConflict:        codes.AlreadyExists,
	base.CodeCanceled:        codes.Canceled,
	base.CodeExhausted:       codes.ResourceExhausted,
	base.CodeUnauthenticated: codes.Unauthenticated,
	base.CodeDenied:          codes.PermissionDenied,
	base.CodeOutOfRange:      codes.OutOfRange,
}

// maxText bounds the message and each detail: they travel in HTTP/2 headers, of
// which some clients accept no more than 8 KiB in all.
const maxText = 3000

// toStatus returns err as gRPC has it, and the trailers that go with it. An
// error that is a status already stays one.
func toStatus(err error) (*status.Status, metadata.MD) {
	if s, ok := status.FromError(err); ok && s.Code() != codes.Unknown {
		return s, nil
	}
	var e *base.Error
	if !errors.As(err, &e) {
		switch {
		case errors.Is(err, context.Canceled):
			return status.New(codes.Canceled, "the call was canceled"), nil
		case errors.Is(err, context.DeadlineExceeded):
			return status.New(codes.DeadlineExceeded, "the call's deadline has passed"), nil
		}
		return status.New(codes.Internal, clip(err.Error())), nil
	}
	text := err.Error()
	if inner := base.AsError(err); inner.Condition != "" {
		e, text = inner, inner.Error()
	}
	code := grpcCodes[e.Code]
	if e.Code == base.CodeInvalid {
		// Spark's conditions say more than that the statement is wrong, and drivers
		// have classes of exceptions for it.
		switch {
		case strings.HasSuffix(e.Condition, "_NOT_FOUND"):
			code = codes.NotFound
		case strings.HasSuffix(e.Condition, "_ALREADY_EXISTS"):
			code = codes.AlreadyExists
		}
	}
	// What Display says after the message: the caret and the hint.
	text += strings.TrimPrefix(e.Display(), e.Error())
	md := metadata.MD{}
	detail := func(key, value string) {
		if value != "" {
			md.Set("x-flightd-"+key, headerText(value))
		}
	}
	detail("sqlstate", e.SQLState)
	detail("condition", e.Condition)
	detail("hint", e.Hint)
	if e.Pos.Valid() {
		detail("position", fmt.Sprintf("%d:%d", e.Pos.Line, e.Pos.Col))
	}
	return status.New(code, clip(text)), md
}

// clip cuts the middle out of a text that is too long for a header.
func clip(s string) string {
	if len(s) <= maxText {
		return s
	}
	half := maxText / 2
	return strings.ToValidUTF8(s[:half], "") + " … " + strings.ToValidUTF8(s[len(s)-half:], "")
}

// headerText returns s as a header value may have it: printable ASCII, other
// bytes and the percent sign as %XX.
func headerText(s string) string {
	s = clip(s)
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '%' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func invalid(format string, args ...any) error {
	return base.Errorf(base.CodeInvalid, format, args...)
}

// unsupported is the answer to a part of the protocol that flightd does not
// have. Drivers look at the code and go on without it.
func unsupported(format string, args ...any) error {
	return status.Errorf(codes.Unimplemented, format, args...)
}
