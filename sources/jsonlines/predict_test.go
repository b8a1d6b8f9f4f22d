package jsonlines

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
)

// randomValue is the text of a value, mostly one that the column's plain form has.
func randomValue(rnd *rand.Rand) string {
	return []string{
		fmt.Sprint(rnd.Int64() >> rnd.IntN(63)), fmt.Sprint(rnd.NormFloat64()), fmt.Sprint(rnd.Float64()), `"text"`, `"a longer text of some bytes"`, `""`,
		`"2024-05-06T07:08:09.5Z"`, `"2024-05-06 07:08:09"`, `"é"`, `"a\nb"`, "null", "true", `{"x":1}`, `{"x":2,"y":"z"}`, "[1]", "1e3", "-0", "01", "3000000000", "tru", `"`, "",
	}[rnd.IntN(22)]
}

// TestPredictionChangesNothing: a line means the same whatever came before it,
// and with white space in it, which keeps it off the short way.
func TestPredictionChangesNothing(t *testing.T) {
	schema := schemaOf(field("a", i64), field("b", f64), field("c", str), field("d", ts), field("e", i32), field("o", arrow.StructOf(field("x", i32), field("y", str))),
		field("a very long name of a field", i64), field("_corrupt_record", str))
	names := []string{"a", "b", "c", "d", "e", "o", "unwanted", "a very long name of a field", "a very long name of a fiel2", `\u0061`}
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		order := rnd.Perm(len(names))
		var lines, spaced []string
		for range 20 {
			if rnd.IntN(4) == 0 {
				i, j := rnd.IntN(len(order)), rnd.IntN(len(order))
				order[i], order[j] = order[j], order[i]
			}
			var line []string
			for _, k := range order {
				if rnd.IntN(5) > 0 {
					line = append(line, `"`+names[k]+`":`+randomValue(rnd))
				}
			}
			if rnd.IntN(20) == 0 && len(line) > 0 {
				line = append(line, line[0])
			}
			lines = append(lines, "{"+strings.Join(line, ",")+"}")
			spaced = append(spaced, "{"+strings.Join(line, "\t,")+"\t}")
		}
		got, err := decode(t, strings.Join(lines, "\n"), schema, DefaultOptions(), 7)
		if err != nil || len(got) != len(lines) {
			t.Fatal(len(got), err)
		}
		for i, line := range lines {
			alone, _ := decode(t, line, schema, DefaultOptions(), 7)
			if alone[0] != got[i] {
				t.Fatalf("%s\nalone %s\nafter %s", line, alone[0], got[i])
			}
			long, _ := decode(t, spaced[i], schema, DefaultOptions(), 7)
			if strings.ReplaceAll(long[0], `\t`, "") != got[i] {
				t.Fatalf("%s\nwith spaces %s\nwithout     %s", line, long[0], got[i])
			}
		}
	}
}

// TestLiteralsAreBounded: a file cannot make its reader remember names for ever.
func TestLiteralsAreBounded(t *testing.T) {
	var b strings.Builder
	for i := range 2 * maxLiterals {
		fmt.Fprintf(&b, `{"n%d":1,"a":%d,"%s":2}`+"\n", i, i, strings.Repeat("x", maxLiteral))
	}
	d, err := NewDecoder(strings.NewReader(b.String()), "f", schemaOf(field("a", i64)), DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	rec, err := d.Next(10 * maxLiterals)
	if err != nil || rec.NumRows() != 2*maxLiterals {
		t.Fatal(err)
	}
	if len(d.root.literals) > maxLiterals || !slices.ContainsFunc(d.root.literals, func(l *literal) bool { return l.text == `,"a":` }) {
		t.Errorf("%d literals", len(d.root.literals))
	}
}
