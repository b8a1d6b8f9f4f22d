package jsonlines

import (
	"errors"
	"io"
	"sort"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sources/columnar"
)

// shape is what is known of a value's type so far.
type shape struct {
	kind shapeKind
	// digits is the number of digits of the longest whole number.
	digits int
	fields map[string]*shape // of an object
	elem   *shape            // of an array
}

type shapeKind uint8

const (
	unknown shapeKind = iota // only nulls so far
	boolean
	whole
	double
	textual
	object
	list
)

// maxInferredFields bounds the names that a file can make the schema hold.
const maxInferredFields = 10_000

// An Inferrer finds the schema of lines: bigint, double, string, boolean,
// structs and arrays, fields in order of their names; values that do not agree
// become strings. Malformed lines are left out, and add the corrupt-record
// column in the mode PERMISSIVE.
type Inferrer struct {
	opt     Options
	root    shape
	corrupt bool
	fields  int
	s       scanner
}

// NewInferrer returns an Inferrer that has seen nothing.
func NewInferrer(opt Options) *Inferrer {
	inf := &Inferrer{opt: opt, root: shape{kind: object, fields: map[string]*shape{}}}
	inf.s.single, inf.s.words = opt.SingleQuotes, opt.NonNumeric
	return inf
}

// Add reads all lines of r, which file names in errors.
func (inf *Inferrer) Add(r io.Reader, file string) error {
	lines := columnar.NewLines(r, inf.opt.LineSep)
	for {
		line, err := lines.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return base.Wrap(err, "inferring the schema of %s", file)
		}
		if ok := inf.line(line); !ok {
			if inf.opt.Malformed.Mode == columnar.FailFast {
				return inf.opt.Malformed.Error(file, lines.Position(), inf.s.why)
			}
			inf.corrupt = true
		}
		if inf.fields > maxInferredFields {
			return base.Errorf(base.CodeExhausted, "inferring the schema of %s: more than %d fields: declare a schema", file, maxInferredFields)
		}
	}
}

func (inf *Inferrer) line(line []byte) bool {
	s := &inf.s
	s.b, s.i, s.why = line, 0, ""
	c := s.peek()
	if c == 0 && s.i == len(line) {
		return true
	}
	if !utf8.Valid(line) || c != '{' && c != '[' {
		return s.fail("it is not an object")
	}
	// A line that turns out malformed says nothing about the types.
	if !s.skip(0) {
		return false
	}
	s.i = 0
	if s.peek() == '{' {
		return inf.value(&inf.root, 0)
	}
	first := true
	for {
		more, ok := s.element(&first, 0)
		if !ok || !more {
			return ok
		}
		if s.peek() != '{' {
			return s.fail("an array whose elements are not all objects")
		}
		if !inf.value(&inf.root, 1) {
			return false
		}
	}
}

// value merges the value at the scanner into sh.
func (inf *Inferrer) value(sh *shape, depth int) bool {
	s := &inf.s
	switch c := s.peek(); {
	case c == 'n':
		return s.word("null")
	case c == '{':
		if !sh.become(object) {
			return s.skip(depth)
		}
		if sh.fields == nil {
			sh.fields = map[string]*shape{}
		}
		first := true
		for {
			name, more, ok := s.key(&first, depth)
			if !ok || !more {
				return ok
			}
			f := sh.fields[string(name)]
			if f == nil {
				f = &shape{}
				sh.fields[string(name)] = f
				inf.fields++
			}
			if !inf.value(f, depth+1) {
				return false
			}
		}
	case c == '[':
		if !sh.become(list) {
			return s.skip(depth)
		}
		if sh.elem == nil {
			sh.elem = &shape{}
		}
		first := true
		for {
			more, ok := s.element(&first, depth)
			if !ok || !more {
				return ok
			}
			if !inf.value(sh.elem, depth+1) {
				return false
			}
		}
	case s.isQuote(c):
		sh.become(textual)
		return s.skip(depth)
	case c == 't' || c == 'f':
		sh.become(inf.primitive(boolean))
		return s.skip(depth)
	}
	tok, isWhole, ok := s.number()
	if !ok {
		return false
	}
	kind := double
	if isWhole {
		kind = whole
		if _, fits := columnar.ParseInt(tok); !fits {
			kind = double
			if n := len(tok); tok[0] == '-' {
				sh.digits = max(sh.digits, n-1)
			} else {
				sh.digits = max(sh.digits, n)
			}
			if sh.digits <= 38 {
				kind = whole
			}
		}
	}
	sh.become(inf.primitive(kind))
	return true
}

func (inf *Inferrer) primitive(k shapeKind) shapeKind {
	if inf.opt.PrimitivesAsString {
		return textual
	}
	return k
}

// become makes sh hold values of kind k too and reports whether it is of kind k
// now.
func (sh *shape) become(k shapeKind) bool {
	switch {
	case sh.kind == unknown || sh.kind == k:
		sh.kind = k
	case sh.kind == whole && k == double || sh.kind == double && k == whole:
		sh.kind = double
	default:
		sh.kind, sh.fields, sh.elem = textual, nil, nil
	}
	return sh.kind == k
}

// Schema returns the schema of all lines added.
func (inf *Inferrer) Schema() *arrow.Schema {
	if inf.corrupt && inf.opt.Malformed.Mode == columnar.Permissive {
		inf.root.fields[inf.opt.Malformed.Column] = &shape{kind: textual}
	}
	return arrow.NewSchema(inf.root.structFields(), nil)
}

func (sh *shape) structFields() []arrow.Field {
	names := make([]string, 0, len(sh.fields))
	for n := range sh.fields {
		names = append(names, n)
	}
	sort.Strings(names)
	var out []arrow.Field
	for _, n := range names {
		if t := sh.fields[n].dataType(); t != nil {
			out = append(out, arrow.Field{Name: n, Type: t, Nullable: true})
		}
	}
	return out
}

// dataType returns the type; nil for an object without fields, which has none.
func (sh *shape) dataType() arrow.DataType {
	switch sh.kind {
	case boolean:
		return arrow.FixedWidthTypes.Boolean
	case whole:
		if sh.digits > 0 {
			return &arrow.Decimal128Type{Precision: int32(max(sh.digits, 20)), Scale: 0}
		}
		return arrow.PrimitiveTypes.Int64
	case double:
		return arrow.PrimitiveTypes.Float64
	case object:
		if fields := sh.structFields(); len(fields) > 0 {
			return arrow.StructOf(fields...)
		}
		return nil
	case list:
		if t := sh.elem.dataType(); t != nil {
			return arrow.ListOf(t)
		}
		return nil
	}
	return arrow.BinaryTypes.String
}
