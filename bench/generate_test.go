package main

import (
	"context"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/flightd/flightd"
)

// TestWorkloadsAgree runs every workload from memory and from Parquet over the
// same generated rows: the checksums must be equal, and the generator must make
// the same rows each time.
func TestWorkloadsAgree(t *testing.T) {
	ctx := context.Background()
	eng, err := flightd.Open(ctx, flightd.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer eng.Close()
	const rows = 100_000
	dir, err := parquetFiles(t.TempDir(), 7, rows)
	if err != nil {
		t.Fatal(err)
	}
	mem, err := eng.NewSession().FromRecords("events", schema, records(7, rows))
	if err != nil {
		t.Fatal(err)
	}
	disk := eng.NewSession()
	if err := disk.Read().Parquet(dir).CreateOrReplaceTempView("events"); err != nil {
		t.Fatal(err)
	}
	for _, w := range workloads {
		a, err := drain(ctx, mem.Session(), w.sql)
		if err != nil {
			t.Fatal(err)
		}
		b, err := drain(ctx, disk, w.sql)
		if err != nil {
			t.Fatal(err)
		}
		if a != b || a.rows == 0 {
			t.Errorf("%s: %v from memory, %v from Parquet", w.name, a, b)
		}
	}
	if !array.RecordEqual(records(7, 10)[0], records(7, 10)[0]) {
		t.Error("the generator is not deterministic")
	}
}
