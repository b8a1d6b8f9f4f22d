package flightd_test

import (
	"context"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd"
)

// A function over columns: kilometres from miles.
func ExampleSession_RegisterFunction() {
	ctx := context.Background()
	eng, err := flightd.Open(ctx, flightd.Options{})
	if err != nil {
		panic(err)
	}
	defer eng.Close()
	s := eng.NewSession()
	err = s.RegisterFunction(&flightd.ScalarFunction{
		Name:   "kilometres",
		Params: []arrow.DataType{arrow.PrimitiveTypes.Float64},
		Result: arrow.PrimitiveTypes.Float64,
		Eval: func(args []arrow.Array, rows int) (arrow.Array, error) {
			miles := args[0].(*array.Float64)
			b := array.NewFloat64Builder(memory.DefaultAllocator)
			defer b.Release()
			for i := range rows {
				b.Append(miles.Value(i) * 1.609344) // no NULL comes here: TakesNull is not set
			}
			return b.NewArray(), nil
		},
	})
	if err != nil {
		panic(err)
	}
	recs, err := s.SQL("SELECT kilometres(m) AS km FROM VALUES (1.0), (NULL), (26.2) AS t(m)").Collect(ctx)
	if err != nil {
		panic(err)
	}
	for _, rec := range recs {
		fmt.Println(rec.Column(0))
	}
	// Output: [1.609344 (null) 42.1648128]
}
