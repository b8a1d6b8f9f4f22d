package flight

import (
	"context"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/flight"
	pb "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/flightd/flightd/internal/base"
)

// pollWait is how long PollFlightInfo waits for something new before it answers that
// there is nothing; maxJobs how many statements of a session are polled for at a time.
const (
	pollWait = time.Second
	maxJobs  = 64
)

// epochs are the results of a statement that come one by one and have an end.
type epochs interface {
	// Next waits for the next one's number; io.EOF after the last.
	Next(ctx context.Context) (int64, error)
	// UpTo is the last number, or −1.
	UpTo() int64
	Rows(ctx context.Context, epoch int64) (Rows, error)
}

// stepwise is a Statement that may have epochs.
type stepwise interface {
	// Epochs returns nil for a statement with one result.
	Epochs(ctx context.Context) (epochs, error)
}

// A job is a statement that runs while its client polls.
type job struct {
	id     string
	schema *arrow.Schema
	cancel context.CancelFunc
	// given is the descriptor that began it.
	given *flight.FlightDescriptor

	mu        sync.Mutex
	expires   time.Time
	endpoints []*ticket
	progress  float64 // −1 if it is not known
	done      bool
	err       error
	changed   chan struct{} // closes with the next change
}

// change changes the job and wakes who waits for it.
func (j *job) change(f func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	f()
	close(j.changed)
	j.changed = make(chan struct{})
}

// PollFlightInfo starts a statement, or looks how far it has come. A statement with one
// result that is there when it is asked for, as a query's is, is complete at once. An
// update runs once, however often is polled. The result of a bounded subscription grows
// by an endpoint for each epoch.
func (s *service) PollFlightInfo(ctx context.Context, d *flight.FlightDescriptor) (*flight.PollInfo, error) {
	m, err := command(d.GetCmd())
	if err != nil {
		return nil, err
	}
	ses := sessionOf(ctx)
	if t, ok := m.(*pb.TicketStatementQuery); ok {
		id, seen, _ := strings.Cut(string(t.GetStatementHandle()), "/")
		j, err := ses.jobBy(id)
		if err != nil {
			return nil, err
		}
		n, _ := strconv.Atoi(seen)
		return s.poll(ctx, j, n)
	}
	j, err := s.begin(ctx, ses, m, d)
	if err != nil {
		return nil, err
	}
	if j != nil {
		return s.poll(ctx, j, 0)
	}
	info, err := s.GetFlightInfo(ctx, d)
	if err != nil {
		return nil, err
	}
	return &flight.PollInfo{Info: info, Progress: proto.Float64(1)}, nil
}

// begin starts a job for what is not complete at once; nil for all else.
func (s *service) begin(ctx context.Context, ses *session, m proto.Message, d *flight.FlightDescriptor) (*job, error) {
	var st Statement
	var params []arrow.RecordBatch
	var bound bool
	var err error
	switch m := m.(type) {
	case *pb.CommandStatementQuery:
		st, err = s.parse(ctx, ses, m.GetQuery(), m.GetTransactionId())
	case *pb.CommandPreparedStatementQuery:
		var p *prepared
		if p, err = ses.preparedBy(m.GetPreparedStatementHandle()); err == nil {
			st = p.statement
			params, bound = p.parameters()
		}
	default:
		return nil, nil
	}
	if err == nil {
		err = checkParams(st, params, bound)
	}
	if err != nil {
		releaseAll(params)
		return nil, err
	}
	if st.IsUpdate() {
		return ses.startJob(s, d, affectedSchema, func(ctx context.Context, j *job) error {
			defer releaseAll(params)
			n, err := update(ctx, st, params)
			if err != nil {
				return err
			}
			t := ses.addTicket(s.opts, func(context.Context) (Rows, error) { return fixed(affectedRow(n)), nil })
			j.change(func() { j.endpoints = append(j.endpoints, t) })
			return nil
		}, params)
	}
	releaseAll(params)
	steps, ok := st.(stepwise)
	if !ok || bound {
		return nil, nil
	}
	all, err := steps.Epochs(ctx)
	if err != nil || all == nil {
		return nil, err
	}
	return ses.startJob(s, d, st.Schema(), func(ctx context.Context, j *job) error { return followEpochs(ctx, ses, s.opts, j, all) }, nil)
}

// followEpochs gives the job an endpoint for each epoch.
func followEpochs(ctx context.Context, ses *session, o Options, j *job, all epochs) error {
	first := int64(-1)
	for {
		n, err := all.Next(ctx)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if first < 0 {
			first = n
		}
		t := ses.addTicket(o, func(ctx context.Context) (Rows, error) { return all.Rows(ctx, n) })
		j.change(func() {
			j.endpoints = append(j.endpoints, t)
			if last := all.UpTo(); last >= first {
				j.progress = float64(n-first+1) / float64(last-first+1)
			}
		})
	}
}

// startJob runs a job until it is done, canceled, or its session ends. It takes over
// params if it cannot.
func (ses *session) startJob(s *service, d *flight.FlightDescriptor, schema *arrow.Schema, run func(context.Context, *job) error, params []arrow.RecordBatch) (*job, error) {
	ctx, cancel := context.WithCancel(ses.ctx)
	j := &job{id: newID(), schema: schema, cancel: cancel, given: d, expires: time.Now().Add(s.opts.TicketLife), progress: -1, changed: make(chan struct{})}
	ses.mu.Lock()
	ses.expire(time.Now())
	full := len(ses.jobs) >= maxJobs
	if !full && ctx.Err() == nil {
		ses.jobs[j.id] = j
		ses.running.Add(1)
	}
	ses.mu.Unlock()
	if full || ctx.Err() != nil {
		cancel()
		releaseAll(params)
		if full {
			return nil, base.Errorf(base.CodeExhausted, "the session polls for %d statements already", maxJobs).WithHint("poll for them until they are complete, or cancel them")
		}
		return nil, context.Canceled
	}
	go func() {
		defer ses.running.Done()
		defer cancel()
		err := recovering(s.log, func() error { return run(ctx, j) })
		j.change(func() { j.done, j.err = true, err })
	}()
	return j, nil
}

func (ses *session) jobBy(id string) (*job, error) {
	ses.mu.Lock()
	defer ses.mu.Unlock()
	if j := ses.jobs[id]; j != nil {
		return j, nil
	}
	return nil, base.Errorf(base.CodeNotFound, "this session polls for no such statement, or no longer").WithHint("execute the statement again")
}

// poll tells of the job as soon as there is more than the client has seen, or after
// pollWait.
func (s *service) poll(ctx context.Context, j *job, seen int) (*flight.PollInfo, error) {
	wait := time.NewTimer(pollWait)
	defer wait.Stop()
	for late := false; ; {
		j.mu.Lock()
		changed, news := j.changed, j.done || len(j.endpoints) > seen
		if news || late {
			defer j.mu.Unlock()
			return s.pollInfo(j)
		}
		j.mu.Unlock()
		select {
		case <-changed:
		case <-wait.C:
			late = true
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// pollInfo describes the job, whose lock the caller holds.
func (s *service) pollInfo(j *job) (*flight.PollInfo, error) {
	if j.err != nil {
		return nil, j.err
	}
	j.expires = time.Now().Add(s.opts.TicketLife)
	info := flightInfo(j.given, j.schema, nil)
	// With it CancelFlightInfo finds a statement that has no endpoints yet.
	info.Endpoint, info.AppMetadata = nil, []byte(jobMark+j.id)
	for _, t := range j.endpoints {
		b, err := packedCommand(&pb.TicketStatementQuery{StatementHandle: []byte(t.id)})
		if err != nil {
			return nil, err
		}
		info.Endpoint = append(info.Endpoint, &flight.FlightEndpoint{Ticket: &flight.Ticket{Ticket: b}, ExpirationTime: timestamppb.New(t.expires)})
	}
	out := &flight.PollInfo{Info: info, ExpirationTime: timestamppb.New(j.expires)}
	switch {
	case j.done:
		out.Progress = proto.Float64(1)
		return out, nil
	case j.progress >= 0:
		out.Progress = proto.Float64(j.progress)
	}
	b, err := packedCommand(&pb.TicketStatementQuery{StatementHandle: []byte(j.id + "/" + strconv.Itoa(len(j.endpoints)))})
	out.FlightDescriptor = &flight.FlightDescriptor{Type: flight.DescriptorCMD, Cmd: b}
	return out, err
}

// jobMark begins the metadata of a FlightInfo that is polled for.
const jobMark = "flightd-job:"

// cancelJob cancels the statement that the info is polled for.
func (ses *session) cancelJob(info *flight.FlightInfo) bool {
	id, ok := strings.CutPrefix(string(info.GetAppMetadata()), jobMark)
	if !ok {
		return false
	}
	j, err := ses.jobBy(id)
	if err == nil {
		j.cancel()
	}
	return err == nil
}

// packedCommand is m as descriptors and tickets have it.
func packedCommand(m proto.Message) ([]byte, error) {
	a, err := anypb.New(m)
	if err != nil {
		return nil, err
	}
	return proto.Marshal(a)
}
