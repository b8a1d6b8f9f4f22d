package sql

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/flightd/flightd/plan/expr"
)

// Format returns SQL that reads back as e, with every operator in parentheses.
// Subqueries, which have no text of their own here, become (…).
func Format(e expr.Expr) string {
	var b strings.Builder
	format(&b, e)
	return b.String()
}

func format(b *strings.Builder, e expr.Expr) {
	switch e := e.(type) {
	case *expr.Name:
		b.WriteString(dotted(e.Parts))
	case *expr.Star:
		formatStar(b, e)
	case *expr.Literal:
		b.WriteString(literalText(e))
	case *expr.Alias:
		format(b, e.Child)
		b.WriteString(" AS " + quoteName(e.Name))
	case *expr.MultiAlias:
		format(b, e.Child)
		names := make([]string, len(e.Names))
		for i, n := range e.Names {
			names[i] = quoteName(n)
		}
		b.WriteString(" AS (" + strings.Join(names, ", ") + ")")
	case *expr.Cast:
		fn := "CAST("
		if e.Mode == expr.Try {
			fn = "TRY_CAST("
		}
		b.WriteString(fn)
		format(b, e.Child)
		b.WriteString(" AS " + e.To.SQL() + ")")
	case *expr.Lambda:
		names := make([]string, len(e.Params))
		for i, v := range e.Params {
			names[i] = quoteName(v.Name)
		}
		if len(names) == 1 {
			b.WriteString(names[0] + " -> ")
		} else {
			b.WriteString("(" + strings.Join(names, ", ") + ") -> ")
		}
		format(b, e.Body)
	case *expr.Subquery:
		formatSubquery(b, e)
	case *expr.Identifier:
		b.WriteString("IDENTIFIER(")
		format(b, e.Arg)
		b.WriteString(")")
		if a, ok := e.Call.(*expr.Apply); ok {
			var call strings.Builder
			formatCall(&call, a)
			_, args, _ := strings.Cut(call.String(), "(")
			b.WriteString("(" + args)
		}
	case *expr.Apply:
		if e.Operator && !strings.HasPrefix(e.Name[0], "timestamp") {
			formatOperator(b, e)
		} else {
			formatCall(b, e)
		}
	default:
		b.WriteString(e.SQL())
	}
}

func quoteName(s string) string { return "`" + strings.ReplaceAll(s, "`", "``") + "`" }

func dotted(parts []string) string {
	out := make([]string, len(parts))
	for i, p := range parts {
		out[i] = quoteName(p)
	}
	return strings.Join(out, ".")
}

func formatStar(b *strings.Builder, e *expr.Star) {
	if e.Qualifier != nil {
		b.WriteString(dotted(e.Qualifier) + ".")
	}
	b.WriteByte('*')
	for i, x := range e.Except {
		b.WriteString(map[bool]string{true: " EXCEPT (", false: ", "}[i == 0] + dotted(x))
	}
	if e.Except != nil {
		b.WriteByte(')')
	}
}

// literalText returns a literal as it is written in SQL.
func literalText(e *expr.Literal) string {
	if e.Value == nil {
		return "NULL"
	}
	switch e.Typ.Kind {
	case expr.KindString:
		return quoteText(e.Value.(string))
	case expr.KindBinary:
		return "X'" + strings.ToUpper(hex.EncodeToString(e.Value.([]byte))) + "'"
	case expr.KindInt8:
		return fmt.Sprintf("%dY", e.Value)
	case expr.KindInt16:
		return fmt.Sprintf("%dS", e.Value)
	case expr.KindInt64:
		return fmt.Sprintf("%dL", e.Value)
	case expr.KindFloat32:
		return e.SQL() + "F"
	case expr.KindFloat64:
		return e.SQL() + "D"
	case expr.KindDecimal:
		return e.SQL() + "BD"
	case expr.KindTimestamp:
		utc := *e
		utc.Text = ""
		return strings.TrimSuffix(utc.SQL(), "'") + "Z'"
	}
	return e.SQL()
}

func quoteText(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\x00", `\0`).Replace(s) + "'"
}

func formatSubquery(b *strings.Builder, e *expr.Subquery) {
	switch e.Kind {
	case expr.ExistsSubquery:
		b.WriteString("EXISTS (…)")
	case expr.InSubquery:
		b.WriteByte('(')
		formatList(b, e.Values)
		b.WriteString(" IN (…))")
	default:
		b.WriteString("(…)")
	}
}

func formatList(b *strings.Builder, args []expr.Expr) {
	for i, a := range args {
		if i > 0 {
			b.WriteString(", ")
		}
		format(b, a)
	}
}

// formatOperator writes an operator in its own form.
func formatOperator(b *strings.Builder, e *expr.Apply) {
	op, args := e.Name[0], e.Args
	infix := func(word string) {
		b.WriteByte('(')
		format(b, args[0])
		b.WriteString(" " + word + " ")
		format(b, args[1])
	}
	switch op {
	case "not":
		b.WriteString("(NOT ")
		format(b, args[0])
	case "negative", "positive", "~":
		b.WriteString("(" + map[string]string{"negative": "- ", "positive": "+ ", "~": "~"}[op])
		if l, ok := args[0].(*expr.Literal); ok && op == "negative" && l.Typ.IsNumeric() {
			b.WriteString("(" + literalText(l) + ")")
		} else {
			format(b, args[0])
		}
	case "isnull", "isnotnull", "isunknown", "isnotunknown":
		b.WriteByte('(')
		format(b, args[0])
		b.WriteString(map[string]string{"isnull": " IS NULL", "isnotnull": " IS NOT NULL", "isunknown": " IS UNKNOWN", "isnotunknown": " IS NOT UNKNOWN"}[op])
	case "likeany", "likeall", "notlikeany", "notlikeall":
		b.WriteByte('(')
		format(b, args[0])
		b.WriteString(map[string]string{"likeany": " LIKE ANY (", "likeall": " LIKE ALL (", "notlikeany": " NOT LIKE ANY (", "notlikeall": " NOT LIKE ALL ("}[op])
		formatList(b, args[1:])
		b.WriteByte(')')
	case "in":
		b.WriteByte('(')
		format(b, args[0])
		b.WriteString(" IN (")
		formatList(b, args[1:])
		b.WriteByte(')')
	case "like", "ilike":
		infix(strings.ToUpper(op))
		if len(args) == 3 {
			b.WriteString(" ESCAPE ")
			format(b, args[2])
		}
	case "case":
		formatCase(b, args)
		return
	case ":":
		formatBase(b, args[0])
		b.WriteByte(':')
		formatPath(b, args[1].(*expr.Literal).Value.(string)[1:])
		return
	case "[]":
		formatBase(b, args[0])
		b.WriteByte('[')
		format(b, args[1])
		b.WriteByte(']')
		return
	case ".":
		formatBase(b, args[0])
		b.WriteString("." + quoteName(args[1].(*expr.Literal).Value.(string)))
		return
	default:
		infix(strings.ToUpper(op))
	}
	b.WriteByte(')')
}

// formatBase writes what a subscript or field hangs on; a name goes into
// parentheses, or the field would be part of it.
func formatBase(b *strings.Builder, e expr.Expr) {
	b.WriteByte('(')
	format(b, e)
	b.WriteByte(')')
}

func formatCase(b *strings.Builder, args []expr.Expr) {
	b.WriteString("CASE")
	for i := 0; i+1 < len(args); i += 2 {
		b.WriteString(" WHEN ")
		format(b, args[i])
		b.WriteString(" THEN ")
		format(b, args[i+1])
	}
	if len(args)%2 == 1 {
		b.WriteString(" ELSE ")
		format(b, args[len(args)-1])
	}
	b.WriteString(" END")
}

// formatCall writes a function with its clauses.
func formatCall(b *strings.Builder, e *expr.Apply) {
	b.WriteString(dotted(e.Name) + "(")
	if e.Distinct {
		b.WriteString("DISTINCT ")
	}
	for i, a := range e.Args {
		if i > 0 {
			b.WriteString(", ")
		}
		if e.ArgNames != nil && e.ArgNames[i] != "" {
			b.WriteString(quoteName(e.ArgNames[i]) + " => ")
		}
		format(b, a)
	}
	b.WriteByte(')')
	if e.WithinGroup != nil {
		b.WriteString(" WITHIN GROUP (ORDER BY ")
		formatTerms(b, e.WithinGroup)
		b.WriteByte(')')
	}
	if e.Filter != nil {
		b.WriteString(" FILTER (WHERE ")
		format(b, e.Filter)
		b.WriteByte(')')
	}
	if e.IgnoreNulls {
		b.WriteString(" IGNORE NULLS")
	}
	if e.Over != nil {
		b.WriteString(" OVER ")
		formatWindow(b, e.Over)
	}
}

func formatTerms(b *strings.Builder, terms []expr.SortTerm) {
	for i, t := range terms {
		if i > 0 {
			b.WriteString(", ")
		}
		format(b, t.Expr)
		b.WriteString(map[bool]string{true: " DESC", false: " ASC"}[t.Descending])
		b.WriteString(map[bool]string{true: " NULLS FIRST", false: " NULLS LAST"}[t.NullsFirst])
	}
}

func formatWindow(b *strings.Builder, w *expr.WindowSpec) {
	if w.Ref != "" {
		b.WriteString(quoteName(w.Ref))
		return
	}
	b.WriteByte('(')
	if w.PartitionBy != nil {
		b.WriteString("PARTITION BY ")
		formatList(b, w.PartitionBy)
		b.WriteByte(' ')
	}
	if w.OrderBy != nil {
		b.WriteString("ORDER BY ")
		formatTerms(b, w.OrderBy)
		b.WriteByte(' ')
	}
	if f := w.Frame; f != nil {
		b.WriteString(map[bool]string{true: "ROWS BETWEEN ", false: "RANGE BETWEEN "}[f.Rows])
		formatBound(b, f.Lower)
		b.WriteString(" AND ")
		formatBound(b, f.Upper)
	}
	b.WriteByte(')')
}

func formatBound(b *strings.Builder, x expr.Bound) {
	if x.Offset != nil {
		format(b, x.Offset)
		b.WriteByte(' ')
	}
	b.WriteString(map[int]string{-2: "UNBOUNDED PRECEDING", -1: "PRECEDING", 0: "CURRENT ROW", 1: "FOLLOWING", 2: "UNBOUNDED FOLLOWING"}[x.Kind])
}

// formatPath writes the path behind v: as the parser takes it, .a['b c'][0].
func formatPath(b *strings.Builder, path string) {
	for first := true; path != ""; first = false {
		var step string
		switch {
		case path[0] == '.':
			end := strings.IndexAny(path[1:], ".[")
			if end < 0 {
				end = len(path) - 1
			}
			step, path = quoteName(path[1:end+1]), path[end+1:]
			if !first {
				step = "." + step
			}
		case strings.HasPrefix(path, "['"):
			end := strings.Index(path, "']")
			step, path = "["+quoteText(path[2:end])+"]", path[end+2:]
		default:
			end := strings.IndexByte(path, ']') + 1
			step, path = path[:end], path[end:]
		}
		b.WriteString(step)
	}
}
