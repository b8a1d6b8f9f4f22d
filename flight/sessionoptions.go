package flight

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/flight"
	pb "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// optMaxMessage is the session option that raises Options.MaxMessage.
const optMaxMessage = "max_message_bytes"

// setOptions sets session options: catalog and schema, of which there is one
// each, max_message_bytes, parallel_endpoints, and every setting that SET knows.
func (s *service) setOptions(ctx context.Context, ses *session, m *flight.SetSessionOptionsRequest) (*flight.SetSessionOptionsResult, error) {
	out := &flight.SetSessionOptionsResult{Errors: map[string]*flight.SetSessionOptionsResultError{}}
	fail := func(name string, v pb.SetSessionOptionsResult_ErrorValue) {
		out.Errors[name] = &flight.SetSessionOptionsResultError{Value: v}
	}
	var notices []string
	for name, value := range m.GetSessionOptions() {
		text, ok := optionText(value)
		switch {
		case !ok:
			fail(name, flight.SetSessionOptionsResultErrorInvalidValue)
		case strings.EqualFold(name, "catalog"):
			if text != "" && !strings.EqualFold(text, catalogName) {
				fail(name, flight.SetSessionOptionsResultErrorInvalidValue)
			}
		case strings.EqualFold(name, "schema"):
			if text != "" && !strings.EqualFold(text, schemaName) {
				fail(name, flight.SetSessionOptionsResultErrorInvalidValue)
			}
		case strings.EqualFold(name, optMaxMessage):
			n, err := strconv.Atoi(text)
			if err != nil || n < 1<<16 || n > 1<<30 {
				fail(name, flight.SetSessionOptionsResultErrorInvalidValue)
				continue
			}
			ses.mu.Lock()
			ses.maxMessage = n
			ses.mu.Unlock()
		case strings.EqualFold(name, optParallel):
			n, err := strconv.Atoi(text)
			if err != nil || n < 1 || n > maxParallel {
				fail(name, flight.SetSessionOptionsResultErrorInvalidValue)
				continue
			}
			ses.mu.Lock()
			ses.parallel = n
			ses.mu.Unlock()
		default:
			notice, err := ses.Set(name, text)
			if err != nil {
				fail(name, flight.SetSessionOptionsResultErrorInvalidName)
			} else if notice != "" {
				notices = append(notices, notice)
			}
		}
	}
	notify(ctx, notices)
	// Who sets options wants to find them again, on another connection too.
	if id := s.sessions.stick(ses); id != "" {
		_ = grpc.SetHeader(ctx, metadata.Pairs("set-cookie", cookieName+"="+id))
	}
	return out, nil
}

func getOptions(ses *session) (*flight.GetSessionOptionsResult, error) {
	all := map[string]any{"catalog": catalogName, "schema": schemaName}
	ses.mu.Lock()
	all[optMaxMessage] = int64(ses.maxMessage)
	all[optParallel] = int64(max(1, ses.parallel))
	ses.mu.Unlock()
	for k, v := range ses.Settings() {
		all[k] = v
	}
	values, err := flight.NewSessionOptionValues(all)
	if err != nil {
		return nil, err
	}
	return &flight.GetSessionOptionsResult{SessionOptions: values}, nil
}

// optionText returns the value as SET would have it; ok is false for a list.
func optionText(v *pb.SessionOptionValue) (text string, ok bool) {
	switch v := v.GetOptionValue().(type) {
	case nil:
		return "", true
	case *pb.SessionOptionValue_StringValue:
		return v.StringValue, true
	case *pb.SessionOptionValue_BoolValue:
		return strconv.FormatBool(v.BoolValue), true
	case *pb.SessionOptionValue_Int64Value:
		return strconv.FormatInt(v.Int64Value, 10), true
	case *pb.SessionOptionValue_DoubleValue:
		return fmt.Sprint(v.DoubleValue), true
	}
	return "", false
}
