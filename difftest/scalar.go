package difftest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
)

// A scope is what an expression may name.
type scope struct {
	// cols are the columns; of a grouped block its keys.
	cols []*term
	// keys together name one row; nil if that is not known.
	keys []string
	// rows is an estimate from above, for how much a query costs.
	rows float64
	// under is the scope of the rows of the groups, in which arguments of aggregates
	// are drawn; nil outside grouped blocks.
	under *scope
	// scalars and predicates tell whether subqueries may be drawn: a scalar one in
	// SELECT and WHERE, the predicates in WHERE alone, where both engines know them.
	scalars, predicates bool
}

// A drawer draws queries.
type drawer struct {
	r *rand.Rand
	// names counts aliases, so that none is used twice.
	names int
	// ctes are those of the query that is drawn, with their columns.
	ctes []source
}

// chance is true in n of 100 cases.
func (g *drawer) chance(n int) bool { return g.r.IntN(100) < n }

func oneOf[T any](g *drawer, list ...T) T { return list[g.r.IntN(len(list))] }

// term draws an expression of a kind. No drawn value but that of nearly is near.
func (g *drawer) term(s *scope, k kind, depth int) *term {
	if depth > 0 && !g.chance(25) {
		rules := g.rules(k)
		for range 8 {
			if t := rules[g.r.IntN(len(rules))](s, depth-1); t != nil && t.fits() {
				return t
			}
		}
	}
	return g.leaf(s, k)
}

// fits reports whether the values surely stay within the type.
func (t *term) fits() bool {
	switch t.kind {
	case intT:
		return t.most < 2e9
	case bigT:
		return t.most < 4e18
	case decimalT:
		// DuckDB keeps to 18 digits as long as its arguments do.
		return t.precision <= 30 && t.most*math.Pow10(t.scale) < 1e17
	case doubleT:
		return t.most < 1e15 || math.IsInf(t.most, 1)
	}
	return true
}

// leaf is a column, a constant, or in a grouped block an aggregate.
func (g *drawer) leaf(s *scope, k kind) *term {
	var of []*term
	for _, c := range s.cols {
		if c.kind == k {
			of = append(of, c)
		}
	}
	if len(of) > 0 && g.chance(80) {
		return of[g.r.IntN(len(of))]
	}
	if s.under != nil && g.chance(75) {
		if t := g.aggregate(s.under, k); t != nil {
			return t
		}
	}
	if g.chance(6) {
		return null(g.constant(k).typ)
	}
	return g.constant(k)
}

// constant draws a constant of a kind.
func (g *drawer) constant(k kind) *term {
	switch k {
	case boolT:
		return leaf(typ{kind: k}, oneOf(g, "TRUE", "FALSE"))
	case intT:
		n := oneOf(g, 0, 1, 2, 3, 5, 7, 100, g.r.IntN(1000))
		return leaf(typ{kind: k, most: float64(n)}, fmt.Sprint(n))
	case bigT:
		n := oneOf(g, 0, 1, 4, g.r.IntN(1_000_000))
		return leaf(typ{kind: k, most: float64(n)}, fmt.Sprintf("CAST(%d AS BIGINT)", n))
	case doubleT:
		n := g.r.IntN(200)
		return leaf(typ{kind: k, most: 100, bits: 2}, fmt.Sprintf("%ge0", float64(n)/4))
	case decimalT:
		n := g.r.IntN(100_000)
		return either(typ{kind: k, precision: 7, scale: 2, most: 1000}, fmt.Sprintf("CAST(%d.%02d AS DECIMAL(7, 2))", n/100, n%100), fmt.Sprintf("CAST(%d.%02d AS DECIMAL(7, 2))", n/100, n%100))
	case stringT:
		w := words()
		return leaf(typ{kind: k}, "'"+w[g.r.IntN(len(w))]+"'")
	case dateT:
		return leaf(typ{kind: k}, fmt.Sprintf("DATE '20%02d-%02d-%02d'", g.r.IntN(30), 1+g.r.IntN(12), 1+g.r.IntN(28)))
	case timestampT:
		return leaf(typ{kind: k}, fmt.Sprintf("TIMESTAMP '2023-12-%02d %02d:00:00'", 10+g.r.IntN(20), g.r.IntN(24)))
	}
	text := fmt.Sprintf(" '2023-12-%02d %02d:30:00'", 10+g.r.IntN(20), g.r.IntN(24))
	return either(typ{kind: k}, "TIMESTAMP_NTZ"+text, "TIMESTAMP"+text)
}

// rule draws an expression, or returns nil where what it has drawn does not fit.
type rule = func(s *scope, depth int) *term

func (g *drawer) rules(k kind) []rule {
	// What every kind has.
	out := []rule{
		func(s *scope, d int) *term { return g.branches(s, k, d) },
		func(s *scope, d int) *term { return g.merged("coalesce($0, $1)", s, k, d) },
		func(s *scope, d int) *term { return g.merged("CASE WHEN $0 = $1 THEN NULL ELSE $0 END", s, k, d) },
		func(s *scope, d int) *term { return g.scalar(s, k, d) },
	}
	if k != boolT {
		out = append(out,
			func(s *scope, d int) *term { return g.merged("greatest($0, $1)", s, k, d) },
			func(s *scope, d int) *term { return g.merged("least($0, $1)", s, k, d) },
			func(s *scope, d int) *term { return g.merged("nullif($0, $1)", s, k, d) })
	}
	switch k {
	case boolT:
		return append(out, g.conditions()...)
	case intT:
		return append(append(out, g.integers()...), g.fields()...)
	case bigT:
		return append(out, g.bigs()...)
	case doubleT:
		return append(out, g.doubles()...)
	case decimalT:
		return append(out, g.decimals()...)
	case stringT:
		return append(out, g.texts()...)
	}
	return append(out, g.times(k)...)
}

// union is the type of values of either type.
func union(a, b typ) typ {
	scale := max(a.scale, b.scale)
	return typ{kind: a.kind, precision: max(a.precision-a.scale, b.precision-b.scale) + scale, scale: scale,
		most: max(a.most, b.most), bits: max(a.bits, b.bits), grade: max(a.grade, b.grade)}
}

// merged is a call with two arguments of kind k whose result is one of them.
func (g *drawer) merged(text string, s *scope, k kind, d int) *term {
	a, b := g.term(s, k, d), g.term(s, k, d)
	return call(union(a.typ, b.typ), text, a, b)
}

func (g *drawer) branches(s *scope, k kind, d int) *term {
	a, b := g.term(s, k, d), g.term(s, k, d)
	t := union(a.typ, b.typ)
	switch g.r.IntN(3) {
	case 0:
		return call(t, "CASE WHEN $0 THEN $1 ELSE $2 END", g.term(s, boolT, d), a, b)
	case 1:
		return call(t, "CASE WHEN $0 THEN $1 WHEN $3 THEN $2 END", g.term(s, boolT, d), a, b, g.term(s, boolT, d))
	}
	return call(t, "CASE $0 WHEN $1 THEN $2 ELSE $3 END", g.term(s, intT, d), g.term(s, intT, 0), a, b)
}

// comparable draws a kind whose values are compared.
func (g *drawer) anyKind() kind { return kind(g.r.IntN(int(kinds))) }

func (g *drawer) conditions() []rule {
	compare := func(s *scope, d int) *term {
		k := g.anyKind()
		a, b := g.term(s, k, d), g.term(s, k, d)
		if a.numeric() && g.chance(30) {
			b = g.term(s, kind(int(intT)+g.r.IntN(4)), d)
		}
		return call(typ{kind: boolT}, "($0 "+oneOf(g, "=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM", "IS NOT DISTINCT FROM")+" $1)", a, b)
	}
	return []rule{
		compare, compare, compare, compare,
		func(s *scope, d int) *term {
			return call(typ{kind: boolT}, "($0 "+oneOf(g, "AND", "OR")+" $1)", g.term(s, boolT, d), g.term(s, boolT, d))
		},
		func(s *scope, d int) *term { return call(typ{kind: boolT}, "(NOT $0)", g.term(s, boolT, d)) },
		func(s *scope, d int) *term {
			return call(typ{kind: boolT}, "($0 IS "+oneOf(g, "NULL", "NOT NULL")+")", g.term(s, g.anyKind(), d))
		},
		func(s *scope, d int) *term {
			return call(typ{kind: boolT}, "($0 IS "+oneOf(g, "TRUE", "FALSE", "NOT TRUE", "NOT FALSE")+")", g.term(s, boolT, d))
		},
		func(s *scope, d int) *term {
			k := g.anyKind()
			return call(typ{kind: boolT}, "($0 "+oneOf(g, "", "NOT ")+"BETWEEN $1 AND $2)", g.term(s, k, d), g.term(s, k, d), g.term(s, k, d))
		},
		func(s *scope, d int) *term { return g.list(s, d) },
		func(s *scope, d int) *term {
			// A backslash would escape in one dialect only; no text has one.
			pattern := oneOf(g, "%a%", "a_c", "_", "%", "", "b%", "%é%", "%1_", "__%", "a%c")
			return call(typ{kind: boolT}, "($0 "+oneOf(g, "LIKE", "NOT LIKE", "ILIKE")+" '"+pattern+"')", g.term(s, stringT, d))
		},
		func(s *scope, d int) *term {
			return call(typ{kind: boolT}, "($0 LIKE $1)", g.term(s, stringT, d), g.term(s, stringT, 0))
		},
		func(s *scope, d int) *term {
			pattern := oneOf(g, "a.c", "^[a-c]+", "[0-9]$", "b|z", "(ab)+c?", "é")
			return either(typ{kind: boolT}, "($0 RLIKE '"+pattern+"')", "regexp_matches($0, '"+pattern+"')", g.term(s, stringT, d))
		},
		func(s *scope, d int) *term {
			f := oneOf(g, [2]string{"contains", "contains"}, [2]string{"startswith", "starts_with"}, [2]string{"endswith", "ends_with"})
			return either(typ{kind: boolT}, f[0]+"($0, $1)", f[1]+"($0, $1)", g.term(s, stringT, d), g.term(s, stringT, 0))
		},
		// Of NULL, Spark's isnan is false.
		func(s *scope, d int) *term {
			return either(typ{kind: boolT}, "isnan($0)", "coalesce(isnan($0), FALSE)", g.term(s, doubleT, d))
		},
		func(s *scope, d int) *term {
			return call(typ{kind: boolT}, "CAST($0 AS BOOLEAN)", g.term(s, oneOf(g, intT, bigT), d))
		},
		func(s *scope, d int) *term { return g.exists(s) },
		func(s *scope, d int) *term { return g.exists(s) },
	}
}

// list is IN over constants, with a NULL at times.
func (g *drawer) list(s *scope, d int) *term {
	k := g.anyKind()
	text := "($0 " + oneOf(g, "IN", "NOT IN") + " ("
	args := []*term{g.term(s, k, d)}
	for i := range 1 + g.r.IntN(5) {
		text += pick(i > 0, ", ", "") + fmt.Sprintf("$%d", i+1)
		args = append(args, g.constant(k))
	}
	if g.chance(15) {
		text += ", NULL"
	}
	return call(typ{kind: boolT}, text+"))", args...)
}

func (g *drawer) texts() []rule {
	text := typ{kind: stringT}
	one := func(ours, ducks string) rule {
		return func(s *scope, d int) *term { return either(text, ours, ducks, g.term(s, stringT, d)) }
	}
	both := func(text string) rule { return one(text, text) }
	return []rule{
		// concat() of Spark is NULL where DuckDB's leaves NULLs out; || is the same.
		func(s *scope, d int) *term {
			return call(text, "($0 || $1)", g.term(s, stringT, d), g.term(s, stringT, d))
		},
		func(s *scope, d int) *term {
			return call(text, "concat_ws('-', $0, $1, 'z')", g.term(s, stringT, d), g.term(s, stringT, d))
		},
		both("upper($0)"), both("lower($0)"), both("reverse($0)"), both("trim($0)"), both("ltrim($0)"), both("rtrim($0)"),
		both("replace($0, 'a', 'xy')"), both("replace($0, 'ab', '')"), both("translate($0, 'abx', 'YZ')"), both("md5($0)"),
		one("repeat($0, 2)", "repeat(CAST($0 AS VARCHAR), 2)"), // DuckDB takes a NULL for a BLOB
		one("regexp_replace($0, '[a-b]+', '<>')", "regexp_replace($0, '[a-b]+', '<>', 'g')"),
		// Places before the first character, and what is left of a negative length,
		// are counted differently.
		func(s *scope, d int) *term {
			return call(text, fmt.Sprintf("substring($0, %d, %d)", 1+g.r.IntN(4), g.r.IntN(5)), g.term(s, stringT, d))
		},
		func(s *scope, d int) *term {
			return call(text, fmt.Sprintf("%s($0, %d)", oneOf(g, "left", "right"), g.r.IntN(5)), g.term(s, stringT, d))
		},
		func(s *scope, d int) *term {
			return call(text, fmt.Sprintf("%s($0, %d, 'xy')", oneOf(g, "lpad", "rpad"), g.r.IntN(9)), g.term(s, stringT, d))
		},
		func(s *scope, d int) *term {
			return call(text, fmt.Sprintf("split_part($0, '%s', %d)", oneOf(g, "b", " ", "-"), 1+g.r.IntN(3)), g.term(s, stringT, d))
		},
		func(s *scope, d int) *term {
			// The text of a DOUBLE differs: 1.0E10 and 10000000000.0.
			k := oneOf(g, boolT, intT, bigT, decimalT, dateT, timestampT, ntzT)
			return either(text, "CAST($0 AS STRING)", "CAST($0 AS VARCHAR)", g.term(s, k, d))
		},
		func(s *scope, d int) *term {
			return either(text, "date_format($0, 'yyyy/MM/dd HH:mm')", "strftime($0, '%Y/%m/%d %H:%M')", g.term(s, timestampT, d))
		},
	}
}

// fields are the numbers of texts and times.
func (g *drawer) fields() []rule {
	of := func(k kind, most float64, ours, ducks string) rule {
		return func(s *scope, d int) *term { return either(typ{kind: intT, most: most}, ours, ducks, g.term(s, k, d)) }
	}
	out := []rule{
		of(stringT, 1e5, "length($0)", "length($0)"),
		of(stringT, 1e5, "bit_length($0)", "bit_length($0)"),
		of(stringT, 1e5, "instr($0, 'b')", "instr($0, 'b')"),
		of(stringT, 2e5, "ascii($0)", "ascii($0)"),
		func(s *scope, d int) *term {
			// DuckDB's distance is one of bytes.
			plain := "translate($0, 'é日本Ω', 'eabO')"
			return call(typ{kind: intT, most: 1e5}, "levenshtein($0, $1)", call(typ{kind: stringT}, plain, g.term(s, stringT, d)), call(typ{kind: stringT}, plain, g.term(s, stringT, 0)))
		},
		// DuckDB counts days of the week from Sunday = 0, Spark from Sunday = 1.
		of(dateT, 7, "dayofweek($0)", "(dayofweek($0) + 1)"),
		of(dateT, 7, "weekday($0)", "(isodow($0) - 1)"),
		func(s *scope, d int) *term {
			return either(typ{kind: intT, most: 1e5}, "datediff($0, $1)", "date_diff('day', $1, $0)", g.term(s, dateT, d), g.term(s, dateT, d))
		},
	}
	for _, f := range []string{"year", "month", "day", "quarter", "dayofyear", "weekofyear"} {
		for _, k := range []kind{dateT, timestampT, ntzT} {
			out = append(out, of(k, 3000, f+"($0)", f+"($0)"))
		}
	}
	for _, f := range []string{"hour", "minute"} {
		out = append(out, of(timestampT, 60, f+"($0)", f+"($0)"), of(ntzT, 60, "extract("+f+" FROM $0)", "extract("+f+" FROM $0)"))
	}
	return append(out, of(timestampT, 60, "second($0)", "second($0)"))
}

func (g *drawer) times(k kind) []rule {
	t := typ{kind: k}
	if k == dateT {
		return []rule{
			func(s *scope, d int) *term {
				n := g.term(s, intT, d)
				if n.most > 1e4 {
					return nil
				}
				return either(t, oneOf(g, "date_add($0, $1)", "($0 + $1)"), "($0 + CAST($1 AS INT))", g.term(s, dateT, d), n)
			},
			func(s *scope, d int) *term { return call(t, "last_day($0)", g.term(s, dateT, d)) },
			func(s *scope, d int) *term {
				n := g.r.IntN(30) - 15
				return either(t, fmt.Sprintf("add_months($0, %d)", n), fmt.Sprintf("CAST($0 + to_months(%d) AS DATE)", n), g.term(s, dateT, d))
			},
			func(s *scope, d int) *term {
				unit := oneOf(g, "year", "quarter", "month", "week")
				return either(t, "trunc($0, '"+unit+"')", "CAST(date_trunc('"+unit+"', $0) AS DATE)", g.term(s, dateT, d))
			},
			func(s *scope, d int) *term {
				return call(t, "CAST($0 AS DATE)", g.term(s, oneOf(g, timestampT, ntzT), d))
			},
			func(s *scope, d int) *term {
				return either(t, "CAST(CAST($0 AS STRING) AS DATE)", "CAST(CAST($0 AS VARCHAR) AS DATE)", g.term(s, dateT, d))
			},
		}
	}
	out := []rule{
		func(s *scope, d int) *term {
			i := fmt.Sprintf(" INTERVAL '%d' %s", 1+g.r.IntN(40), oneOf(g, "SECOND", "MINUTE", "HOUR", "DAY", "MONTH", "YEAR"))
			return call(t, "($0 "+oneOf(g, "+", "-")+i+")", g.term(s, k, d))
		},
		func(s *scope, d int) *term {
			from := oneOf(g, dateT, timestampT, ntzT)
			return either(t, "CAST($0 AS "+t.name(ours)+")", "CAST($0 AS TIMESTAMP)", g.term(s, from, d))
		},
	}
	if k == timestampT {
		out = append(out, func(s *scope, d int) *term {
			text := "date_trunc('" + oneOf(g, "year", "month", "week", "day", "hour", "minute", "second") + "', $0)"
			// DuckDB's is a DATE if the unit is a day or longer.
			return either(t, text, "CAST("+text+" AS TIMESTAMP)", g.term(s, k, d))
		})
	}
	return out
}

// show of a scope, for errors of the generator.
func (s *scope) String() string {
	var names []string
	for _, c := range s.cols {
		names = append(names, c.text[0])
	}
	return strings.Join(names, ", ")
}
