package streaming

import (
	"math"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/physical"
)

// None is the watermark of an operator below which there is no watermark node.
const None = math.MinInt64

// Propagate returns, by operator number, the watermark (milliseconds) that each
// stateful operator of a plan has as input when the query's watermark is global:
// the least of what its children put out. A watermark node puts out global, a
// stateful operator what it got; a join holds back what its condition needs
// (physical.StreamJoin.Output).
//
// A watermark node above another is refused, but only once the watermark has
// begun to move (recordings errors/watermark_redefined*); with multiple false
// (spark.sql.streaming.statefulOperator.allowMultiple) every operator simply
// works with global.
func Propagate(root physical.Node, operators int, global int64, multiple bool) ([]int64, error) {
	p := propagation{global: global, inputs: make([]int64, operators)}
	for i := range p.inputs {
		p.inputs[i] = None
		if !multiple {
			p.inputs[i] = global
		}
	}
	if !multiple {
		return p.inputs, nil
	}
	_, err := p.node(root)
	return p.inputs, err
}

type propagation struct {
	global int64
	inputs []int64
}

func (p *propagation) node(n physical.Node) (int64, error) {
	in := int64(None)
	for _, c := range n.Inputs() {
		w, err := p.node(c)
		if err != nil {
			return None, err
		}
		if w != None && (in == None || w < in) {
			in = w
		}
	}
	switch n := n.(type) {
	case *physical.Reuse:
		w, err := p.node(n.Of)
		for _, t := range n.States {
			p.inputs[t.For.Operator] = p.inputs[t.Of.Operator]
		}
		return w, err
	case *physical.Watermark:
		if in != None && p.global > 0 {
			return None, base.UserError("_LEGACY_ERROR_TEMP_3076", "",
				"A watermark is declared above another one on the same stream.").
				WithHint("declare one watermark per stream, or set spark.sql.streaming.statefulOperator.allowMultiple to false")
		}
		return p.global, nil
	case *physical.Aggregate:
		p.set(n.State, in)
	case *physical.Dedup:
		p.set(n.State, in)
	case *physical.Limit:
		p.set(n.State, in)
	case *physical.AsOfJoin:
		if p.set(n.State, in); n.State != nil && in != None {
			return n.Output(in), nil
		}
	case *physical.StreamJoin:
		p.set(n.State, in)
		if in != None {
			return n.Output(in), nil
		}
	}
	return in, nil
}

func (p *propagation) set(s *physical.State, in int64) {
	if s != nil {
		p.inputs[s.Operator] = in
	}
}
