package resolve

import (
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
)

// store resolves the assignment of a query's columns to those of a table. The
// casts are those of Spark's ANSI store assignment: a value that does not fit is
// an error, whatever spark.sql.ansi.enabled says.
func (r *resolver) store(n *logical.Store, outer *scope) (rel, error) {
	in, err := r.node(n.Input, outer)
	if err != nil {
		return rel{}, err
	}
	from, err := r.assign(n, in.cols)
	if err != nil {
		return rel{}, err
	}
	list := make([]expr.Expr, len(n.Schema))
	for i, f := range n.Schema {
		var e expr.Expr = &expr.Literal{At: n.At, Typ: f.Type}
		if c := from[i]; c != nil {
			r.ask(c, f.Type, expr.Stored)
			if !storable(c.Typ, f.Type) {
				return rel{}, base.UserError("INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST", "KD000",
					"The column %s of type %s cannot be stored into the column %s of type %s.", quoteName([]string{c.Name}), c.Typ.SQL(),
					quoteName([]string{f.Name}), f.Type.SQL()).At(n.At).WithHint("write CAST(%s AS %s) if that is what you mean", expr.QuoteIfNeeded(c.Name), f.Type.SQL())
			}
			e = c
			if !sameType(c.Typ, f.Type) {
				e = &expr.Cast{At: n.At, Child: c, To: f.Type, Mode: expr.ANSI, Implicit: true}
			}
		}
		list[i] = &expr.Alias{At: n.At, Child: e, Name: f.Name, ID: expr.NewID()}
	}
	return relOf(&logical.Project{At: n.At, List: list, Input: in.node}), nil
}

// assign finds, for each column of the table, the column of the query that goes
// there, or nil.
func (r *resolver) assign(n *logical.Store, cols []*expr.Column) ([]*expr.Column, error) {
	names := n.Columns
	if n.ByName {
		names = nil
		for _, c := range cols {
			names = append(names, c.Name)
		}
	}
	want := len(n.Schema)
	if names != nil {
		want = len(names)
	}
	if len(cols) != want {
		kind := "NOT_ENOUGH_DATA_COLUMNS"
		if len(cols) > want {
			kind = "TOO_MANY_DATA_COLUMNS"
		}
		return nil, base.UserError("INSERT_COLUMN_ARITY_MISMATCH."+kind, "21S01", "The query gives %d columns, %d are to be stored.", len(cols), want).At(n.At)
	}
	out := make([]*expr.Column, len(n.Schema))
	if names == nil {
		copy(out, cols)
		return out, nil
	}
	for i, name := range names {
		at := -1
		for j, f := range n.Schema {
			if strings.EqualFold(f.Name, name) {
				at = j
			}
		}
		switch {
		case at < 0:
			var known []string
			for _, f := range n.Schema {
				known = append(known, f.Name)
			}
			err := base.UserError("UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703", "The table has no column %s.", quoteName([]string{name})).At(n.At)
			if s := base.Nearest(name, known); s != "" {
				return nil, err.WithHint("did you mean %s?", s)
			}
			return nil, err.WithHint("its columns are %s", strings.Join(known, ", "))
		case out[at] != nil:
			return nil, base.UserError("COLUMN_ALREADY_EXISTS", "42711", "The column %s is given twice.", quoteName([]string{name})).At(n.At)
		}
		out[at] = cols[i]
	}
	return out, nil
}

// storable reports whether ANSI store assignment converts from one type to
// another: between numbers, between dates and timestamps, to STRING, and member
// by member.
func storable(from, to *expr.Type) bool {
	datetime := func(t *expr.Type) bool { return t.Kind >= expr.KindDate && t.Kind <= expr.KindTimestampNTZ }
	switch {
	case sameType(from, to), from.Kind == expr.KindNull:
		return true
	case from.IsNumeric() && to.IsNumeric(), datetime(from) && datetime(to):
		return true
	case to.Kind == expr.KindString:
		return !from.IsNested() && from.Kind != expr.KindBinary
	case from.Kind != to.Kind:
		return false
	case to.Kind == expr.KindArray:
		return storable(from.Elem, to.Elem)
	case to.Kind == expr.KindMap:
		return storable(from.Key, to.Key) && storable(from.Elem, to.Elem)
	case to.Kind == expr.KindStruct:
		if len(from.Fields) != len(to.Fields) {
			return false
		}
		for i := range to.Fields {
			if !storable(from.Fields[i].Type, to.Fields[i].Type) {
				return false
			}
		}
		return true
	}
	return from.Kind == expr.KindYearMonth || from.Kind == expr.KindDayTime
}
