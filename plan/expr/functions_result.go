package expr

// resultRules are the rules of the table that need the argument types.
var resultRules = map[string]func(in []*Type) *Type{
	"$0": func(in []*Type) *Type { return in[0] },
	"$1": func(in []*Type) *Type { return in[1] },
	// $n is the type of the last argument.
	"$n":        func(in []*Type) *Type { return in[len(in)-1] },
	"array$0":   func(in []*Type) *Type { return ArrayOf(in[0], false) },
	"array?$0":  func(in []*Type) *Type { return ArrayOf(in[0], true) },
	"arrayn$0":  func(in []*Type) *Type { return ArrayOf(in[0].Elem, true) },
	"elem$0":    func(in []*Type) *Type { return elemOf(in[0]) },
	"elem2$0":   func(in []*Type) *Type { return elemOf(in[0]) },
	"keys$0":    func(in []*Type) *Type { return ArrayOf(keyOf(in[0]), false) },
	"values$0":  func(in []*Type) *Type { return ArrayOf(elemOf(in[0]), in[0].ElemNullable) },
	"textlike0": func(in []*Type) *Type { return textLike(in[0]) },
	"round":     round,
	"ceil":      func(in []*Type) *Type { return ceil(in) },
	"sum":       sum,
	"avg":       avg,
	"abs":       func(in []*Type) *Type { return in[0] },
	"percentile": func(in []*Type) *Type {
		return perElement(in[1], intervalOrDouble(in[0]))
	},
	"percentile_approx": func(in []*Type) *Type { return perElement(in[1], in[0]) },
	"median":            func(in []*Type) *Type { return intervalOrDouble(in[0]) },
	"map_entries": func(in []*Type) *Type {
		return ArrayOf(StructOf(Field{"key", keyOf(in[0]), false}, Field{"value", elemOf(in[0]), in[0].ElemNullable}), false)
	},
	"map_from_arrays": func(in []*Type) *Type { return MapOf(elemOf(in[0]), elemOf(in[1]), in[1].ElemNullable) },
	"map_from_entries": func(in []*Type) *Type {
		if s := elemOf(in[0]); s.Kind == KindStruct && len(s.Fields) == 2 {
			return MapOf(s.Fields[0].Type, s.Fields[1].Type, s.Fields[1].Nullable)
		}
		return nil
	},
	"flatten": func(in []*Type) *Type {
		if in[0].Elem.Kind != KindArray {
			return nil
		}
		return ArrayOf(in[0].Elem.Elem, in[0].Elem.ElemNullable)
	},
	"window_time": func(in []*Type) *Type {
		if f := in[0].Field("end"); f != nil {
			return f.Type
		}
		return nil
	},
	"bround": round,
	"shift":  func(in []*Type) *Type { return in[0] },
	"histogram": func(in []*Type) *Type {
		return ArrayOf(StructOf(Field{"x", in[0], true}, Field{"y", Float64, true}), true)
	},
	"topk": func(in []*Type) *Type {
		return ArrayOf(StructOf(Field{"item", in[0], true}, Field{"count", Int64, false}), false)
	},
	"topkstate": func(in []*Type) *Type { return topKState(in[0]) },
	"topkcombined": func(in []*Type) *Type {
		if !isTopKState(in[0]) {
			return nil
		}
		return topKState(in[0].Fields[2].Type)
	},
	"topkestimate": func(in []*Type) *Type {
		if !isTopKState(in[0]) {
			return nil
		}
		return ArrayOf(StructOf(Field{"item", in[0].Fields[2].Type, true}, Field{"count", Int64, false}), false)
	},
	"quantile_bigint": func(in []*Type) *Type { return perElement(in[1], Int64) },
	"quantile_float":  func(in []*Type) *Type { return perElement(in[1], Float32) },
	"quantile_double": func(in []*Type) *Type { return perElement(in[1], Float64) },
	"unionof":         func(in []*Type) *Type { return ArrayOf(elemOf(in[0]), false) },
	"firstk": func(in []*Type) *Type {
		if len(in) == 3 {
			return ArrayOf(in[0], true)
		}
		return in[0]
	},
	"widthbucket": func([]*Type) *Type { return Int64 },
	"explodearr":  func(in []*Type) *Type { return in[0] },
	"div":         func([]*Type) *Type { return Int64 },
	"nextseq":     func(in []*Type) *Type { return ArrayOf(in[0], false) },
}

// Field returns the struct member of a name, or nil.
func (t *Type) Field(name string) *Field {
	for i := range t.Fields {
		if sameName(t.Fields[i].Name, name) {
			return &t.Fields[i]
		}
	}
	return nil
}

func elemOf(t *Type) *Type {
	if t.Elem == nil {
		return Null
	}
	return t.Elem
}

func keyOf(t *Type) *Type {
	if t.Key == nil {
		return Null
	}
	return t.Key
}

func textLike(t *Type) *Type {
	if t.Kind == KindBinary {
		return Binary
	}
	if t.Kind == KindString {
		return t
	}
	return String
}

func perElement(fractions, t *Type) *Type {
	if fractions.Kind == KindArray {
		return ArrayOf(t, false)
	}
	return t
}

func intervalOrDouble(t *Type) *Type {
	switch t.Kind {
	case KindYearMonth:
		return YearMonth
	case KindDayTime:
		return DayTime
	}
	return Float64
}

// round is the result of round and bround without a known scale; the resolver
// knows the literal scale and calls RoundType.
func round(in []*Type) *Type { return RoundType(in[0], 0) }

// RoundType returns the type of round(x, scale) for an x of type t.
func RoundType(t *Type, scale int) *Type {
	if t.Kind != KindDecimal {
		return t
	}
	whole := t.Precision - t.Scale + 1
	if scale < 0 {
		return Decimal(min(MaxPrecision, max(whole, -scale+1)), 0)
	}
	scale = min(t.Scale, scale)
	return Decimal(min(MaxPrecision, whole+scale), scale)
}

func ceil(in []*Type) *Type {
	t := in[0]
	if t.Kind == KindDecimal {
		return BoundedDecimal(t.Precision-t.Scale+1, 0)
	}
	return Int64
}

func sum(in []*Type) *Type {
	switch t := in[0]; {
	case t.Kind == KindDecimal:
		return BoundedDecimal(t.Precision+10, t.Scale)
	case t.IsInteger():
		return Int64
	case t.IsInterval():
		return t
	}
	return Float64
}

func avg(in []*Type) *Type {
	switch t := in[0]; t.Kind {
	case KindDecimal:
		return AdjustedDecimal(t.Precision+4, t.Scale+4)
	case KindYearMonth, KindDayTime:
		return intervalOrDouble(t)
	}
	return Float64
}
