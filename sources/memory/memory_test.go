package memory

import (
	"fmt"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sources"
	"github.com/flightd/flightd/sources/numbered"
	"github.com/flightd/flightd/sources/sourcetest"
)

var schema = arrow.NewSchema([]arrow.Field{{Name: "k", Type: arrow.PrimitiveTypes.Int64, Nullable: true}, {Name: "v", Type: arrow.BinaryTypes.String, Nullable: true}}, nil)

// record returns the rows k to k+n-1.
func record(mem memory.Allocator, k, n int) arrow.RecordBatch {
	b := array.NewRecordBuilder(mem, schema)
	defer b.Release()
	for i := k; i < k+n; i++ {
		b.Field(0).(*array.Int64Builder).Append(int64(i))
		b.Field(1).(*array.StringBuilder).Append(fmt.Sprint("v", i))
	}
	return b.NewRecordBatch()
}

func TestStreamContract(t *testing.T) {
	s, next := NewStream("clicks", schema), 0
	sourcetest.Run(t, sourcetest.Harness{
		Open: func(*testing.T) sources.Source { return s.Open() },
		Add: func(t *testing.T) {
			for _, n := range []int{2, 0, 5} {
				if err := s.Add(record(memory.DefaultAllocator, next, n)); err != nil {
					t.Fatal(err)
				}
				next += n
			}
		},
	})
}

func TestStreamRefusesOtherColumns(t *testing.T) {
	other := arrow.NewSchema([]arrow.Field{{Name: "k", Type: arrow.BinaryTypes.String}}, nil)
	if err := NewStream("s", other).Add(record(memory.DefaultAllocator, 0, 1)); base.CodeOf(err) != base.CodeInvalid {
		t.Errorf("got %v", err)
	}
	if _, err := NewStream("s", schema).Provider().Stream(t.Context(), sources.Config{Schema: other}); base.CodeOf(err) != base.CodeInvalid {
		t.Errorf("opening: got %v", err)
	}
}

func TestOffsetOfAnotherProcess(t *testing.T) {
	s := NewStream("s", schema).Open()
	if _, err := s.Latest(t.Context(), "3", sources.Limit{}); base.CodeOf(err) != base.CodeCorrupt {
		t.Errorf("got %v", err)
	}
}

func TestTableContract(t *testing.T) {
	sourcetest.RunTable(t, func(*testing.T) sources.Table {
		var recs []arrow.RecordBatch
		for i, n := range []int{0, 7, 1, 0, 0, 3, 0} {
			recs = append(recs, record(memory.DefaultAllocator, 10*i, n))
		}
		return NewTable(schema, recs)
	}, nil, nil)
}

func TestTableOfOtherRows(t *testing.T) {
	_, err := NewTable(schema, nil).Scan(t.Context(), `{"rows":7}`, sources.Scan{})
	if base.AsError(err).Condition != "STATIC_INPUT_CHANGED" {
		t.Errorf("got %v", err)
	}
}

// Scans share the buffers that were given, cut splits at the same rows whatever
// the record batches are, and give every reference back.
func TestTableCopiesNothing(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	big := record(mem, 0, 3*numbered.SplitRows/2)
	small := record(mem, 3*numbered.SplitRows/2, 10)
	table := NewTable(schema, []arrow.RecordBatch{big, small})
	big.Release()
	small.Release()
	before := mem.CurrentAlloc()
	splits, err := table.Scan(t.Context(), table.(*Table).pin(), sources.Scan{Columns: []int{1}})
	if err != nil || len(splits) != 2 {
		t.Fatalf("got %d splits, %v", len(splits), err)
	}
	rows, err := sourcetest.ReadSplits(t.Context(), t, splits, arrow.NewSchema(schema.Fields()[1:], nil), 8192)
	if err != nil || len(rows) != 3*numbered.SplitRows/2+10 || rows[numbered.SplitRows] != fmt.Sprint("v", numbered.SplitRows) {
		t.Errorf("got %d rows, %v", len(rows), err)
	}
	if slices.Contains(rows, "") || mem.CurrentAlloc() != before {
		t.Errorf("scanning took %d bytes", mem.CurrentAlloc()-before)
	}
	if err := table.Close(); err != nil {
		t.Error(err)
	}
}
