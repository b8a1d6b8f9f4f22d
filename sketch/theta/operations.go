package theta

import "slices"

// A Union is the union of the sketches added so far.
type Union struct {
	gadget *Table
	theta  uint64
	empty  bool
}

// NewUnion returns a union of no sketch. mode unites the numbers of equal keys.
func NewUnion(kind Kind, mode Mode, lgNominal int) *Union {
	return &Union{gadget: NewTable(kind, mode, lgNominal), theta: One, empty: true}
}

// Add adds a sketch of the union's kind; one of kind Plain brings with for each of
// its keys.
func (u *Union) Add(c *Compact, with Summary) {
	if c.Empty {
		return
	}
	u.empty = false
	u.theta = min(u.theta, c.Theta)
	if u.gadget.kind == Plain {
		u.theta = min(u.theta, u.gadget.theta)
	}
	for i, h := range c.Hashes {
		if u.gadget.kind == Plain && h >= u.theta {
			continue
		}
		s := with
		if c.Kind != Plain {
			s = c.Summaries[i]
		}
		u.gadget.merge(h, s)
	}
	u.theta = min(u.theta, u.gadget.theta)
}

// Result returns the union.
func (u *Union) Result() *Compact {
	g := u.gadget
	out := &Compact{Kind: g.kind, Theta: min(u.theta, g.theta), Empty: u.empty}
	if u.empty {
		out.Theta = One
		return out
	}
	below := out.Theta
	var in []uint64
	for _, h := range g.slots {
		if h != 0 && h < below {
			in = append(in, h)
		}
	}
	if len(in) > 1<<g.lgNom {
		out.Theta = nth(in, 1<<g.lgNom)
	}
	for i, h := range g.slots {
		if h == 0 || h >= out.Theta {
			continue
		}
		out.Hashes = append(out.Hashes, h)
		if g.kind != Plain {
			out.Summaries = append(out.Summaries, g.sums[i])
		}
	}
	if g.kind == Plain {
		slices.Sort(out.Hashes)
	}
	return out
}

// An Intersection is the intersection of the sketches added so far; before the
// first it is the set of everything, which has no result.
type Intersection struct {
	kind  Kind
	mode  Mode
	begun bool
	theta uint64
	empty bool
	lg    int
	slots []uint64
	sums  []Summary
	n     int
}

// NewIntersection returns the set of everything. mode unites the numbers of equal
// keys.
func NewIntersection(kind Kind, mode Mode) *Intersection {
	return &Intersection{kind: kind, mode: mode, theta: One}
}

// Begun reports whether a sketch was added.
func (x *Intersection) Begun() bool { return x.begun }

// Add adds a sketch of the intersection's kind; one of kind Plain has the number
// with at each of its keys.
func (x *Intersection) Add(c *Compact, with Summary) {
	first := !x.begun
	x.begun = true
	if x.empty || c.Empty {
		x.empty, x.theta = true, One
		x.fill(nil, nil)
		return
	}
	x.theta = min(x.theta, c.Theta)
	var hashes []uint64
	var sums []Summary
	for i, h := range c.Hashes {
		s := with
		if c.Kind != Plain {
			s = c.Summaries[i]
		}
		if !first {
			if h >= x.theta || x.n == 0 {
				continue
			}
			at := probe(x.slots, x.lg, h)
			if at < 0 || x.slots[at] == 0 {
				continue
			}
			if x.kind != Plain {
				s = x.kind.unite(x.sums[at], s, x.mode)
			}
		}
		hashes, sums = append(hashes, h), append(sums, s)
	}
	x.fill(hashes, sums)
}

func (x *Intersection) fill(hashes []uint64, sums []Summary) {
	x.lg = tableFor(len(hashes))
	x.slots, x.sums, x.n = make([]uint64, 1<<x.lg), make([]Summary, 1<<x.lg), 0
	for i, h := range hashes {
		if at := probe(x.slots, x.lg, h); x.slots[at] == 0 {
			x.slots[at], x.sums[at] = h, sums[i]
			x.n++
		}
	}
}

// tableFor returns the logarithm of the size of a table for n hashes: 16 slots, or
// the power of two that n fill to three quarters.
func tableFor(n int) int {
	lg := MinLgNominal
	for 1<<lg < (4*n+2)/3 {
		lg++
	}
	return lg
}

// Result returns the intersection of one sketch or more.
func (x *Intersection) Result() *Compact {
	out := &Compact{Kind: x.kind, Theta: x.theta, Empty: x.empty}
	for i, h := range x.slots {
		if h == 0 || h >= x.theta {
			continue
		}
		out.Hashes = append(out.Hashes, h)
		if x.kind != Plain {
			out.Summaries = append(out.Summaries, x.sums[i])
		}
	}
	if x.kind == Plain {
		slices.Sort(out.Hashes)
		out.Empty = out.Empty || len(out.Hashes) == 0 && out.Theta == One
	}
	return out
}

// Difference returns the sketch of the keys of a that are not in b, with a's
// numbers, in a's order.
func Difference(a, b *Compact) *Compact {
	if a.Empty || b.Empty {
		return a
	}
	out := &Compact{Kind: a.Kind, Theta: min(a.Theta, b.Theta)}
	if a.Kind != Plain && len(a.Hashes) == 0 && b.Theta == One {
		out.Theta = a.Theta
	}
	minus := make(map[uint64]struct{}, len(b.Hashes))
	for _, h := range b.Hashes {
		minus[h] = struct{}{}
	}
	for i, h := range a.Hashes {
		if _, ok := minus[h]; ok || h >= out.Theta {
			continue
		}
		out.Hashes = append(out.Hashes, h)
		if a.Kind != Plain {
			out.Summaries = append(out.Summaries, a.Summaries[i])
		}
	}
	out.Empty = len(out.Hashes) == 0 && out.Theta == One
	return out
}
