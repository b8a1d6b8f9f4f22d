package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// An Error is what a server refused or could not do.
type Error struct {
	// Code is the class of the error.
	Code codes.Code
	// Condition is Spark's error condition, such as
	// UNRESOLVED_COLUMN.WITH_SUGGESTION, and SQLState its five characters; empty
	// where there is none.
	Condition string
	SQLState  string
	// Line and Col are the place in the statement, from 1 on; 0 is nowhere.
	Line, Col int
	// Hint says what to do about it; may be empty.
	Hint string
	// Message is the whole text, with the line of the statement, a caret under the
	// place, and the hint.
	Message string
}

// Error returns the text of the server.
func (e *Error) Error() string { return e.Message }

// GRPCStatus is the error as gRPC has it.
func (e *Error) GRPCStatus() *status.Status { return status.New(e.Code, e.Message) }

// fromStatus makes an *Error of an error of gRPC and the trailers that came with
// it. Other errors stay as they are.
func fromStatus(err error, md metadata.MD) error {
	var done *Error
	if err == nil || err == io.EOF || errors.As(err, &done) {
		return err
	}
	s, ok := status.FromError(err)
	if !ok {
		return err
	}
	e := &Error{Code: s.Code(), Message: s.Message()}
	say := func(key string) string {
		if v := md.Get("x-flightd-" + key); len(v) > 0 {
			if text, err := url.PathUnescape(v[0]); err == nil {
				return text
			}
			return v[0]
		}
		return ""
	}
	e.Condition, e.SQLState, e.Hint = say("condition"), say("sqlstate"), say("hint")
	if _, err := fmt.Sscanf(say("position"), "%d:%d", &e.Line, &e.Col); err != nil {
		e.Line, e.Col = 0, 0
	}
	return e
}

// passing reports whether the same call may work later: the server is not there,
// goes away or knows the token no more, or the subscriber was too slow.
func passing(err error) bool {
	var e *Error
	if !errors.As(err, &e) {
		// The decoder says so when a stream ends in the middle.
		return errors.Is(err, io.ErrUnexpectedEOF)
	}
	switch e.Code {
	case codes.Unavailable, codes.Canceled, codes.Unauthenticated:
		return true
	case codes.ResourceExhausted:
		return e.Condition == "" // not the memory of a changelog
	case codes.Internal, codes.Unknown:
		return e.Condition == ""
	}
	return false
}

func unaryErrors(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	var md metadata.MD
	return fromStatus(invoke(ctx, method, req, reply, cc, append(opts, grpc.Trailer(&md))...), md)
}

func streamErrors(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	s, err := open(ctx, desc, cc, method, opts...)
	if err != nil {
		return nil, fromStatus(err, nil)
	}
	return &errorStream{s}, nil
}

// errorStream gives the errors of a stream their trailers.
type errorStream struct{ grpc.ClientStream }

// RecvMsg receives a message.
func (s *errorStream) RecvMsg(m any) error {
	err := s.ClientStream.RecvMsg(m)
	if err == nil || err == io.EOF {
		return err
	}
	return fromStatus(err, s.Trailer())
}
