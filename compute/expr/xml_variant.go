package expr

import (
	"strconv"
	"strings"

	"github.com/flightd/flightd/internal/arrowtext"
	"github.com/flightd/flightd/kernels"
)

// xmlTree is an element as a variant sees it: the values of its attributes,
// elements and texts by name. Names that differ in case only are one.
type xmlTree struct {
	names  []string
	values map[string][]any // *xmlTree or string, by the name in lower case
	nulls  map[string]bool
}

// document reads the whole element as a variant.
func (r *xmlRowReader) document() (any, error) {
	root, err := r.root()
	if err != nil {
		return nil, err
	}
	return r.variant(root.attrs)
}

// variant reads the content of an element, and its end, as the bytes of a variant.
func (r *xmlRowReader) variant(attrs []xmlPair) (any, error) {
	t, err := r.tree(attrs)
	if err != nil {
		return nil, err
	}
	r.b.Reset()
	if err := r.append(t); err != nil {
		return nil, err
	}
	out, err := r.b.Finish(nil)
	return out, err
}

func (t *xmlTree) add(name string, v any) {
	key := strings.ToLower(name)
	if _, ok := t.values[key]; !ok {
		t.names = append(t.names, name)
	}
	t.values[key] = append(t.values[key], v)
}

func (r *xmlRowReader) tree(attrs []xmlPair) (*xmlTree, error) {
	t := &xmlTree{values: map[string][]any{}}
	for _, a := range attrs {
		t.add(a.name, a.text)
	}
	for {
		e, err := r.next()
		if err != nil {
			return nil, err
		}
		switch {
		case e.kind == xmlEnd:
			return t, nil
		case e.kind == xmlStart:
			kid, err := r.tree(e.attrs)
			if err != nil {
				return nil, err
			}
			t.add(e.name, kid)
		case !e.blank():
			t.add(r.o.valueTag, e.text)
		}
	}
}

// append appends an element: null if there is nothing in it, its text if there is
// nothing else, or an object in which repeated names have arrays.
func (r *xmlRowReader) append(v any) error {
	t, ok := v.(*xmlTree)
	switch {
	case !ok:
		r.scalar(v.(string))
		return nil
	case len(t.names) == 0:
		r.b.Null()
		return nil
	case len(t.names) == 1 && strings.EqualFold(t.names[0], r.o.valueTag):
		if texts := t.values[strings.ToLower(t.names[0])]; len(texts) == 1 {
			return r.append(texts[0])
		}
	}
	r.b.Begin()
	for _, name := range t.names {
		r.b.Field(name)
		values := t.values[strings.ToLower(name)]
		if len(values) == 1 {
			if err := r.append(values[0]); err != nil {
				return err
			}
			continue
		}
		r.b.Begin()
		for _, v := range values {
			r.b.Elem()
			if err := r.append(v); err != nil {
				return err
			}
		}
		r.b.EndArray()
	}
	return r.b.EndObject()
}

// scalar appends a text as what it says: a boolean, an integer, a decimal, or text.
func (r *xmlRowReader) scalar(text string) {
	s := r.o.trim(text)
	if r.o.isNull(text) {
		r.b.Null()
		return
	}
	switch lower := strings.ToLower(s); {
	case s == "" || r.o.texts:
	case lower == "true" || lower == "false":
		r.b.Bool(lower == "true")
		return
	default:
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			r.b.Long(n)
			return
		}
		if x, scale, ok := exactDecimal(strings.ReplaceAll(s, ",", "")); ok {
			r.b.Decimal(x, scale)
			return
		}
	}
	r.b.String([]byte(s))
}

// exactDecimal reads a number as it is written; false if it has more digits than a
// decimal can hold.
func exactDecimal(s string) (x kernels.Int128, scale int, ok bool) {
	n, good := arrowtext.ScanDecimal([]byte(s))
	if !good || strings.ContainsAny(s, "NIn ") {
		return x, 0, false
	}
	b, scale := n.BigDecimal()
	if scale < 0 {
		if -scale > 38 {
			return x, 0, false
		}
		x, ok = kernels.FromBig(b)
		if !ok {
			return x, 0, false
		}
		x, ok = kernels.Rescale(x, 0, -scale)
		return x, 0, ok && x.Digits() <= 38
	}
	x, ok = kernels.FromBig(b)
	return x, scale, ok && scale <= 38 && x.Digits() <= 38
}
