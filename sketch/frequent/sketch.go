package frequent

import (
	"errors"
	"math"
	"math/big"
	"slices"
	"strconv"
)

// ErrImage says that bytes are no image of a sketch.
var ErrImage = errors.New("not the image of a sketch")

// smallestLg is the logarithm of the size of the smallest table, sampled how many
// counts are looked at to find the one that is subtracted from all.
const (
	smallestLg = 3
	sampled    = 1024
)

// A Sketch counts the most frequent items: when its table is three quarters full, at
// its greatest size, the median count is subtracted from all and items without any
// left are dropped. Offset is how much was subtracted in all, so that a count is
// short by at most that.
type Sketch struct {
	kind   Kind
	scale  int
	maxLg  int
	lg     int
	n      int
	keys   []string
	counts []int64
	// drift is 1 for an item in the slot where it belongs, more behind it; 0: free.
	drift  []int16
	offset int64
	weight int64
}

// TableSize returns the logarithm of the size of a table that keeps items of any
// number up to max.
func TableSize(max int) int {
	return int(math.Ceil(math.Log(math.Ceil(float64(max)/0.75)) / math.Log(2)))
}

// New returns an empty sketch of up to 1<<maxLg slots; scale is that of decimals.
func New(kind Kind, scale, maxLg int) *Sketch {
	s := &Sketch{kind: kind, scale: scale, maxLg: max(maxLg, smallestLg)}
	s.alloc(smallestLg)
	return s
}

func (s *Sketch) alloc(lg int) {
	s.lg, s.n = lg, 0
	s.keys, s.counts, s.drift = make([]string, 1<<lg), make([]int64, 1<<lg), make([]int16, 1<<lg)
}

func (s *Sketch) home(key string) int {
	h := uint64(int64(s.kind.hash(key, s.scale)))
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return int((h ^ h>>33) & uint64(len(s.keys)-1))
}

// Update counts an item n times, n > 0.
func (s *Sketch) Update(item string, n int64) {
	s.weight += n
	s.put(item, n)
	if s.n <= len(s.keys)/4*3 {
		return
	}
	if s.lg < s.maxLg {
		keys, counts, drift := s.keys, s.counts, s.drift
		s.alloc(s.lg + 1)
		for i, d := range drift {
			if d > 0 {
				s.put(keys[i], counts[i])
			}
		}
		return
	}
	s.purge()
}

func (s *Sketch) put(item string, n int64) {
	mask := len(s.keys) - 1
	at, drift := s.home(item), int16(1)
	for s.drift[at] != 0 && s.keys[at] != item {
		at = (at + 1) & mask
		drift++
	}
	if s.drift[at] == 0 {
		s.keys[at], s.drift[at], s.counts[at] = item, drift, 0
		s.n++
	}
	s.counts[at] += n
}

// purge subtracts the median of some counts from all and drops what has none left.
func (s *Sketch) purge() {
	var some []int64
	for i := 0; len(some) < min(sampled, s.n, 3<<s.maxLg/4); i++ {
		if s.drift[i] > 0 {
			some = append(some, s.counts[i])
		}
	}
	slices.Sort(some)
	median := some[len(some)/2]
	for i := range s.counts {
		s.counts[i] -= median
	}
	s.offset += median
	first := len(s.drift) - 1
	for s.drift[first] > 0 {
		first--
	}
	for at := first - 1; at >= 0; at-- {
		s.dropEmpty(at)
	}
	for at := len(s.drift) - 1; at >= first; at-- {
		s.dropEmpty(at)
	}
}

func (s *Sketch) dropEmpty(at int) {
	if s.drift[at] <= 0 || s.counts[at] > 0 {
		return
	}
	s.n--
	s.drift[at] = 0
	mask := len(s.drift) - 1
	drift := int16(1)
	for probe := (at + 1) & mask; s.drift[probe] != 0; probe = (probe + 1) & mask {
		if s.drift[probe] > drift {
			s.keys[at], s.counts[at], s.drift[at] = s.keys[probe], s.counts[probe], s.drift[probe]-drift
			s.drift[probe] = 0
			drift, at = 0, probe
		}
		drift++
	}
}

// each visits items in the order in which sketches are merged and shown: by strides
// of the golden ratio.
func (s *Sketch) each(do func(item string, count int64)) {
	mask := len(s.keys) - 1
	stride := int(float64(len(s.keys))*((math.Sqrt(5)-1)/2)) | 1
	for at, seen := 0, 0; seen < s.n; at = (at + stride) & mask {
		if s.drift[at] > 0 {
			do(s.keys[at], s.counts[at])
			seen++
		}
	}
}

// Merge takes in another sketch, which stays as it is.
func (s *Sketch) Merge(o *Sketch) {
	if o.n == 0 {
		return
	}
	weight := s.weight + o.weight
	o.each(s.Update)
	s.offset += o.offset
	s.weight = weight
}

// An Item is an item with its estimated count.
type Item struct {
	Bytes string
	Count int64
}

// Top returns the items that are frequent without doubt, the most frequent first.
func (s *Sketch) Top() []Item {
	var out []Item
	s.each(func(item string, count int64) {
		if count >= s.offset {
			out = append(out, Item{item, count + s.offset})
		}
	})
	slices.SortStableFunc(out, func(a, b Item) int {
		switch {
		case a.Count > b.Count:
			return -1
		case a.Count < b.Count:
			return 1
		}
		return 0
	})
	return out
}

// sameDouble returns the double whose shortest text is the number x, if there is
// one.
func sameDouble(x *big.Rat) (float64, bool) {
	d, _ := x.Float64()
	if math.IsInf(d, 0) {
		return 0, false
	}
	back, ok := new(big.Rat).SetString(strconv.FormatFloat(d, 'g', -1, 64))
	return d, ok && back.Cmp(x) == 0
}

// Like returns an empty sketch of items of s's kind, of o's greatest size.
func (s *Sketch) Like(o *Sketch) *Sketch { return New(s.kind, s.scale, o.maxLg) }
