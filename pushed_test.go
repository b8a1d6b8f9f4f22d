package flightd_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/flightd/flightd"
)

// pushedColumns are the columns of the files of TestPushedPredicatesChangeNothing.
var pushedColumns = arrow.NewSchema([]arrow.Field{
	{Name: "i8", Type: arrow.PrimitiveTypes.Int8, Nullable: true}, {Name: "i32", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
	{Name: "i64", Type: arrow.PrimitiveTypes.Int64, Nullable: true}, {Name: "f", Type: arrow.PrimitiveTypes.Float32, Nullable: true},
	{Name: "d", Type: arrow.PrimitiveTypes.Float64, Nullable: true}, {Name: "s", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "b", Type: arrow.BinaryTypes.Binary, Nullable: true}, {Name: "day", Type: arrow.FixedWidthTypes.Date32, Nullable: true},
	{Name: "ts", Type: arrow.FixedWidthTypes.Timestamp_us, Nullable: true}, {Name: "ms", Type: &arrow.TimestampType{Unit: arrow.Millisecond}, Nullable: true},
	{Name: "dec", Type: &arrow.Decimal128Type{Precision: 9, Scale: 2}, Nullable: true}, {Name: "big", Type: &arrow.Decimal128Type{Precision: 30, Scale: 3}, Nullable: true},
	{Name: "row", Type: arrow.PrimitiveTypes.Int64, Nullable: false},
}, nil)

// clustered appends a value to each column; values of neighbours lie close together,
// so that there is something to leave out.
func clustered(rnd *rand.Rand, b *array.RecordBuilder, row, nulls int) {
	base := row/50 - 8
	near := func() int { return base + rnd.IntN(3) }
	for c, f := range b.Fields() {
		if c < len(b.Fields())-1 && rnd.IntN(100) < nulls {
			f.AppendNull()
			continue
		}
		switch f := f.(type) {
		case *array.Int8Builder:
			f.Append(int8(near()))
		case *array.Int32Builder:
			f.Append(int32(near()))
		case *array.Int64Builder:
			if c == len(b.Fields())-1 {
				f.Append(int64(row))
			} else {
				f.Append(int64(near()) * 1e12)
			}
		case *array.Float32Builder:
			f.Append([]float32{float32(near()), float32(near()), 0, float32(math.Copysign(0, -1)), float32(math.NaN())}[min(4, rnd.IntN(40))])
		case *array.Float64Builder:
			f.Append([]float64{float64(near()) / 2, float64(near()), math.Copysign(0, -1), math.Inf(1), math.NaN()}[min(4, rnd.IntN(60))%5])
		case *array.StringBuilder:
			f.Append(strings.Repeat("prefix", rnd.IntN(2)*20) + fmt.Sprint("é", near()))
		case *array.BinaryBuilder:
			f.Append([]byte{byte(near()), 0xff, byte(rnd.IntN(4))})
		case *array.Date32Builder:
			f.Append(arrow.Date32(near()))
		case *array.TimestampBuilder:
			f.Append(arrow.Timestamp(near()) * 1_000_000)
		case *array.Decimal128Builder:
			f.Append(decimal128.FromI64(int64(near()) * 1000))
		}
	}
}

// pushedSession returns a session with a table t of one file of writePushed.
func pushedSession(t *testing.T, seed uint64, rows int) *flightd.Session {
	t.Helper()
	dir := t.TempDir()
	writePushed(t, rand.New(rand.NewPCG(seed, 1)), filepath.Join(dir, "a.parquet"), rows)
	eng, err := flightd.Open(t.Context(), flightd.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { eng.Close() })
	s := eng.NewSession()
	mustRun(t, s, fmt.Sprintf("CREATE TABLE t USING parquet OPTIONS ('path' = '%s')", dir))
	return s
}

// writePushed writes a file with many small pages and several row groups.
func writePushed(t *testing.T, rnd *rand.Rand, path string, rows int) {
	t.Helper()
	b := array.NewRecordBuilder(memory.DefaultAllocator, pushedColumns)
	defer b.Release()
	nulls := []int{0, 10, 100}[rnd.IntN(3)]
	for i := range rows {
		clustered(rnd, b, i, nulls)
	}
	rec := b.NewRecordBatch()
	defer rec.Release()
	props := []parquet.WriterProperty{parquet.WithMaxRowGroupLength(int64(100 + rnd.IntN(400))), parquet.WithDataPageSize(int64(64 + rnd.IntN(500))), parquet.WithBatchSize(int64(10 + rnd.IntN(50))),
		parquet.WithPageIndexEnabled(rnd.IntN(3) > 0), parquet.WithStats(rnd.IntN(5) > 0), parquet.WithDictionaryDefault(rnd.IntN(2) == 0),
		parquet.WithCompression([]compress.Compression{compress.Codecs.Snappy, compress.Codecs.Uncompressed}[rnd.IntN(2)]), parquet.WithStoreDecimalAsInteger(rnd.IntN(2) == 0),
		parquet.WithDataPageVersion([]parquet.DataPageVersion{parquet.DataPageV1, parquet.DataPageV2}[rnd.IntN(2)])}
	var out bytes.Buffer
	w, err := pqarrow.NewFileWriter(pushedColumns, &out, parquet.NewWriterProperties(props...), pqarrow.DefaultWriterProps())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(rec); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// randomCondition is a condition about one column.
func randomCondition(rnd *rand.Rand) string {
	n := func() int { return rnd.IntN(30) - 10 }
	literals := []struct {
		column string
		value  func() string
	}{
		{"i8", func() string { return fmt.Sprintf("CAST(%d AS TINYINT)", n()) }}, {"i32", func() string { return fmt.Sprint(n()) }}, {"i64", func() string { return fmt.Sprintf("%d000000000000", n()) }},
		{"f", func() string {
			return []string{fmt.Sprintf("CAST(%d AS FLOAT)", n()), "CAST('NaN' AS FLOAT)", "CAST('-0.0' AS FLOAT)"}[min(2, rnd.IntN(12))]
		}},
		{"d", func() string {
			return []string{fmt.Sprintf("%d.5D", n()), "0.0D", "CAST('NaN' AS DOUBLE)", "CAST('Infinity' AS DOUBLE)"}[rnd.IntN(4)]
		}},
		{"s", func() string { return fmt.Sprintf("'%sé%d'", strings.Repeat("prefix", rnd.IntN(2)*20), n()) }}, {"b", func() string { return fmt.Sprintf("X'%02XFF%02X'", rnd.IntN(12), rnd.IntN(4)) }},
		{"day", func() string { return fmt.Sprintf("date_add(DATE '1970-01-01', %d)", n()) }}, {"day", func() string { return fmt.Sprintf("DATE '1970-01-%02d'", 1+rnd.IntN(12)) }},
		{"ts", func() string { return fmt.Sprintf("TIMESTAMP '1970-01-01 00:00:%02dZ'", rnd.IntN(15)) }},
		{"ms", func() string { return fmt.Sprintf("TIMESTAMP_NTZ '1970-01-01 00:00:0%d'", rnd.IntN(9)) }},
		{"dec", func() string { return fmt.Sprintf("CAST(%d AS DECIMAL(9, 2))", 10*n()) }}, {"big", func() string { return fmt.Sprintf("CAST(%d AS DECIMAL(30, 3))", n()) }},
	}
	l := literals[rnd.IntN(len(literals))]
	switch rnd.IntN(9) {
	case 0:
		return l.column + " IS NULL"
	case 1:
		return l.column + " IS NOT NULL"
	case 2:
		return fmt.Sprintf("%s IN (%s, %s, %s)", l.column, l.value(), l.value(), l.value())
	case 3:
		return fmt.Sprintf("%s BETWEEN %s AND %s", l.column, l.value(), l.value())
	case 4:
		return fmt.Sprintf("s LIKE '%s%%'", []string{"é", "prefixprefix", "é1", "", "x", "é-"}[rnd.IntN(6)])
	case 5:
		return fmt.Sprintf("%s %s %s", l.value(), []string{"=", "<", "<=", ">", ">="}[rnd.IntN(5)], l.column)
	}
	return fmt.Sprintf("%s %s %s", l.column, []string{"=", "<", "<=", ">", ">=", "!=", "<=>"}[rnd.IntN(7)], l.value())
}

// TestPushedPredicatesChangeNothing: over random files, random conditions give the same
// rows in the same order with what is pushed into the files and without.
func TestPushedPredicatesChangeNothing(t *testing.T) {
	rnd := rand.New(rand.NewPCG(11, 12))
	for file := range 12 {
		dir := t.TempDir()
		for i := range 1 + rnd.IntN(2) {
			writePushed(t, rnd, filepath.Join(dir, fmt.Sprint(i, ".parquet")), 1+rnd.IntN(1500))
		}
		eng, err := flightd.Open(t.Context(), flightd.Options{})
		if err != nil {
			t.Fatal(err)
		}
		s := eng.NewSession()
		mustRun(t, s, fmt.Sprintf("CREATE TABLE t USING parquet OPTIONS ('path' = '%s')", dir))
		for range 60 {
			conds := []string{randomCondition(rnd)}
			for rnd.IntN(3) == 0 {
				conds = append(conds, []string{randomCondition(rnd), "i32 + 1 > 0", "1 / row >= 0"}[rnd.IntN(3)])
			}
			query := "SELECT row, s, i64, f, dec FROM t WHERE " + strings.Join(conds, " AND ")
			if rnd.IntN(4) == 0 {
				query = "SELECT count(*), sum(d), collect_list(row) FROM t WHERE " + strings.Join(conds, " AND ")
			}
			mustRun(t, s, "SET flightd.speedRules.enabled = false")
			want := mustRun(t, s, query)
			mustRun(t, s, "SET flightd.speedRules.enabled = true")
			if got := mustRun(t, s, query); got != want {
				t.Fatalf("file %d: %s gives\n%.400s\nnot\n%.400s", file, query, got, want)
			}
		}
		if err := eng.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// mustRun returns the answer to a statement as text; an error of a row is part of it.
func mustRun(t *testing.T, s *flightd.Session, query string) string {
	t.Helper()
	res, err := s.Execute(context.Background(), query)
	if err != nil {
		return err.Error()
	}
	defer res.Close()
	var b strings.Builder
	for {
		rec, err := res.Next(context.Background())
		if err == io.EOF {
			return b.String()
		}
		if err != nil {
			return b.String() + err.Error()
		}
		for i := range int(rec.NumRows()) {
			for _, c := range rec.Columns() {
				b.WriteString(c.ValueStr(i) + " ")
			}
			b.WriteByte('\n')
		}
		rec.Release()
	}
}

// TestPushedIsExplained: EXPLAIN shows what a source is told, and what is not told
// because something before it may fail or counts rows.
func TestPushedIsExplained(t *testing.T) {
	s := pushedSession(t, 1, 100)
	for query, want := range map[string]string{
		"SELECT row FROM t WHERE i32 < 5 AND s LIKE 'a%'":       "pushed: [(i32 < 5), s LIKE a%]",
		"SELECT row FROM t WHERE 1 / i32 > 0 AND i64 < 5":       "",
		"SELECT row, rand(1) FROM t WHERE i32 < 5":              "",
		"SELECT row FROM t WHERE i32 = i64 AND day IS NOT NULL": "pushed: [(day IS NOT NULL)]",
		"SELECT row FROM t WHERE i32 IN (1, 2) AND 1 / i32 > 0": "pushed: [(i32 IN (1, 2))]",
	} {
		plan := mustRun(t, s, "EXPLAIN "+query)
		if want == "" && strings.Contains(plan, "pushed") || !strings.Contains(plan, want) {
			t.Errorf("EXPLAIN %s has no %q:\n%s", query, want, plan)
		}
	}
}
