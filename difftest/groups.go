package difftest

import (
	"fmt"
	"math"
)

// groupRows is how many rows a group can have, for the bounds of sums.
const groupRows = 1e6

// aggregate draws an aggregate of kind k over rows of s, or nil.
func (g *drawer) aggregate(s *scope, k kind) *term {
	t := g.plainAggregate(s, k)
	if t == nil {
		return nil
	}
	if g.chance(15) {
		filter := g.term(s, boolT, 1)
		n := fmt.Sprintf("$%d", len(t.args))
		t.text[ours] += " FILTER (WHERE " + n + ")"
		t.text[duck] += " FILTER (WHERE " + n + ")"
		t.args = append(t.args, filter)
	}
	if t.kind == decimalT {
		// DuckDB's sum has 38 digits, and what is merged with it fewer places behind the point.
		t.text[duck] = "CAST(" + t.text[duck] + " AS " + t.name(duck) + ")"
	}
	// Arguments may hold no subquery: Spark refuses them there.
	if !t.fits() || t.holdsSub() {
		return nil
	}
	t.aggregate = true
	return t
}

func (g *drawer) plainAggregate(s *scope, k kind) *term {
	// Spark's decimals of a sum have ten digits more.
	total := func(a *term, distinct string) *term {
		t := a.typ
		t.most *= groupRows
		switch a.kind {
		case intT:
			t.kind = bigT
		case decimalT:
			t.precision += 10
		case doubleT:
			if a.grade != exact || t.most*math.Exp2(float64(a.bits)) > 1<<52 {
				return nil
			}
		}
		return call(t, "sum("+distinct+"$0)", a)
	}
	if g.chance(35) {
		a := g.term(s, k, 1)
		return call(a.typ, oneOf(g, "min($0)", "max($0)"), a)
	}
	switch k {
	case bigT:
		switch g.r.IntN(5) {
		case 0:
			return call(typ{kind: bigT, most: groupRows}, "count(*)")
		case 1:
			return call(typ{kind: bigT, most: groupRows}, "count("+oneOf(g, "", "DISTINCT ")+"$0)", g.term(s, g.anyKind(), 1))
		case 2:
			// DuckDB's is NULL where nothing is counted.
			return either(typ{kind: bigT, most: groupRows}, "count_if($0)", "count(CASE WHEN $0 THEN 1 END)", g.term(s, boolT, 1))
		}
		return total(g.term(s, oneOf(g, intT, bigT), 1), oneOf(g, "", "", "DISTINCT "))
	case intT:
		a := g.term(s, intT, 1)
		t := a.typ
		t.most = 2*t.most + 2
		return call(t, oneOf(g, "bit_and($0)", "bit_or($0)", "bit_xor($0)"), a)
	case doubleT, decimalT:
		return total(g.term(s, k, 1), oneOf(g, "", "", "DISTINCT "))
	case stringT:
		a := g.term(s, stringT, 1)
		if a.constant() { // DuckDB refuses it as an order
			return nil
		}
		return either(typ{kind: k}, "listagg($0, '|') WITHIN GROUP (ORDER BY $0)", "string_agg($0, '|' ORDER BY $0)", a)
	case boolT:
		return call(typ{kind: k}, oneOf(g, "bool_and($0)", "bool_or($0)"), g.term(s, boolT, 1))
	}
	if len(s.keys) != 1 {
		return nil
	}
	// The value of the first or last row, also if it is NULL.
	a := g.term(s, k, 1)
	f := oneOf(g, [2]string{"max_by", "arg_max_null"}, [2]string{"min_by", "arg_min_null"})
	return either(a.typ, f[0]+"($0, "+s.keys[0]+")", f[1]+"($0, "+s.keys[0]+")", a)
}

// over draws a window function of kind k over rows of s, or nil.
func (g *drawer) over(s *scope, k kind) *term {
	var t *term
	total := len(s.keys) > 0
	var order []string
	args := 0
	add := func(a *term) string { t.args = append(t.args, a); args++; return fmt.Sprintf("$%d", args-1) }
	frame, aggregates, cast := "", false, false
	switch {
	case k == bigT && g.chance(60):
		// Spark's are INT.
		t = call(typ{kind: bigT, most: groupRows}, "")
		f := oneOf(g, "rank()", "dense_rank()", "count(*)")
		if total && g.chance(50) {
			f = oneOf(g, "row_number()", "ntile(3)")
		}
		t.text, cast = [2]string{"CAST(" + f, "CAST(" + f}, true
	case k == doubleT && g.chance(50):
		t = call(typ{kind: doubleT, most: 1, grade: rounded}, oneOf(g, "percent_rank()", "cume_dist()"))
	case total && g.chance(60):
		t = g.ofRow(s, k, add, func() *term { t = &term{typ: typ{kind: k}}; return t })
		if g.chance(50) && t.fixed {
			frame = g.frame()
		}
	default:
		a := g.plainAggregate(s, k)
		// Spark knows neither DISTINCT nor an order of its own in a window's aggregate.
		if a == nil || !a.fits() || a.holdsSub() || len(a.args) > 1 || k == stringT || a.text[0] != a.text[1] || contains(a.text[0], "DISTINCT") {
			return nil
		}
		t, args, aggregates = a, len(a.args), true
		if total && g.chance(50) {
			frame = g.frame()
		}
	}
	window := ""
	if g.chance(60) {
		window += "PARTITION BY " + add(g.term(s, oneOf(g, intT, stringT, boolT, dateT), 1)) + " "
	}
	if !aggregates || frame != "" || g.chance(60) {
		if g.chance(70) {
			order = append(order, add(g.term(s, g.anyKind(), 1))+oneOf(g, "", " DESC")+oneOf(g, " NULLS FIRST", " NULLS LAST"))
		}
		if total {
			for _, key := range s.keys {
				order = append(order, key+oneOf(g, "", " DESC")+" NULLS FIRST")
			}
		}
		if len(order) == 0 {
			order = append(order, add(g.term(s, intT, 1))+" NULLS FIRST")
		}
		window += "ORDER BY "
		for i, o := range order {
			window += pick(i > 0, ", ", "") + o
		}
	} else if g.chance(50) {
		window += "ORDER BY " + add(g.term(s, intT, 1)) + " NULLS FIRST " + fmt.Sprintf("RANGE BETWEEN %d PRECEDING AND %d FOLLOWING", g.r.IntN(4), g.r.IntN(4))
	}
	for _, a := range t.args {
		// A constant is no order for Spark's window, and a subquery is refused.
		if a.holdsSub() {
			return nil
		}
	}
	for d := range t.text {
		t.text[d] += " OVER (" + window + frame + ")" + pick(cast, " AS BIGINT)", "")
	}
	if aggregates && k == decimalT { // as of aggregates
		t.text[duck] = "CAST(" + t.text[duck] + " AS " + t.name(duck) + ")"
	}
	t.window, t.fixed = true, true
	return t
}

// ofRow is a function that gives a value of another row. Whether it takes a frame is
// said by fixed.
func (g *drawer) ofRow(s *scope, k kind, add func(*term) string, made func() *term) *term {
	t := made()
	a := g.term(s, k, 1)
	t.typ = a.typ
	n := add(a)
	switch g.r.IntN(3) {
	case 0:
		f := fmt.Sprintf("%s(%s, %d", oneOf(g, "lag", "lead"), n, g.r.IntN(3))
		if g.chance(40) {
			b := g.constant(k)
			t.typ = union(a.typ, b.typ)
			f += ", CAST(" + add(b) + " AS "
			t.text = [2]string{f + a.name(ours) + "))", f + a.name(duck) + "))"}
			if k == decimalT { // the constant might not fit
				t.text = [2]string{"lag(" + n + ")", "lag(" + n + ")"}
			}
			return t
		}
		t.text = [2]string{f + ")", f + ")"}
	case 1:
		f := oneOf(g, "first_value", "last_value") + "(" + n
		t.fixed = true
		t.text = [2]string{f + ")", f + ")"}
		if g.chance(40) {
			t.text = [2]string{f + ") IGNORE NULLS", f + " IGNORE NULLS)"}
		}
	default:
		t.fixed = true
		f := fmt.Sprintf("nth_value(%s, %d)", n, 1+g.r.IntN(3))
		t.text = [2]string{f, f}
	}
	return t
}

// frame draws a frame of rows.
func (g *drawer) frame() string {
	return oneOf(g, " ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW", " ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING", " ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING",
		" ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING", " ROWS BETWEEN 3 PRECEDING AND 2 PRECEDING", " ROWS BETWEEN 1 FOLLOWING AND 4 FOLLOWING")
}
