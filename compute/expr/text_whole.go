package expr

import (
	"bytes"
	"math"

	"github.com/flightd/flightd/kernels"
)

// The loops of this file take a whole column of texts at once, where most of its rows
// are wanted and all of it is ASCII: bytes are then characters. Each reports false, and
// has done nothing, where that does not hold; what stands at rows that nobody wants is
// unspecified.

// wholeFrom: columns of which at least one in so many rows is wanted are taken whole.
const wholeFrom = 2

// whole returns the texts of argument k from the first to the last, their offsets and
// true, if most rows are wanted.
func (f *frame) whole(k int) (off []int32, data []byte, ok bool) {
	v := f.args[k]
	if v.Const || f.n == 0 || f.sel != nil && len(f.sel)*wholeFrom < f.n {
		return nil, nil, false
	}
	return v.Off[:f.n+1], v.Data, true
}

// wholeASCII is whole where every byte is ASCII.
func (f *frame) wholeASCII(k int) (off []int32, data []byte, ok bool) {
	off, data, ok = f.whole(k)
	return off, data, ok && kernels.IsASCII(data[off[0]:off[f.n]])
}

// asciiAt says of the texts of argument k whether they are ASCII.
func (f *frame) asciiAt(k int) func(s []byte) bool {
	if _, _, all := f.wholeASCII(k); all {
		return func([]byte) bool { return true }
	}
	return kernels.IsASCII
}

// live returns how many rows are wanted whose arguments are present.
func (f *frame) live() int {
	n := f.n
	if f.out.Valid == nil {
		if f.sel != nil {
			n = len(f.sel)
		}
		return n
	}
	n = 0
	f.each(func(int) { n++ })
	return n
}

// flipCase is upper and lower of letters lo to hi.
func flipCase(f *frame, lo, hi byte) bool {
	off, data, ok := f.whole(0)
	if !ok {
		return false
	}
	from, size := off[0], int(off[f.n]-off[0])
	f.out.Data = grow(f.out.Data, size)
	if !kernels.FlipCase(f.out.Data, data[from:from+int32(size)], lo, hi) {
		return false
	}
	dst := f.offsets()
	for i, o := range off {
		dst[i] = o - from
	}
	return true
}

// cutWhole is SUBSTRING(text, pos, count) for positions that are the same in all rows.
func cutWhole(f *frame, pos, count int) bool {
	off, data, ok := f.wholeASCII(0)
	if !ok {
		return false
	}
	lo, hi := make([]int32, f.n), make([]int32, f.n)
	// As in part: what lies before the text counts for the length.
	start := max(pos-1, 0)
	end := min(int64(start)+int64(max(count, 0)), math.MaxInt32)
	for i := range lo {
		a, size := off[i], off[i+1]-off[i]
		s, e := int32(start), int32(end)
		if pos < 0 {
			first := int64(size) + int64(pos)
			s, e = int32(max(first, 0)), int32(max(0, min(first+int64(max(count, 0)), math.MaxInt32)))
		}
		s = min(s, size)
		lo[i], hi[i] = a+s, a+max(s, min(e, size))
	}
	f.putParts(data, lo, hi)
	return true
}

// putParts makes the result of data[lo[i]:hi[i]] of each row.
func (f *frame) putParts(data []byte, lo, hi []int32) {
	total := 0
	for i := range lo {
		total += int(hi[i] - lo[i])
	}
	f.out.Data = grow(f.out.Data, total+7)
	f.out.Data = f.out.Data[:kernels.CutTexts(f.out.Data, f.offsets(), data, lo, hi)]
}

// sameInt returns the value of an integer argument that is the same in all rows.
func sameInt(f *frame, k int) (int64, bool) {
	v := f.args[k]
	if !v.Const || v.Null(0) {
		return 0, false
	}
	return v.Int(0), true
}

// reverseWhole turns ASCII texts around.
func reverseWhole(f *frame) bool {
	off, data, ok := f.wholeASCII(0)
	if !ok {
		return false
	}
	from, size := off[0], int(off[f.n]-off[0])
	f.out.Data = grow(f.out.Data, size)
	out, dst := f.out.Data, f.offsets()
	for i := range f.n {
		lo, hi := int(off[i]), int(off[i+1])
		dst[i] = int32(lo) - from
		turned := out[lo-int(from) : hi-int(from)]
		for k, c := range data[lo:hi] {
			turned[len(turned)-1-k] = c
		}
	}
	dst[f.n] = int32(size)
	return true
}

// locateWhole finds one text in all others.
func locateWhole(f *frame, in, sub int) bool {
	if f.out.Valid != nil || !f.args[sub].Const || f.args[sub].Null(0) || f.args[in].Valid != nil {
		return false
	}
	off, data, ok := f.wholeASCII(in)
	needle := f.args[sub].Str(0)
	if !ok || len(needle) == 0 {
		return false
	}
	dst := results[int32](f)
	for i := range dst {
		dst[i] = int32(bytes.Index(data[off[i]:off[i+1]], needle) + 1)
	}
	return true
}

// testWhole sets the bits of texts that pass a test with one text.
func testWhole(f *frame, test func(dst []byte, off []int32, data, want []byte)) bool {
	off, data, ok := f.whole(0)
	if !ok || !f.args[1].Const {
		return false
	}
	test(f.bits(), off, data, f.args[1].Str(0))
	return true
}

func mapCases(f *frame, lo, hi byte, slow func(string) string) error {
	if flipCase(f, lo, hi) {
		return nil
	}
	a := f.text(0)
	return f.write(func(i int, dst []byte) ([]byte, error) { return mapCase(dst, a.at(i), lo, hi, slow), nil })
}

func leftText(f *frame) error {
	if n, ok := sameInt(f, 1); ok && cutWhole(f, 1, int(n)) {
		return nil
	}
	return cutText(f, func(_, n int) (int, int) { return 1, n })
}
