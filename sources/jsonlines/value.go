package jsonlines

import (
	"github.com/flightd/flightd/sources/columnar"
)

// outcome is what became of a value.
type outcome uint8

const (
	taken    outcome = iota // the column has one more cell
	mismatch                // it is JSON and was passed over; the column is as before
	broken                  // it is not JSON
)

// row decodes the object at the scanner into row n of the root.
func (d *Decoder) row(n, depth int) bool { return d.fields(&d.root, n, depth) }

// fields decodes the object at the scanner into cell at of o's fields; a field
// that does not convert becomes null.
func (d *Decoder) fields(o *node, at, depth int) bool {
	s := &d.s
	first, next := true, &o.first
	for {
		var f *node
		if l := *next; l != nil && depth < maxDepth && l.at(s.pad, s.i, len(s.b)) {
			s.i += len(l.text)
			f, first, next = l.field, false, &l.next
		} else {
			start := s.i
			name, more, ok := s.key(&first, depth)
			if !ok || !more {
				return ok
			}
			f = o.field(name)
			s.peek()
			next = o.learn(next, s.b[start:s.i], f)
		}
		if f == nil {
			if !s.skip(depth + 1) {
				return false
			}
			continue
		}
		if f.col.Len() > at { // the name came before: the last value counts
			f.col.Truncate(at)
		}
		if !d.quick(f.col) && !d.slow(f, depth) {
			return false
		}
	}
}

// slow decodes the value at the scanner, whatever it is, into f's column.
func (d *Decoder) slow(f *node, depth int) bool {
	s := &d.s
	start := s.i
	switch d.value(f, depth+1) {
	case broken:
		return false
	case mismatch:
		d.reject(f.col, s.b[start:s.i])
		f.col.AppendNull()
	}
	return true
}

// field finds the field name; nil if it is not wanted. Objects of a file mostly
// have the same order of fields, so the one after the last is tried first.
func (o *node) field(name []byte) *node {
	if o.next < len(o.children) {
		if f := o.children[o.next]; f.col.Name == string(name) {
			o.next++
			return f
		}
	}
	i, ok := o.index[string(name)]
	if !ok {
		return nil
	}
	o.next = i + 1
	return o.children[i]
}

// value decodes one value into n's column.
func (d *Decoder) value(n *node, depth int) outcome {
	s := &d.s
	c := s.peek()
	if c == 'n' {
		if !s.word("null") {
			return broken
		}
		n.col.AppendNull()
		return taken
	}
	switch n.col.Kind {
	case columnar.Struct:
		if c == '{' {
			n.next = 0
			if !d.fields(n, n.col.Len(), depth) {
				return broken
			}
			n.col.CloseStruct()
			return taken
		}
	case columnar.List:
		if c == '[' {
			return d.list(n, depth)
		}
	case columnar.Map:
		if c == '{' {
			return d.dict(n, depth)
		}
	default:
		return d.scalar(n.col, c, depth)
	}
	return d.pass(depth)
}

// pass skips a value that the column cannot take.
func (d *Decoder) pass(depth int) outcome {
	if !d.s.skip(depth) {
		return broken
	}
	return mismatch
}

// list decodes an array. One element that does not convert makes the whole list
// not convert; a struct whose fields do not all convert is still an element.
func (d *Decoder) list(n *node, depth int) outcome {
	s := &d.s
	elem := n.children[0]
	at, result := n.col.Len(), taken
	first := true
	for {
		more, ok := s.element(&first, depth)
		switch {
		case !ok:
			return broken
		case !more && result == mismatch:
			n.col.Truncate(at)
			return mismatch
		case !more:
			n.col.CloseList()
			return taken
		case result == mismatch:
			if !s.skip(depth + 1) {
				return broken
			}
		default:
			if result = d.value(elem, depth+1); result == broken {
				return broken
			}
		}
	}
}

// dict decodes an object into a map.
func (d *Decoder) dict(n *node, depth int) outcome {
	s := &d.s
	key, val := n.children[0].col, n.children[1]
	at, result := n.col.Len(), taken
	first := true
	for {
		name, more, ok := s.key(&first, depth)
		switch {
		case !ok:
			return broken
		case !more && result == mismatch:
			n.col.Truncate(at)
			return mismatch
		case !more:
			n.col.CloseList()
			return taken
		case result == mismatch:
			if !s.skip(depth + 1) {
				return broken
			}
		default:
			if !key.AppendBytes(name) {
				return broken
			}
			if result = d.value(val, depth+1); result == broken {
				return broken
			}
		}
	}
}

// scalar decodes a value of a column without children.
func (d *Decoder) scalar(col *columnar.Column, c byte, depth int) outcome {
	s := &d.s
	start := s.i
	switch {
	case s.isQuote(c):
		tok, ok := s.text()
		if !ok {
			return broken
		}
		return appended(d.fromText(col, tok))
	case col.Kind == columnar.String:
		if !s.skip(depth) {
			return broken
		}
		return appended(col.AppendBytes(s.b[start:s.i]))
	case c == 't' || c == 'f':
		word := "true"
		if c == 'f' {
			word = "false"
		}
		if !s.word(word) {
			return broken
		}
		if col.Kind != columnar.Bool {
			return mismatch
		}
		col.AppendBool(c == 't')
		return taken
	case c == '{' || c == '[' || c == 0:
		return d.pass(depth)
	case c == '-' || c == '+' || c >= '0' && c <= '9' || c == 'N' || c == 'I':
		tok, whole, ok := s.number()
		if !ok {
			return broken
		}
		return appended(fromNumber(col, tok, whole))
	}
	s.fail("a value is missing")
	return broken
}

func appended(ok bool) outcome {
	if ok {
		return taken
	}
	return mismatch
}

func (d *Decoder) fromText(col *columnar.Column, tok []byte) bool {
	switch col.Kind {
	case columnar.String:
		return col.AppendBytes(tok)
	case columnar.Binary:
		return col.AppendBase64(tok)
	case columnar.Float32, columnar.Float64:
		v, ok := columnar.ParseSpecialFloat(tok)
		if ok = ok && d.opt.NonNumeric; ok {
			col.AppendFloat(v)
		}
		return ok
	case columnar.Decimal:
		return col.AppendDecimalText(tok)
	case columnar.Date:
		return col.AppendDateText(tok)
	case columnar.Timestamp, columnar.TimestampNTZ:
		return col.AppendTimestampText(tok, d.zone)
	}
	return false
}

func fromNumber(col *columnar.Column, tok []byte, whole bool) bool {
	switch col.Kind {
	case columnar.Int8, columnar.Int16, columnar.Int32, columnar.Int64:
		if !whole {
			return false
		}
		v, ok := columnar.ParseInt(tok)
		return ok && col.AppendInt(v)
	case columnar.Timestamp: // seconds
		if !whole {
			return false
		}
		v, ok := columnar.ParseInt(tok)
		const most = 1<<63/1_000_000 - 1
		return ok && v >= -most && v <= most && col.AppendInt(v*1_000_000)
	case columnar.Float32, columnar.Float64:
		v, ok := columnar.ParseSpecialFloat(tok)
		if !ok && col.Kind == columnar.Float32 {
			v, ok = columnar.ParseFloat32(tok)
		} else if !ok {
			v, ok = columnar.ParseFloat(tok)
		}
		if ok {
			col.AppendFloat(v)
		}
		return ok
	case columnar.Decimal:
		return col.AppendDecimalText(tok)
	}
	return false
}
