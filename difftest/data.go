package difftest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

// A column is one of the columns that every table has, with the values it can have.
type column struct {
	name string
	typ
	arrow arrow.DataType
	// value draws a value that is not NULL and appends it.
	value func(r *rand.Rand, b array.Builder)
	// full columns have no NULL.
	full bool
}

// words are short texts that are often equal, with what is not ASCII. No word has a
// letter whose capital is another number of letters, and none a backslash, which
// escapes in one dialect only.
func words() []string {
	return []string{"", "a", "b", "ab", "abc", "Abc", "b%", "a_c", " pad ", "é", "日本", "zebra crossing", "x1", "12", "Ω"}
}

// columns are those of every table, behind id.
func columns() []column {
	return []column{
		// id is filled with the number of the row.
		{name: "id", typ: typ{kind: intT, most: 1e4}, arrow: arrow.PrimitiveTypes.Int32, full: true},
		{name: "i", typ: typ{kind: intT, most: 1000}, arrow: arrow.PrimitiveTypes.Int32, value: func(r *rand.Rand, b array.Builder) {
			b.(*array.Int32Builder).Append(r.Int32N(2001) - 1000)
		}},
		{name: "j", typ: typ{kind: intT, most: 9}, arrow: arrow.PrimitiveTypes.Int32, value: func(r *rand.Rand, b array.Builder) {
			b.(*array.Int32Builder).Append(r.Int32N(10))
		}},
		{name: "l", typ: typ{kind: bigT, most: 1e12}, arrow: arrow.PrimitiveTypes.Int64, value: func(r *rand.Rand, b array.Builder) {
			v := r.Int64N(2e12) - 1e12
			if r.IntN(3) > 0 {
				v = r.Int64N(20) - 5
			}
			b.(*array.Int64Builder).Append(v)
		}},
		{name: "d", typ: typ{kind: doubleT, most: 1000, bits: 2}, arrow: arrow.PrimitiveTypes.Float64, value: func(r *rand.Rand, b array.Builder) {
			b.(*array.Float64Builder).Append(float64(r.IntN(8001)-4000) / 4)
		}},
		// x is not computed with: what becomes of NaN and infinities there differs.
		{name: "x", typ: typ{kind: doubleT, most: math.Inf(1), grade: rounded}, arrow: arrow.PrimitiveTypes.Float64, value: func(r *rand.Rand, b array.Builder) {
			odd := []float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, math.Copysign(0, -1), 0.1, 1e300, -1e-300}
			b.(*array.Float64Builder).Append(odd[r.IntN(len(odd))])
		}},
		{name: "m", typ: typ{kind: decimalT, precision: 9, scale: 2, most: 1e5}, arrow: &arrow.Decimal128Type{Precision: 9, Scale: 2}, value: func(r *rand.Rand, b array.Builder) {
			b.(*array.Decimal128Builder).Append(decimal128.FromI64(r.Int64N(20_000_001) - 10_000_000))
		}},
		{name: "n", typ: typ{kind: decimalT, precision: 18, scale: 4, most: 100}, arrow: &arrow.Decimal128Type{Precision: 18, Scale: 4}, value: func(r *rand.Rand, b array.Builder) {
			b.(*array.Decimal128Builder).Append(decimal128.FromI64((r.Int64N(21) - 10) * 12345))
		}},
		{name: "s", typ: typ{kind: stringT}, arrow: arrow.BinaryTypes.String, value: func(r *rand.Rand, b array.Builder) {
			w := words()
			b.(*array.StringBuilder).Append(w[r.IntN(len(w))])
		}},
		{name: "w", typ: typ{kind: stringT}, arrow: arrow.BinaryTypes.String, value: func(r *rand.Rand, b array.Builder) {
			text := make([]byte, r.IntN(9))
			for i := range text {
				text[i] = "abcxyz 019-"[r.IntN(11)]
			}
			b.(*array.StringBuilder).Append(string(text))
		}},
		{name: "f", typ: typ{kind: boolT}, arrow: arrow.FixedWidthTypes.Boolean, value: func(r *rand.Rand, b array.Builder) {
			b.(*array.BooleanBuilder).Append(r.IntN(2) == 0)
		}},
		{name: "da", typ: typ{kind: dateT}, arrow: arrow.FixedWidthTypes.Date32, value: func(r *rand.Rand, b array.Builder) {
			v := 19_700 + r.Int32N(60)
			if r.IntN(4) == 0 {
				v = r.Int32N(40_000) - 20_000
			}
			b.(*array.Date32Builder).Append(arrow.Date32(v))
		}},
		{name: "ts", typ: typ{kind: timestampT}, arrow: &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}, value: stamp},
		{name: "tn", typ: typ{kind: ntzT}, arrow: &arrow.TimestampType{Unit: arrow.Microsecond}, value: stamp},
	}
}

func stamp(r *rand.Rand, b array.Builder) {
	v := int64(19_700+r.IntN(20))*86_400_000_000 + r.Int64N(24)*3_600_000_000
	switch r.IntN(4) {
	case 0:
		v += r.Int64N(3_600_000_000)
	case 1:
		v = r.Int64N(4e15) - 2e15
	}
	b.(*array.TimestampBuilder).Append(arrow.Timestamp(v))
}

// sizes are the rows of the tables t0, t1, ….
func sizes() []int { return []int{0, 1, 12, 40, 120, 1200} }

// makeTables writes the tables as Parquet, a folder each; larger ones are several
// files of several row groups, so that pruning has something to leave out.
func makeTables(dir string, r *rand.Rand) error {
	for i, n := range sizes() {
		folder := filepath.Join(dir, fmt.Sprint("t", i))
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
		files := 1
		if n >= 40 {
			files = 3
		}
		share := []float64{0, 0.15, 0.5}[r.IntN(3)]
		for f := range files {
			rec := drawRecord(r, n*f/files, n*(f+1)/files, share)
			if err := writeParquet(filepath.Join(folder, fmt.Sprintf("%d.parquet", f)), rec, 25+f*100); err != nil {
				return err
			}
		}
	}
	return nil
}

// drawRecord draws rows from to to; share of the values are NULL, and of one column
// in eight all.
func drawRecord(r *rand.Rand, from, to int, share float64) arrow.RecordBatch {
	var fields []arrow.Field
	var cols []arrow.Array
	for _, c := range columns() {
		b := array.NewBuilder(memory.DefaultAllocator, c.arrow)
		nulls := share
		if r.IntN(8) == 0 {
			nulls = 1
		}
		for i := from; i < to; i++ {
			switch {
			case c.name == "id":
				b.(*array.Int32Builder).Append(int32(i))
			case !c.full && r.Float64() < nulls:
				b.AppendNull()
			default:
				c.value(r, b)
			}
		}
		fields = append(fields, arrow.Field{Name: c.name, Type: c.arrow, Nullable: !c.full})
		cols = append(cols, b.NewArray())
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), cols, int64(to-from))
}

func writeParquet(path string, rec arrow.RecordBatch, group int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w, err := pqarrow.NewFileWriter(rec.Schema(), f, parquet.NewWriterProperties(parquet.WithMaxRowGroupLength(int64(group))), pqarrow.DefaultWriterProps())
	if err != nil {
		return err
	}
	if err := w.Write(rec); err != nil {
		return err
	}
	return w.Close()
}
