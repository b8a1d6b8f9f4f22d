package expr

import (
	"encoding/base64"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/arrowtext"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

// makeFromJSON reads values of the call's type. Text that is no JSON gives a
// struct of NULLs; a member that does not fit its type is NULL.
func makeFromJSON(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	o, err := newJSONOptions(c, 2, env, true)
	if err != nil {
		return nil, err
	}
	if o.mode != "PERMISSIVE" && o.mode != "FAILFAST" {
		return nil, base.UserError("PARSE_MODE_UNSUPPORTED", "42601",
			"The function `from_json` doesn't support the %s mode. Acceptable modes are PERMISSIVE and FAILFAST.", o.mode).At(c.At)
	}
	return newFunction(c, args[:1], env, func(f *frame) error {
		b := vec.NewBuilder(c.Typ)
		a := f.text(0)
		next := 0
		err := f.tryAll(func(i int) error {
			for ; next < i; next++ {
				b.AppendNull()
			}
			next++
			if !f.valid(i) {
				b.AppendNull()
				return nil
			}
			return o.row(c, b, a.at(i))
		})
		if err != nil {
			return err
		}
		for ; next < f.n; next++ {
			b.AppendNull()
		}
		*f.out = *b.Vec()
		return nil
	}), nil
}

func (o *jsonOptions) row(c *expr.Call, b *vec.Builder, s []byte) error {
	if len(arrowtext.Trim(s)) == 0 {
		b.AppendNull()
		return nil
	}
	parser := jsonParser{s: s, jsonLeave: o.leave}
	v, ok := parser.value(0)
	t := c.Typ
	if len(t.Fields) == 1 && t.Fields[0].Name == o.single && t.Fields[0].Type.Kind == expr.KindVariant {
		if !ok || !v.appendVariant(b.Kids[0]) {
			b.Kids[0].AppendNull()
		}
		b.EndStruct()
		return nil
	}
	if ok && t.Kind == expr.KindStruct && v.kind == jsonArray {
		// An array of objects for a struct: the first counts.
		if len(v.items) == 1 && v.items[0].kind == jsonObject {
			v = v.items[0]
		} else {
			ok = false
		}
	}
	if ok && t.Kind == expr.KindArray && v.kind == jsonObject && t.Elem.Kind == expr.KindStruct {
		v = jsonValue{kind: jsonArray, items: []jsonValue{v}}
	}
	if ok && v.kind == jsonNull && t.Kind == expr.KindStruct {
		v.kind = jsonObject // no field is there
	}
	fits := ok && (t.Kind != expr.KindStruct || v.kind == jsonObject || v.kind == jsonNull)
	if fits && v.kind == jsonNull && t.Kind != expr.KindVariant {
		b.AppendNull()
		return nil
	}
	if fits {
		r := jsonReader{o: o, raw: s}
		r.read(b, &v)
		if !r.bad || o.mode == "PERMISSIVE" {
			return nil
		}
	}
	if o.mode == "FAILFAST" {
		return base.UserError("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "22023",
			"Malformed records are detected in record parsing: [%s].\nParse Mode: FAILFAST. To process malformed records as null result, try setting the option 'mode' as 'PERMISSIVE'. ",
			strings.TrimSuffix(strings.Repeat("null,", max(1, len(t.Fields))), ",")).At(c.At)
	}
	if t.Kind != expr.KindStruct {
		b.AppendNull()
		return nil
	}
	for k, f := range t.Fields {
		if f.Name == o.corrupt && f.Type.Kind == expr.KindString {
			b.Kids[k].AppendBytes(s)
		} else {
			b.Kids[k].AppendNull()
		}
	}
	b.EndStruct()
	return nil
}

// jsonReader turns values into rows of a builder. bad is set when a member did not
// fit.
type jsonReader struct {
	o   *jsonOptions
	raw []byte
	bad bool
	// depth 0 is the record, where the corrupt column stands.
	depth int
}

func (r *jsonReader) read(b *vec.Builder, v *jsonValue) {
	if v.kind == jsonNull && b.Type.Kind != expr.KindVariant {
		b.AppendNull()
		return
	}
	if !r.append(b, v) {
		r.bad = true
		b.AppendNull()
	}
}

// append adds v to b and reports whether it fits b's type; nothing is added if not.
func (r *jsonReader) append(b *vec.Builder, v *jsonValue) bool {
	switch b.Type.Kind {
	case expr.KindStruct:
		if v.kind != jsonObject {
			return false
		}
		r.fields(b, v)
		return true
	case expr.KindArray:
		if v.kind != jsonArray {
			return false
		}
		if !v.fits(b.Type) { // one bad element spoils the array
			return false
		}
		r.depth++
		for i := range v.items {
			r.read(b.Kids[0], &v.items[i])
		}
		r.depth--
		b.EndList()
		return true
	case expr.KindMap:
		if v.kind != jsonObject || b.Type.Key.Kind != expr.KindString {
			return false
		}
		r.depth++
		for i := range v.items {
			b.Kids[0].AppendBytes([]byte(v.keys[i]))
			r.read(b.Kids[1], &v.items[i])
		}
		r.depth--
		b.EndList()
		return true
	case expr.KindVariant:
		return v.appendVariant(b)
	case expr.KindString:
		if v.kind == jsonString {
			b.AppendBytes([]byte(v.text))
		} else {
			b.AppendBytes(v.appendJSON(nil))
		}
		return true
	case expr.KindBool:
		if v.kind == jsonBool {
			b.AppendBool(v.text == "true")
		}
		return v.kind == jsonBool
	case expr.KindBinary:
		s, err := base64.StdEncoding.DecodeString(v.text)
		if v.kind != jsonString || err != nil {
			return false
		}
		b.AppendBytes(s)
		return true
	}
	if v.kind == jsonNumber {
		return r.number(b, v.text)
	}
	return v.kind == jsonString && r.text(b, v.text)
}

// fits reports whether every element of an array is of its element type's kind, as
// far as the kinds of JSON tell.
func (v *jsonValue) fits(t *expr.Type) bool {
	for i := range v.items {
		k := v.items[i].kind
		switch e := t.Elem; {
		case k == jsonNull, e.Kind == expr.KindString:
		case e.IsInteger() && (k != jsonNumber || strings.ContainsAny(v.items[i].text, ".eE")):
			return false
		case e.Kind == expr.KindBool && k != jsonBool, e.Kind == expr.KindArray && k != jsonArray,
			(e.Kind == expr.KindStruct || e.Kind == expr.KindMap) && k != jsonObject:
			return false
		}
	}
	return true
}

func (r *jsonReader) fields(b *vec.Builder, v *jsonValue) {
	top := r.depth == 0
	r.depth++
	corrupt := -1
	for k, f := range b.Type.Fields {
		if top && f.Name == r.o.corrupt && f.Type.Kind == expr.KindString {
			corrupt = k
			continue
		}
		at := -1
		for i, key := range v.keys {
			if key == f.Name {
				at = i
			}
		}
		if at < 0 {
			b.Kids[k].AppendNull()
		} else {
			r.read(b.Kids[k], &v.items[at])
		}
	}
	r.depth--
	if corrupt >= 0 {
		if r.bad {
			b.Kids[corrupt].AppendBytes(r.raw)
		} else {
			b.Kids[corrupt].AppendNull()
		}
	}
	b.EndStruct()
}

func (r *jsonReader) number(b *vec.Builder, text string) bool {
	switch t := b.Type; {
	case t.IsInteger():
		v, ok := arrowtext.ParseInt([]byte(text), false)
		if !ok || t.Width() < 8 && (v < -1<<(8*t.Width()-1) || v >= 1<<(8*t.Width()-1)) {
			return false
		}
		b.AppendInt(v)
	case t.Kind == expr.KindFloat64:
		v, ok := arrowtext.ParseFloat([]byte(text), 64)
		if !ok {
			return false
		}
		vec.AppendFixed(b, v)
	case t.Kind == expr.KindFloat32:
		v, ok := arrowtext.ParseFloat([]byte(text), 32)
		if !ok {
			return false
		}
		vec.AppendFixed(b, float32(v))
	case t.Kind == expr.KindDecimal:
		x, status := arrowtext.ParseDecimal([]byte(text), t.Precision, t.Scale)
		if status != arrowtext.DecimalOK {
			return false
		}
		vec.AppendFixed(b, x)
	case t.Kind == expr.KindTimestamp:
		v, ok := arrowtext.ParseInt([]byte(text), false)
		if !ok {
			return false
		}
		b.AppendInt(saturatingMicros(v))
	default:
		return false
	}
	return true
}

// text reads a JSON string as another type.
func (r *jsonReader) text(b *vec.Builder, s string) bool {
	env := r.o.env
	switch t := b.Type; t.Kind {
	case expr.KindFloat32, expr.KindFloat64:
		switch s {
		case "NaN", "Infinity", "-Infinity", "+Infinity", "INF", "-INF", "+INF":
			f, _ := arrowtext.ParseFloat([]byte(s), 64)
			if t.Kind == expr.KindFloat32 {
				vec.AppendFixed(b, float32(f))
			} else {
				vec.AppendFixed(b, f)
			}
			return true
		}
		return false
	case expr.KindDecimal:
		x, status := arrowtext.ParseDecimal([]byte(strings.ReplaceAll(s, ",", "")), t.Precision, t.Scale)
		if status != arrowtext.DecimalOK {
			return false
		}
		vec.AppendFixed(b, x)
		return true
	case expr.KindDate:
		if r.o.dateSet {
			p, why := r.o.date.parse(s)
			if why != "" {
				return false
			}
			b.AppendInt(kernels.FloorDiv(p.local, kernels.Day))
			return true
		}
		d, ok := arrowtext.ParseDate([]byte(s))
		if ok {
			b.AppendInt(int64(d))
		}
		return ok
	case expr.KindTimestamp, expr.KindTimestampNTZ:
		ntz := t.Kind == expr.KindTimestampNTZ
		if r.o.timestampSet && !ntz {
			p, why := r.o.timestamp.parse(s)
			zone := env.zone
			if p.zone != "" {
				var zones arrowtext.Zones
				zone = zones.Zone(p.zone)
			}
			if why != "" || zone == nil {
				return false
			}
			b.AppendInt(zone.UTC(p.local))
			return true
		}
		parser := timestampParser{ntz: ntz}
		v, ok := parser.parse(&frame{env: env}, []byte(s))
		if ok {
			b.AppendInt(v)
		}
		return ok
	case expr.KindTime:
		v, ok := arrowtext.ParseTime([]byte(s))
		if r.o.time != nil {
			p, why := r.o.time.parse(s)
			v, ok = kernels.FloorMod(p.local, kernels.Day)*nanosPerMicro+p.nanos, why == ""
		}
		if ok {
			b.AppendInt(v - v%timeUnit(t))
		}
		return ok
	case expr.KindYearMonth:
		v, status := arrowtext.ParseYearMonth([]byte(s), int(t.From), int(t.To))
		if status == arrowtext.IntervalOK {
			b.AppendInt(int64(v))
		}
		return status == arrowtext.IntervalOK
	case expr.KindDayTime:
		v, status := arrowtext.ParseDayTime([]byte(s), int(t.From), int(t.To))
		if status == arrowtext.IntervalOK {
			b.AppendInt(v)
		}
		return status == arrowtext.IntervalOK
	case expr.KindCalendar:
		m, d, us, ok := arrowtext.ParseCalendar([]byte(s))
		if ok {
			vec.AppendFixed(b, arrow.MonthDayNanoInterval{Months: m, Days: d, Nanoseconds: us * 1000})
		}
		return ok
	}
	return false
}
