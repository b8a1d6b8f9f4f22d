package agg

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"

	"github.com/flightd/flightd/compute/vec"
)

// histogram is a histogram of Ben-Haim and Tom-Tov with at most limit bins, as Hive
// and Spark make it: the two nearest bins are merged, and of several such pairs the
// one that a fixed series of random numbers says.
type histogram struct {
	limit int
	seed  uint64
	bins  []histogramBin
}

type histogramBin struct{ x, y float64 }

const histogramSeed = 31183 ^ 0x5deece66d

// newHistogram is histogram_numeric.
func newHistogram(c call) (*Func, error) {
	if err := c.need(2); err != nil {
		return nil, err
	}
	limit, null, constant, err := c.constantInt(1, 0)
	switch {
	case err != nil:
		return nil, err
	case !constant:
		return nil, c.mismatch("NON_FOLDABLE_INPUT", "the input `nb` should be a foldable \"INT\" expression; however, got %q.", c.Args[1].SQL())
	case null:
		return nil, c.mismatch("UNEXPECTED_NULL", "The nb must not be null.")
	case limit < 2:
		return nil, c.mismatch("VALUE_OUT_OF_RANGE", "The nb must be between [2, %d] (current value = %d).", math.MaxInt32, limit)
	}
	fresh := func() *histogram { return &histogram{limit: int(limit), seed: histogramSeed} }
	var buf []float64
	var at *vec.Vec
	return heldFunc(c, &sketchKind[*histogram]{
		fresh: fresh,
		load: func(b []byte) *histogram {
			h := fresh()
			h.seed = binary.LittleEndian.Uint64(b)
			for b = b[8:]; len(b) > 0; b = b[16:] {
				h.bins = append(h.bins, histogramBin{
					math.Float64frombits(binary.LittleEndian.Uint64(b)),
					math.Float64frombits(binary.LittleEndian.Uint64(b[8:])),
				})
			}
			return h
		},
		store: func(dst []byte, h *histogram) []byte {
			dst = binary.LittleEndian.AppendUint64(dst, h.seed)
			for _, b := range h.bins {
				dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(b.x))
				dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(b.y))
			}
			return dst
		},
		update: func(h *histogram, args []*vec.Vec, row int32) (*histogram, error) {
			if at != args[0] {
				at, buf = args[0], floats(args[0], nil)
			}
			h.add(buf[row])
			return h, nil
		},
		merge: func(dst, src *histogram) (*histogram, error) {
			dst.merge(src)
			return dst, nil
		},
		final: func(b *vec.Builder, h *histogram) error {
			if len(h.bins) == 0 {
				b.AppendNull()
				return nil
			}
			bin := b.Kids[0]
			for _, at := range h.bins {
				appendNumber(bin.Kids[0], at.x)
				vec.AppendFixed(bin.Kids[1], at.y)
				bin.EndStruct()
			}
			b.EndList()
			return nil
		},
	}), nil
}

func (h *histogram) add(x float64) {
	at := 0
	for lo, hi := 0, len(h.bins); lo < hi; {
		at = (lo + hi) / 2
		if h.bins[at].x > x {
			hi = at
			continue
		}
		if !(h.bins[at].x < x) {
			break
		}
		at++
		lo = at
	}
	if at < len(h.bins) && h.bins[at].x == x {
		h.bins[at].y++
		return
	}
	h.bins = slices.Insert(h.bins, at, histogramBin{x, 1})
	h.trim()
}

func (h *histogram) merge(o *histogram) {
	if len(h.bins) == 0 {
		h.bins = slices.Clone(o.bins)
		return
	}
	h.bins = append(h.bins, o.bins...)
	slices.SortStableFunc(h.bins, func(a, b histogramBin) int {
		return cmp.Compare(javaOrder(a.x), javaOrder(b.x))
	})
	h.trim()
}

// trim merges the nearest bins until there are no more than limit.
func (h *histogram) trim() {
	for len(h.bins) > h.limit {
		nearest, at, ties := h.bins[1].x-h.bins[0].x, 0, 1
		for i := 1; i < len(h.bins)-1; i++ {
			d := h.bins[i+1].x - h.bins[i].x
			if d < nearest {
				nearest, at, ties = d, i, 1
			} else if d == nearest {
				ties++
				if h.random() <= 1/float64(ties) {
					at = i
				}
			}
		}
		a, b := h.bins[at], h.bins[at+1]
		y := a.y + b.y
		x := a.x * (a.y / y)
		h.bins[at] = histogramBin{x + float64(b.x/y*b.y), y}
		h.bins = slices.Delete(h.bins, at+1, at+2)
	}
}

// random returns the next number of java.util.Random.nextDouble.
func (h *histogram) random() float64 {
	next := func(bits int) uint64 {
		h.seed = (h.seed*0x5deece66d + 0xb) & (1<<48 - 1)
		return h.seed >> (48 - bits)
	}
	hi := next(26) << 27
	return float64(hi+next(27)) * 0x1p-53
}

// javaOrder returns a number that is ordered as java.lang.Double.compare orders x.
func javaOrder(x float64) int64 {
	if math.IsNaN(x) {
		return math.MaxInt64
	}
	n := int64(math.Float64bits(x))
	return n ^ int64(uint64(n>>63)>>1)
}
