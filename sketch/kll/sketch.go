package kll

import (
	"errors"
	"math"
	"math/bits"
	"slices"
)

// ErrImage says that bytes are no image of a sketch of the item type; ErrEmpty that
// a sketch without items was asked for a quantile or a rank; ErrRank that a rank is
// not from 0 to 1.
var (
	ErrImage = errors.New("not the image of a sketch")
	ErrEmpty = errors.New("the sketch is empty")
	ErrRank  = errors.New("a rank is from 0 to 1")
)

// MinK and MaxK bound k, the number of items up to which a sketch is exact; DefaultK
// is what functions take if none is given.
const (
	MinK     = 8
	MaxK     = 65535
	DefaultK = 200
)

// width is the least number of items of a level.
const width = 8

// Item is what a sketch orders.
type Item interface{ int64 | float64 | float32 }

// A Sketch is a sample of items by which quantiles and ranks are estimated. An item
// of level i stands for 1<<i items; those of levels above 0 are in order. Items lie
// at the end of an array, level after level: level i is items[levels[i]:levels[i+1]].
type Sketch[T Item] struct {
	k, leastK int
	n         int64
	sorted    bool
	levels    []int
	items     []T
	min, max  T
}

// New returns an empty sketch.
func New[T Item](k int) *Sketch[T] {
	return &Sketch[T]{k: k, leastK: k, levels: []int{k, k}, items: make([]T, k)}
}

// N returns how many items the sketch has seen.
func (s *Sketch[T]) N() int64 { return s.n }

func (s *Sketch[T]) retained() int { return len(s.items) - s.levels[0] }

// Update takes in an item; NaN is passed over.
func (s *Sketch[T]) Update(x T) {
	if x == x {
		s.update(x)
	}
}

func (s *Sketch[T]) update(x T) {
	if s.n == 0 {
		s.min, s.max = x, x
	} else {
		s.min, s.max = min(s.min, x), max(s.max, x)
	}
	if s.levels[0] == 0 {
		s.compress()
	}
	s.n++
	s.sorted = false
	s.levels[0]--
	s.items[s.levels[0]] = x
}

// capacity returns how many items a level of numLevels may have: k·(2/3)^depth,
// rounded, at least width.
func capacity(k, numLevels, level int) int {
	depth := numLevels - level - 1
	if depth > 30 {
		return max(width, int(shrink(shrink(uint64(k), depth/2), depth-depth/2)))
	}
	return max(width, int(shrink(uint64(k), depth)))
}

func shrink(k uint64, depth int) uint64 {
	cubes := uint64(1)
	for range depth {
		cubes *= 3
	}
	return (k<<1<<depth/cubes + 1) / 2
}

func totalCapacity(k, numLevels int) int {
	total := 0
	for level := range numLevels {
		total += capacity(k, numLevels, level)
	}
	return total
}

// compress makes room in a full sketch: it halves the lowest level that is at its
// capacity into the one above.
func (s *Sketch[T]) compress() {
	level := 0
	for s.levels[level+1]-s.levels[level] < capacity(s.k, len(s.levels)-1, level) {
		level++
	}
	if level == len(s.levels)-2 {
		s.addLevel()
	}
	from, to := s.levels[level], s.levels[level+1]
	above := s.levels[level+2] - to
	odd := (to - from) & 1
	half := (to - from - odd) / 2
	start := from + odd
	if level == 0 {
		sortItems(s.items[start:to])
	}
	if above == 0 {
		s.halveUp(s.items[start:to])
	} else {
		s.halveDown(s.items[start:to])
		mergeItems(s.items[start+half:s.levels[level+2]], slices.Clone(s.items[start:start+half]), slices.Clone(s.items[to:to+above]))
	}
	s.levels[level+1] -= half
	s.levels[level] = s.levels[level+1] - odd
	if odd == 1 {
		s.items[s.levels[level]] = s.items[from]
	}
	if level > 0 {
		copy(s.items[s.levels[0]+half:], s.items[s.levels[0]:from])
	}
	for i := range level {
		s.levels[i] += half
	}
}

// addLevel puts an empty level on top of a full sketch, and room below.
func (s *Sketch[T]) addLevel() {
	more := capacity(s.k, len(s.levels), 0)
	s.items = append(make([]T, more, more+len(s.items)), s.items...)
	for i := range s.levels {
		s.levels[i] += more
	}
	s.levels = append(s.levels, len(s.items))
}

// coin returns 0 or 1, by how many items the sketch has seen.
func (s *Sketch[T]) coin(salt int) int {
	h := (uint64(s.n) + uint64(salt)<<48) * 0x9e3779b97f4a7c15
	h ^= h >> 32
	return bits.OnesCount64(h) & 1
}

// halveUp keeps every other item of an even number, at the end of buf; halveDown at
// its beginning.
func (s *Sketch[T]) halveUp(buf []T) {
	j := len(buf) - 1 - s.coin(len(buf))
	for i := len(buf) - 1; i >= len(buf)/2; i-- {
		buf[i] = buf[j]
		j -= 2
	}
}

func (s *Sketch[T]) halveDown(buf []T) {
	j := s.coin(len(buf))
	for i := range len(buf) / 2 {
		buf[i] = buf[j]
		j += 2
	}
}

// sortItems sorts items, −0.0 before 0.0.
func sortItems[T Item](items []T) {
	slices.SortFunc(items, func(a, b T) int {
		switch {
		case a < b:
			return -1
		case a > b:
			return 1
		case a == 0:
			return negative(b) - negative(a)
		}
		return 0
	})
}

func negative[T Item](x T) int {
	if math.Signbit(float64(x)) {
		return 1
	}
	return 0
}

// mergeItems merges a and b, which are in order, into dst.
func mergeItems[T Item](dst, a, b []T) {
	for i := range dst {
		if len(b) == 0 || len(a) > 0 && a[0] < b[0] {
			dst[i], a = a[0], a[1:]
		} else {
			dst[i], b = b[0], b[1:]
		}
	}
}

// Merge takes in another sketch, which stays as it is.
func (s *Sketch[T]) Merge(o *Sketch[T]) {
	if o.n == 0 {
		return
	}
	fresh, least, greatest, leastK, n := s.n == 0, s.min, s.max, s.leastK, s.n+o.n
	for _, x := range o.items[o.levels[0]:o.levels[1]] {
		s.update(x)
	}
	if len(o.levels) > 2 {
		s.mergeLevels(o)
	}
	s.n = n
	if len(o.levels) > 2 {
		s.leastK = min(leastK, o.leastK)
	}
	if fresh {
		s.min, s.max = o.min, o.max
	} else {
		s.min, s.max = min(least, o.min), max(greatest, o.max)
	}
}

func (s *Sketch[T]) level(i int) []T {
	if i >= len(s.levels)-1 {
		return nil
	}
	return s.items[s.levels[i]:s.levels[i+1]]
}

// mergeLevels takes in the levels of o above 0, and compresses what is too large
// then, from the lowest level upwards.
func (s *Sketch[T]) mergeLevels(o *Sketch[T]) {
	numLevels := max(len(s.levels), len(o.levels)) - 1
	in := make([][]T, numLevels)
	count := 0
	for i := range in {
		mine, theirs := s.level(i), o.level(i)
		if i == 0 {
			theirs = nil
		}
		in[i] = make([]T, len(mine)+len(theirs))
		mergeItems(in[i], mine, theirs)
		count += len(in[i])
	}
	copy(in[0], s.level(0))
	target := totalCapacity(s.k, numLevels)
	for i := 0; i < numLevels; i++ {
		if count < target || len(in[i]) < capacity(s.k, numLevels, i) {
			continue
		}
		if i == numLevels-1 {
			in = append(in, nil)
		}
		odd := len(in[i]) & 1
		half := in[i][odd:]
		if i == 0 && !s.sorted {
			sortItems(half)
		}
		h := len(half) / 2
		if len(in[i+1]) == 0 {
			s.halveUp(half)
			in[i+1] = slices.Clone(half[h:])
		} else {
			s.halveDown(half)
			merged := make([]T, h+len(in[i+1]))
			mergeItems(merged, half[:h], in[i+1])
			in[i+1] = merged
		}
		in[i] = in[i][:odd]
		count -= h
		if i == numLevels-1 {
			numLevels++
			target += capacity(s.k, numLevels, 0)
		}
	}
	s.items, s.levels = make([]T, target), make([]int, numLevels+1)
	at := target - count
	for i := range numLevels {
		s.levels[i] = at
		at += copy(s.items[at:], in[i])
	}
	s.levels[numLevels] = target
}

// K returns the k of the sketch.
func (s *Sketch[T]) K() int { return s.k }
