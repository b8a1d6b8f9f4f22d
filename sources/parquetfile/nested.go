package parquetfile

import (
	"context"
	"fmt"
	"sort"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

// nested reads by pqarrow what column cannot: lists, maps and structs, and columns
// with types, encodings or compressions that nobody writes any more.
type nested struct {
	rr pqarrow.RecordReader
	// place is where a field of the file is among those read.
	place map[int]int
}

func openNested(ctx context.Context, p *File, group, rows int, fields []int) (*nested, error) {
	rdr, err := file.NewParquetReader(p.f, file.WithReadProps(parquet.NewReaderProperties(memory.DefaultAllocator)), file.WithMetadata(p.meta))
	if err != nil {
		return nil, err
	}
	fr, err := pqarrow.NewFileReader(rdr, pqarrow.ArrowReadProperties{BatchSize: int64(rows)}, memory.DefaultAllocator)
	if err != nil {
		return nil, err
	}
	n := &nested{place: map[int]int{}}
	sort.Ints(fields)
	var cols []int
	for _, f := range fields {
		if _, ok := n.place[f]; !ok {
			n.place[f] = len(n.place)
			cols = leaves(&fr.Manifest.Fields[f], cols)
		}
	}
	sort.Ints(cols)
	n.rr, err = fr.GetRecordReader(ctx, cols, []int{group})
	return n, err
}

// next returns the next rows, good until the next call.
func (n *nested) next() (arrow.RecordBatch, error) {
	if !n.rr.Next() {
		if err := n.rr.Err(); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("it ends early")
	}
	return n.rr.RecordBatch(), nil
}

// nestedArray checks an array of pqarrow's and returns it as one of type t.
func nestedArray(a arrow.Array, t arrow.DataType) (arrow.Array, error) {
	if err := check(a); err != nil {
		return nil, err
	}
	out, err := convert(a, t)
	if err != nil {
		return nil, err
	}
	if !textIsValid(out) {
		out.Release()
		return nil, errNotText
	}
	return out, nil
}
