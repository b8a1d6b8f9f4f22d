package flightd_test

import (
	"context"
	"testing"

	"github.com/flightd/flightd"
)

// TestResultSchema holds every record batch to the schema that the result was
// announced with, also where the plan passes a table's columns straight through:
// a result in memory has columns that cannot be NULL, the table over it says they
// may.
func TestResultSchema(t *testing.T) {
	ctx := context.Background()
	eng, err := flightd.Open(ctx, flightd.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer eng.Close()
	s := eng.NewSession()
	err = s.ExecuteScript(ctx, `CREATE TABLE t (k STRING);
		INSERT INTO t VALUES ('a'), ('b'), ('a');
		CREATE STREAMING QUERY counts OUTPUT MODE complete TRIGGER AVAILABLE NOW INTO memory AS SELECT k, count(*) AS n FROM STREAM t GROUP BY k`,
		func(_ string, _ *flightd.Result, err error) error { return err })
	if err == nil {
		err = eng.Query("counts").AwaitTermination(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{"SELECT * FROM counts", "SELECT n, k FROM counts", "SELECT * FROM t", "SELECT k FROM t WHERE k = 'a'", "SELECT count(*) AS c FROM t"} {
		r, err := s.Execute(ctx, sql)
		if err != nil {
			t.Fatal(err)
		}
		want := r.Schema()
		recs, err := r.Collect(ctx)
		if err != nil || len(recs) == 0 {
			t.Fatalf("%s: %d record batches, %v", sql, len(recs), err)
		}
		for _, rec := range recs {
			if !rec.Schema().Equal(want) {
				t.Errorf("%s: a record batch has %v, announced was %v", sql, rec.Schema(), want)
			}
		}
	}
}
