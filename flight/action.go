package flight

import (
	"context"
	"errors"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	pb "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/flightd/flightd/internal/base"
)

var (
	errSubstrait    = unsupported("Substrait plans are not accepted; send SQL")
	errTransactions = unsupported("there are no transactions; every statement takes effect at once")
)

// actions are what DoAction answers, in the order of ListActions.
var actions = []*flight.ActionType{
	{Type: flightsql.CreatePreparedStatementActionType, Description: "prepare a statement, without effect"},
	{Type: flightsql.ClosePreparedStatementActionType, Description: "forget a prepared statement"},
	{Type: flight.CancelFlightInfoActionType, Description: "cancel a statement"},
	{Type: flightsql.CancelQueryActionType, Description: "cancel a statement (older clients)"},
	{Type: flight.RenewFlightEndpointActionType, Description: "keep a ticket for longer"},
	{Type: flight.SetSessionOptionsActionType, Description: "set options of the session"},
	{Type: flight.GetSessionOptionsActionType, Description: "options of the session"},
	{Type: flight.CloseSessionActionType, Description: "end the session"},
}

// ListActions lists what DoAction answers.
func (s *service) ListActions(_ *flight.Empty, stream flight.FlightService_ListActionsServer) error {
	for _, a := range actions {
		if err := stream.Send(a); err != nil {
			return err
		}
	}
	return nil
}

// DoAction answers one action.
func (s *service) DoAction(a *flight.Action, stream flight.FlightService_DoActionServer) error {
	ctx := stream.Context()
	ses := sessionOf(ctx)
	m, packed, err := s.act(ctx, ses, a)
	if err != nil {
		return err
	}
	if m == nil {
		return stream.Send(&flight.Result{})
	}
	if packed {
		if m, err = anypb.New(m); err != nil {
			return err
		}
	}
	b, err := proto.Marshal(m)
	if err != nil {
		return err
	}
	return stream.Send(&flight.Result{Body: b})
}

// act runs an action. The actions of Flight SQL are packed in an Any, those of
// Flight are not; nor are their answers.
func (s *service) act(ctx context.Context, ses *session, a *flight.Action) (answer proto.Message, packed bool, err error) {
	plain := func(m proto.Message) error {
		if err := proto.Unmarshal(a.GetBody(), m); err != nil {
			return invalid("the body of %s is not a %s", a.GetType(), m.ProtoReflect().Descriptor().Name())
		}
		return nil
	}
	switch a.GetType() {
	case flight.CancelFlightInfoActionType:
		var m flight.CancelFlightInfoRequest
		if err := plain(&m); err != nil {
			return nil, false, err
		}
		status, err := cancelInfo(ses, m.GetInfo())
		return &flight.CancelFlightInfoResult{Status: status}, false, err
	case flight.RenewFlightEndpointActionType:
		var m flight.RenewFlightEndpointRequest
		if err := plain(&m); err != nil {
			return nil, false, err
		}
		answer, err = s.renewEndpoint(ses, m.GetEndpoint())
		return answer, false, err
	case flight.SetSessionOptionsActionType:
		var m flight.SetSessionOptionsRequest
		if err := plain(&m); err != nil {
			return nil, false, err
		}
		answer, err = s.setOptions(ctx, ses, &m)
		return answer, false, err
	case flight.GetSessionOptionsActionType:
		answer, err = getOptions(ses)
		return answer, false, err
	case flight.CloseSessionActionType:
		s.sessions.drop(ses)
		if s.opts.Access != nil && !ses.who.service {
			s.opts.Access.Revoke(ses.who.token)
		}
		return &flight.CloseSessionResult{Status: flight.CloseSessionResultClosed}, false, nil
	case flightsql.BeginTransactionActionType, flightsql.EndTransactionActionType, flightsql.BeginSavepointActionType, flightsql.EndSavepointActionType:
		return nil, false, errTransactions
	case flightsql.CreatePreparedSubstraitPlanActionType:
		return nil, false, errSubstrait
	}
	m, err := command(a.GetBody())
	if err != nil && !known(a.GetType()) {
		err = nil
	}
	if err != nil {
		return nil, false, err
	}
	switch m := m.(type) {
	case *pb.ActionCreatePreparedStatementRequest:
		answer, err = s.prepare(ctx, ses, m)
		return answer, true, err
	case *pb.ActionClosePreparedStatementRequest:
		ses.closePrepared(m.GetPreparedStatementHandle())
		return nil, false, nil
	case *pb.ActionCancelQueryRequest: //nolint:staticcheck // older clients still send it
		answer, err = cancelQuery(ses, m)
		return answer, true, err
	}
	return nil, false, unsupported("there is no action %q", a.GetType())
}

func known(action string) bool {
	for _, a := range actions {
		if a.Type == action {
			return true
		}
	}
	return false
}

func (s *service) prepare(ctx context.Context, ses *session, m *pb.ActionCreatePreparedStatementRequest) (proto.Message, error) {
	st, err := s.parse(ctx, ses, m.GetQuery(), m.GetTransactionId())
	if err != nil {
		return nil, err
	}
	p, err := ses.prepare(st, s.opts.MaxHandles)
	if err != nil {
		return nil, err
	}
	isUpdate := st.IsUpdate()
	out := &pb.ActionCreatePreparedStatementResult{PreparedStatementHandle: []byte(p.id), IsUpdate: &isUpdate}
	// An update has no dataset schema: that is how clients without is_update know.
	if !isUpdate {
		out.DatasetSchema = schemaBytes(st.Schema())
	}
	params := st.Params()
	if params == nil {
		params = arrow.NewSchema(nil, nil)
	}
	out.ParameterSchema = schemaBytes(shownParameters(ctx, params))
	return out, nil
}

// cancelInfo cancels the statements behind the endpoints of a FlightInfo.
func cancelInfo(ses *session, info *flight.FlightInfo) (flight.CancelStatus, error) {
	found := ses.cancelJob(info)
	for _, e := range info.GetEndpoint() {
		t, err := ticketOf(ses, e)
		if err != nil {
			continue
		}
		t.cancel()
		found = true
	}
	if !found {
		return flight.CancelStatusUnspecified, base.Errorf(base.CodeNotFound, "this session has no such statement")
	}
	return flight.CancelStatusCancelled, nil
}

func cancelQuery(ses *session, m *pb.ActionCancelQueryRequest) (proto.Message, error) { //nolint:staticcheck
	var info flight.FlightInfo
	if err := proto.Unmarshal(m.GetInfo(), &info); err != nil {
		return nil, invalid("the body of CancelQuery has no FlightInfo")
	}
	if _, err := cancelInfo(ses, &info); err != nil {
		return nil, err
	}
	return &pb.ActionCancelQueryResult{Result: pb.ActionCancelQueryResult_CANCEL_RESULT_CANCELLED}, nil //nolint:staticcheck
}

func (s *service) renewEndpoint(ses *session, e *flight.FlightEndpoint) (*flight.FlightEndpoint, error) {
	t, err := ticketOf(ses, e)
	if err != nil {
		return nil, err
	}
	return &flight.FlightEndpoint{Ticket: e.GetTicket(), Location: e.GetLocation(), AppMetadata: e.GetAppMetadata(),
		ExpirationTime: timestamppb.New(ses.renew(t, s.opts.TicketLife))}, nil
}

func ticketOf(ses *session, e *flight.FlightEndpoint) (*ticket, error) {
	m, err := command(e.GetTicket().GetTicket())
	if err != nil {
		return nil, err
	}
	st, ok := m.(*pb.TicketStatementQuery)
	if !ok {
		return nil, errors.New("not the ticket of a statement")
	}
	return ses.ticketBy(st.GetStatementHandle())
}
