package expr

// The types of decimal arithmetic. A result that needs more than MaxPrecision
// digits gives up digits of its scale, but keeps at least six of them.

// minKeptScale is the scale that arithmetic keeps when digits are short.
const minKeptScale = 6

// AdjustedDecimal returns DECIMAL(precision, scale) if it exists, else the type
// that arithmetic falls back to.
func AdjustedDecimal(precision, scale int) *Type {
	if precision <= MaxPrecision {
		return Decimal(precision, scale)
	}
	whole := precision - scale
	return Decimal(MaxPrecision, max(MaxPrecision-whole, min(scale, minKeptScale)))
}

// BoundedDecimal returns DECIMAL(precision, scale) with both cut to MaxPrecision.
func BoundedDecimal(precision, scale int) *Type {
	return Decimal(min(precision, MaxPrecision), min(scale, MaxPrecision))
}

// WiderDecimal returns the type that holds every value of both decimals; where
// there is none, whole digits go before fractional ones.
func WiderDecimal(t, u *Type) *Type {
	scale := max(t.Scale, u.Scale)
	precision := max(t.Precision-t.Scale, u.Precision-u.Scale) + scale
	if precision <= MaxPrecision {
		return Decimal(precision, scale)
	}
	return Decimal(MaxPrecision, max(0, scale-(precision-MaxPrecision)))
}

// DecimalOf returns the decimal type that holds every value of a numeric type
// (for DOUBLE and FLOAT: the one that Spark takes), or nil.
func DecimalOf(t *Type) *Type {
	switch t.Kind {
	case KindInt8:
		return Decimal(3, 0)
	case KindInt16:
		return Decimal(5, 0)
	case KindInt32:
		return Decimal(10, 0)
	case KindInt64:
		return Decimal(20, 0)
	case KindFloat32:
		return Decimal(14, 7)
	case KindFloat64:
		return Decimal(30, 15)
	case KindDecimal:
		return t
	}
	return nil
}

// ExactDecimalResult is DecimalResult where a scale may not be cut to make room for
// digits before the point (spark.sql.decimalOperations.allowPrecisionLoss is false).
func ExactDecimalResult(fn string, t, u *Type) *Type {
	p1, s1, p2, s2 := t.Precision, t.Scale, u.Precision, u.Scale
	switch fn {
	case "+", "-":
		return BoundedDecimal(max(p1-s1, p2-s2)+max(s1, s2)+1, max(s1, s2))
	case "*":
		return BoundedDecimal(p1+p2+1, s1+s2)
	case "/":
		whole, scale := min(MaxPrecision, p1-s1+s2), min(MaxPrecision, max(minKeptScale, s1+p2+1))
		if over := whole + scale - MaxPrecision; over > 0 {
			scale -= over/2 + 1
			whole = MaxPrecision - scale
		}
		return BoundedDecimal(whole+scale, scale)
	case "%", "pmod":
		return BoundedDecimal(min(p1-s1, p2-s2)+max(s1, s2), max(s1, s2))
	}
	return Int64
}

// DecimalResult returns the type of fn over two decimals: fn is one of + - * /
// % pmod div.
func DecimalResult(fn string, t, u *Type) *Type {
	p1, s1, p2, s2 := t.Precision, t.Scale, u.Precision, u.Scale
	switch fn {
	case "+", "-":
		scale := max(s1, s2)
		return AdjustedDecimal(max(p1-s1, p2-s2)+scale+1, scale)
	case "*":
		return AdjustedDecimal(p1+p2+1, s1+s2)
	case "/":
		scale := max(minKeptScale, s1+p2+1)
		return AdjustedDecimal(p1-s1+s2+scale, scale)
	case "%", "pmod":
		scale := max(s1, s2)
		return AdjustedDecimal(min(p1-s1, p2-s2)+scale, scale)
	}
	return Int64
}
