package jsonlines

import (
	"encoding/binary"

	"github.com/flightd/flightd/sources/columnar"
)

// A literal is what stood between two values of an object: the comma or brace,
// the name, the colon and the white space around them, as written. The lines of a
// file mostly repeat their literals in the same order, so the one that came next
// the last time is compared first, by words, and what it means is known.
type literal struct {
	text  string
	field *node // nil: not wanted
	// next is the literal that came after this one last.
	next *literal
	// head are the first 16 bytes, those behind the end of text masked out.
	head, mask [2]uint64
}

const (
	// maxLiteral and maxLiterals bound what is remembered of an object's names.
	maxLiteral  = 128
	maxLiterals = 256
)

func newLiteral(text []byte, field *node) *literal {
	l := &literal{text: string(text), field: field}
	var head, mask [16]byte
	for i := range copy(head[:], text) {
		mask[i] = 0xff
	}
	for i := range l.head {
		l.head[i], l.mask[i] = binary.LittleEndian.Uint64(head[8*i:]), binary.LittleEndian.Uint64(mask[8*i:])
	}
	return l
}

// at reports whether the literal stands at b[i:end]. b has LinePad bytes behind
// end.
func (l *literal) at(b []byte, i, end int) bool {
	w := b[i : i+16]
	if (binary.LittleEndian.Uint64(w)^l.head[0])&l.mask[0]|(binary.LittleEndian.Uint64(w[8:])^l.head[1])&l.mask[1] != 0 {
		return false
	}
	return i+len(l.text) <= end && (len(l.text) <= 16 || string(b[i+16:i+len(l.text)]) == l.text[16:])
}

// learn notes that text, which means field, came where *was points, and returns
// where the one after it is to be noted.
func (o *node) learn(was **literal, text []byte, field *node) **literal {
	if len(text) > maxLiteral {
		return &o.unknown
	}
	var l *literal
	for _, k := range o.literals {
		if k.text == string(text) {
			l = k
			break
		}
	}
	if l == nil {
		if len(o.literals) == maxLiterals {
			return &o.unknown
		}
		l = newLiteral(text, field)
		o.literals = append(o.literals, l)
	}
	*was = l
	return &l.next
}

// quick decodes the value at the scanner if it is of the plain form that most
// have: digits for a number, a text without escapes, nothing but a comma or brace
// behind it. Otherwise nothing is changed: what the value is, and what is wrong
// with it, is found by the long way.
func (d *Decoder) quick(c *columnar.Column) bool {
	s := &d.s
	switch c.Kind {
	case columnar.Int8, columnar.Int16, columnar.Int32, columnar.Int64:
		v, end, ok := columnar.ScanInt(s.pad, s.i)
		if !ok || !s.ends(end) || !c.AppendInt(v) {
			return false
		}
		s.i = end
		return true
	case columnar.Float64:
		v, end, ok := columnar.ScanFloat(s.pad, s.i)
		if !ok || !s.ends(end) {
			return false
		}
		c.AppendFloat(v)
		s.i = end
		return true
	case columnar.String, columnar.Timestamp, columnar.TimestampNTZ:
		if s.pad[s.i] != '"' {
			return false
		}
		end := plain(s.pad, s.i+1, '"')
		if end >= len(s.b) || s.b[end] != '"' {
			return false
		}
		if c.Kind == columnar.String {
			if !c.AppendWithin(s.pad, s.i+1, end) {
				return false
			}
		} else if !c.AppendTimestampText(s.b[s.i+1:end], d.zone) {
			return false
		}
		s.i = end + 1
		return true
	}
	return false
}

// ends reports whether a number may end at i, without white space behind it.
func (s *scanner) ends(i int) bool { return i < len(s.b) && (s.b[i] == ',' || s.b[i] == '}') }
