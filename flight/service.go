package flight

import (
	"context"
	"log/slog"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/flight"
	pb "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// service answers the RPCs of Flight. It dispatches by itself instead of through
// flightsql's server, so that the guard, sessions and the cutting of results
// stand at the one place where messages enter and leave.
type service struct {
	flight.BaseFlightServer
	backend  Backend
	sessions *sessions
	opts     Options
	log      *slog.Logger
	info     sqlInfo
	// quit closes when the server is to end.
	quit <-chan struct{}
}

func newService(b Backend, s *sessions, o Options, quit <-chan struct{}) *service {
	return &service{backend: b, sessions: s, opts: o, log: o.Logger, info: newSQLInfo(o), quit: quit}
}

// command unpacks the protobuf Any that a descriptor, ticket or action carries.
func command(b []byte) (proto.Message, error) {
	var packed anypb.Any
	if err := proto.Unmarshal(b, &packed); err != nil {
		return nil, invalid("this is not a Flight SQL command")
	}
	m, err := packed.UnmarshalNew()
	if err != nil {
		return nil, invalid("there is no Flight SQL command %q", packed.GetTypeUrl())
	}
	return m, nil
}

// GetFlightInfo says what a command will return and where; an update runs here.
func (s *service) GetFlightInfo(ctx context.Context, d *flight.FlightDescriptor) (*flight.FlightInfo, error) {
	m, err := command(d.GetCmd())
	if err != nil {
		return nil, err
	}
	ses := sessionOf(ctx)
	var t *ticket
	var schema *arrow.Schema
	switch m := m.(type) {
	case *pb.CommandStatementQuery:
		t, schema, err = s.statement(ctx, ses, m.GetQuery(), m.GetTransactionId())
	case *pb.CommandPreparedStatementQuery:
		t, schema, err = s.preparedQuery(ctx, ses, m.GetPreparedStatementHandle())
	case *pb.CommandStatementSubstraitPlan:
		return nil, errSubstrait
	default:
		schema, ok := catalogSchema(m)
		if !ok {
			return nil, invalid("%s does not describe a result", m.ProtoReflect().Descriptor().Name())
		}
		return flightInfo(d, schema, d.GetCmd()), nil
	}
	if err != nil {
		return nil, err
	}
	info := flightInfo(d, schema, nil)
	info.Ordered = len(t.more) == 0
	info.Endpoint = nil
	for _, t := range append([]*ticket{t}, t.more...) {
		b, err := packedCommand(&pb.TicketStatementQuery{StatementHandle: []byte(t.id)})
		if err != nil {
			return nil, err
		}
		info.Endpoint = append(info.Endpoint, &flight.FlightEndpoint{Ticket: &flight.Ticket{Ticket: b}, ExpirationTime: timestamppb.New(t.expires)})
	}
	return info, nil
}

// flightInfo describes a result with one endpoint, here.
func flightInfo(d *flight.FlightDescriptor, schema *arrow.Schema, ticket []byte) *flight.FlightInfo {
	return &flight.FlightInfo{
		Schema:           schemaBytes(schema),
		FlightDescriptor: d,
		Endpoint:         []*flight.FlightEndpoint{{Ticket: &flight.Ticket{Ticket: ticket}}},
		TotalRecords:     -1,
		TotalBytes:       -1,
		Ordered:          true,
	}
}

// GetSchema tells the schema of a command's result without running anything.
func (s *service) GetSchema(ctx context.Context, d *flight.FlightDescriptor) (*flight.SchemaResult, error) {
	m, err := command(d.GetCmd())
	if err != nil {
		return nil, err
	}
	ses := sessionOf(ctx)
	switch m := m.(type) {
	case *pb.CommandStatementQuery:
		st, err := s.parse(ctx, ses, m.GetQuery(), m.GetTransactionId())
		if err != nil {
			return nil, err
		}
		return &flight.SchemaResult{Schema: schemaBytes(resultSchema(st))}, nil
	case *pb.CommandPreparedStatementQuery:
		p, err := ses.preparedBy(m.GetPreparedStatementHandle())
		if err != nil {
			return nil, err
		}
		return &flight.SchemaResult{Schema: schemaBytes(resultSchema(p.statement))}, nil
	case *pb.CommandStatementSubstraitPlan:
		return nil, errSubstrait
	}
	schema, ok := catalogSchema(m)
	if !ok {
		return nil, invalid("%s has no schema", m.ProtoReflect().Descriptor().Name())
	}
	return &flight.SchemaResult{Schema: schemaBytes(schema)}, nil
}

// DoGet sends the result that a ticket stands for.
func (s *service) DoGet(tkt *flight.Ticket, stream flight.FlightService_DoGetServer) error {
	m, err := command(tkt.GetTicket())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(stream.Context())
	defer cancel()
	ses := sessionOf(ctx)
	var rows Rows
	switch m := m.(type) {
	case *pb.TicketStatementQuery:
		t, err := ses.ticketBy(m.GetStatementHandle())
		if err != nil {
			return err
		}
		end, err := t.begin(cancel)
		if err != nil {
			return err
		}
		defer end()
		if rows, err = t.open(ctx); err != nil {
			return err
		}
	case *pb.CommandPreparedStatementQuery:
		t, _, err := s.preparedQuery(ctx, ses, m.GetPreparedStatementHandle())
		if err != nil {
			return err
		}
		if rows, err = t.open(ctx); err != nil {
			return err
		}
	default:
		rec, err := s.catalog(ctx, ses, m)
		if err != nil {
			return err
		}
		rows = fixed(rec)
	}
	ses.mu.Lock()
	limit := ses.maxMessage
	ses.mu.Unlock()
	o := sendOptions{target: s.opts.SliceBytes, limit: limit, most: s.opts.MaxResult, quiet: s.opts.Quiet, stuck: s.opts.Stuck, log: s.log}
	if live, ok := rows.(Live); ok && live.Endless() {
		return sendLive(ctx, stream, live, o, s.quit)
	}
	return send(ctx, stream, rows, o)
}

// notify sends notices as headers, which drivers show beside a result.
func notify(ctx context.Context, notices []string) {
	if len(notices) == 0 {
		return
	}
	md := metadata.MD{}
	for _, n := range notices {
		md.Append("x-flightd-notice", headerText(n))
	}
	_ = grpc.SetHeader(ctx, md)
}
