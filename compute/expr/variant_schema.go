package expr

import (
	"sort"
	"strings"

	"github.com/flightd/flightd/internal/variant"
	"github.com/flightd/flightd/plan/expr"
)

// VariantSchema returns the type of a variant, given as a column's bytes: objects
// are structs with their fields in the order of their names, and what has no one
// type is VARIANT. It panics as variant.Value does.
func VariantSchema(s []byte) *expr.Type { return variantSchema(variant.Open(s)) }

func variantSchema(v variant.Value) *expr.Type {
	switch k := v.Kind(); k {
	case variant.Null:
		return expr.Null
	case variant.Object:
		fields := make([]expr.Field, v.Len())
		for i := range fields {
			name, f := v.Field(i)
			fields[i] = expr.Field{Name: string(name), Type: variantSchema(f), Nullable: true}
		}
		return expr.StructOf(fields...)
	case variant.Array:
		elem := expr.Null
		for i := range v.Len() {
			elem = MergeVariantSchemas(elem, variantSchema(v.Elem(i)))
		}
		return expr.ArrayOf(elem, true)
	case variant.Decimal:
		x, scale := v.Decimal()
		return expr.Decimal(max(x.Digits(), scale, 1), scale)
	case variant.UUID:
		return uuidType()
	default:
		return scalarSort{kind: k}.sqlType()
	}
}

// uuidType stands for a UUID, which SQL has no type for.
func uuidType() *expr.Type { return &expr.Type{Kind: expr.KindBinary, Precision: 16} }

// MergeVariantSchemas returns the type of variants of which some are t and some u.
func MergeVariantSchemas(t, u *expr.Type) *expr.Type {
	if w := (expr.Coercion{}).Tightest(t, u); w != nil {
		return w
	}
	if t.Kind > u.Kind {
		t, u = u, t
	}
	switch {
	case t.Kind == expr.KindDecimal && u.Kind == expr.KindFloat64:
		return expr.Float64
	case t.Kind == expr.KindInt64 && u.Kind == expr.KindDecimal:
		return MergeVariantSchemas(expr.Decimal(20, 0), u)
	case t.Kind == expr.KindDecimal && u.Kind == expr.KindDecimal:
		scale := max(t.Scale, u.Scale)
		if p := scale + max(t.Precision-t.Scale, u.Precision-u.Scale); p <= expr.MaxPrecision {
			return expr.Decimal(p, scale)
		}
		return expr.Float64
	case t.Kind == expr.KindArray && u.Kind == expr.KindArray:
		return expr.ArrayOf(MergeVariantSchemas(t.Elem, u.Elem), true)
	case t.Kind == expr.KindStruct && u.Kind == expr.KindStruct:
		return mergeFields(t, u)
	}
	return expr.Variant
}

// mergeFields is the object with the fields of both.
func mergeFields(t, u *expr.Type) *expr.Type {
	fields := append([]expr.Field(nil), t.Fields...)
	at := make(map[string]int, len(fields))
	for i, f := range fields {
		at[f.Name] = i
	}
	for _, f := range u.Fields {
		if i, ok := at[f.Name]; ok {
			fields[i].Type = MergeVariantSchemas(fields[i].Type, f.Type)
		} else {
			fields = append(fields, f)
		}
	}
	sort.SliceStable(fields, func(i, j int) bool { return fields[i].Name < fields[j].Name })
	return expr.StructOf(fields...)
}

// VariantSchemaText is the text of a variant's type: SQL's, with OBJECT for
// structs.
func VariantSchemaText(t *expr.Type) string {
	switch {
	case t.Kind == expr.KindStruct:
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			parts[i] = expr.QuoteIfNeeded(f.Name) + ": " + VariantSchemaText(f.Type)
		}
		return "OBJECT<" + strings.Join(parts, ", ") + ">"
	case t.Kind == expr.KindArray:
		return "ARRAY<" + VariantSchemaText(t.Elem) + ">"
	case t.Equal(uuidType()):
		return "UUID"
	}
	return t.SQL()
}
