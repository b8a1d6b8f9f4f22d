package socket

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sources"
	"github.com/flightd/flightd/sources/numbered"
)

const connectTimeout = 10 * time.Second

// Providers returns the provider socket. Its options are host, port and
// includeTimestamp (false), which adds the column of when a line came.
func Providers() []sources.Provider {
	return []sources.Provider{{Name: "socket", Options: []string{"host", "port", "includeTimestamp"}, Stream: open}}
}

// Source is the lines of one connection.
type Source struct {
	host   string
	port   int64
	schema *arrow.Schema
	clock  base.Clock
	lines  *lines // nil before the connection
	// start is the number of the connection's first line, once an offset was named;
	// −1 before.
	start  int64
	frozen int64 // the end that Freeze fixed, or −1
}

var (
	_ sources.Source  = (*Source)(nil)
	_ sources.Freezer = (*Source)(nil)
)

func open(_ context.Context, cfg sources.Config) (sources.Source, error) {
	s := &Source{clock: cfg.Clock, start: -1, frozen: -1, host: cfg.Options.String("host", "")}
	if s.clock == nil {
		s.clock = base.RealClock{}
	}
	if s.host == "" {
		return nil, base.Errorf(base.CodeInvalid, "source socket needs the option host: where to read lines from")
	}
	if _, ok := cfg.Options.Lookup("port"); !ok {
		return nil, base.Errorf(base.CodeInvalid, "source socket needs the option port: where to read lines from")
	}
	var err error
	if s.port, err = cfg.Options.Int("port", 0); err != nil {
		return nil, err
	}
	if s.port < 1 || s.port > 65535 {
		return nil, base.Errorf(base.CodeInvalid, "option port: %d is not a port", s.port)
	}
	times, err := cfg.Options.Bool("includeTimestamp", false)
	if err != nil {
		return nil, err
	}
	fields := []arrow.Field{{Name: "value", Type: arrow.BinaryTypes.String, Nullable: true}}
	if times {
		fields = append(fields, arrow.Field{Name: "timestamp", Type: arrow.FixedWidthTypes.Timestamp_us, Nullable: true})
	}
	s.schema = arrow.NewSchema(fields, nil)
	return s, numbered.CheckSchema("socket", cfg.Schema, s.schema)
}

// Schema returns value STRING and, if asked for, timestamp TIMESTAMP.
func (s *Source) Schema() *arrow.Schema { return s.schema }

// Initial returns 0 and connects.
func (s *Source) Initial(ctx context.Context) (base.Offset, error) {
	return numbered.Offset(0), s.connect(ctx, 0)
}

// connect makes the connection, once. at is the first offset that was named: the
// lines of this connection are those behind it.
func (s *Source) connect(ctx context.Context, at int64) error {
	if s.start < 0 {
		s.start = at
	}
	if s.lines != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	var d net.Dialer
	address := net.JoinHostPort(s.host, strconv.FormatInt(s.port, 10))
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return base.Errorf(base.CodeUnavailable, "connecting to %s", address).Because(err).
			WithHint("the source socket reads from a server that is there already, such as nc -lk %d", s.port)
	}
	s.lines = receive(conn, s.clock, s.start)
	return nil
}

// Latest returns the number of lines so far. There are no limits. It connects if
// that was not done.
func (s *Source) Latest(ctx context.Context, from base.Offset, _ sources.Limit) (base.Offset, error) {
	at, err := numbered.ParseOffset(from, s.Describe())
	if err != nil {
		return "", err
	}
	if err := s.connect(ctx, at); err != nil {
		return "", err
	}
	end, broken := s.lines.end()
	if at > end {
		return "", s.beyond(at, end)
	}
	if s.frozen >= 0 {
		end = max(at, s.frozen)
	}
	if end > at {
		return numbered.Offset(end), nil
	}
	if broken != nil {
		return "", broken
	}
	return from, nil
}

// Freeze fixes the end at the lines that came so far. It connects if that was not
// done.
func (s *Source) Freeze(ctx context.Context, from base.Offset) error {
	at, err := numbered.ParseOffset(from, s.Describe())
	if err != nil {
		return err
	}
	if err := s.connect(ctx, at); err != nil {
		return err
	}
	s.frozen, _ = s.lines.end()
	return nil
}

// Read returns the lines of the range. What came on the connection of an earlier
// process is gone: such a range is empty.
func (s *Source) Read(_ context.Context, from, to base.Offset, scan sources.Scan) ([]sources.Split, error) {
	lo, hi, err := numbered.ParseRange(from, to, s.Describe())
	if err != nil {
		return nil, err
	}
	if s.start < 0 {
		s.start = hi
	}
	end := s.start
	if s.lines != nil {
		end, _ = s.lines.end()
	}
	if hi > end {
		return nil, s.beyond(hi, end)
	}
	if s.lines == nil {
		return nil, nil
	}
	first, texts, times := s.lines.view(lo, hi)
	schema := numbered.Project(s.schema, scan)
	return numbered.Splits("socket", first, hi, numbered.SplitRows, scan, func(lo, hi int64) (arrow.RecordBatch, error) {
		return record(schema, texts[lo-first:hi-first], times[lo-first:hi-first]), nil
	}), nil
}

// record makes a record batch of lines with the columns of schema.
func record(schema *arrow.Schema, texts []string, times []int64) arrow.RecordBatch {
	cols := make([]arrow.Array, schema.NumFields())
	for i, f := range schema.Fields() {
		if f.Type.ID() == arrow.STRING {
			b := array.NewStringBuilder(memory.DefaultAllocator)
			b.AppendValues(texts, nil)
			cols[i] = b.NewArray()
			b.Release()
		} else {
			data := array.NewData(f.Type, len(times), []*memory.Buffer{nil, memory.NewBufferBytes(arrow.Int64Traits.CastToBytes(times))}, nil, 0, 0)
			cols[i] = array.MakeFromData(data)
			data.Release()
		}
		defer cols[i].Release()
	}
	return array.NewRecordBatch(schema, cols, int64(len(texts)))
}

func (s *Source) beyond(at, end int64) error {
	return base.Errorf(base.CodeCorrupt, "the offset %d is beyond the %d lines of %s", at, end, s.Describe())
}

// Commit forgets the lines before to.
func (s *Source) Commit(_ context.Context, to base.Offset) error {
	n, err := numbered.ParseOffset(to, s.Describe())
	if err == nil && s.lines != nil {
		s.lines.drop(n)
	}
	return err
}

// Describe returns "TextSocketV2[host: h, port: p]".
func (s *Source) Describe() string {
	return fmt.Sprintf("TextSocketV2[host: %s, port: %d]", s.host, s.port)
}

// Close ends the connection.
func (s *Source) Close() error {
	if s.lines != nil {
		s.lines.close()
	}
	return nil
}
