package client

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	mrand "math/rand/v2"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"google.golang.org/grpc/codes"
)

const (
	// maxMessage is the size of a record batch beyond which it is sent in parts, each
	// with a number of its own: a server admits 64 MiB.
	maxMessage = 16 << 20
	// unacknowledged is how many record batches are kept to be sent again, and
	// unacknowledgedBytes, unless it is one alone, how many bytes of them.
	unacknowledged      = 64
	unacknowledgedBytes = 64 << 20
)

// AppendOptions say who appends. The zero options do under a name that is the
// connection's alone.
type AppendOptions struct {
	// Producer names the sender. One that was stopped itself comes back by its name
	// with Seq.
	Producer string
	// Seq, if not nil, is the number of the first record batch, from 0 on, and each of
	// the others has one more; those that are durable already are not sent again. With
	// nil the numbers go on behind the last durable one, which is not for who comes back
	// after a call that failed: what that call sent may become durable yet, and rows would
	// be there twice, or taken for those (docs/ingest.md).
	Seq *int64
	// Durable, if not nil, is told how far it is, from a goroutine of the call.
	Durable func(Durable)
	// RetryFor is how long a broken connection is tried again without success; 0 is
	// five minutes, a negative time not at all.
	RetryFor time.Duration
}

// Seq returns a pointer to n, for AppendOptions.
func Seq(n int64) *int64 { return &n }

// Durable is what is on the server's disk.
type Durable struct {
	Producer string
	// Seq is the last number of the producer that is durable, with all before it, since
	// the table's commit Commit.
	Seq, Commit int64
	// Rows is how many rows of the call are durable.
	Rows int64
}

// Append sends record batches to a stream table and returns the number of their rows
// once they are durable. Each batch is numbered and durable by itself (docs/ingest.md),
// and kept until the server says so: after a broken connection or a restart of the
// server, what is not durable is sent again, so that every row is in the table once.
// What was sent before an error may be there.
func (x *Conn) Append(ctx context.Context, table string, rows array.RecordReader, o AppendOptions) (int64, error) {
	switch {
	case o.Seq != nil && o.Producer == "":
		return 0, errors.New("flightd: AppendOptions.Seq is the number of a producer's record batch; name the producer")
	case o.Seq != nil && *o.Seq < 0:
		return 0, errors.New("flightd: AppendOptions.Seq is a number from 0 on")
	}
	if o.RetryFor == 0 {
		o.RetryFor = retryFor
	}
	a := &appending{conn: x, table: table, rows: rows, opts: o, durable: -1, next: -1}
	if o.Seq != nil {
		a.next = *o.Seq
	}
	if o.Producer == "" {
		x.numbering.Lock()
		defer x.numbering.Unlock()
		if x.producer == "" {
			x.producer = madeUp()
		}
		a.opts.Producer = x.producer
	}
	n, err := a.run(ctx)
	if err != nil && o.Producer == "" {
		// Numbers that this call has sent may become durable yet; the next call must not
		// give them to other rows.
		x.producer = ""
	}
	return n, err
}

// madeUp is the name of a producer that is one connection's alone; the ~ says so to
// the server.
func madeUp() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return "~go-" + hex.EncodeToString(b[:])
}

// appending is one Append, across broken connections.
type appending struct {
	conn  *Conn
	table string
	rows  array.RecordReader
	opts  AppendOptions
	// rest is what is to be sent yet of the record batch that was read last.
	rest    []arrow.RecordBatch
	readAll bool

	mu      sync.Mutex
	next    int64 // the number of the next batch that is read; −1: the one behind durable
	durable int64
	pending []numbered
	bytes   int64
	count   int64 // durable rows
	room    chan struct{}
}

// numbered is a record batch that is not known to be durable.
type numbered struct {
	seq  int64
	size int64
	rec  arrow.RecordBatch
}

// acknowledged is the app_metadata of the server's answers.
type acknowledged struct {
	Seq     int64 `json:"seq"`
	Durable int64 `json:"durable"`
}

func (a *appending) run(ctx context.Context) (int64, error) {
	defer a.release()
	durable := a.durable
	err := a.conn.patiently(ctx, a.opts.RetryFor, func() (further bool, err error) {
		err = a.call(ctx)
		further, durable = a.durable > durable, a.durable
		if a.readAll && len(a.pending) == 0 {
			err = nil
		}
		return further, err
	})
	var source sourceError
	if errors.As(err, &source) {
		err = source.err
	}
	return a.count, err
}

// retryFor is how long a broken connection is tried again if nobody says so.
const retryFor = 5 * time.Minute

// patiently makes a call until the server has answered it, for as long as limit without
// getting further; a negative limit tries once.
func (x *Conn) patiently(ctx context.Context, limit time.Duration, call func() (further bool, err error)) error {
	var failing time.Time
	wait := 50 * time.Millisecond
	for {
		var further bool
		err := x.again(ctx, func() (err error) { further, err = call(); return err })
		var source sourceError
		switch {
		case err == nil || errors.As(err, &source):
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case limit < 0 || !mayAppend(err):
			return err
		case failing.IsZero() || further:
			failing, wait = time.Now(), 50*time.Millisecond
		case time.Since(failing) > limit:
			return err
		}
		select {
		case <-time.After(wait/2 + mrand.N(wait)):
		case <-ctx.Done():
			return ctx.Err()
		}
		wait = min(2*wait, 5*time.Second)
	}
}

// mayAppend reports whether the same may work later. A record batch that is too large
// stays so, and a login was tried already.
func mayAppend(err error) bool {
	var e *Error
	if errors.As(err, &e) {
		switch e.Code {
		case codes.ResourceExhausted:
			return e.Condition == "LIMIT_EXCEEDED"
		case codes.Unauthenticated:
			return false
		}
	}
	return passing(err)
}

// sourceError is an error of the rows that were to be sent, which no connection
// mends. It does not unwrap: what is inside may look like one of this connection.
type sourceError struct{ err error }

func (e sourceError) Error() string { return e.err.Error() }

func (a *appending) release() {
	for _, n := range a.pending {
		n.rec.Release()
	}
	for _, r := range a.rest {
		r.Release()
	}
}

// call is one DoPut. It returns nil when everything is durable.
func (a *appending) call(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := a.conn.c.Client.DoPut(ctx)
	if err != nil {
		return err
	}
	question, err := json.Marshal(map[string]string{"producer": a.opts.Producer})
	if err != nil {
		return err
	}
	to := &flight.FlightDescriptor{Type: flight.DescriptorPATH, Path: []string{a.table}}
	if err := stream.Send(&flight.FlightData{FlightDescriptor: to, AppMetadata: question}); err != nil && err != io.EOF {
		return err
	}
	k, err := receive(stream)
	if err != nil {
		return err
	}
	if k.Seq < a.durable {
		return &Error{Code: codes.DataLoss, Message: fmt.Sprintf("batch %d of producer %q was acknowledged, and table %s has them up to %d only", a.durable, a.opts.Producer, a.table, k.Seq)}
	}
	a.room = make(chan struct{}, 1)
	a.settle(k.Seq)
	if a.next < 0 {
		a.next = k.Seq + 1
	}
	heard := make(chan error, 1)
	go func() {
		err := a.listen(stream)
		cancel() // whoever sends need not go on
		heard <- err
	}()
	sent := a.send(ctx, stream)
	var source sourceError
	switch {
	case errors.As(sent, &source): // what was sent before becomes durable
		_ = stream.CloseSend()
		<-heard
		return sent
	case sent != nil && sent != io.EOF && ctx.Err() == nil:
		cancel()
		<-heard
		return sent
	}
	if err := <-heard; err != nil {
		return err
	}
	if len(a.pending) > 0 || !a.readAll {
		return &Error{Code: codes.Unavailable, Message: "the server ended the ingest before everything was durable"}
	}
	return nil
}

func receive(stream flight.FlightService_DoPutClient) (acknowledged, error) {
	k := acknowledged{Seq: -1}
	r, err := stream.Recv()
	if err == nil {
		if err := json.Unmarshal(r.GetAppMetadata(), &k); err != nil {
			return k, fmt.Errorf("flightd: reading an acknowledgement: %w", err)
		}
	}
	if err == io.EOF {
		err = &Error{Code: codes.Unavailable, Message: "the server ended the ingest without an answer"}
	}
	return k, err
}

// listen reads answers to the end.
func (a *appending) listen(stream flight.FlightService_DoPutClient) error {
	for {
		r, err := stream.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		var k acknowledged
		if err := json.Unmarshal(r.GetAppMetadata(), &k); err != nil {
			return fmt.Errorf("flightd: reading an acknowledgement: %w", err)
		}
		d := Durable{Producer: a.opts.Producer, Commit: k.Durable}
		d.Seq, d.Rows = a.settle(k.Seq)
		if a.opts.Durable != nil {
			a.opts.Durable(d)
		}
	}
}

// settle forgets what is durable up to seq.
func (a *appending) settle(seq int64) (durable, rows int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.durable = max(a.durable, seq)
	for len(a.pending) > 0 && a.pending[0].seq <= seq {
		n := a.pending[0]
		a.pending = a.pending[1:]
		a.bytes -= n.size
		a.count += n.rec.NumRows()
		n.rec.Release()
	}
	select {
	case a.room <- struct{}{}:
	default:
	}
	return a.durable, a.count
}

// send sends again what is not durable, and then what is read, and says that it was
// all.
func (a *appending) send(ctx context.Context, stream flight.FlightService_DoPutClient) error {
	w := flight.NewRecordWriter(stream, ipc.WithSchema(a.rows.Schema()))
	defer func() { _ = w.Close() }() // it only writes a schema that nothing followed
	a.mu.Lock()
	again := append([]numbered(nil), a.pending...)
	for _, n := range again {
		n.rec.Retain()
	}
	a.mu.Unlock()
	for i, n := range again {
		err := a.write(w, n)
		n.rec.Release()
		if err != nil {
			for _, left := range again[i+1:] {
				left.rec.Release()
			}
			return err
		}
	}
	for {
		if err := a.awaitRoom(ctx); err != nil {
			return err
		}
		n, ok, err := a.read()
		if err != nil {
			return err
		}
		if !ok {
			if err := w.Close(); err != nil {
				return err
			}
			return stream.CloseSend()
		}
		if n.rec == nil {
			continue
		}
		err = a.write(w, n)
		n.rec.Release()
		if err != nil {
			return err
		}
	}
}

func (a *appending) write(w *flight.Writer, n numbered) error {
	meta, err := json.Marshal(map[string]any{"producer": a.opts.Producer, "seq": n.seq})
	if err != nil {
		return err
	}
	return w.WriteWithAppMetadata(n.rec, meta)
}

func (a *appending) awaitRoom(ctx context.Context) error {
	for {
		a.mu.Lock()
		room := len(a.pending) == 0 || len(a.pending) < unacknowledged && a.bytes < unacknowledgedBytes
		a.mu.Unlock()
		if room {
			return ctx.Err()
		}
		select {
		case <-a.room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// read takes the next part of the rows, which the caller releases. The record batch is
// nil if the part is durable; ok is false at the end.
func (a *appending) read() (n numbered, ok bool, err error) {
	for len(a.rest) == 0 {
		if a.readAll || !a.rows.Next() {
			if err := a.rows.Err(); err != nil {
				return n, false, sourceError{err}
			}
			a.readAll = true
			return n, false, nil
		}
		a.rest = parts(a.rows.RecordBatch())
	}
	rec := a.rest[0]
	a.rest = a.rest[1:]
	a.mu.Lock()
	defer a.mu.Unlock()
	n = numbered{seq: a.next, rec: rec, size: bytesOf(rec)}
	a.next++
	if n.seq <= a.durable { // an earlier call has sent it
		a.count += rec.NumRows()
		rec.Release()
		n.rec = nil
		return n, true, nil
	}
	rec.Retain()
	a.pending = append(a.pending, n)
	a.bytes += n.size
	return n, true, nil
}

// bytesOf is about how large a record batch is as a message.
func bytesOf(rec arrow.RecordBatch) int64 {
	var size int64
	for _, col := range rec.Columns() {
		size += buffersOf(col.Data())
	}
	if size <= maxMessage {
		return size
	}
	// It may be a slice of something larger: count what would be sent.
	p, err := ipc.GetRecordBatchPayload(rec)
	if err != nil {
		return 0 // the writer says what is wrong
	}
	defer p.Release()
	var n counter
	_ = p.SerializeBody(&n) // the counter has no errors
	return int64(n)
}

func buffersOf(d arrow.ArrayData) int64 {
	var size int64
	for _, b := range d.Buffers() {
		if b != nil {
			size += int64(b.Len())
		}
	}
	for _, c := range d.Children() {
		size += buffersOf(c)
	}
	if d.DataType().ID() == arrow.DICTIONARY {
		size += buffersOf(d.Dictionary())
	}
	return size
}

// counter counts what is written.
type counter int64

func (n *counter) Write(b []byte) (int, error) {
	*n += counter(len(b))
	return len(b), nil
}

// parts cuts a record batch so that each part fits into a message.
func parts(rec arrow.RecordBatch) []arrow.RecordBatch {
	size, rows := bytesOf(rec), rec.NumRows()
	if size <= maxMessage || rows <= 1 {
		rec.Retain()
		return []arrow.RecordBatch{rec}
	}
	var out []arrow.RecordBatch
	step := max(1, rows*maxMessage/size)
	for at := int64(0); at < rows; at += step {
		out = append(out, rec.NewSlice(at, min(rows, at+step)))
	}
	return out
}

// isStream reports whether a table takes numbered record batches.
func (x *Conn) isStream(ctx context.Context, table string) (bool, error) {
	err := x.texts(ctx, "SHOW PRODUCERS "+quoted(table)+" LIKE ''", func([]string) {})
	var e *Error
	if errors.As(err, &e) && (e.Condition == "NOT_A_STREAM_TABLE" || e.Code == codes.NotFound) {
		return false, nil
	}
	return err == nil, err
}
