package stream

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/rowlog"
	"github.com/flightd/flightd/sources"
	"github.com/flightd/flightd/sources/sourcetest"
)

var schema = arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.PrimitiveTypes.Int64, Nullable: true}, {Name: "s", Type: arrow.BinaryTypes.String, Nullable: true}}, nil)

// fixture is a table that rows are added to.
type fixture struct {
	log  *rowlog.Log
	next int
}

func newFixture(t testing.TB, o rowlog.Options) *fixture {
	t.Helper()
	o.Dir, o.Name = filepath.Join(t.TempDir(), "t"), "t"
	if err := rowlog.Create(o.Dir, schema); err != nil {
		t.Fatal(err)
	}
	l, err := rowlog.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return &fixture{log: l}
}

// add appends a record batch of rows that count.
// keeps waits until the first row that is kept is first: the log looks for what is not
// to be kept beside the commit that was waited for, and at most every second.
func (f *fixture) keeps(t testing.TB, clock *base.VirtualClock, first int64) {
	t.Helper()
	seen := 0
	for range 50 {
		if f.log.Range().First == first {
			if seen++; seen == 3 { // the files go at the next look
				return
			}
		}
		time.Sleep(20 * time.Millisecond)
		clock.Advance(time.Second)
	}
	t.Fatalf("the first row is %d, not %d", f.log.Range().First, first)
}

func (f *fixture) add(t testing.TB, rows int) {
	t.Helper()
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for range rows {
		b.Field(0).(*array.Int64Builder).Append(int64(f.next))
		b.Field(1).(*array.StringBuilder).Append(fmt.Sprint("row ", f.next))
		f.next++
	}
	rec := b.NewRecordBatch()
	defer rec.Release()
	p, err := rowlog.Encode(rec)
	if err != nil {
		t.Fatal(err)
	}
	r, err := f.log.Append(t.Context(), rowlog.Origin{Seq: rowlog.NoSeq}, p)
	if err == nil {
		_, err = r.Await(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) provider() sources.Provider {
	return Provider(func() (*rowlog.Log, error) { return f.log, nil })
}

func (f *fixture) source(t testing.TB, o base.Options) sources.Source {
	t.Helper()
	s, err := f.provider().Stream(t.Context(), sources.Config{Options: o})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (f *fixture) table(t testing.TB) sources.Table {
	t.Helper()
	tab, err := f.provider().Batch(t.Context(), sources.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

func TestSource(t *testing.T) {
	f := newFixture(t, rowlog.Options{SegmentBytes: 1500})
	f.add(t, 1) // the table keeps a file open, whoever reads
	sourcetest.Run(t, sourcetest.Harness{
		Open: func(t *testing.T) sources.Source { return f.source(t, nil) },
		Add: func(t *testing.T) {
			for _, n := range []int{1, 5, 2} {
				f.add(t, n)
			}
		},
	})
}

func TestTable(t *testing.T) {
	f := newFixture(t, rowlog.Options{SegmentBytes: 1500})
	for n := range 12 {
		f.add(t, n)
	}
	sourcetest.RunTable(t, func(t *testing.T) sources.Table { return f.table(t) }, func(t *testing.T) { f.add(t, 3) }, nil)
}

// Batches are cut and joined at the wanted number of rows, wherever a range begins.
func TestBatches(t *testing.T) {
	f := newFixture(t, rowlog.Options{SegmentBytes: 1 << 20})
	for _, n := range []int{1, 1, 1, 30, 2, 2, 100, 7, 1, 1} {
		f.add(t, n)
	}
	src := f.source(t, nil)
	for _, from := range []int64{0, 2, 10, 60, 140} {
		at := src.(*Source).offset(from)
		to, err := src.Latest(t.Context(), at, sources.Limit{})
		if err != nil {
			t.Fatal(err)
		}
		for _, rows := range []int{1, 3, 8, 1000} {
			for i, text := range sourcetest.ReadRange(t, src, at, to, sources.Scan{BatchRows: rows}) {
				if want := fmt.Sprintf("%d|row %d", from+int64(i), from+int64(i)); text != want {
					t.Fatalf("from %d by %d: row %d is %s", from, rows, i, text)
				}
			}
		}
	}
}

func TestLimits(t *testing.T) {
	f := newFixture(t, rowlog.Options{})
	for range 20 {
		f.add(t, 10)
	}
	ends := func(o base.Options) []string {
		src := f.source(t, o)
		at, err := src.Initial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for {
			to, err := src.Latest(t.Context(), at, sources.Limit{Options: true})
			if err != nil {
				t.Fatal(err)
			}
			if to == at {
				return out
			}
			out = append(out, strings.TrimSuffix(string(to[strings.LastIndex(string(to), ":")+1:]), "}"))
			at = to
		}
	}
	if got := strings.Join(ends(base.Options{"maxRowsPerTrigger": "75"}), " "); got != "75 150 200" {
		t.Errorf("75 rows: %s", got)
	}
	if got := ends(base.Options{"maxBytesPerTrigger": "2000"}); len(got) < 4 || len(got) > 18 || got[len(got)-1] != "200" {
		t.Errorf("2000 bytes: %s", got)
	}
	if got := ends(base.Options{"startingOffsets": "latest"}); len(got) != 0 {
		t.Errorf("latest: %s", got)
	}
	for _, bad := range []base.Options{{"maxRowsPerTrigger": "0"}, {"maxBytesPerTrigger": "x"}, {"startingOffsets": "now"}, {"failOnDataLoss": "perhaps"}} {
		if _, err := f.provider().Stream(t.Context(), sources.Config{Options: bad}); base.CodeOf(err) != base.CodeInvalid {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

// Rows that the retention took before a stream read them are an error, or counted.
func TestDataLoss(t *testing.T) {
	clock := base.NewVirtualClock(time.Unix(1e9, 0))
	f := newFixture(t, rowlog.Options{SegmentBytes: 1, Retention: time.Minute, Clock: clock})
	f.add(t, 5)
	strict, lax := f.source(t, nil), f.source(t, base.Options{"failOnDataLoss": "false"})
	at, err := strict.Initial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	planned, err := strict.Latest(t.Context(), at, sources.Limit{})
	if err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Hour)
	f.add(t, 3)
	f.keeps(t, clock, 5)
	if _, err := strict.Latest(t.Context(), at, sources.Limit{}); base.AsError(err).Condition != "FLIGHT_DATA_LOSS.ROWS_NOT_KEPT" || base.AsError(err).SQLState != "22000" {
		t.Errorf("got %v", err)
	}
	if _, err := strict.Read(t.Context(), at, planned, sources.Scan{}); base.AsError(err).Condition != "FLIGHT_DATA_LOSS.ROWS_NOT_KEPT" {
		t.Errorf("got %v", err)
	}
	to, err := lax.Latest(t.Context(), at, sources.Limit{})
	if err != nil {
		t.Fatal(err)
	}
	if got := sourcetest.ReadRange(t, lax, at, to, sources.Scan{}); len(got) != 3 || got[0] != "5|row 5" {
		t.Errorf("got %v", got)
	}
	if m := lax.(sources.Measurer).Metrics(to); m["lostRows"] != "5" || m["rowsBehindLatest"] != "0" {
		t.Errorf("metrics %v", m)
	}
	if got := sourcetest.ReadRange(t, lax, at, planned, sources.Scan{}); len(got) != 0 {
		t.Errorf("got %v", got)
	}

	table := f.table(t)
	pin, err := table.Pin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Hour)
	f.add(t, 1)
	f.keeps(t, clock, 8)
	read := func() int {
		splits, err := table.Scan(t.Context(), pin, sources.Scan{})
		if err != nil {
			if base.AsError(err).Condition != "STATIC_INPUT_CHANGED" {
				t.Error(err)
			}
			return -1
		}
		rows, err := sourcetest.ReadSplits(t.Context(), t, splits, schema, 0)
		if err != nil {
			t.Fatal(err)
		}
		return len(rows)
	}
	if n := read(); n != 3 {
		t.Errorf("%d rows of what was pinned", n)
	}
	if err := table.Close(); err != nil {
		t.Error(err)
	}
	if n := read(); n != -1 {
		t.Errorf("%d rows are still there", n)
	}
}

func TestOtherTable(t *testing.T) {
	f, other := newFixture(t, rowlog.Options{}), newFixture(t, rowlog.Options{})
	f.add(t, 1)
	at, err := other.source(t, nil).Initial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	src := f.source(t, nil)
	if _, err := src.Latest(t.Context(), at, sources.Limit{}); base.CodeOf(err) != base.CodeCorrupt || !strings.Contains(err.Error(), "another table") {
		t.Errorf("got %v", err)
	}
	woken := make(chan struct{}, 10)
	stop := src.(sources.Announcer).Announce(func() { woken <- struct{}{} })
	f.add(t, 1)
	select {
	case <-woken:
	case <-time.After(10 * time.Second):
		t.Error("nobody was woken")
	}
	stop()
	f.add(t, 1)
	if len(woken) > 0 {
		t.Error("woken after stop")
	}
	if err := f.log.Drop(); err != nil {
		t.Fatal(err)
	}
	from, _ := src.Initial(t.Context())
	if _, err := src.Latest(t.Context(), from, sources.Limit{}); base.CodeOf(err) != base.CodeNotFound {
		t.Errorf("dropped: %v", err)
	}
}
