package resolve

import (
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

// ordersElements are the functions of arrays that compare elements with one
// another.
func ordersElements(fn string) bool {
	switch fn {
	case "sort_array", "array_distinct", "array_contains", "array_position", "array_max", "array_min", "array_remove",
		"array_union", "array_intersect", "array_except", "arrays_overlap":
		return true
	}
	return false
}

// checkElements refuses arrays of what has no order where a function compares.
func checkElements(c *call, text string) error {
	if !ordersElements(c.f.Name) {
		return nil
	}
	t := c.args[0].Type()
	if t.Kind != expr.KindArray || t.Elem.Orderable() {
		return nil
	}
	if c.f.Name != "sort_array" {
		t = t.Elem
	}
	return mismatch("INVALID_ORDERING_TYPE", c.at, text, "The `%s` does not support ordering on type %q.", c.f.Name, t.SQL())
}

// mapKey refuses types that no key of a map may have or contain. Keys of other
// types without an order, as an array of intervals is, cannot be told apart.
func mapKey(c *call, text string, t *expr.Type) error {
	for _, k := range []expr.Kind{expr.KindMap, expr.KindVariant} {
		if hasKind(t, k) {
			return mismatch("INVALID_MAP_KEY_TYPE", c.at, text, "The key of map cannot be/contain %q.", t.SQL())
		}
	}
	if t.IsNested() && !t.Orderable() {
		return base.UserError("DATATYPE_CANNOT_ORDER", "0A000", "Keys of the type %q have no order, so they cannot be told apart.", t.SQL()).At(c.at)
	}
	return nil
}

// windowOrder refuses partitions and orders over what has no order.
func windowOrder(part []expr.Expr, order []expr.SortTerm) error {
	for _, e := range part {
		if !e.Type().Orderable() {
			return base.UserError("EXPRESSION_TYPE_IS_NOT_ORDERABLE", "42822",
				"The expression %q cannot be sorted because its type %q has no order.", e.SQL(), e.Type().SQL()).At(e.Pos())
		}
	}
	for _, k := range order {
		if t := k.Expr.Type(); !t.Orderable() {
			return mismatch("INVALID_ORDERING_TYPE", k.Expr.Pos(), k.Expr.SQL(), "The `sortorder` does not support ordering on type %q.", t.SQL())
		}
	}
	return nil
}

// notGroupable is the error of grouping by a VARIANT or what holds one.
func notGroupable(e expr.Expr, at base.Pos) error {
	if !hasKind(e.Type(), expr.KindVariant) {
		return nil
	}
	return base.UserError("GROUP_EXPRESSION_TYPE_IS_NOT_ORDERABLE", "42822",
		"The expression %q cannot be grouped by because its type %q has no order.", e.SQL(), e.Type().SQL()).At(at)
}

// nullTyped is the error of a bare NULL where a function needs a type.
func nullTyped(c *call) error {
	return mismatch("NULL_TYPE", c.at, c.text(), "Null typed values cannot be used as arguments of `%s`.", c.f.Name)
}

// losesKeys reports whether a cast that gives NULL for what does not fit could make
// the key of a map NULL.
func losesKeys(from, to *expr.Type) bool {
	if from.Kind != to.Kind {
		return false
	}
	switch from.Kind {
	case expr.KindMap:
		return mayGiveNull(from.Key, to.Key) || losesKeys(from.Key, to.Key) || losesKeys(from.Elem, to.Elem)
	case expr.KindArray:
		return losesKeys(from.Elem, to.Elem)
	case expr.KindStruct:
		for i := range from.Fields {
			if i < len(to.Fields) && losesKeys(from.Fields[i].Type, to.Fields[i].Type) {
				return true
			}
		}
	}
	return false
}

// mayGiveNull reports whether a cast between types that are not nested may give
// NULL for a value, where it raises no error.
func mayGiveNull(from, to *expr.Type) bool {
	switch {
	case from.Equal(to), to.Kind == expr.KindString:
		return false
	case from.Kind == expr.KindNull:
		return true
	case from.Kind == expr.KindString:
		return to.Kind != expr.KindBinary
	case to.Kind == expr.KindDate:
		return from.Kind != expr.KindTimestamp && from.Kind != expr.KindTimestampNTZ
	case from.Kind == expr.KindDate:
		return to.Kind != expr.KindTimestamp && to.Kind != expr.KindTimestampNTZ
	case to.Kind == expr.KindCalendar:
		return true
	case from.Kind == expr.KindFloat32, from.Kind == expr.KindFloat64:
		return to.Kind == expr.KindTimestamp || to.IsInteger() || to.Kind == expr.KindDecimal
	case from.Kind == expr.KindDecimal && to.IsInteger():
		return true
	case to.Kind == expr.KindDecimal:
		d := expr.DecimalOf(from)
		return d == nil || to.Precision-to.Scale < d.Precision-d.Scale || to.Scale < d.Scale
	}
	return false
}
