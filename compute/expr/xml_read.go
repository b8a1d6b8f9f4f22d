package expr

import (
	"errors"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/arrowtext"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/variant"
	"github.com/flightd/flightd/plan/expr"
)

func xmlRows() map[string]row {
	return map[string]row{
		"from_xml":      {makeFromXML},
		"to_xml":        {makeToXML},
		"schema_of_xml": prepared(schemaOfXML),
	}
}

// makeFromXML reads the element of a document as the call's type, a struct or
// VARIANT. Members are read in the order of the text; the first that does not fit
// its type spoils the record, of which what was read so far is kept.
func makeFromXML(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	o, err := newXMLOptions(c, 2, env, true)
	if err != nil {
		return nil, err
	}
	if o.mode != "PERMISSIVE" && o.mode != "FAILFAST" {
		return nil, badXMLMode(c, o.mode)
	}
	return newFunction(c, args[:1], env, func(f *frame) (err error) {
		defer variant.Catch(&err)
		b := vec.NewBuilder(c.Typ)
		a := f.text(0)
		next := 0
		err = f.tryAll(func(i int) error {
			for ; next < i; next++ {
				b.AppendNull()
			}
			next++
			if !f.valid(i) {
				b.AppendNull()
				return nil
			}
			v, err := o.record(c, a.at(i))
			if err != nil {
				return err
			}
			return AppendValue(b, v)
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

func badXMLMode(c *expr.Call, mode string) error {
	return base.UserError("PARSE_MODE_UNSUPPORTED", "42601",
		"The function `%s` doesn't support the %s mode. Acceptable modes are PERMISSIVE and FAILFAST.", c.Fn, mode).At(c.At)
}

// record reads one document in a literal's form.
func (o *xmlOptions) record(c *expr.Call, s []byte) (any, error) {
	t := c.Typ
	r := &xmlRowReader{xmlReader: newXMLReader(s, o)}
	var v any
	var bad error
	switch {
	case t.Kind == expr.KindVariant:
		v, bad = r.document()
	case len(t.Fields) == 1 && t.Fields[0].Name == o.single && t.Fields[0].Type.Kind == expr.KindVariant:
		var one any
		if one, bad = r.document(); bad == nil {
			v = []any{one}
		}
	default:
		var root xmlEvent
		if root, bad = r.root(); bad == nil {
			var fields []any
			if fields, bad = r.object(t, root.attrs); fields != nil {
				v = fields
			}
		}
	}
	if bad == nil {
		return v, nil
	}
	if o.mode == "FAILFAST" {
		return nil, base.UserError("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "22023",
			"The record %s does not fit the schema of `from_xml`. In the mode PERMISSIVE it would give NULLs.", quoted(s)).At(c.At)
	}
	if t.Kind != expr.KindStruct {
		return nil, nil
	}
	fields, ok := v.([]any)
	if !ok {
		fields = make([]any, len(t.Fields))
	}
	for k, f := range t.Fields {
		if f.Name == o.corrupt && f.Type.Kind == expr.KindString {
			fields[k] = string(s)
		}
	}
	return fields, nil
}

// xmlRowReader turns events into values in a literal's form.
type xmlRowReader struct {
	*xmlReader
	b variant.Builder
}

var errXMLValue = errors.New("a text is no value of its type")

// fieldOfXML returns the number of a struct's field, ignoring case, or −1.
func fieldOfXML(t *expr.Type, name string) int {
	for k, f := range t.Fields {
		if strings.EqualFold(f.Name, name) {
			return k
		}
	}
	return -1
}

// attributes stores attributes in the fields of a row.
func (r *xmlRowReader) attributes(t *expr.Type, row []any, attrs []xmlPair) (any bool, err error) {
	for _, a := range attrs {
		k := fieldOfXML(t, a.name)
		if k < 0 {
			continue
		}
		any = true
		if row[k] = nil; !a.null {
			if row[k], err = r.value(t.Fields[k].Type, a.text); err != nil {
				return any, err
			}
		}
	}
	return any, nil
}

// xmlList is an array that is still being read.
type xmlList struct{ items []any }

// object reads the content of an element as a struct, up to its end. With an
// error it returns what was read before, or nil if the document is malformed.
func (r *xmlRowReader) object(t *expr.Type, attrs []xmlPair) (row []any, err error) {
	row = make([]any, len(t.Fields))
	if _, err := r.attributes(t, row, attrs); err != nil {
		return nil, err
	}
	var bad error
	for {
		e, err := r.next()
		if err != nil {
			return nil, err
		}
		if e.kind == xmlEnd {
			break
		}
		if e.kind == xmlStart {
			err = r.member(t, row, &e)
		} else if k := fieldNamed(t, r.o.valueTag); k >= 0 && !e.blank() {
			if err = r.tagged(t.Fields[k].Type, &row[k], e.text); err != nil {
				return nil, err
			}
		}
		if bad == nil {
			bad = err
		}
	}
	for k, v := range row {
		if l, ok := v.(*xmlList); ok {
			row[k] = l.items
		}
	}
	return row, bad
}

func fieldNamed(t *expr.Type, name string) int {
	for k, f := range t.Fields {
		if f.Name == name {
			return k
		}
	}
	return -1
}

// tagged stores the text between elements.
func (r *xmlRowReader) tagged(t *expr.Type, at *any, text string) error {
	if t.Kind != expr.KindArray {
		v, err := r.value(t, text)
		*at = v
		return err
	}
	v, err := r.value(t.Elem, text)
	if err == nil {
		push(at, v)
	}
	return err
}

func push(at *any, v any) {
	l, ok := (*at).(*xmlList)
	if !ok {
		l = &xmlList{items: []any{}}
		*at = l
	}
	l.items = append(l.items, v)
}

// member reads a child element into its field.
func (r *xmlRowReader) member(t *expr.Type, row []any, e *xmlEvent) error {
	k := fieldOfXML(t, e.name)
	if k < 0 {
		return r.other(t, row)
	}
	switch f := t.Fields[k].Type; f.Kind {
	case expr.KindStruct:
		v, err := r.child(f, e.attrs)
		if err == nil {
			row[k] = v
		}
		return err
	case expr.KindArray:
		var v any
		var err error
		if f.Elem.Kind == expr.KindStruct {
			v, err = r.child(f.Elem, e.attrs)
		} else {
			v, err = r.field(f.Elem, e.attrs)
		}
		if err == nil {
			push(&row[k], v)
		}
		return err
	default:
		v, err := r.field(f, e.attrs)
		if err == nil {
			row[k] = v
		}
		return err
	}
}

// other reads an element without a field: into the wildcard's, or nowhere.
func (r *xmlRowReader) other(t *expr.Type, row []any) error {
	k := fieldNamed(t, r.o.wildcard)
	if k < 0 {
		return r.skip()
	}
	v, err := r.field(expr.String, nil)
	if err != nil {
		return err
	}
	if t.Fields[k].Type.Kind == expr.KindArray {
		push(&row[k], v)
	} else {
		row[k] = v
	}
	return nil
}

// child reads an element with its attributes as a struct.
func (r *xmlRowReader) child(t *expr.Type, attrs []xmlPair) (any, error) {
	own := make([]any, len(t.Fields))
	if _, err := r.attributes(t, own, attrs); err != nil {
		return nil, err
	}
	v, err := r.field(t, nil)
	if err != nil {
		return nil, err
	}
	row, ok := v.([]any)
	if !ok {
		row = make([]any, len(t.Fields))
	}
	for _, a := range attrs {
		if k := fieldOfXML(t, a.name); k >= 0 {
			row[k] = own[k]
		}
	}
	return row, nil
}

// field reads the content of an element and its end as a value of type t.
func (r *xmlRowReader) field(t *expr.Type, attrs []xmlPair) (any, error) {
	if t.Kind == expr.KindVariant {
		return r.variant(attrs)
	}
	for {
		e, err := r.peek()
		if err != nil {
			return nil, err
		}
		switch {
		case e.kind == xmlStart:
			return r.nested(t, attrs)
		case e.kind == xmlEnd && t.Kind == expr.KindString:
			if r.o.hasNull && r.o.null == "" {
				return nil, r.close()
			}
			return "", r.close()
		case e.kind == xmlEnd:
			return nil, r.close()
		case t.Kind == expr.KindStruct:
			return r.row(t)
		case t.Kind == expr.KindString:
			return r.nested(t, attrs)
		case e.blank():
			r.ahead = r.ahead[1:]
			continue
		}
		// A text that does not fit is not taken.
		scalar := t
		if t.Kind == expr.KindArray {
			scalar = t.Elem
		}
		v, err := r.value(scalar, e.text)
		if err != nil {
			return nil, err
		}
		r.ahead = r.ahead[1:]
		return v, r.close()
	}
}

func (r *xmlRowReader) row(t *expr.Type) (any, error) {
	row, err := r.object(t, nil)
	if err != nil {
		return nil, err
	}
	return row, nil
}

// nested reads an element that has elements in it.
func (r *xmlRowReader) nested(t *expr.Type, attrs []xmlPair) (any, error) {
	switch t.Kind {
	case expr.KindStruct:
		return r.row(t)
	case expr.KindMap:
		return r.entries(t, attrs)
	case expr.KindArray:
		return r.field(t.Elem, nil)
	case expr.KindString:
		s, err := r.source()
		if err != nil {
			return nil, err
		}
		return r.value(t, s)
	}
	return nil, errXMLValue
}

// entries reads elements and attributes as a map from their names.
func (r *xmlRowReader) entries(t *expr.Type, attrs []xmlPair) (any, error) {
	out := []expr.MapEntry{}
	at := map[string]int{}
	put := func(key string, v any) {
		if k, ok := at[key]; ok {
			out[k].Value = v
			return
		}
		at[key] = len(out)
		out = append(out, expr.MapEntry{Key: key, Value: v})
	}
	for _, a := range attrs {
		v, err := r.value(t.Elem, a.text)
		if err != nil {
			return nil, err
		}
		put(a.name, v)
	}
	for {
		e, err := r.next()
		if err != nil {
			return nil, err
		}
		switch {
		case e.kind == xmlEnd:
			return out, nil
		case e.kind == xmlStart:
			v, err := r.field(t.Elem, nil)
			if err != nil {
				return nil, err
			}
			put(e.name, v)
		case !e.blank():
			v, err := r.value(t.Elem, e.text)
			if err != nil {
				return nil, err
			}
			put(r.o.valueTag, v)
		}
	}
}

// value reads a text as a scalar.
func (r *xmlRowReader) value(t *expr.Type, text string) (any, error) {
	s := r.o.trim(text)
	if r.o.isNull(s) {
		return nil, nil
	}
	switch {
	case t.Kind == expr.KindNull, t.Kind == expr.KindString:
		return s, nil
	case t.IsInteger():
		return xmlInteger(s, t)
	case t.Kind == expr.KindFloat32 || t.Kind == expr.KindFloat64:
		return xmlFloat(s, t)
	case t.Kind == expr.KindBool:
		switch strings.ToLower(s) {
		case "true", "1":
			return true, nil
		case "false", "0":
			return false, nil
		}
	case t.Kind == expr.KindDecimal:
		x, status := arrowtext.ParseDecimal([]byte(strings.ReplaceAll(s, ",", "")), t.Precision, t.Scale)
		if status == arrowtext.DecimalOK {
			return decimal128.New(x.Hi, x.Lo), nil
		}
	case t.Kind == expr.KindBinary:
		if out, ok := fromHex(nil, []byte(s)); ok && len(s)%2 == 0 {
			return out, nil
		}
	case t.Kind == expr.KindDate, t.Kind == expr.KindTimestamp, t.Kind == expr.KindTimestampNTZ:
		b := vec.NewBuilder(t)
		j := jsonReader{o: r.o.jsonOptions}
		if j.text(b, s) {
			return Value(b.Vec(), 0), nil
		}
	}
	return nil, errXMLValue
}

// xmlInteger reads an integer as Java does, with one sign taken off before that
// where the type is INT or BIGINT.
func xmlInteger(s string, t *expr.Type) (any, error) {
	negative := false
	if t.Kind >= expr.KindInt32 && s != "" && (s[0] == '+' || s[0] == '-') {
		negative, s = s[0] == '-', s[1:]
	}
	n, err := strconv.ParseInt(s, 10, 8*t.Width())
	if err != nil {
		return nil, errXMLValue
	}
	if negative {
		n = -n
	}
	return n, nil
}

// xmlFloat reads a number as Java does, or else the number that s begins with, in
// which commas may stand between digits.
func xmlFloat(s string, t *expr.Type) (any, error) {
	negative := false
	if s != "" && (s[0] == '+' || s[0] == '-') {
		negative, s = s[0] == '-', s[1:]
	}
	x, ok := javaDouble(s, t)
	if !ok {
		x, ok = leadingNumber(s)
	}
	if !ok {
		return nil, errXMLValue
	}
	if negative {
		x = -x
	}
	if t.Kind == expr.KindFloat32 {
		return float32(x), nil
	}
	return x, nil
}

// leadingNumber reads the digits, commas, point and exponent that s begins with.
func leadingNumber(s string) (float64, bool) {
	end, digits, point := 0, 0, false
	for ; end < len(s); end++ {
		c := s[end]
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c == ',' && !point && digits > 0, c == '-' && end == 0:
		case c == '.' && !point:
			point = true
		default:
			goto cut
		}
	}
cut:
	if digits == 0 {
		return 0, false
	}
	x, err := strconv.ParseFloat(strings.TrimSuffix(strings.ReplaceAll(s[:end], ",", ""), "."), 64)
	return x, err == nil
}
