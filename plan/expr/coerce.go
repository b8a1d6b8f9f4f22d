package expr

// Coercion decides what one type becomes when two meet, and what a function
// takes for what it wants. ANSI and the older rules differ; the zero value is
// the older ones.
type Coercion struct{ ANSI bool }

// Tightest returns the type that holds both t and u without loss, or nil:
// integers widen, DATE becomes TIMESTAMP. Strings meet strings only.
func (c Coercion) Tightest(t, u *Type) *Type {
	switch {
	case t.Equal(u):
		return mergeNullability(t, u)
	case t.Kind == KindNull:
		return u
	case u.Kind == KindNull:
		return t
	case t.Geo != NoGeo && t.Geo == u.Geo:
		return GeoOf(t.Geo, AnySRID)
	case t.Kind == KindDecimal && u.IsInteger():
		return integerInDecimal(t, u)
	case u.Kind == KindDecimal && t.IsInteger():
		return integerInDecimal(u, t)
	case t.IsNumeric() && u.IsNumeric() && t.Kind != KindDecimal && u.Kind != KindDecimal:
		wide := t
		if u.Kind > t.Kind {
			wide = u
		}
		if c.ANSI && wide.Kind == KindFloat32 {
			return Float64
		}
		return wide
	}
	if w := widerTime(t, u); w != nil {
		return w
	}
	if t.Kind == u.Kind && (t.Kind == KindYearMonth || t.Kind == KindDayTime) {
		return &Type{Kind: t.Kind, From: min(t.From, u.From), To: max(t.To, u.To)}
	}
	if t.Kind == KindTime && u.Kind == KindTime {
		return &Type{Kind: KindTime, Precision: max(t.Precision, u.Precision)}
	}
	return c.nested(t, u, c.Tightest)
}

// integerInDecimal returns dec if it holds every value of the integer type.
func integerInDecimal(dec, integer *Type) *Type {
	if dec.Precision-dec.Scale >= DecimalOf(integer).Precision {
		return dec
	}
	return nil
}

func widerTime(t, u *Type) *Type {
	isTime := func(k Kind) bool { return k >= KindDate && k <= KindTimestampNTZ }
	if !isTime(t.Kind) || !isTime(u.Kind) {
		return nil
	}
	if t.Kind == KindTimestamp || u.Kind == KindTimestamp {
		return Timestamp
	}
	return TimestampNTZ
}

// Wider returns the type that CASE, IN, coalesce, UNION and comparisons bring t
// and u to, or nil.
func (c Coercion) Wider(t, u *Type) *Type {
	if w := c.Tightest(t, u); w != nil {
		return w
	}
	if w := widerWithDecimal(t, u); w != nil {
		return w
	}
	if w := c.promoteString(t, u); w != nil {
		return w
	}
	return c.nested(t, u, c.Wider)
}

// WiderNoString is Wider without turning strings into anything.
func (c Coercion) WiderNoString(t, u *Type) *Type {
	if w := c.Tightest(t, u); w != nil {
		return w
	}
	if w := widerWithDecimal(t, u); w != nil {
		return w
	}
	return c.nested(t, u, c.WiderNoString)
}

func widerWithDecimal(t, u *Type) *Type {
	if t.Kind != KindDecimal {
		t, u = u, t
	}
	if t.Kind != KindDecimal || !u.IsNumeric() {
		return nil
	}
	if u.Kind == KindFloat32 || u.Kind == KindFloat64 {
		return Float64
	}
	return WiderDecimal(t, DecimalOf(u))
}

// promoteString is what a STRING and another atomic type become.
func (c Coercion) promoteString(t, u *Type) *Type {
	if t.Kind != KindString {
		t, u = u, t
	}
	if t.Kind != KindString || u.Kind == KindString || u.IsNested() || u.Kind == KindVariant || u.Geo != NoGeo {
		return nil
	}
	if !c.ANSI {
		if u.Kind == KindBool || u.Kind == KindBinary || u.Kind == KindCalendar {
			return nil
		}
		return String
	}
	switch {
	case u.IsInteger():
		return Int64
	case u.IsNumeric():
		return Float64
	case u.IsInterval():
		return nil
	}
	return u
}

// PromoteString returns what a string and another type become in arithmetic and
// comparisons of ANSI mode, or nil.
func (c Coercion) PromoteString(t, u *Type) *Type {
	if !c.ANSI {
		return nil
	}
	return c.promoteString(t, u)
}

// nested brings arrays, maps and structs together member by member.
func (c Coercion) nested(t, u *Type, member func(t, u *Type) *Type) *Type {
	if t.Kind != u.Kind {
		return nil
	}
	switch t.Kind {
	case KindArray:
		if e := member(t.Elem, u.Elem); e != nil {
			return ArrayOf(e, t.ElemNullable || u.ElemNullable || c.lossy(t.Elem, e) || c.lossy(u.Elem, e))
		}
	case KindMap:
		k, v := member(t.Key, u.Key), member(t.Elem, u.Elem)
		if k != nil && v != nil {
			return MapOf(k, v, t.ElemNullable || u.ElemNullable || c.lossy(t.Elem, v) || c.lossy(u.Elem, v))
		}
	case KindStruct:
		if len(t.Fields) != len(u.Fields) {
			return nil
		}
		fields := make([]Field, len(t.Fields))
		for i, f := range t.Fields {
			g := u.Fields[i]
			m := member(f.Type, g.Type)
			if m == nil || !sameName(f.Name, g.Name) {
				return nil
			}
			fields[i] = Field{f.Name, m, f.Nullable || g.Nullable || c.lossy(f.Type, m) || c.lossy(g.Type, m)}
		}
		return StructOf(fields...)
	}
	return nil
}

// lossy reports whether casting from to to may give NULL.
func (c Coercion) lossy(from, to *Type) bool {
	if from.Kind == KindNull {
		return true
	}
	return !c.ANSI && from.Kind == KindString && to.Kind != KindString
}

func sameName(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := 0; i < len(a); i++ {
		x, y := a[i], b[i]
		if x >= 'A' && x <= 'Z' {
			x += 'a' - 'A'
		}
		if y >= 'A' && y <= 'Z' {
			y += 'a' - 'A'
		}
		if x != y {
			return false
		}
	}
	return true
}

// mergeNullability returns the type that both t and u are, with members nullable
// where either has them so.
func mergeNullability(t, u *Type) *Type {
	if t == u || !t.IsNested() {
		return t
	}
	switch t.Kind {
	case KindArray:
		return ArrayOf(mergeNullability(t.Elem, u.Elem), t.ElemNullable || u.ElemNullable)
	case KindMap:
		return MapOf(mergeNullability(t.Key, u.Key), mergeNullability(t.Elem, u.Elem), t.ElemNullable || u.ElemNullable)
	}
	fields := make([]Field, len(t.Fields))
	for i, f := range t.Fields {
		fields[i] = Field{f.Name, mergeNullability(f.Type, u.Fields[i].Type), f.Nullable || u.Fields[i].Nullable}
	}
	return StructOf(fields...)
}

// Common folds Wider over types; nil if two of them do not meet. Strings are put
// first, as their meeting with others is not associative.
func (c Coercion) Common(types []*Type) *Type {
	var out *Type
	take := func(t *Type) bool {
		if out == nil {
			out = t
		} else {
			out = c.Wider(out, t)
		}
		return out != nil
	}
	for _, strings := range []bool{true, false} {
		for _, t := range types {
			if hasString(t) == strings && !take(t) {
				return nil
			}
		}
	}
	return out
}

func hasString(t *Type) bool { return t.Kind == KindString }
