package flight

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"google.golang.org/grpc/metadata"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/flight/guard"
	"github.com/flightd/flightd/internal/base"
)

// producerHeader names the producer of a DoPut for clients that cannot send
// metadata before the schema; the answer begins with what is durable of it.
const producerHeader = "x-flightd-producer"

// unacknowledged is how many record batches of a DoPut may wait to be durable. Their
// bytes are bounded by the table, for all producers together.
const unacknowledged = 64

const (
	// maxOrigin is the longest app_metadata of a record batch.
	maxOrigin = 4 << 10
	// maxUnread is how many producers a client may ask for without reading the answers.
	maxUnread = 256
)

// appending is a session that takes record batches one by one, each durable by
// itself.
type appending interface {
	Appender(ctx context.Context, table string, schema *arrow.Schema) (*flightd.Appender, error)
	Producer(table, producer string) (seq, commit int64, err error)
}

// origin is the app_metadata of a record batch.
type origin struct {
	Producer string `json:"producer"`
	Seq      *int64 `json:"seq"`
}

// ack is the app_metadata of an answer: all of the producer's record batches up to
// Seq are durable since the table's commit Durable; Seq is −1 if there are none.
// Rows counts those of this DoPut. Rows without a producer have no Seq.
type ack struct {
	Producer string `json:"producer,omitempty"`
	Seq      *int64 `json:"seq,omitempty"`
	Durable  int64  `json:"durable"`
	Rows     int64  `json:"rows"`
}

// An appends is one DoPut into a stream table. Three goroutines take part: one
// receives and appends, one waits for the table to say what is durable, one answers.
// A client that does not read its answers holds up the last one alone, which then
// says the newest only.
type appends struct {
	stream flight.FlightService_DoPutServer
	first  *flight.FlightData // read already
	guard  *guard.Guard
	ses    appending
	table  string
	// named is the producer of the header.
	named string

	// message is the record batch that the decoder got last, as the client sent it; nil
	// if the guard had to change it.
	message *flight.FlightData
	waiting chan waiting

	mu   sync.Mutex
	acks []ack // to be sent, one for a producer
	rows int64
	due  chan struct{}
}

// waiting is a record batch that is not durable yet.
type waiting struct {
	ack
	rows    int64
	receipt *flightd.Receipt
}

// tableOfPath reads a PATH descriptor: [table], [schema, table] or [catalog, schema,
// table].
func tableOfPath(path []string) (string, error) {
	n := len(path)
	switch {
	case n == 0 || n > 3 || path[n-1] == "":
		return "", invalid("the path of the descriptor must name a table, such as [\"t\"]; it is %q", path)
	case n > 1 && !strings.EqualFold(path[n-2], schemaName):
		return "", base.UserError("SCHEMA_NOT_FOUND", "42704", "There is no schema %s; there is %s.", path[n-2], schemaName)
	case n > 2 && !strings.EqualFold(path[0], catalogName):
		return "", base.UserError("CATALOG_NOT_FOUND", "42P08", "There is no catalog %s; there is %s.", path[0], catalogName)
	}
	return path[n-1], nil
}

// putPath appends what the client sends to the table that a PATH descriptor names.
func (s *service) putPath(stream flight.FlightService_DoPutServer, ses *session, first *flight.FlightData) error {
	table, err := tableOfPath(first.GetFlightDescriptor().GetPath())
	if err != nil {
		return err
	}
	if err := ses.who.user.Role.May(flightd.Writer, "an ingest"); err != nil {
		return err // before the rows are read
	}
	to, ok := ses.Session.(appending)
	if !ok {
		return unsupported("this server has no stream tables")
	}
	a := &appends{stream: stream, first: first, guard: guard.New(s.opts.Guard), ses: to, table: table,
		waiting: make(chan waiting, unacknowledged), due: make(chan struct{}, 1)}
	if md, ok := metadata.FromIncomingContext(stream.Context()); ok {
		if v := md.Get(producerHeader); len(v) > 0 {
			a.named = v[0]
		}
	}
	return a.run(stream.Context(), s.opts.Stuck)
}

// run returns when everything that was appended is durable and acknowledged, or
// something failed. What was appended before an error of the client is acknowledged
// before that.
func (a *appends) run(ctx context.Context, stuck time.Duration) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	received, tracked, sent := make(chan error, 1), make(chan error, 1), make(chan error, 1)
	go func() { received <- a.receive(ctx); close(a.waiting) }()
	go func() { tracked <- a.track(ctx) }()
	go func() { sent <- a.send(ctx, tracked) }()
	var bad error
	select {
	case err := <-sent:
		if err != nil { // the table failed, or the client is gone: what it sends is not waited for
			return err
		}
		return <-received
	case bad = <-received:
	}
	if ctx.Err() != nil {
		return bad
	}
	timer := time.NewTimer(stuck)
	defer timer.Stop()
	select {
	case err := <-sent:
		if bad != nil {
			return bad
		}
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return base.Errorf(base.CodeExhausted, "[RESOURCE_EXHAUSTED] the client has not read its acknowledgements for %v", stuck).
			WithHint("what was sent may be durable; a producer asks for its last durable number before it goes on")
	}
}

// receive appends until the client has sent all.
func (a *appends) receive(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = base.Errorf(base.CodeInternal, "a bug in flightd: %v", p).WithHint("please report it")
		}
	}()
	if a.named != "" {
		if err := a.tell(a.named); err != nil {
			return err
		}
	}
	if err := a.skipQuestions(); err != nil {
		if err == io.EOF {
			return nil
		}
		return err
	}
	r, err := flight.NewRecordReader(a)
	if err != nil {
		var e *base.Error
		if errors.As(err, &e) {
			return e
		}
		return invalid("reading the schema of the stream: %v", err)
	}
	defer r.Release()
	to, err := a.ses.Appender(ctx, a.table, r.Schema())
	if err != nil {
		return err
	}
	for {
		rec, err := guard.Next(r)
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = a.append(ctx, to, rec, r.LatestAppMetadata())
		}
		if err != nil {
			return err
		}
	}
}

// skipQuestions answers what comes before the schema.
func (a *appends) skipQuestions() error {
	for {
		d := a.first
		if d == nil {
			var err error
			if d, err = a.stream.Recv(); err != nil {
				return err
			}
		}
		if len(d.GetDataHeader()) > 0 {
			a.first = d
			return nil
		}
		a.first = nil
		if err := a.question(d.GetAppMetadata()); err != nil {
			return err
		}
	}
}

// Recv hands the decoder the next message that the guard admits.
func (a *appends) Recv() (*flight.FlightData, error) {
	if err := a.skipQuestions(); err != nil {
		return nil, err
	}
	d := a.first
	a.first, a.message = nil, nil
	m, kind, err := a.guard.Admit(guard.Message{Header: d.GetDataHeader(), Body: d.GetDataBody()})
	if err != nil {
		return nil, err
	}
	if kind == guard.RecordBatch && &m.Header[0] == &d.DataHeader[0] { // it was not compressed
		a.message = d
	}
	d.DataHeader, d.DataBody = m.Header, m.Body
	return d, nil
}

// parseOrigin reads the metadata of a message.
func (a *appends) parseOrigin(b []byte) (o origin, err error) {
	if len(b) > maxOrigin {
		return o, invalid("the app_metadata of a record batch has %d bytes; %d are the most", len(b), maxOrigin)
	}
	if len(b) > 0 {
		if err := json.Unmarshal(b, &o); err != nil {
			return o, invalid("the app_metadata of a record batch is not JSON of the form {\"producer\": \"p\", \"seq\": 0}: %v", err)
		}
	}
	if o.Producer == "" {
		o.Producer = a.named
	}
	return o, nil
}

// question answers a message without a record batch: {"producer": "p"} asks what is
// durable of p.
func (a *appends) question(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	o, err := a.parseOrigin(b)
	if err != nil {
		return err
	}
	if o.Producer == "" || o.Seq != nil {
		return invalid("a message without a record batch asks for the last durable number of a producer, as {\"producer\": \"p\"}; it says %.100q", b)
	}
	return a.tell(o.Producer)
}

// tell answers with what is durable of a producer.
func (a *appends) tell(producer string) error {
	seq, commit, err := a.ses.Producer(a.table, producer)
	if err != nil {
		return err
	}
	a.mu.Lock()
	unread := len(a.acks)
	a.mu.Unlock()
	if unread > maxUnread {
		return base.Errorf(base.CodeExhausted, "[RESOURCE_EXHAUSTED] the client asked for %d producers and reads no answer", unread).
			WithHint("read the answers, or ask SHOW PRODUCERS")
	}
	a.post(ack{Producer: producer, Seq: &seq, Durable: commit}, 0)
	return nil
}

// append puts one record batch on its way.
func (a *appends) append(ctx context.Context, to *flightd.Appender, rec arrow.RecordBatch, meta []byte) error {
	o, err := a.parseOrigin(meta)
	if err != nil {
		return err
	}
	in := flightd.Appended{Rows: rec, Producer: o.Producer, Seq: flightd.NoSeq}
	switch {
	case o.Seq != nil && o.Producer == "":
		return invalid("a record batch has the number %d of no producer; app_metadata is {\"producer\": \"p\", \"seq\": %d}", *o.Seq, *o.Seq)
	case o.Seq != nil:
		in.Seq = *o.Seq
	case o.Producer != "" && rec.NumRows() == 0:
		return a.tell(o.Producer)
	case o.Producer != "":
		return invalid("a record batch of producer %q has no number; app_metadata is {\"producer\": %q, \"seq\": 0}", o.Producer, o.Producer)
	}
	if m := a.message; m != nil {
		in.Metadata, in.Body = m.DataHeader, m.DataBody
	}
	r, err := to.Append(ctx, in)
	if err != nil || r == nil {
		return err
	}
	w := waiting{ack: ack{Producer: o.Producer, Seq: o.Seq}, rows: rec.NumRows(), receipt: r}
	select {
	case a.waiting <- w:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// track posts what has become durable, in the order in which it was sent.
func (a *appends) track(ctx context.Context) error {
	for w := range a.waiting {
		commit, err := w.receipt.Await(ctx)
		if err != nil {
			return err
		}
		w.Durable = commit
		a.post(w.ack, w.rows)
	}
	return nil
}

// post makes an answer due; of several for a producer the newest is sent.
func (a *appends) post(k ack, rows int64) {
	a.mu.Lock()
	a.rows += rows
	k.Rows = a.rows
	at := 0
	for at < len(a.acks) && a.acks[at].Producer != k.Producer {
		at++
	}
	if at == len(a.acks) {
		a.acks = append(a.acks, k)
	} else if old := a.acks[at]; old.Seq == nil || k.Seq == nil || *k.Seq >= *old.Seq {
		a.acks[at] = k
	}
	a.mu.Unlock()
	select {
	case a.due <- struct{}{}:
	default:
	}
}

// send answers as long as something may become durable, and once more.
func (a *appends) send(ctx context.Context, tracked <-chan error) error {
	for {
		var end bool
		var failed error
		select {
		case <-a.due:
		case failed = <-tracked:
			end = true
		case <-ctx.Done():
			return ctx.Err()
		}
		a.mu.Lock()
		acks := a.acks
		a.acks = nil
		a.mu.Unlock()
		for i := range acks {
			b, err := json.Marshal(acks[i])
			if err == nil {
				err = a.stream.Send(&flight.PutResult{AppMetadata: b})
			}
			if err != nil {
				return err
			}
		}
		if end {
			return failed
		}
	}
}
