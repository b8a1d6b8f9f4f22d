package computetest

import (
	"fmt"
	"strings"
	"time"

	"github.com/flightd/flightd/compute"
	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
)

// Row is a row of values in the form of plan/expr.Literal; an int is taken as an
// int64.
type Row []any

// Rows are the rows of one input in one epoch.
type Rows []Row

// A Case is a plan and what it makes of its inputs.
type Case struct {
	// Inputs are the schemas of the inputs, in DDL's order.
	Inputs []expr.Schema
	// Plan makes the tree over scans of the inputs.
	Plan func(in []physical.Node) physical.Node
	// Epochs are played one after another over one state.
	Epochs []Epoch
	// Splits says how many splits each input is read in; 0 means one. Rows are
	// dealt to them in equal parts.
	Splits int
	// Unordered says that the output's order is not part of the promise.
	Unordered bool
	// Zone and Now are those of expressions.
	Zone *time.Location
	Now  int64
}

// An Epoch is what goes in and comes out in one.
type Epoch struct {
	// In holds the rows of each input.
	In []Rows
	// Late and Evict are the watermarks, in milliseconds, of all stateful operators;
	// both 0 means that there is none.
	Late, Evict int64
	Want        Rows
	// State, if set, is compared with the metrics, but for Bytes, for Input, Used
	// and Refused where Input is 0, and for Oldest where it is not wanted.
	State []compute.StateMetrics
	// Times, if set, is compared with what the watermark nodes saw.
	Times []compute.EventTime
	// Error, if set, is a part of the error that the epoch ends with.
	Error string
}

// Schema makes a schema of names and types: "a", expr.Int64, "b", expr.String.
func Schema(pairs ...any) expr.Schema {
	var s expr.Schema
	for i := 0; i < len(pairs); i += 2 {
		s = append(s, expr.Field{Name: pairs[i].(string), Type: pairs[i+1].(*expr.Type), Nullable: true})
	}
	return s
}

// Ref is a reference to column i of a schema.
func Ref(s expr.Schema, i int) *expr.Ref {
	return &expr.Ref{Index: i, Name: s[i].Name, Typ: s[i].Type, Null: true}
}

// Call is a function call with a type.
func Call(fn string, t *expr.Type, args ...expr.Expr) *expr.Call {
	return &expr.Call{Fn: fn, Args: args, Typ: t, Null: true}
}

// Lit is a literal; an int is taken as an int64.
func Lit(v any, t *expr.Type) *expr.Literal { return &expr.Literal{Value: normal(v), Typ: t} }

func normal(v any) any {
	switch v := v.(type) {
	case int:
		return int64(v)
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = normal(x)
		}
		return out
	}
	return v
}

// columns makes columns of rows.
func columns(s expr.Schema, rows Rows) ([]*vec.Vec, error) {
	cols := make([]*vec.Vec, len(s))
	for c, f := range s {
		b := vec.NewBuilder(f.Type)
		for _, r := range rows {
			if err := cexpr.AppendValue(b, normal(r[c])); err != nil {
				return nil, err
			}
		}
		cols[c] = b.Vec()
	}
	return cols, nil
}

// texts returns the live rows of b as text.
func texts(b compute.Batch, s expr.Schema) []string {
	cols := make([]*vec.Vec, len(s))
	for i, f := range s {
		cols[i] = vec.FromArrow(b.Rec.Column(i), f.Type)
	}
	var out []string
	for i := range int(b.Rec.NumRows()) {
		if b.Sel == nil {
			out = append(out, text(cols, i))
		}
	}
	for _, i := range b.Sel {
		out = append(out, text(cols, int(i)))
	}
	return out
}

func text(cols []*vec.Vec, i int) string {
	parts := make([]string, len(cols))
	for c, v := range cols {
		parts[c] = fmt.Sprintf("%v", cexpr.Value(v, i))
	}
	return strings.Join(parts, " | ")
}

func wanted(s expr.Schema, rows Rows) ([]string, error) {
	cols, err := columns(s, rows)
	if err != nil {
		return nil, err
	}
	out := make([]string, len(rows))
	for i := range rows {
		out[i] = text(cols, i)
	}
	return out, nil
}
