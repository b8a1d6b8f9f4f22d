package difftest

import (
	"fmt"
	"math"
)

// arithmetic is a sum, difference or product of two numbers, of which one has kind k
// and none more.
func (g *drawer) arithmetic(s *scope, k kind, d int) *term {
	a, b := g.term(s, k, d), g.term(s, k, d)
	if k == bigT && g.chance(40) {
		b = g.term(s, intT, d)
	}
	if (k == doubleT || k == decimalT) && g.chance(30) {
		b = g.term(s, intT, d)
	}
	if g.chance(30) {
		a, b = b, a
	}
	op := oneOf(g, "+", "-", "*")
	t := typ{kind: k, grade: max(a.grade, b.grade)}
	if op == "*" {
		t.most, t.bits = a.most*b.most, a.bits+b.bits
	} else {
		t.most, t.bits = a.most+b.most, max(a.bits, b.bits)
	}
	if k == doubleT {
		if math.IsInf(t.most, 1) || math.IsNaN(t.most) {
			return nil
		}
		if t.most*math.Exp2(float64(t.bits)) > 1<<52 {
			t.grade = max(t.grade, rounded)
		}
	}
	if k == decimalT {
		t.precision, t.scale = digits(a.typ, b.typ, op)
	}
	return call(t, "($0 "+op+" $1)", a, b)
}

// digits are precision and scale of a sum or product, by Spark's rules. DuckDB's
// product has a digit less.
func digits(a, b typ, op string) (precision, scale int) {
	for _, t := range []*typ{&a, &b} {
		switch t.kind {
		case intT:
			t.precision, t.scale = 10, 0
		case bigT:
			t.precision, t.scale = 20, 0
		}
	}
	if op == "*" {
		return a.precision + b.precision + 1, a.scale + b.scale
	}
	u := union(a, b)
	return u.precision + 1, u.scale
}

func (g *drawer) integers() []rule {
	sum := func(s *scope, d int) *term { return g.arithmetic(s, intT, d) }
	return []rule{
		sum, sum, sum,
		func(s *scope, d int) *term { a := g.term(s, intT, d); return call(a.typ, "(- $0)", a) },
		func(s *scope, d int) *term { a := g.term(s, intT, d); return call(a.typ, "abs($0)", a) },
		// The remainder by 0 is an error in Spark and NULL in DuckDB.
		func(s *scope, d int) *term {
			a, b := g.term(s, intT, d), g.term(s, intT, d)
			return call(a.typ, "($0 % nullif($1, 0))", a, b)
		},
		func(s *scope, d int) *term {
			// Only of numbers that are not negative do the bits stay below the larger's next power of 2.
			a, b := g.term(s, intT, d), g.term(s, intT, d)
			t := typ{kind: intT, most: 2*max(a.most, b.most) + 2}
			switch g.r.IntN(3) {
			case 0:
				return call(t, "($0 & $1)", a, b)
			case 1:
				return call(t, "($0 | $1)", a, b)
			}
			return either(t, "($0 ^ $1)", "xor($0, $1)", a, b)
		},
		func(s *scope, d int) *term {
			return either(typ{kind: intT, most: 1}, "CAST(sign($0) AS INT)", "CAST(sign($0) AS INT)", g.term(s, oneOf(g, intT, bigT, decimalT), d))
		},
		func(s *scope, d int) *term {
			return call(typ{kind: intT, most: 1}, "CAST($0 AS INT)", g.term(s, boolT, d))
		},
		func(s *scope, d int) *term { return g.whole(s, intT, d) },
		func(s *scope, d int) *term {
			a := g.term(s, intT, d)
			return either(a.typ, "CAST(CAST($0 AS STRING) AS INT)", "CAST(CAST($0 AS VARCHAR) AS INT)", a)
		},
	}
}

// whole is a cast to a whole number: Spark's cuts off what DuckDB's rounds.
func (g *drawer) whole(s *scope, k kind, d int) *term {
	a := g.term(s, oneOf(g, doubleT, decimalT, bigT), d)
	t := typ{kind: k, most: a.most}
	if math.IsInf(a.most, 1) {
		return nil
	}
	if a.kind == bigT {
		return call(t, "CAST($0 AS "+t.name(ours)+")", a)
	}
	return either(t, "CAST($0 AS "+t.name(ours)+")", "CAST(trunc($0) AS "+t.name(duck)+")", a)
}

func (g *drawer) bigs() []rule {
	sum := func(s *scope, d int) *term { return g.arithmetic(s, bigT, d) }
	floor := func(s *scope, d int) *term {
		a := g.term(s, oneOf(g, doubleT, decimalT), d)
		if math.IsInf(a.most, 1) {
			return nil
		}
		return call(typ{kind: bigT, most: a.most + 1}, "CAST("+oneOf(g, "floor", "ceil")+"($0) AS BIGINT)", a)
	}
	return []rule{
		sum, sum, floor,
		func(s *scope, d int) *term { a := g.term(s, bigT, d); return call(a.typ, "abs($0)", a) },
		func(s *scope, d int) *term {
			a := g.term(s, intT, d)
			return call(typ{kind: bigT, most: a.most}, "CAST($0 AS BIGINT)", a)
		},
		func(s *scope, d int) *term {
			a, b := g.term(s, oneOf(g, intT, bigT), d), g.term(s, intT, d)
			return either(typ{kind: bigT, most: a.most}, "($0 div nullif($1, 0))", "CAST($0 // nullif($1, 0) AS BIGINT)", a, b)
		},
		func(s *scope, d int) *term { return g.whole(s, bigT, d) },
		func(s *scope, d int) *term {
			return either(typ{kind: bigT, most: 5e15}, "unix_micros($0)", "epoch_us($0)", g.term(s, timestampT, d))
		},
	}
}

func (g *drawer) doubles() []rule {
	sum := func(s *scope, d int) *term { return g.arithmetic(s, doubleT, d) }
	return []rule{
		sum, sum, sum,
		func(s *scope, d int) *term { a := g.term(s, doubleT, d); return call(a.typ, "abs($0)", a) },
		// Spark raises an error where DuckDB's quotient by 0 is NULL.
		func(s *scope, d int) *term {
			a, b := g.term(s, oneOf(g, intT, bigT, doubleT), d), g.term(s, intT, d)
			if math.IsInf(a.most, 1) {
				return nil
			}
			return call(typ{kind: doubleT, most: a.most, grade: rounded}, "($0 / nullif($1, 0))", a, b)
		},
		func(s *scope, d int) *term {
			a := g.term(s, intT, d)
			return call(typ{kind: doubleT, most: a.most}, "CAST($0 AS DOUBLE)", a)
		},
		func(s *scope, d int) *term {
			a := g.term(s, decimalT, d)
			return call(typ{kind: doubleT, most: a.most, grade: rounded}, "CAST($0 AS DOUBLE)", a)
		},
		func(s *scope, d int) *term {
			a := g.term(s, intT, d)
			return call(typ{kind: doubleT, most: a.most, grade: rounded}, "sqrt(abs($0))", a)
		},
	}
}

// nearly draws a DOUBLE of which the engines have the last digits different: it may
// be shown, but nothing may depend on it.
func (g *drawer) nearly(s *scope, d int) *term {
	t := typ{kind: doubleT, most: math.Inf(1), grade: near}
	if s.under != nil {
		a := g.term(s.under, oneOf(g, intT, bigT, doubleT, decimalT), d)
		if math.IsInf(a.most, 1) || a.holdsSub() {
			return nil
		}
		text := oneOf(g, "avg(CAST($0 AS DOUBLE))", "var_samp(CAST($0 AS DOUBLE))", "var_pop(CAST($0 AS DOUBLE))", "percentile", "median(CAST($0 AS DOUBLE))")
		if a.most > 1e6 { // the variance of large numbers has more than the ninth digit different
			text = "avg(CAST($0 AS DOUBLE))"
		}
		if text == "percentile" {
			p := oneOf(g, "0.25e0", "0.5e0", "0.9e0")
			return either(t, "percentile(CAST($0 AS DOUBLE), "+p+")", "quantile_cont(CAST($0 AS DOUBLE), "+p+")", a)
		}
		return call(t, text, a)
	}
	a := g.term(s, oneOf(g, intT, doubleT, decimalT), d)
	if a.most > 1e6 {
		return nil
	}
	return call(t, oneOf(g, "ln(abs($0) + 1.5e0)", "sin($0)", "cos($0)", "atan($0)", "exp(-abs($0))", "cbrt($0)", "log10(abs($0) + 1.5e0)", "pow(abs($0) + 1e0, 0.5e0)"), a)
}

func (g *drawer) decimals() []rule {
	sum := func(s *scope, d int) *term { return g.arithmetic(s, decimalT, d) }
	return []rule{
		sum, sum, sum,
		func(s *scope, d int) *term {
			a := g.term(s, decimalT, d)
			return call(a.typ, oneOf(g, "abs($0)", "(- $0)"), a)
		},
		func(s *scope, d int) *term {
			a := g.term(s, oneOf(g, intT, decimalT), d)
			t := typ{kind: decimalT, precision: 16, scale: g.r.IntN(5), most: a.most + 1}
			if a.most > 1e9 {
				return nil
			}
			return call(t, fmt.Sprintf("CAST($0 AS %s)", t.name(ours)), a)
		},
		func(s *scope, d int) *term {
			a := g.term(s, decimalT, d)
			if a.scale < 1 {
				return nil
			}
			t := a.typ
			t.scale = g.r.IntN(a.scale)
			t.precision, t.most = a.precision-a.scale+t.scale+1, a.most+1
			return call(t, fmt.Sprintf("round($0, %d)", t.scale), a)
		},
		func(s *scope, d int) *term {
			// A double of more digits than the decimal has is rounded differently at ties.
			a := g.term(s, doubleT, d)
			if a.grade != exact || a.bits > 4 || a.most > 1e6 {
				return nil
			}
			t := typ{kind: decimalT, precision: 14, scale: 4, most: a.most}
			return call(t, "CAST($0 AS DECIMAL(14, 4))", a)
		},
	}
}
