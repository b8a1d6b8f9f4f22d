package expr

import (
	"encoding/base64"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/arrowtext"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/variant"
	"github.com/flightd/flightd/plan/expr"
)

// makeToXML writes structs and variants as elements. Fields whose names begin with
// the attribute prefix are attributes, the value tag's is the element's text.
func makeToXML(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	o, err := newXMLOptions(c, 1, env, false)
	if err != nil {
		return nil, err
	}
	return newFunction(c, args[:1], env, func(f *frame) error {
		v := f.args[0]
		return safely(func() error {
			return f.write(func(i int, dst []byte) ([]byte, error) {
				w := &xmlWriter{o: o, dst: dst}
				w.child(o.rowTag, v, i)
				if w.err != nil {
					return dst, w.err.At(c.At)
				}
				return w.dst, nil
			})
		})
	}), nil
}

// xmlWriter writes elements, indented: an element that has elements in it ends on a
// line of its own.
type xmlWriter struct {
	o    *xmlOptions
	dst  []byte
	open []xmlOpen
	err  *base.Error
}

// xmlOpen is an element that has begun.
type xmlOpen struct {
	name string
	// closed: its first tag has its bracket; kids: it has elements in it.
	closed, kids bool
}

func (w *xmlWriter) fail(format string, args ...any) {
	if w.err == nil {
		w.err = javaMessage("XMLStreamException", fmt.Sprintf(format, args...))
	}
}

func (w *xmlWriter) begin(name string) {
	w.checkName(name)
	w.bracket()
	if n := len(w.open); n > 0 {
		w.open[n-1].kids = true
		w.line(n)
	}
	w.dst = append(append(w.dst, '<'), name...)
	w.open = append(w.open, xmlOpen{name: name})
}

// bracket ends the first tag of the innermost element.
func (w *xmlWriter) bracket() {
	if n := len(w.open); n > 0 && !w.open[n-1].closed {
		w.open[n-1].closed = true
		w.dst = append(w.dst, '>')
	}
}

func (w *xmlWriter) line(depth int) {
	if w.o.indent == "" {
		return
	}
	w.dst = append(w.dst, '\n')
	for range depth {
		w.dst = append(w.dst, w.o.indent...)
	}
}

func (w *xmlWriter) end() {
	n := len(w.open) - 1
	e := w.open[n]
	w.open = w.open[:n]
	if !e.closed {
		w.dst = append(w.dst, "/>"...)
		return
	}
	if e.kids {
		w.line(n)
	}
	w.dst = append(append(append(w.dst, "</"...), e.name...), '>')
}

func (w *xmlWriter) characters(s []byte) {
	w.bracket()
	for i, c := range s {
		switch {
		case c == '<':
			w.dst = append(w.dst, "&lt;"...)
		case c == '&':
			w.dst = append(w.dst, "&amp;"...)
		case c == '>' && i >= 2 && s[i-1] == ']' && s[i-2] == ']':
			w.dst = append(w.dst, "&gt;"...)
		case c == '\r':
			w.dst = append(w.dst, "&#xd;"...)
		case c < 0x20 && c != '\t' && c != '\n':
			w.fail("a character of code %d cannot stand in a document", c)
		default:
			w.dst = append(w.dst, c)
		}
	}
}

func (w *xmlWriter) attribute(name string, s []byte) {
	w.checkName(name)
	if n := len(w.open); n == 0 || w.open[n-1].closed {
		w.fail("an attribute stands behind the content of its element")
	}
	w.dst = append(append(append(w.dst, ' '), name...), `="`...)
	for _, c := range s {
		switch {
		case c == '<':
			w.dst = append(w.dst, "&lt;"...)
		case c == '&':
			w.dst = append(w.dst, "&amp;"...)
		case c == '"':
			w.dst = append(w.dst, "&quot;"...)
		case c == '\n' || c == '\t' || c == '\r':
			w.dst = fmt.Appendf(w.dst, "&#x%x;", c)
		case c < 0x20:
			w.fail("a character of code %d cannot stand in a document", c)
		default:
			w.dst = append(w.dst, c)
		}
	}
	w.dst = append(w.dst, '"')
}

// checkName refuses what is no name of XML.
func (w *xmlWriter) checkName(name string) {
	if name == "" {
		w.fail("a name is empty")
	}
	for i, r := range name {
		letter := r == '_' || r == ':' || unicode.IsLetter(r)
		if !letter && (i == 0 || r != '-' && r != '.' && !unicode.IsDigit(r) && !unicode.IsMark(r)) || r == utf8.RuneError {
			w.fail("%q cannot stand in a name", r)
			return
		}
	}
}

func (w *xmlWriter) isAttribute(name string) bool {
	return strings.HasPrefix(name, w.o.attributePrefix) && name != w.o.valueTag
}

// child writes row i of v as an element of a name.
func (w *xmlWriter) child(name string, v *vec.Vec, i int) {
	null := v.Null(i)
	switch {
	case null && !w.o.hasNull:
	case name == w.o.valueTag:
		w.content(v, i)
	case v.Type.Kind == expr.KindVariant && !null:
		w.variant(name, variant.Open(v.Str(i)))
	default:
		w.begin(name)
		w.content(v, i)
		w.end()
	}
}

// member writes row i of v as a field of a name: an attribute, an element, or an
// element for each member of an array.
func (w *xmlWriter) member(name string, v *vec.Vec, i int) {
	null := v.Null(i)
	switch {
	case w.isAttribute(name) && null:
		if w.o.hasNull {
			w.attribute(name[len(w.o.attributePrefix):], []byte(w.o.null))
		}
	case w.isAttribute(name):
		w.attribute(name[len(w.o.attributePrefix):], w.raw(v, i))
	case v.Type.Kind == expr.KindArray && !null:
		at := v.Index(i)
		for k := v.Off[at]; k < v.Off[at+1]; k++ {
			w.child(name, v.Kids[0], int(k))
		}
	default:
		w.child(name, v, i)
	}
}

// raw is a value as an attribute shows it: dates and times as their counts.
func (w *xmlWriter) raw(v *vec.Vec, i int) []byte {
	switch x := Value(v, i).(type) {
	case int64:
		return fmt.Append(nil, x)
	default:
		return appendText(nil, v, i, nil)
	}
}

// content writes row i of v inside its element.
func (w *xmlWriter) content(v *vec.Vec, i int) {
	if v.Null(i) {
		w.characters([]byte(w.o.null))
		return
	}
	i = v.Index(i)
	switch t := v.Type; t.Kind {
	case expr.KindArray:
		for k := v.Off[i]; k < v.Off[i+1]; k++ {
			w.member(w.o.arrayName, v.Kids[0], int(k))
		}
	case expr.KindMap:
		for _, attributes := range []bool{true, false} {
			for k := v.Off[i]; k < v.Off[i+1]; k++ {
				name := string(appendText(nil, v.Kids[0], int(k), nil))
				if w.isAttribute(name) == attributes {
					w.member(name, v.Kids[1], int(k))
				}
			}
		}
	case expr.KindStruct:
		for _, attributes := range []bool{true, false} {
			for k, kid := range v.Kids {
				if name := t.Fields[k].Name; w.isAttribute(name) == attributes {
					w.member(name, kid, i)
				}
			}
		}
	case expr.KindDate:
		day, _ := arrowtext.JoinDay(int64(vec.Values[int32](v)[i]), 0)
		w.characters(w.o.date.format(nil, day, 0, utc, timeUTC))
	case expr.KindTimestamp:
		w.characters(w.o.timestamp.format(nil, vec.Values[int64](v)[i], 0, w.o.env.zone, w.o.env.Zone))
	case expr.KindTimestampNTZ:
		w.characters(w.o.ntz.format(nil, vec.Values[int64](v)[i], 0, utc, timeUTC))
	case expr.KindBinary:
		w.characters(bracketedHex(v.Str(i)))
	case expr.KindYearMonth, expr.KindDayTime, expr.KindCalendar, expr.KindTime:
		if w.err == nil {
			w.err = base.UserError("_LEGACY_ERROR_TEMP_3238", "", "A value of the type %q has no form in XML.", t.SQL())
		}
	default:
		w.characters(appendText(nil, v, i, nil))
	}
}

// bracketedHex is how bytes show in XML: [0A FF].
func bracketedHex(s []byte) []byte {
	dst := []byte{'['}
	for i := range s {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = arrowtext.AppendHex(dst, s[i:i+1])
	}
	return append(dst, ']')
}

// variant writes a variant as an element of a name; an array as an element for
// each member.
func (w *xmlWriter) variant(name string, v variant.Value) {
	switch v.Kind() {
	case variant.Object:
		w.begin(name)
		for _, attributes := range []bool{true, false} {
			for i := range v.Len() {
				field, x := v.Field(i)
				if w.isAttribute(string(field)) == attributes {
					w.variant(string(field), x)
				}
			}
		}
		w.end()
		return
	case variant.Array:
		for i := range v.Len() {
			x := v.Elem(i)
			if x.Kind() == variant.Array {
				w.variant(w.o.arrayName, x)
			} else {
				w.variant(name, x)
			}
		}
		return
	}
	text, ok := w.scalar(v)
	switch {
	case ok && w.isAttribute(name):
		w.attribute(name[len(w.o.attributePrefix):], text)
	case ok && name == w.o.valueTag:
		w.characters(text)
	default:
		w.begin(name)
		if ok {
			w.characters(text)
		}
		w.end()
	}
}

// scalar is the text of a variant that is no object or array; false for null.
func (w *xmlWriter) scalar(v variant.Value) ([]byte, bool) {
	switch v.Kind() {
	case variant.Null:
		return []byte(w.o.null), w.o.hasNull
	case variant.String:
		return v.Bytes(), true
	case variant.Binary:
		return base64.StdEncoding.AppendEncode(nil, v.Bytes()), true
	case variant.Date:
		day, _ := arrowtext.JoinDay(v.Int(), 0)
		return w.o.date.format(nil, day, 0, utc, timeUTC), true
	case variant.Timestamp:
		return w.o.timestamp.format(nil, v.Int(), 0, w.o.env.zone, w.o.env.Zone), true
	case variant.TimestampNTZ:
		return w.o.ntz.format(nil, v.Int(), 0, utc, timeUTC), true
	}
	return []byte(strings.Trim(string(arrowtext.AppendVariant(nil, v, nil)), `"`)), true
}
