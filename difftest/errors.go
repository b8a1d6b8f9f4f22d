package difftest

import (
	"fmt"
	"math/rand/v2"
)

// drawFailing draws a query of one expression that fails for some values, over
// constants so near to the limits that it often does: either both engines raise an
// error or none. Elsewhere no such expression is drawn: which rows it is evaluated
// for depends on the plan.
func drawFailing(seed, n uint64) *query {
	g := &drawer{r: rand.New(rand.NewPCG(seed, 1<<40+n))}
	number := func(list ...string) *term { return leaf(typ{}, oneOf(g, list...)) }
	ints := []string{"2147483647", "-2147483647", "2147483600", "46341", "-46341", "46340", "65536", "1", "-1", "0", "100", "CAST(NULL AS INT)"}
	bigs := []string{"CAST(9223372036854775807 AS BIGINT)", "CAST(-9223372036854775807 AS BIGINT)", "CAST(3037000500 AS BIGINT)", "CAST(3037000499 AS BIGINT)", "CAST(2 AS BIGINT)", "CAST(-1 AS BIGINT)"}
	texts := []string{"'12'", "' 12 '", "'-7'", "'+5'", "''", "'x'", "'2147483648'", "'9223372036854775808'", "'true'", "'2024-02-29'", "'2024-02-30'", "'2024-13-01'", "'99'", "CAST(NULL AS %s)"}
	var t *term
	switch g.r.IntN(7) {
	case 0:
		t = call(typ{}, "($0 "+oneOf(g, "+", "-", "*")+" $1)", number(ints...), number(ints...))
	case 1:
		t = call(typ{}, "($0 "+oneOf(g, "+", "-", "*")+" $1)", number(bigs...), number(bigs...))
	case 2:
		s := oneOf(g, texts...)
		to := oneOf(g, typ{kind: intT}, typ{kind: bigT}, typ{kind: dateT})
		text := leaf(typ{}, s)
		if s == texts[len(texts)-1] {
			text = null(typ{kind: stringT})
		}
		t = either(typ{}, "CAST($0 AS "+to.name(ours)+")", "CAST($0 AS "+to.name(duck)+")", text)
	case 3:
		t = call(typ{}, "CAST($0 AS "+oneOf(g, "TINYINT", "SMALLINT", "INT")+")", number(append(bigs, ints...)...))
	case 4:
		t = call(typ{}, "CAST($0 AS "+oneOf(g, "DECIMAL(5, 2)", "DECIMAL(9, 0)", "DECIMAL(12, 4)")+")", number(append(bigs, ints...)...))
	case 5:
		t = call(typ{}, oneOf(g, "abs($0)", "(- $0)"), number(append(bigs, ints...)...))
	default:
		t = either(typ{}, "make_date($0, $1, $2)", "make_date($0, $1, $2)", number("2024", "2023", "1"), number("2", "12", "13", "0"), number("28", "29", "30", "31", "32"))
	}
	src := &relation{alias: "a", inline: fmt.Sprintf("VALUES (%d)", g.r.IntN(3)), columns: []string{"v"}}
	return &query{first: &block{items: []item{{"c0", t}}, from: src}, limit: -1, offset: -1}
}
