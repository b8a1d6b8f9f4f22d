package sql

import (
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

// windowSpec reads w, (w) or (PARTITION BY … ORDER BY … frame).
func (p *parser) windowSpec() *expr.WindowSpec {
	t := p.tok()
	w := &expr.WindowSpec{}
	if !p.isOp("(") {
		w.Ref = p.name("a window")
		w.At = p.since(t)
		p.refs = append(p.refs, w)
		return w
	}
	p.at++
	if p.isName(0) && p.isOpAt(1, ")") {
		w.Ref = p.name("a window")
		p.refs = append(p.refs, w)
	} else {
		p.windowBody(w)
	}
	p.mustOp(")")
	w.At = p.since(t)
	return w
}

func (p *parser) windowBody(w *expr.WindowSpec) {
	if p.word("CLUSTER", "BY") {
		p.commaList(func() {
			e := p.expression()
			w.PartitionBy = append(w.PartitionBy, e)
			w.OrderBy = append(w.OrderBy, expr.SortTerm{Expr: e, NullsFirst: true})
		})
		return
	}
	if p.word("PARTITION", "BY") || p.word("DISTRIBUTE", "BY") {
		p.commaList(func() { w.PartitionBy = append(w.PartitionBy, p.expression()) })
	}
	if p.word("ORDER", "BY") || p.word("SORT", "BY") {
		w.OrderBy = p.sortTerms()
	}
	if p.isWord("ROWS", "RANGE") {
		w.Frame = p.frame()
	}
	if !p.isOp(")") {
		p.unexpected("PARTITION BY", "ORDER BY", "ROWS", "RANGE", "')'")
	}
}

// frame reads ROWS | RANGE bound, or BETWEEN bound AND bound.
func (p *parser) frame() *expr.Frame {
	f := &expr.Frame{Rows: p.advance().upper == "ROWS"}
	if p.word("BETWEEN") {
		f.Lower = p.bound()
		p.mustWord("AND")
		f.Upper = p.bound()
		return f
	}
	f.Lower = p.bound()
	return f
}

func (p *parser) bound() expr.Bound {
	t := p.tok()
	switch {
	case p.word("UNBOUNDED", "PRECEDING"):
		return expr.Bound{Kind: -2}
	case p.word("UNBOUNDED", "FOLLOWING"):
		return expr.Bound{Kind: 2}
	case p.word("CURRENT", "ROW"):
		return expr.Bound{}
	}
	offset := p.expression()
	kind := 1
	switch p.anyWord("PRECEDING", "FOLLOWING") {
	case "PRECEDING":
		kind = -1
	case "":
		p.unexpected("PRECEDING", "FOLLOWING")
	}
	if !isConstant(offset) {
		p.failAt(p.since(t), "INVALID_SQL_SYNTAX.INVALID_WINDOW_FRAME_BOUND", "42000", "Invalid SQL syntax: Frame bound value must be a literal.")
	}
	return expr.Bound{Kind: kind, Offset: offset}
}

// isConstant reports whether e names no column.
func isConstant(e expr.Expr) bool {
	constant := true
	expr.Walk(e, func(e expr.Expr) bool {
		switch e.(type) {
		case *expr.Name, *expr.Star, *expr.Subquery:
			constant = false
		}
		return constant
	})
	return constant
}

// sortTerms reads e [ASC | DESC] [NULLS FIRST | LAST], ….
func (p *parser) sortTerms() []expr.SortTerm {
	var out []expr.SortTerm
	p.commaList(func() {
		t := expr.SortTerm{Expr: p.expression()}
		p.direction(&t)
		out = append(out, t)
	})
	return out
}

// direction reads [ASC | DESC] [NULLS FIRST | LAST]; NULL is smallest unless
// said otherwise.
func (p *parser) direction(t *expr.SortTerm) {
	t.Descending = p.anyWord("ASC", "DESC") == "DESC"
	t.NullsFirst = !t.Descending
	if p.word("NULLS") {
		switch p.anyWord("FIRST", "LAST") {
		case "FIRST":
			t.NullsFirst = true
		case "LAST":
			t.NullsFirst = false
		default:
			p.unexpected("FIRST", "LAST")
		}
	}
}

// windowClause reads WINDOW name AS (spec), … into defs.
func (p *parser) windowClause(defs map[string]*expr.WindowSpec) {
	for p.isWord("WINDOW") && p.isName(1) && p.isWordAt(2, "AS") {
		t := p.advance()
		twice := ""
		p.commaList(func() {
			name := p.name("a window")
			p.mustWord("AS")
			if defs[fold(name)] != nil {
				twice = name
			}
			defs[fold(name)] = p.windowSpec()
		})
		if twice != "" {
			p.failAt(p.since(t), "INVALID_SQL_SYNTAX.REPETITIVE_WINDOW_DEFINITION", "42000", "The window %s is defined twice.", twice)
		}
	}
}

// bindWindows replaces the references to named windows by their definitions.
func (p *parser) bindWindows(refs []*expr.WindowSpec, defs map[string]*expr.WindowSpec) {
	for _, w := range refs {
		seen := map[string]bool{}
		for w.Ref != "" {
			def := defs[fold(w.Ref)]
			if def == nil && len(defs) == 0 {
				break // the resolver tells, unless there is more to tell
			}
			if def == nil || seen[fold(w.Ref)] {
				err := base.UserError("MISSING_WINDOW_SPECIFICATION", "42P20",
					"Window specification is not defined in the WINDOW clause for %s.", w.Ref)
				p.fail(err.At(w.At).WithHint("add WINDOW %s AS (…) to the query", w.Ref))
			}
			seen[fold(w.Ref)] = true
			at := w.At
			*w = *def
			w.At = at
		}
	}
}
