package agg

import (
	"math"
	"math/bits"

	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/state"
)

// sketch is approx_count_distinct: HyperLogLog++ with one byte a register, over
// the hash that Spark uses, so that both fill the same registers. Up to the
// paper's threshold the estimate is the linear count, which is Spark's number;
// beyond it the raw estimate is not corrected for bias, and differs from
// Spark's by less than the error that was asked for.
type sketch struct {
	registers *state.BytesColumn
	p         int
	zero      []byte
	picker
}

// linearUpTo holds, for p = 4 …, up to which linear count it is better than the
// estimate.
var linearUpTo = [...]float64{10, 20, 40, 80, 220, 400, 900, 1800, 3100, 6500, 11500, 20000, 50000, 120000, 350000}

func newSketch(c call) (*Func, error) {
	if err := c.need(1); err != nil {
		return nil, err
	}
	rsd := 0.05
	if len(c.Args) > 1 {
		v, err := c.constants.Value(1)
		if err != nil {
			return nil, err
		}
		rsd = floats(v, nil)[0]
	}
	p := int(math.Ceil(2 * math.Log(1.106/rsd) / math.Log(2)))
	if p < 4 {
		return nil, base.UserError("FAILED_FUNCTION_CALL", "38000", "Failed preparing of the function `%s` for call. "+
			"Please, double check function's arguments.", c.Fn).At(c.At)
	}
	p = min(p, len(linearUpTo)+3)
	return &Func{
		AnyOrder: true,
		Fields:   []state.Field{field(state.Bytes, "SKETCH", false)},
		bind: func(cols []state.Column) Accumulator {
			return &sketch{registers: cols[0].(*state.BytesColumn), p: p, zero: make([]byte, 1<<p)}
		},
	}, nil
}

// of returns the registers of group g, to read and write; they are made at the
// group's first value.
func (a *sketch) of(g int32) []byte {
	if len(a.registers.Get(g)) == 0 {
		a.registers.Set(g, a.zero)
	}
	return a.registers.Get(g)
}

func (a *sketch) Update(rows, groups []int32, args []*vec.Vec) error {
	rows, groups = a.present(rows, groups, args[0])
	if len(rows) == 0 {
		return nil
	}
	v := args[0].Flat()
	for i, r := range rows {
		h := cexpr.XXHash64(v, int(r), 42)
		reg := &a.of(groups[i])[h>>(64-a.p)]
		*reg = max(*reg, byte(bits.LeadingZeros64(h<<a.p|1<<(a.p-1))+1))
	}
	return nil
}

func (a *sketch) Merge(dst []int32, from Accumulator, src []int32) error {
	o := from.(*sketch)
	for i, g := range dst {
		theirs := o.registers.Get(src[i])
		if len(theirs) == 0 {
			continue
		}
		ours := a.of(g)
		for j, x := range theirs {
			ours[j] = max(ours[j], x)
		}
	}
	return nil
}

func (a *sketch) Final(groups []int32) (*vec.Vec, error) {
	out := make([]int64, len(groups))
	for i, g := range groups {
		if reg := a.registers.Get(g); len(reg) > 0 {
			out[i] = int64(math.Floor(a.estimate(reg) + 0.5))
		}
	}
	return vec.FromValues(expr.Int64, out, nil), nil
}

func (a *sketch) estimate(registers []byte) float64 {
	m := float64(len(registers))
	inverse, empty := 0.0, 0.0
	for _, x := range registers {
		inverse += 1 / float64(uint64(1)<<x)
		if x == 0 {
			empty++
		}
	}
	alpha := map[int]float64{4: 0.673, 5: 0.697, 6: 0.709}[a.p]
	if alpha == 0 {
		alpha = 0.7213 / (1 + 1.079/m)
	}
	raw := alpha * m * m / inverse
	if empty > 0 {
		if linear := m * math.Log(m/empty); linear <= linearUpTo[a.p-4] || raw <= 2.5*m {
			return linear
		}
	}
	return raw
}
