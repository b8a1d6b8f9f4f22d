package expr

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

// xmlOptions are the options of from_xml, to_xml and schema_of_xml.
type xmlOptions struct {
	*jsonOptions
	attributePrefix, valueTag, wildcard string
	rowTag, arrayName, indent           string
	// null is the text that stands for NULL, if hasNull.
	null                                                      string
	hasNull                                                   bool
	dropAttributes, keepSpaces, dropPrefixes, texts, decimals bool
	single                                                    string
}

func newXMLOptions(c *expr.Call, arg int, env *Env, parsing bool) (*xmlOptions, error) {
	common, err := newJSONOptions(c, arg, env, parsing)
	if err != nil {
		return nil, err
	}
	common.dateSet = true // a date has its pattern here, and nothing behind it
	o := &xmlOptions{jsonOptions: common, attributePrefix: "_", valueTag: "_VALUE", wildcard: "xs_any", rowTag: "ROW", arrayName: "item", indent: "    "}
	set, err := optionsOf(c, arg, env)
	if err != nil {
		return nil, err
	}
	for _, given := range set {
		val, yes := given.value, strings.EqualFold(given.value, "true")
		switch given.name {
		case "rowvalidationxsdpath":
			return nil, base.UserError("UNSUPPORTED_FEATURE", "0A000", "The option rowValidationXSDPath: documents are not validated against schemas.").At(c.At)
		case "attributeprefix":
			o.attributePrefix = val
		case "valuetag":
			o.valueTag = val
		case "wildcardcolname":
			o.wildcard = val
		case "rowtag":
			o.rowTag = val
		case "arrayelementname":
			o.arrayName = val
		case "indent":
			o.indent = val
		case "nullvalue":
			o.null, o.hasNull = val, true
		case "excludeattribute":
			o.dropAttributes = yes
		case "ignoresurroundingspaces":
			o.keepSpaces = !yes
		case "ignorenamespace":
			o.dropPrefixes = yes
		case "inferschema":
			o.texts = !yes
		case "prefersdecimal":
			o.decimals = yes
		case "singlevariantcolumn":
			o.single = val
		}
	}
	return o, nil
}

// An option is a name in lower case and its value.
type option struct{ name, value string }

// optionsOf returns the options that argument arg of a call gives, in their order.
func optionsOf(c *expr.Call, arg int, env *Env) ([]option, error) {
	if arg >= len(c.Args) {
		return nil, nil
	}
	lit, err := Fold(c.Args[arg], env)
	if err != nil {
		return nil, err
	}
	entries, _ := lit.Value.([]expr.MapEntry)
	set := make([]option, len(entries))
	for i, m := range entries {
		name, _ := m.Key.(string)
		set[i].name = strings.ToLower(name)
		set[i].value, _ = m.Value.(string)
	}
	return set, nil
}

// xmlEventKind is the kind of an event of a document.
type xmlEventKind uint8

const (
	xmlStart xmlEventKind = iota
	xmlEnd
	xmlChars
)

// xmlEvent is the beginning or end of an element or text. Comments and
// instructions make no event, but text on both sides of one makes two.
type xmlEvent struct {
	kind  xmlEventKind
	name  string
	text  string
	attrs []xmlPair
}

// xmlPair is an attribute: its name, with the prefix that options ask for, and its
// text; null if that stands for NULL.
type xmlPair struct {
	name, text string
	null       bool
}

var errXMLEnd = errors.New("the document ends inside an element")

// xmlReader reads the events of the first element of a document, one after
// another. What stands behind that is not looked at.
type xmlReader struct {
	d    *xml.Decoder
	o    *xmlOptions
	open []string
	// ahead are events that were read but not taken.
	ahead []xmlEvent
	done  bool
	err   error
}

func newXMLReader(s []byte, o *xmlOptions) *xmlReader {
	d := xml.NewDecoder(bytes.NewReader(s))
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	return &xmlReader{d: d, o: o}
}

// peek returns the next event without taking it.
func (r *xmlReader) peek() (*xmlEvent, error) {
	for len(r.ahead) == 0 {
		if r.err != nil {
			return nil, r.err
		}
		if r.done {
			return nil, errXMLEnd
		}
		r.read()
	}
	return &r.ahead[0], nil
}

// next takes the next event.
func (r *xmlReader) next() (xmlEvent, error) {
	e, err := r.peek()
	if err != nil {
		return xmlEvent{}, err
	}
	r.ahead = r.ahead[1:]
	return *e, nil
}

// read reads tokens up to an event that text cannot be part of any more.
func (r *xmlReader) read() {
	var text []byte
	flush := func() {
		if text != nil {
			r.ahead = append(r.ahead, xmlEvent{kind: xmlChars, text: string(text)})
			text = nil
		}
	}
	for {
		t, err := r.d.RawToken()
		if err != nil {
			if err == io.EOF {
				err = errXMLEnd
			}
			flush()
			r.err = err
			return
		}
		switch t := t.(type) {
		case xml.CharData:
			if len(r.open) == 0 {
				if len(bytes.TrimSpace(t)) > 0 {
					r.err = errXMLShape
					return
				}
				continue
			}
			text = append(text, t...)
		case xml.StartElement:
			flush()
			r.start(t)
			return
		case xml.EndElement:
			flush()
			r.end(xmlName(t.Name))
			return
		case xml.Comment, xml.ProcInst:
			if text != nil {
				flush()
				return
			}
		}
	}
}

func (r *xmlReader) start(t xml.StartElement) {
	if len(r.open) >= maxXMLDepth {
		r.err = errXMLDepth
		return
	}
	e := xmlEvent{kind: xmlStart, name: r.name(xmlName(t.Name))}
	seen := map[string]bool{}
	for _, a := range t.Attr {
		name := xmlName(a.Name)
		if seen[name] {
			r.err = errXMLShape
			return
		}
		seen[name] = true
		if r.o.dropAttributes {
			continue
		}
		v := r.o.trim(a.Value)
		e.attrs = append(e.attrs, xmlPair{r.o.attributePrefix + r.name(name), v, r.o.isNull(v)})
	}
	r.open = append(r.open, xmlName(t.Name))
	r.ahead = append(r.ahead, e)
}

func (r *xmlReader) end(name string) {
	n := len(r.open)
	if n == 0 || r.open[n-1] != name {
		r.err = errXMLShape
		return
	}
	r.open = r.open[:n-1]
	r.done = n == 1
	r.ahead = append(r.ahead, xmlEvent{kind: xmlEnd, name: r.name(name)})
}

// name is a name as the options want it.
func (r *xmlReader) name(s string) string {
	if r.o.dropPrefixes {
		return s[strings.LastIndexByte(s, ':')+1:]
	}
	return s
}

func (o *xmlOptions) trim(s string) string {
	if o.keepSpaces {
		return s
	}
	return strings.TrimFunc(s, func(r rune) bool { return r <= ' ' })
}

func (o *xmlOptions) isNull(s string) bool { return o.hasNull && s == o.null }

func (e *xmlEvent) blank() bool {
	return strings.Trim(e.text, " \t\r\n") == ""
}

// root takes the beginning of the document's element.
func (r *xmlReader) root() (xmlEvent, error) { return r.next() }

// skip takes the rest of the element that has begun, its end included.
func (r *xmlReader) skip() error {
	for depth := 1; depth > 0; {
		e, err := r.next()
		if err != nil {
			return err
		}
		switch e.kind {
		case xmlStart:
			depth++
		case xmlEnd:
			depth--
		}
	}
	return nil
}

var errXMLContent = errors.New("an element has more content than its type can hold")

// close takes the end of an element; only white space may stand before it.
func (r *xmlReader) close() error {
	for {
		e, err := r.next()
		switch {
		case err != nil:
			return err
		case e.kind == xmlEnd:
			return nil
		case e.kind == xmlStart || !e.blank():
			return errXMLContent
		}
	}
}

// source takes what is left of the element that has begun and returns it as XML
// text, without its end.
func (r *xmlReader) source() (string, error) {
	var b strings.Builder
	for depth := 0; ; {
		e, err := r.next()
		if err != nil {
			return "", err
		}
		switch e.kind {
		case xmlStart:
			depth++
			b.WriteString("<" + e.name)
			for _, a := range e.attrs {
				b.WriteString(" " + strings.TrimPrefix(a.name, r.o.attributePrefix) + `="` + a.text + `"`)
			}
			b.WriteByte('>')
		case xmlEnd:
			depth--
			b.WriteString("</" + e.name + ">")
		default:
			b.WriteString(e.text)
		}
		ahead, err := r.peek()
		if err != nil {
			return "", err
		}
		if ahead.kind == xmlEnd && depth == 0 {
			return b.String(), r.close()
		}
	}
}
