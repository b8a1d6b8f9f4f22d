package csvtext

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sources/columnar"
)

// guess is the narrowest type that takes all cells so far; later ones are wider
// along the numbers, and text takes everything.
type guess uint8

const (
	nothing guess = iota
	integer
	bigint
	decimal
	double
	date
	timestamp
	boolean
	textual
)

// An Inferrer finds the schema of files: names from the header or _c0, _c1, …,
// types from the cells if the option inferSchema asks for it, else strings.
type Inferrer struct {
	opt     Options
	names   []string
	guesses []guess
	digits  []int // of decimal columns
	zone    *columnar.Zone
}

// maxColumns is the most cells of a line.
const maxColumns = 20_480

// NewInferrer returns an Inferrer that has seen nothing.
func NewInferrer(opt Options) *Inferrer {
	return &Inferrer{opt: opt, zone: columnar.NewZone(opt.Zone)}
}

// Add reads r as far as it must: to the end for types, else one line. more is
// false if another file could change nothing.
func (inf *Inferrer) Add(r io.Reader, file string) (more bool, err error) {
	lines := columnar.NewLines(r, inf.opt.LineSep)
	split := splitter{opt: &inf.opt}
	header := inf.opt.Header
	for {
		line, err := lines.Next()
		if errors.Is(err, io.EOF) {
			return true, nil
		}
		if err != nil {
			return false, base.Wrap(err, "inferring the schema of %s", file)
		}
		if !inf.opt.IsRecord(line) {
			continue
		}
		split.reset(line)
		if inf.names == nil {
			if err := inf.name(&split, header); err != nil {
				return false, base.Wrap(err, "inferring the schema of %s", file)
			}
			split.reset(line)
		}
		if !inf.opt.Infer {
			return false, nil
		}
		if header {
			header = false
			continue
		}
		for i := 0; i < len(inf.names); i++ {
			cell, quoted, ok := split.next()
			if !ok {
				break
			}
			inf.cell(i, cell, quoted)
		}
	}
}

func (inf *Inferrer) name(split *splitter, header bool) error {
	seen := map[string]int{}
	var names []string
	for {
		cell, _, ok := split.next()
		if !ok {
			break
		}
		name := fmt.Sprintf("_c%d", len(names))
		if header && len(cell) > 0 && string(cell) != inf.opt.Null {
			name = string(valid(cell))
		}
		seen[strings.ToLower(name)]++
		if names = append(names, name); len(names) > maxColumns {
			return base.Errorf(base.CodeExhausted, "more than %d columns", maxColumns)
		}
	}
	for i, n := range names {
		if seen[strings.ToLower(n)] > 1 {
			names[i] = fmt.Sprintf("%s%d", n, i)
		}
	}
	inf.names, inf.guesses, inf.digits = names, make([]guess, len(names)), make([]int, len(names))
	return nil
}

func (inf *Inferrer) cell(i int, cell []byte, quoted bool) {
	if len(cell) == 0 && (!quoted || inf.opt.Empty == inf.opt.Null) || len(cell) > 0 && string(cell) == inf.opt.Null || inf.guesses[i] == textual {
		return
	}
	g, old := inf.classify(i, cell), inf.guesses[i]
	switch {
	case old == nothing || old == g:
	case old <= double && g <= double:
		g = max(old, g)
	case old == date && g == timestamp || old == timestamp && g == date:
		g = timestamp
	default:
		g = textual
	}
	inf.guesses[i] = g
}

func (inf *Inferrer) classify(i int, cell []byte) guess {
	if v, ok := columnar.ParseInt(cell); ok {
		if v == int64(int32(v)) {
			return integer
		}
		return bigint
	}
	if n := wholeDigits(cell); n > 0 && n <= 38 {
		inf.digits[i] = max(inf.digits[i], n)
		return decimal
	}
	if _, ok := inf.opt.parseFloat(cell, false); ok {
		return double
	}
	if len(cell) == 10 && cell[4] == '-' && cell[7] == '-' {
		if _, ok := columnar.ParseDate(cell); ok {
			return date
		}
	}
	if _, ok := columnar.ParseTimestamp(cell, inf.zone); ok {
		return timestamp
	}
	if _, ok := parseBool(cell); ok {
		return boolean
	}
	return textual
}

func wholeDigits(b []byte) int {
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		b = b[1:]
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0
		}
	}
	return len(b)
}

// Schema returns the schema of all files added.
func (inf *Inferrer) Schema() *arrow.Schema {
	var fields []arrow.Field
	for i, name := range inf.names {
		var t arrow.DataType = arrow.BinaryTypes.String
		switch inf.guesses[i] {
		case integer:
			t = arrow.PrimitiveTypes.Int32
		case bigint:
			t = arrow.PrimitiveTypes.Int64
		case decimal:
			t = &arrow.Decimal128Type{Precision: int32(max(inf.digits[i], 20))}
		case double:
			t = arrow.PrimitiveTypes.Float64
		case date:
			t = arrow.FixedWidthTypes.Date32
		case timestamp:
			t = arrow.FixedWidthTypes.Timestamp_us
		case boolean:
			t = arrow.FixedWidthTypes.Boolean
		}
		fields = append(fields, arrow.Field{Name: name, Type: t, Nullable: true})
	}
	return arrow.NewSchema(fields, nil)
}
