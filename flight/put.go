package flight

import (
	"context"
	"errors"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/flight"
	pb "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"google.golang.org/protobuf/proto"

	"github.com/flightd/flightd/flight/guard"
	"github.com/flightd/flightd/internal/base"
)

// DoPut takes what clients send: updates, parameters and record batches to
// ingest. Whatever they send goes through the guard first.
func (s *service) DoPut(stream flight.FlightService_DoPutServer) error {
	first, err := stream.Recv()
	if errors.Is(err, io.EOF) {
		return invalid("the stream ended before its first message: an ingest of nothing needs at least a schema")
	}
	if err != nil {
		return err
	}
	if first.GetFlightDescriptor() == nil {
		return invalid("the first message of DoPut has no descriptor")
	}
	ctx := stream.Context()
	ses := sessionOf(ctx)
	if first.GetFlightDescriptor().GetType() == flight.DescriptorPATH {
		return s.putPath(stream, ses, first)
	}
	m, err := command(first.GetFlightDescriptor().GetCmd())
	if err != nil {
		return err
	}
	in := &inbound{stream: stream, first: first, guard: guard.New(s.opts.Guard)}
	switch m := m.(type) {
	case *pb.CommandStatementUpdate:
		n, err := s.putUpdate(ctx, ses, m)
		return reply(stream, &pb.DoPutUpdateResult{RecordCount: n}, err)
	case *pb.CommandPreparedStatementQuery:
		err := s.putParameters(ses, m, in)
		return reply(stream, &pb.DoPutPreparedStatementResult{PreparedStatementHandle: m.GetPreparedStatementHandle()}, err)
	case *pb.CommandPreparedStatementUpdate:
		n, err := s.putPreparedUpdate(ctx, ses, m, in)
		return reply(stream, &pb.DoPutUpdateResult{RecordCount: n}, err)
	case *pb.CommandStatementIngest:
		n, err := s.ingest(ctx, ses, m, in)
		return reply(stream, &pb.DoPutUpdateResult{RecordCount: n}, err)
	case *pb.CommandStatementSubstraitPlan:
		return errSubstrait
	}
	return invalid("%s cannot be put", m.ProtoReflect().Descriptor().Name())
}

// reply sends m as the metadata of the one answer, unless err is set.
func reply(stream flight.FlightService_DoPutServer, m proto.Message, err error) error {
	if err != nil {
		return err
	}
	b, err := proto.Marshal(m)
	if err != nil {
		return err
	}
	return stream.Send(&flight.PutResult{AppMetadata: b})
}

func (s *service) putUpdate(ctx context.Context, ses *session, m *pb.CommandStatementUpdate) (int64, error) {
	st, err := s.parse(ctx, ses, m.GetQuery(), m.GetTransactionId())
	if err != nil {
		return 0, err
	}
	if err := checkParams(st, nil, false); err != nil {
		return 0, err
	}
	return update(ctx, st, nil)
}

func (s *service) putParameters(ses *session, m *pb.CommandPreparedStatementQuery, in *inbound) error {
	p, err := ses.preparedBy(m.GetPreparedStatementHandle())
	if err != nil {
		return err
	}
	params, err := s.readParameters(in)
	if err != nil {
		return err
	}
	if err := checkParams(p.statement, params, true); err != nil {
		releaseAll(params)
		return err
	}
	p.bind(params)
	return nil
}

func (s *service) putPreparedUpdate(ctx context.Context, ses *session, m *pb.CommandPreparedStatementUpdate, in *inbound) (int64, error) {
	p, err := ses.preparedBy(m.GetPreparedStatementHandle())
	if err != nil {
		return 0, err
	}
	params, bound := p.parameters()
	if in.hasData() {
		releaseAll(params)
		if params, err = s.readParameters(in); err != nil {
			return 0, err
		}
		// A schema without columns is how some clients say "no parameters".
		bound = len(params) > 0 || in.fields > 0
	}
	defer releaseAll(params)
	if err := checkParams(p.statement, params, bound); err != nil {
		return 0, err
	}
	return update(ctx, p.statement, params)
}

// readParameters reads all that the client binds; the result is never nil.
func (s *service) readParameters(in *inbound) ([]arrow.RecordBatch, error) {
	r, err := in.reader()
	if err != nil {
		return nil, err
	}
	defer r.Release()
	out := []arrow.RecordBatch{}
	var size int64
	for {
		rec, err := guard.Next(r)
		if err == io.EOF {
			return out, nil
		}
		if err == nil {
			if size += recordBytes(rec, 0, rec.NumRows()); size > s.opts.MaxParameters {
				err = base.Errorf(base.CodeExhausted, "the parameters have more than %d bytes", s.opts.MaxParameters).
					WithHint("send them in several calls, or ingest the rows into a table")
			}
		}
		if err != nil {
			releaseAll(out)
			return nil, err
		}
		if rec.NumCols() == 0 {
			continue
		}
		rec.Retain()
		out = append(out, rec)
	}
}
