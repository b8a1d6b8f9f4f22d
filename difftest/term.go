package difftest

import (
	"fmt"
	"strings"
)

// kind is a type that both engines have.
type kind int

const (
	boolT kind = iota
	intT
	bigT
	doubleT
	decimalT
	stringT
	dateT
	timestampT // with Spark's time zone, which is UTC here
	ntzT
	kinds
)

// A dialect is one of the two ways to write a query.
type dialect int

const (
	ours dialect = iota
	duck
)

// name is how a type is spelled in CAST.
func (k typ) name(d dialect) string {
	switch k.kind {
	case boolT:
		return "BOOLEAN"
	case intT:
		return "INT"
	case bigT:
		return "BIGINT"
	case doubleT:
		return "DOUBLE"
	case decimalT:
		return fmt.Sprintf("DECIMAL(%d, %d)", k.precision, k.scale)
	case stringT:
		return [2]string{"STRING", "VARCHAR"}[d]
	case dateT:
		return "DATE"
	case timestampT:
		return "TIMESTAMP"
	}
	return [2]string{"TIMESTAMP_NTZ", "TIMESTAMP"}[d]
}

// A grade says how far two engines agree about a DOUBLE.
type grade int

const (
	// exact values are few binary digits, whose sum does not depend on the order.
	exact grade = iota
	// rounded values are those of correctly rounded operations: equal, but not their sums.
	rounded
	// near values may differ in the last digits: nothing may be decided by them.
	near
)

// typ is a type, and what is known of the values: so much that no operation is drawn
// that could overflow. An overflow would be raised by the one engine and, as it
// evaluates in another order or not at all, not by the other.
type typ struct {
	kind             kind
	precision, scale int // of decimals
	// most is how large a number can be, without its sign.
	most float64
	// bits are the binary digits of a DOUBLE behind the point.
	bits  int
	grade grade
}

// numeric reports whether the kind is a number.
func (k typ) numeric() bool { return k.kind >= intT && k.kind <= decimalT }

// A term is an expression: text of each dialect in which $0, $1 … stand for the
// arguments and $q for the subquery.
type term struct {
	typ
	text [2]string
	args []*term
	sub  *query
	// aggregate and window tell what the term itself is.
	aggregate, window bool
	// fixed terms are not replaced when a query is cut down: parts of another term's form.
	fixed bool
}

// leaf is a term of one text in both dialects.
func leaf(t typ, text string) *term { return &term{typ: t, text: [2]string{text, text}} }

// call is a term of one text in both dialects with arguments.
func call(t typ, text string, args ...*term) *term {
	return &term{typ: t, text: [2]string{text, text}, args: args}
}

// either is a term that the dialects spell differently.
func either(t typ, our, ducks string, args ...*term) *term {
	return &term{typ: t, text: [2]string{our, ducks}, args: args}
}

// null is a NULL of a type.
func null(t typ) *term {
	return either(t, "CAST(NULL AS "+t.name(ours)+")", "CAST(NULL AS "+t.name(duck)+")")
}

func (t *term) write(b *strings.Builder, d dialect) {
	text := t.text[d]
	for {
		at := strings.IndexByte(text, '$')
		if at < 0 {
			b.WriteString(text)
			return
		}
		b.WriteString(text[:at])
		switch c := text[at+1]; {
		case c == 'q':
			t.sub.write(b, d)
		case c >= '0' && c <= '9':
			t.args[c-'0'].write(b, d)
		default: // the end of a pattern
			b.WriteString(text[at : at+2])
		}
		text = text[at+2:]
	}
}

func (t *term) sql(d dialect) string {
	var b strings.Builder
	t.write(&b, d)
	return b.String()
}

// walk calls f for t and what is below it, not into subqueries.
func (t *term) walk(f func(*term)) {
	f(t)
	for _, a := range t.args {
		a.walk(f)
	}
}

// constant reports whether t has no column: a constant among grouping keys would be
// the number of a column.
func (t *term) constant() bool {
	none := true
	t.walk(func(t *term) {
		if len(t.args) == 0 && strings.Contains(t.text[0], ".") && t.text[0][0] >= 'a' && t.text[0][0] <= 'z' {
			none = false
		}
	})
	return none
}

func (t *term) holdsSub() bool {
	found := false
	t.walk(func(t *term) { found = found || t.sub != nil })
	return found
}
