package stream

import (
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/rowlog"
	"github.com/flightd/flightd/sinks"
	"github.com/flightd/flightd/sinks/sinktest"
	"github.com/flightd/flightd/sources/sourcetest"
)

// restarted closes the log with the sink, as a restart does.
type restarted struct {
	*Sink
	log *rowlog.Log
}

func (s restarted) Close() error {
	_ = s.Sink.Close()
	return s.log.Close()
}

func open(t *testing.T, dir string) *rowlog.Log {
	t.Helper()
	l, err := rowlog.Open(rowlog.Options{Dir: dir, Name: "t"})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestContract(t *testing.T) {
	var dir string
	var log *rowlog.Log
	sinktest.Run(t, sinktest.Harness{
		Fresh: func(t *testing.T) {
			dir = filepath.Join(t.TempDir(), "t")
			if err := rowlog.Create(dir, sinktest.Schema()); err != nil {
				t.Fatal(err)
			}
		},
		Open: func(t *testing.T) sinks.Sink {
			log = open(t, dir)
			s, err := Open(log, sinks.Config{QueryID: "q", Schema: sinktest.Schema()})
			if err != nil {
				t.Fatal(err)
			}
			return restarted{s, log}
		},
		Visible: func(t *testing.T) []string {
			l := log
			if l.Err() != nil {
				l = open(t, dir)
				defer l.Close()
			}
			pieces, err := l.Pieces(0, l.Range().End, 1000, 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			var out []string
			for _, p := range pieces {
				r, err := l.Read(p)
				if err != nil {
					t.Fatal(err)
				}
				for {
					rec, err := r.Next()
					if err == io.EOF {
						break
					}
					if err != nil {
						t.Fatal(err)
					}
					out = append(out, sourcetest.Texts(rec)...)
				}
				r.Close()
			}
			return out
		},
	})
}

func TestRefusals(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "t")
	schema := arrow.NewSchema([]arrow.Field{{Name: "k", Type: arrow.PrimitiveTypes.Int64}, {Name: "v", Type: arrow.BinaryTypes.String, Nullable: true}}, nil)
	if err := rowlog.Create(dir, schema); err != nil {
		t.Fatal(err)
	}
	log := open(t, dir)
	defer log.Close()
	for _, mode := range []base.OutputMode{base.Update, base.Complete} {
		if _, err := Open(log, sinks.Config{Schema: schema, OutputMode: mode}); base.CodeOf(err) != base.CodeInvalid {
			t.Errorf("%s: %v", mode, err)
		}
	}
	other := arrow.NewSchema([]arrow.Field{schema.Field(0), {Name: "v", Type: arrow.PrimitiveTypes.Int8}}, nil)
	if _, err := Open(log, sinks.Config{Schema: other}); err == nil || !strings.Contains(err.Error(), "column v of table t is of type utf8, the rows have int8") {
		t.Errorf("got %v", err)
	}
	s, err := Open(log, sinks.Config{Schema: sinktest.Schema(), Batch: true})
	if err != nil {
		t.Fatal(err)
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, sinktest.Schema())
	defer b.Release()
	b.Field(0).(*array.Int64Builder).AppendValues([]int64{1, 2}, []bool{true, false})
	b.Field(1).AppendNull()
	b.Field(1).AppendNull()
	rec := b.NewRecordBatch()
	defer rec.Release()
	if err := s.Write(t.Context(), 0, sinks.Mode{}, rec); base.AsError(err).Condition != "NOT_NULL_ASSERT_VIOLATION" || !strings.Contains(err.Error(), "Row 1 of the rows has NULL in the column `k`") {
		t.Errorf("got %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
