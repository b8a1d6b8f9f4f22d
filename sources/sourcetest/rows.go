package sourcetest

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sources"
)

// Texts returns the rows of rec, cells joined by a bar.
func Texts(rec arrow.RecordBatch) []string {
	var out []string
	for i := range int(rec.NumRows()) {
		var cells []string
		for _, c := range rec.Columns() {
			cells = append(cells, c.ValueStr(i))
		}
		out = append(out, strings.Join(cells, "|"))
	}
	return out
}

// ReadSplits returns the rows of splits, in order, and holds each record batch to
// the contract: not empty, at most rows rows, exactly the columns of schema.
func ReadSplits(ctx context.Context, t testing.TB, splits []sources.Split, schema *arrow.Schema, rows int) ([]string, error) {
	t.Helper()
	var out []string
	for _, s := range splits {
		if s.String() == "" {
			t.Error("a split has no name")
		}
		r, err := s.Open(ctx)
		if err != nil {
			return out, err
		}
		for {
			rec, err := r.Next(ctx)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				r.Close()
				return out, err
			}
			if rec.NumRows() == 0 || rows > 0 && rec.NumRows() > int64(rows) {
				t.Errorf("%s: a record batch of %d rows", s, rec.NumRows())
			}
			if !sameFields(rec.Schema(), schema) {
				t.Errorf("%s: columns %v, want %v", s, rec.Schema(), schema)
			}
			out = append(out, Texts(rec)...)
			rec.Release()
		}
		if err := r.Close(); err != nil {
			return out, err
		}
	}
	return out, nil
}

func sameFields(a, b *arrow.Schema) bool {
	if a.NumFields() != b.NumFields() {
		return false
	}
	for i := range a.Fields() {
		if a.Field(i).Name != b.Field(i).Name || !arrow.TypeEqual(a.Field(i).Type, b.Field(i).Type) {
			return false
		}
	}
	return true
}

func pick(s *arrow.Schema, columns []int) *arrow.Schema {
	if columns == nil {
		return s
	}
	var f []arrow.Field
	for _, i := range columns {
		f = append(f, s.Field(i))
	}
	return arrow.NewSchema(f, nil)
}

// ReadRange returns the rows of src after from up to to.
func ReadRange(t testing.TB, src sources.Source, from, to base.Offset, scan sources.Scan) []string {
	t.Helper()
	splits, err := src.Read(t.Context(), from, to, scan)
	if err != nil {
		t.Fatalf("reading (%s, %s]: %v", from, to, err)
	}
	out, err := ReadSplits(t.Context(), t, splits, pick(src.Schema(), scan.Columns), scan.BatchRows)
	if err != nil {
		t.Fatalf("reading (%s, %s]: %v", from, to, err)
	}
	return out
}

// ReadTable returns the rows of table now.
func ReadTable(t testing.TB, table sources.Table, scan sources.Scan) []string {
	t.Helper()
	pin, err := table.Pin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	splits, err := table.Scan(t.Context(), pin, scan)
	if err != nil {
		t.Fatal(err)
	}
	out, err := ReadSplits(t.Context(), t, splits, pick(table.Schema(), scan.Columns), scan.BatchRows)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
