package parquetfile

import (
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// rowTexts returns the rows of rec as texts.
func rowTexts(rec arrow.RecordBatch) []string {
	out := make([]string, rec.NumRows())
	for i := range out {
		cells := make([]string, rec.NumCols())
		for k := range cells {
			c := rec.Column(k)
			if cells[k] = c.ValueStr(i); c.IsNull(i) {
				cells[k] = "NULL"
			}
		}
		out[i] = strings.Join(cells, "|")
	}
	return out
}

// takeRows returns the rows of a that are named, in memory of their own.
func takeRows(t *testing.T, a arrow.Array, rows []int32) arrow.Array {
	t.Helper()
	var parts []arrow.Array
	for _, r := range rows {
		part := array.NewSlice(a, int64(r), int64(r)+1)
		defer part.Release()
		parts = append(parts, part)
	}
	out, err := array.Concatenate(parts, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// someRows returns ascending rows below n: none, all, a few, or some that lie together.
func someRows(rng *rand.Rand, n int) []int32 {
	one := []int{0, 1, 2, 5, 10, 100, 1000}[rng.IntN(7)]
	from, to := 0, n
	if rng.IntN(3) == 0 {
		from = rng.IntN(n)
		to = from + rng.IntN(n-from+1)
	}
	var out []int32
	for i := from; one > 0 && i < to; i++ {
		if rng.IntN(one) == 0 {
			out = append(out, int32(i))
		}
	}
	return out
}

// TestChosenRows: reading the chosen rows only is reading all and leaving out the others,
// for every type and encoding, whichever columns are asked about and however the rows lie.
func TestChosenRows(t *testing.T) { // P3
	for seed := range uint64(400) {
		rng := rand.New(rand.NewPCG(seed, 8))
		path := save(t, flatFile(t, rng, 1+rng.IntN(3000), 6))
		f, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		schema, err := f.Schema()
		if err != nil {
			t.Fatal(err)
		}
		if rng.IntN(4) == 0 { // a column that the file does not have
			at := rng.IntN(schema.NumFields())
			schema, err = schema.AddField(at, arrow.Field{Name: "none", Type: arrow.BinaryTypes.String, Nullable: true})
			if err != nil {
				t.Fatal(err)
			}
		}
		want := Want{Schema: schema, Rows: []int{1, 7, 64, 1000, 5000}[rng.IntN(5)], Borrowed: seed%2 == 1, Dictionaries: rng.IntN(2) == 0}
		pruned := rng.IntN(3) == 0
		kept := []rows{}
		for at := int64(rng.IntN(200)); pruned && at < f.Rows(0); at += int64(rng.IntN(900)) {
			to := min(at+1+int64(rng.IntN(500)), f.Rows(0))
			kept = append(kept, rows{at, to})
			at = to + 1
		}
		open := func() *Reader {
			r, err := f.Read(t.Context(), 0, want)
			if err != nil {
				t.Fatal(err)
			}
			if pruned && len(kept) > 0 {
				r.kept = slices.Clone(kept)
			}
			return r
		}
		var expected []string
		r := open()
		for {
			rec, err := r.Next(t.Context())
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			expected = append(expected, rowTexts(rec)...)
			rec.Release()
		}
		r.Close()
		checkChosen(t, rng, seed, open(), expected)
		f.Close()
	}
}

// checkChosen reads chosen rows by r, which has the rows all.
func checkChosen(t *testing.T, rng *rand.Rand, seed uint64, r *Reader, all []string) {
	t.Helper()
	columns := []int{rng.IntN(len(r.columns))}
	for i := range len(r.columns) - 1 {
		if rng.IntN(4) == 0 && i != columns[0] {
			columns = append(columns, i)
		}
	}
	slices.Sort(columns)
	dense, at := rng.IntN(3), 0
	var chosen []int32
	whole := false
	var expected []string
	ok := r.Choose(columns, func(cols []arrow.Array, n int) ([]int32, []arrow.Array, error) {
		for i, c := range cols {
			if (c != nil) != slices.Contains(columns, i) || c != nil && c.Len() != n {
				t.Fatalf("seed %d: column %d of %v is %v", seed, i, columns, c)
			}
			for k := 0; c != nil && k < n; k += 13 {
				text := c.ValueStr(k)
				if c.IsNull(k) {
					text = "NULL"
				}
				if want := strings.Split(all[at+k], "|")[i]; text != want {
					t.Fatalf("seed %d: row %d of column %d is %s, want %s", seed, at+k, i, text, want)
				}
			}
		}
		chosen = someRows(rng, n)
		for _, k := range chosen {
			expected = append(expected, all[at+int(k)])
		}
		at += n
		if whole = len(chosen) > 0 && (dense == 0 || dense == 1 && rng.IntN(2) == 0); whole || len(chosen) == 0 {
			return chosen, nil, nil
		}
		var taken []arrow.Array
		for _, i := range columns {
			taken = append(taken, takeRows(t, cols[i], chosen))
		}
		return chosen, taken, nil
	})
	if !ok {
		t.Fatalf("seed %d: it does not ask about %v of %d", seed, columns, len(r.columns))
	}
	type batch struct {
		rec  arrow.RecordBatch
		rows []int32 // nil: all
	}
	var batches []batch
	var got []string
	put := func(b batch) {
		texts := rowTexts(b.rec)
		if b.rows == nil {
			got = append(got, texts...)
		}
		for _, k := range b.rows {
			got = append(got, texts[k])
		}
		b.rec.Release()
	}
	for {
		rec, err := r.Next(t.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		b := batch{rec: rec}
		if whole {
			b.rows = chosen
		}
		if r.want.Borrowed {
			put(b)
		} else { // they are the caller's, as long as it likes
			batches = append(batches, b)
		}
	}
	r.Close()
	for _, b := range batches {
		put(b)
	}
	if at != len(all) || !slices.Equal(got, expected) {
		for i := range min(len(got), len(expected)) {
			if got[i] != expected[i] {
				t.Fatalf("seed %d: row %d\ngot  %.300s\nwant %.300s", seed, i, got[i], expected[i])
			}
		}
		t.Fatalf("seed %d: %d rows of %d, want %d of %d", seed, len(got), at, len(expected), len(all))
	}
}

// TestPagesOfNoChosenRow: pages of the other columns in which no row is chosen are not
// decompressed, so that what is wrong in them does not matter, and an error of the choice
// is not one of the file.
func TestPagesOfNoChosenRow(t *testing.T) {
	f, err := Open(sorted(t, false))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	schema, err := f.Schema()
	if err != nil {
		t.Fatal(err)
	}
	r, err := f.Read(t.Context(), 0, Want{Schema: schema, Rows: 100})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	failure := errors.New("division by zero")
	at := 0
	r.Choose([]int{0}, func(cols []arrow.Array, n int) ([]int32, []arrow.Array, error) {
		switch at += n; at {
		case 500:
			return []int32{7}, []arrow.Array{takeRows(t, cols[0], []int32{7})}, nil
		case 900:
			return nil, nil, failure
		}
		return nil, nil, nil
	})
	rec, err := r.Next(t.Context())
	if err != nil || rec.NumRows() != 1 || rec.Column(0).(*array.Int64).Value(0) != 407 || rec.Column(1).ValueStr(0) != "row" {
		t.Fatalf("got %v %v", rec, err)
	}
	if r.columns[1].behind != 92 {
		t.Errorf("%d rows are behind, want 92", r.columns[1].behind)
	}
	rec.Release()
	if _, err := r.Next(t.Context()); err != failure {
		t.Errorf("got %v", err)
	}
}
