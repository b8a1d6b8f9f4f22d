package expr

import (
	"math"
	"sort"
	"strconv"
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

// schemaOfXML gives the type of a document's element as text.
func schemaOfXML(c *expr.Call, env *Env) (func(f *frame) error, error) {
	o, err := newXMLOptions(c, 1, env, true)
	if err != nil {
		return nil, err
	}
	if o.mode != "PERMISSIVE" && o.mode != "FAILFAST" {
		return nil, badXMLMode(c, o.mode)
	}
	return func(f *frame) error {
		a := f.text(0)
		return f.write(func(i int, dst []byte) ([]byte, error) {
			in := &xmlInference{newXMLReader(a.at(i), o)}
			root, err := in.root()
			var t *expr.Type
			if err == nil {
				t, err = in.object(root.attrs)
			}
			if err != nil {
				if o.mode == "FAILFAST" {
					return dst, base.UserError("_LEGACY_ERROR_TEMP_2165", "", "The document %s is malformed, so it has no schema.", quoted(a.at(i))).At(c.At)
				}
				t = expr.StructOf(expr.Field{Name: o.corrupt, Type: expr.String, Nullable: true})
			}
			if t = settleXML(t); t == nil {
				t = expr.StructOf()
			}
			return append(dst, t.SQL()...), nil
		})
	}, nil
}

// xmlInference finds the types of elements.
type xmlInference struct{ *xmlReader }

// object is the type of the content of an element, up to its end.
func (in *xmlInference) object(attrs []xmlPair) (*expr.Type, error) {
	var fields []expr.Field
	// A name that comes again is an array, whatever its case.
	add := func(name string, t *expr.Type) {
		for k := range fields {
			f := &fields[k]
			if !strings.EqualFold(f.Name, name) {
				continue
			}
			if f.Type.Kind == expr.KindArray {
				f.Type = expr.ArrayOf(in.common(f.Type.Elem, t), true)
			} else {
				f.Type = expr.ArrayOf(in.common(f.Type, t), true)
			}
			return
		}
		fields = append(fields, expr.Field{Name: name, Type: t, Nullable: true})
	}
	for _, a := range attrs {
		add(a.name, in.attribute(a))
	}
	for {
		e, err := in.next()
		if err != nil {
			return nil, err
		}
		switch {
		case e.kind == xmlEnd:
			sort.SliceStable(fields, func(i, j int) bool { return fields[i].Name < fields[j].Name })
			return expr.StructOf(fields...), nil
		case e.kind == xmlStart:
			t, err := in.element(e.attrs)
			if err != nil {
				return nil, err
			}
			add(e.name, t)
		case !e.blank():
			add(in.o.valueTag, in.scalar(e.text))
		}
	}
}

func (in *xmlInference) attribute(a xmlPair) *expr.Type {
	if a.null {
		return expr.Null
	}
	return in.scalar(a.text)
}

// element is the type of a child element: of its text if it has nothing else.
func (in *xmlInference) element(attrs []xmlPair) (*expr.Type, error) {
	ahead, err := in.peek()
	if err != nil {
		return nil, err
	}
	kind := ahead.kind
	t, err := in.object(nil)
	if err != nil {
		return nil, err
	}
	switch {
	case kind == xmlEnd, kind == xmlChars && len(t.Fields) == 0:
		t = expr.Null
	case kind == xmlChars && len(t.Fields) == 1 && strings.EqualFold(t.Fields[0].Name, in.o.valueTag) && !t.Fields[0].Type.IsNested():
		t = t.Fields[0].Type
	}
	if len(attrs) == 0 {
		return t, nil
	}
	var fields []expr.Field
	switch {
	case t.Kind == expr.KindStruct:
		fields = append(fields, t.Fields...)
	case t.Kind != expr.KindNull:
		fields = append(fields, expr.Field{Name: in.o.valueTag, Type: t, Nullable: true})
	}
	for _, a := range attrs {
		fields = append(fields, expr.Field{Name: a.name, Type: in.attribute(a), Nullable: true})
	}
	sort.SliceStable(fields, func(i, j int) bool { return fields[i].Name < fields[j].Name })
	return expr.StructOf(fields...), nil
}

// scalar is the narrowest type that takes a text.
func (in *xmlInference) scalar(text string) *expr.Type {
	s := in.o.trim(text)
	switch {
	case in.o.texts:
		return expr.String
	case s == "" || in.o.isNull(s):
		return expr.Null
	}
	bare := strings.TrimPrefix(s, "-")
	if bare == s {
		bare = strings.TrimPrefix(s, "+")
	}
	if bare != "" && (bare[0] >= '0' && bare[0] <= '9' || bare[0] == '.') && strings.IndexByte("dDfF", bare[len(bare)-1]) < 0 {
		if _, err := strconv.ParseInt(bare, 10, 64); err == nil {
			return expr.Int64
		}
		if x, scale, ok := exactDecimal(strings.ReplaceAll(s, ",", "")); ok && in.o.decimals {
			return expr.Decimal(max(x.Digits(), scale, 1), scale)
		}
		if x, ok := javaDouble(bare, expr.Float64); ok && !math.IsNaN(x) {
			return expr.Float64
		}
	}
	switch {
	case in.o.isDate(s):
		return expr.Date
	case in.o.isTimestamp(s):
		return expr.Timestamp
	case strings.EqualFold(s, "true"), strings.EqualFold(s, "false"):
		return expr.Bool
	}
	return expr.String
}

// common is the type of elements of which some are t and some u.
func (in *xmlInference) common(t, u *expr.Type) *expr.Type {
	if w := (expr.Coercion{}).Tightest(t, u); w != nil && !t.IsNested() {
		return w
	}
	if t.Kind > u.Kind {
		t, u = u, t
	}
	switch {
	case t.Kind == expr.KindNull:
		return u
	case t.Kind == expr.KindArray && u.Kind == expr.KindArray:
		return expr.ArrayOf(in.common(t.Elem, u.Elem), true)
	case t.Kind == expr.KindStruct && u.Kind == expr.KindStruct:
		return in.merged(t, u)
	case u.Kind == expr.KindStruct && !t.IsNested():
		// A text among elements is the struct's text.
		return in.merged(u, expr.StructOf(expr.Field{Name: in.o.valueTag, Type: t, Nullable: true}))
	case t.Kind == expr.KindArray && !u.IsNested():
		return expr.ArrayOf(in.common(t.Elem, u), true)
	case u.Kind == expr.KindArray && !t.IsNested():
		return expr.ArrayOf(in.common(u.Elem, t), true)
	case t.IsNumeric() && u.IsNumeric():
		return MergeVariantSchemas(t, u)
	}
	return expr.String
}

func (in *xmlInference) merged(t, u *expr.Type) *expr.Type {
	fields := append([]expr.Field(nil), t.Fields...)
next:
	for _, f := range u.Fields {
		for k := range fields {
			if strings.EqualFold(fields[k].Name, f.Name) {
				fields[k].Type = in.common(fields[k].Type, f.Type)
				continue next
			}
		}
		fields = append(fields, f)
	}
	sort.SliceStable(fields, func(i, j int) bool { return fields[i].Name < fields[j].Name })
	return expr.StructOf(fields...)
}

// settleXML makes text of what is not known and leaves structs without fields out:
// they are nil.
func settleXML(t *expr.Type) *expr.Type {
	switch t.Kind {
	case expr.KindNull:
		return expr.String
	case expr.KindArray:
		if e := settleXML(t.Elem); e != nil {
			return expr.ArrayOf(e, true)
		}
		return nil
	case expr.KindStruct:
		var fields []expr.Field
		for _, f := range t.Fields {
			if s := settleXML(f.Type); s != nil && f.Name != "" {
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
