package compute

import (
	"context"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/physical"
)

// generate puts out, for each row, the columns it keeps once per row that a
// generator makes of it; as an outer one at least once.
type generate struct {
	unary
	node   *physical.Generate
	outer  bool
	gen    cexpr.Generator
	view   *view
	schema *arrow.Schema

	// What is left of the input's batch: rows[i] made row i of made; a negative
	// member of take stands for the NULLs of an outer generator.
	batch      Batch
	made       []*vec.Vec
	rows, take []int32
	list       rowList
	held
}

var _ Operator = (*generate)(nil)

func newGenerate(n *physical.Generate, input Operator, env *Env) (*generate, error) {
	gen, err := cexpr.CompileGenerator(n.Gen, env.Expr)
	g := &generate{unary: unary{input}, node: n, outer: n.Outer || strings.HasSuffix(n.Gen.Fn, "_outer"), gen: gen, view: newView(n.Input.Schema(), n.Gen), schema: n.Out.Arrow()}
	for _, k := range n.Keep {
		g.view.uses[k] |= coded
	}
	return g, err
}

func (g *generate) Next(ctx context.Context) (Batch, error) {
	for len(g.rows) == 0 {
		b, err := g.input.Next(ctx)
		if err != nil {
			return Batch{}, err
		}
		if err := g.begin(b); err != nil {
			return Batch{}, err
		}
	}
	n := min(len(g.rows), BatchRows)
	cols := make([]*vec.Vec, 0, len(g.node.Out))
	for _, k := range g.node.Keep {
		cols = append(cols, g.view.in.Cols[k].Take(g.rows[:n]))
	}
	for _, c := range g.made {
		cols = append(cols, c.Take(g.take[:n]))
	}
	g.rows, g.take = g.rows[n:], g.take[n:]
	return Batch{Rec: g.set(recordOf(g.schema, cols, n)), Split: g.batch.Split}, nil
}

// begin runs the generator over a batch.
func (g *generate) begin(b Batch) error {
	in := g.view.of(b)
	rows, made, err := g.gen.Generate(in)
	if err != nil {
		return err
	}
	g.batch, g.made, g.rows = b, made, rows
	if !g.outer {
		g.take = g.list.first(len(rows))
		return nil
	}
	g.rows, g.take = nil, nil
	next := 0
	for _, r := range g.list.of(b) {
		had := next
		for ; next < len(rows) && rows[next] == r; next++ {
			g.rows, g.take = append(g.rows, r), append(g.take, int32(next))
		}
		if next == had {
			g.rows, g.take = append(g.rows, r), append(g.take, -1)
		}
	}
	return nil
}

// Close lets go of the last batch and closes the input.
func (g *generate) Close() error { g.set(nil); return g.unary.Close() }
