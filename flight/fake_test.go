package flight

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/internal/base"
)

// A fake is a backend whose statements are words of the tests:
//
//	NUMBERS n        n rows of id BIGINT
//	TEXT n           one row of n bytes
//	ECHO ?           the parameter
//	ADD ?            an update that counts
//	ERROR            a user error with a place
//	PANIC, PANIC LATE
//	WAIT             rows that never come
//	HANG             an update that never ends
//	SETTING key      the setting
type fake struct {
	updates  atomic.Int64
	sessions atomic.Int64
	closed   atomic.Int64
	canceled atomic.Int64

	mu       sync.Mutex
	ingested map[string]int64
	lastMode IngestMode
}

func newFake() *fake { return &fake{ingested: map[string]int64{}} }

func (f *fake) NewSession(u flightd.User) Session {
	f.sessions.Add(1)
	return &fakeSession{f: f, user: u, set: map[string]string{}}
}

func (f *fake) Tables(context.Context) ([]Table, error) {
	return []Table{
		{Name: "clicks", Type: "BASE TABLE", Schema: arrow.NewSchema([]arrow.Field{
			{Name: "ts", Type: arrow.FixedWidthTypes.Timestamp_us, Nullable: true},
			{Name: "price", Type: &arrow.Decimal128Type{Precision: 10, Scale: 2}, Nullable: true}}, nil)},
		{Name: "click_counts", Type: "VIEW", Schema: arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.PrimitiveTypes.Int64}}, nil)},
	}, nil
}

func (s *fakeSession) Ingest(_ context.Context, table string, mode IngestMode, _ *arrow.Schema, next func() (arrow.RecordBatch, error)) (int64, error) {
	f := s.f
	var n int64
	for {
		rec, err := next()
		if err == io.EOF {
			f.mu.Lock()
			f.ingested[table] += n
			f.lastMode = mode
			f.mu.Unlock()
			return n, nil
		}
		if err != nil {
			return n, err
		}
		n += rec.NumRows()
		rec.Release()
	}
}

type fakeSession struct {
	f    *fake
	user flightd.User
	mu   sync.Mutex
	set  map[string]string
}

func (s *fakeSession) Close() error {
	s.f.closed.Add(1)
	return nil
}

func (s *fakeSession) Set(key, value string) (string, error) {
	if strings.HasPrefix(key, "no.such") {
		return "", base.Errorf(base.CodeInvalid, "there is no setting %s", key)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set[key] = value
	return "", nil
}

func (s *fakeSession) Settings() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]string{}
	for k, v := range s.set {
		out[k] = v
	}
	return out
}

func (s *fakeSession) Prepare(_ context.Context, text string) (Statement, error) {
	verb, rest, _ := strings.Cut(text, " ")
	st := &fakeStatement{s: s, verb: verb, rest: rest, params: arrow.NewSchema(nil, nil)}
	switch verb {
	case "NUMBERS", "WAIT", "PANIC":
		st.schema = arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64}}, nil)
		if text == "PANIC" {
			panic("as asked")
		}
	case "TEXT", "SETTING":
		st.schema = arrow.NewSchema([]arrow.Field{{Name: "text", Type: arrow.BinaryTypes.String}}, nil)
	case "ECHO", "ADD", "HANG":
		st.schema = arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}, nil)
		if strings.Contains(rest, "?") {
			st.params = arrow.NewSchema([]arrow.Field{{Name: "1", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}, nil)
		}
		st.update = verb != "ECHO"
	default:
		e := base.UserError("UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703", "A column with name `%s` cannot be resolved.", verb).
			At(base.Pos{Start: 0, End: len(verb), Line: 1, Col: 1}).WithHint("did you mean `größe`?")
		e.Query = text
		return nil, base.Wrap(e, "preparing")
	}
	return st, nil
}

type fakeStatement struct {
	s              *fakeSession
	verb, rest     string
	schema, params *arrow.Schema
	update         bool
}

func (st *fakeStatement) Schema() *arrow.Schema { return st.schema }
func (st *fakeStatement) Params() *arrow.Schema { return st.params }
func (st *fakeStatement) IsUpdate() bool        { return st.update }

func (st *fakeStatement) Execute(ctx context.Context, params arrow.RecordBatch) (Rows, error) {
	b := array.NewRecordBuilder(memory.DefaultAllocator, st.schema)
	defer b.Release()
	switch st.verb {
	case "NUMBERS":
		n, err := strconv.Atoi(st.rest)
		if err != nil {
			return nil, base.Errorf(base.CodeInvalid, "%q is not a number", st.rest)
		}
		for i := range n {
			b.Field(0).(*array.Int64Builder).Append(int64(i))
		}
	case "TEXT":
		n, _ := strconv.Atoi(st.rest)
		b.Field(0).(*array.StringBuilder).Append(strings.Repeat("x", n))
	case "SETTING":
		b.Field(0).(*array.StringBuilder).Append(st.s.Settings()[st.rest])
	case "ECHO":
		if params == nil {
			return nil, fmt.Errorf("no parameters")
		}
		b.Field(0).(*array.Int64Builder).Append(params.Column(0).(*array.Int64).Value(0))
	case "ADD":
		st.s.f.updates.Add(1)
		return &fakeRows{records: records{schema: affectedSchema}, affected: 7}, nil
	case "HANG":
		<-ctx.Done()
		st.s.f.canceled.Add(1)
		return nil, ctx.Err()
	case "WAIT", "PANIC":
		return &fakeRows{records: records{schema: st.schema}, verb: st.verb, f: st.s.f}, nil
	}
	rec := b.NewRecordBatch()
	return &fakeRows{records: *fixed(rec), affected: -1}, nil
}

type fakeRows struct {
	records
	f        *fake
	verb     string
	affected int64
}

func (r *fakeRows) RowsAffected() int64 { return r.affected }
func (r *fakeRows) Notices() []string   { return []string{"a notice: größer"} }

func (r *fakeRows) Next(ctx context.Context) (arrow.RecordBatch, error) {
	switch r.verb {
	case "WAIT":
		<-ctx.Done()
		r.f.canceled.Add(1)
		return nil, ctx.Err()
	case "PANIC":
		panic("as asked, later")
	}
	return r.records.Next(ctx)
}
