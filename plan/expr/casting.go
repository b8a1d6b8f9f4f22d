package expr

// CanCast reports whether CAST(x AS to) exists for an x of type from. Whether
// each value fits is for the evaluator.
func (c Coercion) CanCast(from, to *Type) bool {
	f, t := from.Kind, to.Kind
	switch {
	case from.Equal(to), f == KindNull:
		return true
	case from.Geo != NoGeo || to.Geo != NoGeo:
		return castGeo(from, to)
	case f == KindVariant:
		return ToVariant(to, true)
	case t == KindVariant:
		return ToVariant(from, false)
	case t == KindString:
		return true
	case from.IsNested() || to.IsNested():
		return c.canCastNested(from, to)
	case f == KindString:
		return true
	case t == KindBinary:
		return !c.ANSI && from.IsInteger()
	case f == KindBinary:
		return false
	case from.IsInterval() || to.IsInterval():
		return canCastInterval(from, to)
	case f == KindTime || t == KindTime:
		return canCastTime(from, to)
	case f == KindDate:
		return t == KindTimestamp || t == KindTimestampNTZ || !c.ANSI && (to.IsNumeric() || t == KindBool)
	case t == KindDate:
		return f == KindTimestamp || f == KindTimestampNTZ
	case f == KindTimestampNTZ:
		return t == KindTimestamp
	case t == KindTimestampNTZ:
		return f == KindTimestamp
	case f == KindTimestamp && t == KindBool, f == KindBool && t == KindTimestamp:
		return !c.ANSI
	}
	return true // numbers, BOOLEAN and TIMESTAMP among each other
}

func (c Coercion) canCastNested(from, to *Type) bool {
	if from.Kind != to.Kind {
		return false
	}
	switch from.Kind {
	case KindArray:
		return c.CanCast(from.Elem, to.Elem)
	case KindMap:
		return c.CanCast(from.Key, to.Key) && c.CanCast(from.Elem, to.Elem)
	}
	if len(from.Fields) != len(to.Fields) {
		return false
	}
	for i, f := range from.Fields {
		if !c.CanCast(f.Type, to.Fields[i].Type) || f.Nullable && !to.Fields[i].Nullable {
			return false
		}
	}
	return true
}

// ToVariant reports whether a variant can hold values of t; objects, which structs
// and maps with STRING keys would be, only where they may be.
func ToVariant(t *Type, objects bool) bool {
	switch {
	case t.IsInterval(), t.Kind == KindNull:
		return false
	case t.Kind == KindArray:
		return ToVariant(t.Elem, objects)
	case t.Kind == KindMap:
		return objects && t.Key.Kind == KindString && ToVariant(t.Elem, objects)
	case t.Kind == KindStruct:
		for _, f := range t.Fields {
			if !ToVariant(f.Type, objects) {
				return false
			}
		}
		return objects
	}
	return true
}

func canCastInterval(from, to *Type) bool {
	if from.Kind == KindCalendar || to.Kind == KindCalendar {
		return false
	}
	if from.IsInterval() && to.IsInterval() {
		return from.Kind == to.Kind
	}
	exact := func(t *Type) bool { return t.IsInteger() || t.Kind == KindDecimal }
	single := func(t *Type) bool { return t.From == t.To }
	if from.IsInterval() {
		return exact(to) && (single(from) || to.Kind == KindInt64 || exact(to))
	}
	return exact(from) && (single(to) || exact(from))
}

func canCastTime(from, to *Type) bool {
	if from.Kind == to.Kind {
		return true
	}
	if from.Kind == KindTime {
		return to.IsInteger() || to.Kind == KindDecimal || to.Kind == KindTimestamp || to.Kind == KindTimestampNTZ
	}
	return from.Kind == KindTimestamp || from.Kind == KindTimestampNTZ
}

// Assignable reports whether a value of from may stand where a value of the
// concrete type to is wanted, by the rule of storing into a table.
func Assignable(from, to *Type) bool {
	isTime := func(k Kind) bool { return k >= KindDate && k <= KindTimestampNTZ }
	switch {
	case from.Equal(to), from.Kind == KindNull:
		return true
	case from.Geo != NoGeo || to.Geo != NoGeo:
		return false
	case from.IsNumeric() && to.IsNumeric(), to.Kind == KindString && !from.IsNested():
		return true
	case isTime(from.Kind) && isTime(to.Kind):
		return true
	case from.Kind == KindTime && isTime(to.Kind), isTime(from.Kind) && to.Kind == KindTime:
		return from.Kind != KindDate && to.Kind != KindDate
	case from.Kind != to.Kind:
		return false
	case from.Kind == KindYearMonth, from.Kind == KindDayTime, from.Kind == KindTime:
		return true
	case from.Kind == KindArray:
		return Assignable(from.Elem, to.Elem)
	case from.Kind == KindMap:
		return Assignable(from.Key, to.Key) && Assignable(from.Elem, to.Elem)
	case from.Kind == KindStruct && len(from.Fields) == len(to.Fields):
		for i := range from.Fields {
			if !Assignable(from.Fields[i].Type, to.Fields[i].Type) {
				return false
			}
		}
		return true
	}
	return false
}

// Orderable reports whether values of t can be compared and sorted.
func (t *Type) Orderable() bool {
	switch t.Kind {
	case KindMap, KindVariant, KindCalendar:
		return false
	case KindBinary:
		return t.Geo == NoGeo
	case KindArray:
		return t.Elem.Orderable()
	case KindStruct:
		for _, f := range t.Fields {
			if !f.Type.Orderable() {
				return false
			}
		}
	}
	return true
}
