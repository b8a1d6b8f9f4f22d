package expr

import (
	"sort"
	"strconv"
	"strings"

	"github.com/flightd/flightd/internal/arrowtext"
	"github.com/flightd/flightd/plan/expr"
)

// javaDouble reads a number as Double.parseDouble does: white space around it and
// a suffix d or f are taken.
func javaDouble(s string, t *expr.Type) (float64, bool) {
	s = strings.TrimFunc(s, func(r rune) bool { return r <= ' ' })
	switch s {
	case "NaN", "Infinity", "+Infinity", "-Infinity":
	default:
		if n := len(s); n > 1 && strings.IndexByte("dDfF", s[n-1]) >= 0 && !strings.HasPrefix(strings.TrimLeft(s, "+-"), "0x") {
			s = s[:n-1]
		}
		if !plainNumber(s, true) {
			return 0, false
		}
	}
	bits := 64
	if t.Kind == expr.KindFloat32 {
		bits = 32
	}
	return arrowtext.ParseFloat([]byte(s), bits)
}

// schemaOfCSV gives the type of a record as text: its values' types, in columns
// _c0, _c1 and so on.
func schemaOfCSV(c *expr.Call, env *Env) (func(f *frame) error, error) {
	o, err := newCSVOptions(c, 1, env, true)
	if err != nil {
		return nil, err
	}
	return func(f *frame) error {
		a := f.text(0)
		return f.write(func(i int, dst []byte) ([]byte, error) {
			var fields []expr.Field
			for k, v := range o.split(a.at(i)) {
				t := expr.String
				if text, ok := o.value(v); ok && len(text) > 0 {
					t = o.typeOf(string(text))
				}
				fields = append(fields, expr.Field{Name: "_c" + strconv.Itoa(k), Type: t, Nullable: true})
			}
			return append(dst, expr.StructOf(fields...).SQL()...), nil
		})
	}, nil
}

// typeOf is the narrowest type that takes a text.
func (o *csvOptions) typeOf(s string) *expr.Type {
	if plainNumber(s, false) {
		if _, err := strconv.ParseInt(s, 10, 32); err == nil {
			return expr.Int32
		}
		if _, err := strconv.ParseInt(s, 10, 64); err == nil {
			return expr.Int64
		}
		if n := len(strings.TrimLeft(s, "+-0")); n <= expr.MaxPrecision {
			return expr.Decimal(n, 0)
		}
		return expr.Float64
	}
	if _, ok := javaDouble(s, expr.Float64); ok || s == o.nan || s == o.infinity[0] || s == o.infinity[1] {
		return expr.Float64
	}
	if o.isDate(s) {
		return expr.Date
	}
	if o.isTimestamp(s) {
		return expr.Timestamp
	}
	if strings.EqualFold(s, "true") || strings.EqualFold(s, "false") {
		return expr.Bool
	}
	return expr.String
}

// isDate reports whether s is a date by the format given, or yyyy-MM-dd.
func (o *jsonOptions) isDate(s string) bool {
	p := o.date
	_, why := p.parse(s)
	return why == ""
}

// isTimestamp reports whether s is one by the format given, or as CAST reads it.
func (o *jsonOptions) isTimestamp(s string) bool {
	if o.timestampSet {
		_, why := o.timestamp.parse(s)
		return why == ""
	}
	parser := timestampParser{}
	_, ok := parser.parse(&frame{env: o.env}, []byte(s))
	return ok
}

// schemaOfJSON gives the type of a JSON value as text.
func schemaOfJSON(c *expr.Call, env *Env) (func(f *frame) error, error) {
	o, err := newJSONOptions(c, 1, env, true)
	if err != nil {
		return nil, err
	}
	set := map[string]bool{}
	if len(c.Args) > 1 {
		lit, err := Fold(c.Args[1], env)
		if err != nil {
			return nil, err
		}
		entries, _ := lit.Value.([]expr.MapEntry)
		for _, m := range entries {
			key, _ := m.Key.(string)
			val, _ := m.Value.(string)
			set[strings.ToLower(key)] = strings.EqualFold(val, "true")
		}
	}
	in := inference{o: o, decimals: set["prefersdecimal"], texts: set["primitivesasstring"], drop: set["dropfieldifallnull"], times: set["infertimestamp"]}
	return func(f *frame) error {
		a := f.text(0)
		return f.write(func(i int, dst []byte) ([]byte, error) {
			s := a.at(i)
			if len(arrowtext.Trim(s)) == 0 {
				return append(dst, "STRING"...), nil
			}
			p := jsonParser{s: s, jsonLeave: o.leave}
			v, ok := p.value(0)
			if !ok {
				return dst, javaError(f, "JsonParseException", "the text is no JSON value")
			}
			t := in.settle(in.typeOf(&v))
			if t == nil {
				t = expr.StructOf()
				if v.kind != jsonObject {
					t = expr.String
				}
			}
			return append(dst, t.SQL()...), nil
		})
	}, nil
}

// inference finds the types of JSON values.
type inference struct {
	o                            *jsonOptions
	decimals, texts, drop, times bool
}

// typeOf is the type of one value; Null where nothing is known.
func (in *inference) typeOf(v *jsonValue) *expr.Type {
	switch v.kind {
	case jsonString:
		if in.times && in.o.isTimestamp(v.text) {
			return expr.Timestamp
		}
		return expr.String
	case jsonBool, jsonNumber:
		if in.texts {
			return expr.String
		}
		if v.kind == jsonBool {
			return expr.Bool
		}
		return in.number(v.text)
	case jsonArray:
		elem := expr.Null
		for i := range v.items {
			elem = in.common(elem, in.typeOf(&v.items[i]))
		}
		return expr.ArrayOf(elem, true)
	case jsonObject:
		fields := make([]expr.Field, len(v.items))
		for i := range v.items {
			fields[i] = expr.Field{Name: v.keys[i], Type: in.typeOf(&v.items[i]), Nullable: true}
		}
		sort.SliceStable(fields, func(i, j int) bool { return fields[i].Name < fields[j].Name })
		return expr.StructOf(fields...)
	}
	return expr.Null
}

func (in *inference) number(s string) *expr.Type {
	if !strings.ContainsAny(s, ".eENI") {
		if _, err := strconv.ParseInt(s, 10, 64); err == nil {
			return expr.Int64
		}
		if n := len(strings.TrimLeft(s, "-0")); n <= expr.MaxPrecision {
			return expr.Decimal(n, 0)
		}
		return expr.Float64
	}
	if in.decimals {
		if n, ok := arrowtext.ScanDecimal([]byte(s)); ok {
			b, scale := n.BigDecimal()
			if whole, frac, _ := strings.Cut(s, "."); !strings.ContainsAny(s, "eE") && whole != "" {
				scale = len(frac)
			}
			digits := len(strings.TrimLeft(strings.NewReplacer(".", "", "-", "").Replace(s), "0"))
			if b.Sign() == 0 {
				digits = 1
			}
			if scale >= 0 && !strings.ContainsAny(s, "eE") && max(digits, scale) <= expr.MaxPrecision {
				return expr.Decimal(max(digits, scale), scale)
			}
		}
	}
	return expr.Float64
}

// common is the type of values of both types.
func (in *inference) common(t, u *expr.Type) *expr.Type {
	switch {
	case t.Kind == expr.KindNull:
		return u
	case u.Kind == expr.KindNull || t.Equal(u):
		return t
	case t.Kind == expr.KindArray && u.Kind == expr.KindArray:
		return expr.ArrayOf(in.common(t.Elem, u.Elem), true)
	case t.Kind == expr.KindStruct && u.Kind == expr.KindStruct:
		return in.merge(t, u)
	case t.IsNumeric() && u.IsNumeric():
		if t.Kind == expr.KindInt64 {
			t, u = u, t
		}
		if u.Kind == expr.KindInt64 && t.Kind == expr.KindDecimal {
			u = expr.Decimal(20, 0)
		}
		if t.Kind == expr.KindDecimal && u.Kind == expr.KindDecimal {
			if scale, whole := max(t.Scale, u.Scale), max(t.Precision-t.Scale, u.Precision-u.Scale); scale+whole <= expr.MaxPrecision {
				return expr.Decimal(scale+whole, scale)
			}
		}
		return expr.Float64
	}
	return expr.String
}

// merge is the struct with the fields of both.
func (in *inference) merge(t, u *expr.Type) *expr.Type {
	fields := append([]expr.Field(nil), t.Fields...)
next:
	for _, f := range u.Fields {
		for k := range fields {
			if fields[k].Name == f.Name {
				fields[k].Type = in.common(fields[k].Type, f.Type)
				continue next
			}
		}
		fields = append(fields, f)
	}
	sort.SliceStable(fields, func(i, j int) bool { return fields[i].Name < fields[j].Name })
	return expr.StructOf(fields...)
}

// settle makes text of what is not known. A struct within another that has no
// fields is left out: it is nil.
func (in *inference) settle(t *expr.Type) *expr.Type {
	switch t.Kind {
	case expr.KindNull:
		if in.drop {
			return nil
		}
		return expr.String
	case expr.KindArray:
		elem := in.settle(t.Elem)
		if elem == nil {
			return nil
		}
		return expr.ArrayOf(elem, true)
	case expr.KindStruct:
		var fields []expr.Field
		for _, f := range t.Fields {
			if s := in.settle(f.Type); s != nil {
				fields = append(fields, expr.Field{Name: f.Name, Type: s, Nullable: true})
			}
		}
		if len(fields) == 0 {
			return nil
		}
		return expr.StructOf(fields...)
	}
	return t
}
