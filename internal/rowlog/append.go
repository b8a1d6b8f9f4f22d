package rowlog

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/flightd/flightd/internal/base"
)

// NoSeq is the sequence number of a group without a producer.
const NoSeq int64 = -1

// An Origin says who sent a group of rows, so that it is taken once. The zero Origin
// with Seq NoSeq is nobody.
type Origin struct {
	// Producer names the sender; "" is nobody, whose groups are always taken.
	Producer string
	// Seq numbers the producer's groups: the first is 0 or 1, each of the others one
	// more than the one before, unless Sparse.
	Seq int64
	// Sparse allows gaps: epochs without rows are not sent.
	Sparse bool
	// Digest, if set, is kept with the producer's last group.
	Digest *base.Digest
}

// A Receipt is the promise of one append.
type Receipt struct {
	done   chan struct{}
	err    error
	commit int64
	known  bool
}

// Done is closed when the rows are durable, or will never be.
func (r *Receipt) Done() <-chan struct{} { return r.done }

// Commit returns the number of a commit after which the rows are durable, or why
// they are not. Call it after Done.
func (r *Receipt) Commit() (int64, error) { return r.commit, r.err }

// Known reports that the producer's group was there before and nothing was written.
func (r *Receipt) Known() bool { return r.known }

// Await waits for Done.
func (r *Receipt) Await(ctx context.Context) (int64, error) {
	select {
	case <-r.done:
		return r.commit, r.err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// producer is what a log knows of one.
type producer struct {
	// accepted is the last sequence number that was taken, durable the last one on disk;
	// −1 is none.
	accepted, durable int64
	rows              int64 // durable
	time              int64 // of its last durable group, in ms since 1970
	digest            *base.Digest
	// last is the receipt of accepted, until that is durable.
	last *Receipt
}

// item is a group on its way to disk.
type item struct {
	Origin
	parts   []Part
	stage   *stage // instead of parts
	rows    int64
	size    int64 // taken from the log's room
	receipt *Receipt
}

// Append puts the parts behind the log's rows, all or none, and returns when there
// is room for them to wait; the receipt tells when they are durable. A producer's
// group that is there already is not written. The error is about this group alone.
func (l *Log) Append(ctx context.Context, o Origin, parts ...Part) (*Receipt, error) {
	it := &item{Origin: o, parts: slices.DeleteFunc(slices.Clone(parts), func(p Part) bool { return p.Rows == 0 })}
	parts = it.parts
	for i := range parts {
		it.rows, it.size = it.rows+parts[i].Rows, it.size+parts[i].size()
		if n := len(parts[i].Metadata) + len(parts[i].Body); n > maxBody-1024 {
			return nil, base.Errorf(base.CodeExhausted, "a record batch has %d bytes, more than a stream table can hold", n).WithHint("send smaller record batches")
		}
	}
	return l.enqueue(ctx, it)
}

func (l *Log) enqueue(ctx context.Context, it *item) (*Receipt, error) {
	if it.Producer == "" {
		it.Seq = NoSeq
	}
	l.mu.Lock()
	r, err := l.admit(it)
	l.mu.Unlock()
	if r != nil || err != nil {
		return r, err
	}
	it.size = min(max(it.size, 1), l.opt.QueueBytes)
	if err := l.room.Acquire(ctx, it.size); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	// Another connection of the same producer may have been faster.
	if r, err = l.admit(it); r != nil || err != nil {
		l.room.Release(it.size)
		return r, err
	}
	it.receipt = &Receipt{done: make(chan struct{})}
	if it.Producer != "" {
		p := l.producers[it.Producer]
		if p == nil {
			p = &producer{accepted: -1, durable: -1, time: l.opt.Clock.Now().UnixMilli()}
			l.producers[it.Producer] = p
		}
		p.accepted, p.last = it.Seq, it.receipt
	}
	l.queue = append(l.queue, it)
	if !l.working {
		l.working, l.idle = true, make(chan struct{})
		go l.work()
	}
	return it.receipt, nil
}

// admit holds a group against what its producer has sent (R2). The receipt is that
// of a group that was sent before. The caller holds mu.
func (l *Log) admit(it *item) (*Receipt, error) {
	if err := cmp.Or(l.closed, l.broken); err != nil {
		return nil, err
	}
	if it.Producer == "" {
		return nil, nil
	}
	if len(it.Producer) > maxProducer {
		return nil, base.Errorf(base.CodeInvalid, "the name of a producer has %d bytes; %d are the most", len(it.Producer), maxProducer)
	}
	p := l.producers[it.Producer]
	switch {
	case it.Seq < 0:
		return nil, base.Errorf(base.CodeInvalid, "producer %q sent the sequence number %d", it.Producer, it.Seq).WithHint("the first is 0 or 1, then each is one more")
	case p == nil && it.Seq > 1 && !it.Sparse:
		return nil, l.gap("Producer %q began with batch %d; table %s has none of its batches, so the first must be 0 or 1.", it.Producer, it.Seq, l.opt.Name)
	case p == nil:
		return nil, l.makeRoom(it.Producer)
	case p.accepted < 0 && it.Seq > 1 && !it.Sparse: // what it sent was not written
		return nil, l.gap("Producer %q sent batch %d; table %s has none of its batches, so the next must be 0 or 1.", it.Producer, it.Seq, l.opt.Name)
	case it.Seq <= p.durable:
		r := &Receipt{done: make(chan struct{}), commit: l.commits, known: true}
		close(r.done)
		return r, nil
	case it.Seq <= p.accepted:
		return p.last, nil
	case p.accepted >= 0 && it.Seq > p.accepted+1 && !it.Sparse:
		return nil, l.gap("Producer %q sent batch %d after batch %d to table %s.", it.Producer, it.Seq, p.accepted, l.opt.Name).
			WithHint("send batch %d next; SHOW PRODUCERS %s tells the last durable one", p.accepted+1, l.opt.Name)
	}
	return nil, nil
}

func (l *Log) gap(format string, args ...any) *base.Error {
	e := base.UserError("INGEST_SEQUENCE_GAP", "22000", format, args...)
	return e.WithHint("SHOW PRODUCERS %s tells the last durable batch of each producer; go on behind it", l.opt.Name)
}

const (
	// passing begins the names that clients make up for one connection, which nobody
	// comes back by after passingIdle.
	passing     = "~"
	passingIdle = time.Hour
)

// makeRoom forgets producers that have sent nothing for long if there are too many
// for another one. The caller holds mu.
func (l *Log) makeRoom(name string) error {
	if len(l.producers) < l.opt.MaxProducers {
		return nil
	}
	now := l.opt.Clock.Now()
	for n, p := range l.producers {
		idle := l.opt.ProducerIdle
		if strings.HasPrefix(n, passing) {
			idle = min(idle, passingIdle)
		}
		if p.time < now.Add(-idle).UnixMilli() && p.accepted == p.durable {
			delete(l.producers, n)
		}
	}
	if len(l.producers) < l.opt.MaxProducers {
		return nil
	}
	e := base.UserError("TOO_MANY_PRODUCERS", "54000", "Table %s knows %d producers, so %q cannot be one more.", l.opt.Name, len(l.producers), name)
	e.Code = base.CodeExhausted
	return e.WithHint("use the same names again; a producer that sends nothing for %v makes room", l.opt.ProducerIdle)
}

// A Producer is what a table knows of one.
type Producer struct {
	Name string
	// Seq is the last durable sequence number, Rows the number of its rows.
	Seq, Rows int64
	// Time is when the last of them became durable.
	Time   time.Time
	Digest *base.Digest
}

// Producers lists those with durable batches, by name.
func (l *Log) Producers() []Producer {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []Producer
	for _, n := range sortedNames(l.producers) {
		if p := l.producers[n]; p.durable >= 0 {
			out = append(out, p.public(n))
		}
	}
	return out
}

func (p *producer) public(name string) Producer {
	return Producer{Name: name, Seq: p.durable, Rows: p.rows, Time: time.UnixMilli(p.time), Digest: p.digest}
}

// Producer returns what is known of one; Seq is NoSeq if nothing of it is durable.
func (l *Log) Producer(name string) Producer {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p := l.producers[name]; p != nil {
		return p.public(name)
	}
	return Producer{Name: name, Seq: NoSeq}
}

func sortedNames(m map[string]*producer) []string {
	out := make([]string, 0, len(m))
	for n := range m {
		out = append(out, n)
	}
	slices.SortFunc(out, cmp.Compare[string])
	return out
}
