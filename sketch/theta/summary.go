package theta

import "math"

// Kind is what a sketch keeps with a hash.
type Kind uint8

// The kinds: nothing (a theta sketch), a DOUBLE, an INT.
const (
	Plain Kind = iota
	Double
	Integer
)

// Mode is how the numbers of equal keys become one. Its value is the byte in
// images.
type Mode uint8

// The modes. AlwaysOne is 1 whatever is added.
const (
	Sum Mode = iota
	Min
	Max
	AlwaysOne
)

// ParseMode returns the mode of a lower-case name, and whether there is one.
func ParseMode(name string) (Mode, bool) {
	for i, n := range []string{"sum", "min", "max", "alwaysone"} {
		if n == name {
			return Mode(i), true
		}
	}
	return 0, false
}

// A Summary is the number kept with a hash: the bits of a float64, or an int32.
type Summary struct {
	Value uint64
	Mode  Mode
}

// Float returns the number of a Double summary.
func (s Summary) Float() float64 { return math.Float64frombits(s.Value) }

// Int returns the number of an Integer summary.
func (s Summary) Int() int32 { return int32(s.Value) }

// OfFloat and OfInt are the values of numbers.
func OfFloat(x float64) uint64 { return math.Float64bits(x) }

// OfInt is the value of an Integer summary.
func OfInt(x int32) uint64 { return uint64(uint32(x)) }

// Start returns the summary that has seen no number.
func (k Kind) Start(m Mode) Summary {
	s := Summary{Mode: m}
	if k == Double {
		s.Value = OfFloat([...]float64{0, math.Inf(1), math.Inf(-1), 1}[m])
	} else {
		s.Value = OfInt([...]int32{0, math.MaxInt32, math.MinInt32, 1}[m])
	}
	return s
}

// add returns s with another number; sums of integers wrap around. A comparison
// with NaN is false, so that minimum and maximum pass it over.
func (k Kind) add(s Summary, v uint64) Summary {
	switch {
	case k == Plain:
	case s.Mode == AlwaysOne:
		return k.Start(AlwaysOne)
	case k == Double:
		have, x := s.Float(), math.Float64frombits(v)
		if s.Mode == Sum {
			s.Value = OfFloat(have + x)
		} else if s.Mode == Min && x < have || s.Mode == Max && x > have {
			s.Value = v
		}
	default:
		have, x := s.Int(), int32(v)
		if s.Mode == Sum {
			s.Value = OfInt(have + x)
		} else if s.Mode == Min && x < have || s.Mode == Max && x > have {
			s.Value = v
		}
	}
	return s
}

// unite returns the summary of mode m of two of one key.
func (k Kind) unite(a, b Summary, m Mode) Summary {
	if k == Plain {
		return a
	}
	return k.add(k.add(k.Start(m), a.Value), b.Value)
}
