package expr

import (
	"strconv"
	"strings"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/arrowtext"
	"github.com/flightd/flightd/internal/variant"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

// appendVariant adds v to a VARIANT column and reports whether a variant can hold
// it: an object that names a field twice it cannot.
func (v *jsonValue) appendVariant(b *vec.Builder) bool {
	var vb variant.Builder
	if v.build(&vb) != nil {
		return false
	}
	out, err := vb.Finish(nil)
	if err == nil {
		b.AppendBytes(out)
	}
	return err == nil
}

func (v *jsonValue) build(b *variant.Builder) error {
	switch v.kind {
	case jsonNull:
		b.Null()
	case jsonBool:
		b.Bool(v.text == "true")
	case jsonString:
		b.String([]byte(v.text))
	case jsonNumber:
		buildNumber(b, v.text)
	case jsonArray:
		b.Begin()
		for i := range v.items {
			b.Elem()
			if err := v.items[i].build(b); err != nil {
				return err
			}
		}
		b.EndArray()
	case jsonObject:
		b.Begin()
		for i := range v.items {
			b.Field(v.keys[i])
			if err := v.items[i].build(b); err != nil {
				return err
			}
		}
		return b.EndObject()
	}
	return nil
}

// buildNumber appends digits as an integer, a decimal if they have no exponent, or
// a double.
func buildNumber(b *variant.Builder, text string) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		b.Long(n)
		return
	}
	if !strings.ContainsAny(text, "eENI") {
		_, frac, _ := strings.Cut(text, ".")
		if x, scale, ok := exactDecimal(text); ok && scale == len(frac) {
			b.Decimal(x, scale)
			return
		}
	}
	f, _ := arrowtext.ParseFloat([]byte(text), 64)
	b.Double(f)
}

// record adds the values of a record as an object: _c0, _c1 and so on.
func (o *csvOptions) record(b *vec.Builder, fields []csvField) {
	var vb variant.Builder
	vb.Begin()
	for k, f := range fields {
		vb.Field("_c" + strconv.Itoa(k))
		if text, ok := o.value(f); ok {
			o.scalar(&vb, string(text))
		} else {
			vb.Null()
		}
	}
	out, err := []byte(nil), vb.EndObject()
	if err == nil {
		out, err = vb.Finish(nil)
	}
	if err != nil {
		b.AppendNull()
		return
	}
	b.AppendBytes(out)
}

// nullVariant adds a variant null.
func (o *csvOptions) nullVariant(b *vec.Builder) bool {
	var vb variant.Builder
	vb.Null()
	out, err := vb.Finish(nil)
	b.AppendBytes(out)
	return err == nil
}

// variant adds a text as what it says.
func (o *csvOptions) variant(b *vec.Builder, text string) bool {
	var vb variant.Builder
	o.scalar(&vb, text)
	out, err := vb.Finish(nil)
	if err == nil {
		b.AppendBytes(out)
	}
	return err == nil
}

// scalar appends a text as an integer, decimal, date, timestamp, boolean, or text.
func (o *csvOptions) scalar(b *variant.Builder, s string) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		b.Long(n)
		return
	}
	if x, scale, ok := exactDecimal(strings.ReplaceAll(s, ",", "")); ok {
		b.Decimal(x, scale)
		return
	}
	if !o.noDates && o.isDate(s) {
		p, _ := o.date.parse(s)
		b.Date(int32(kernels.FloorDiv(p.local, kernels.Day)))
		return
	}
	t := vec.NewBuilder(expr.Timestamp)
	r := jsonReader{o: o.jsonOptions}
	switch {
	case r.text(t, s):
		b.Timestamp(vec.Values[int64](t.Vec())[0])
	case strings.EqualFold(s, "true"), strings.EqualFold(s, "false"):
		b.Bool(strings.EqualFold(s, "true"))
	default:
		b.String([]byte(s))
	}
}
