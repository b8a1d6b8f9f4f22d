package kernels

import (
	"sort"
	"time"
)

// Zone is a time zone as a table of transitions, for whole columns.
//
// A local time that happens twice is the earlier one; a local time that a gap
// skips moves forward by the length of the gap. Before the first transition the
// zone has its local mean time. After the last year of the table the rules
// repeat every 400 years, as the calendar does.
type Zone struct {
	name string
	// at[i] is the first microsecond (UTC) with offset off[i]; at[0] is the
	// beginning of time. local[i] is the local time from which a local time maps
	// by off[i].
	at, local []int64
	off       []int64
}

const (
	cycle    = 146097 * Day
	cycleEnd = 15778476000 * Second // in 2470, behind the last rule that tables state
)

// NewZone returns the table of loc.
func NewZone(loc *time.Location) *Zone {
	z := &Zone{name: loc.String()}
	t := time.Unix(-1<<37, 0).In(loc)
	for {
		_, off := t.Zone()
		start, end := t.ZoneBounds()
		at := int64(-1 << 63)
		if !start.IsZero() && len(z.at) > 0 {
			at = start.UnixMicro()
		}
		if n := len(z.off); n == 0 || z.off[n-1] != int64(off)*Second {
			z.at, z.off = append(z.at, at), append(z.off, int64(off)*Second)
		}
		if end.IsZero() || end.UnixMicro() > cycleEnd {
			break
		}
		if !end.After(t) {
			// On the last day of a leap year ZoneBounds gives that day's end, which
			// is no transition, for ever.
			end = t.Add(48 * time.Hour)
		}
		t = end
	}
	z.local = make([]int64, len(z.at))
	z.local[0] = -1 << 63
	for i := 1; i < len(z.at); i++ {
		// In an overlap the earlier offset holds until its end; in a gap too,
		// which is what moves the skipped times forward.
		z.local[i] = z.at[i] + max(z.off[i-1], z.off[i])
	}
	return z
}

// Fixed returns the zone's one offset in microseconds, if it has only one.
func (z *Zone) Fixed() (int64, bool) { return z.off[0], len(z.off) == 1 }

// String returns the name the zone was made from.
func (z *Zone) String() string { return z.name }

// Offset returns the microseconds by which local time is ahead at t.
func (z *Zone) Offset(t int64) int64 {
	if len(z.off) == 1 {
		return z.off[0]
	}
	if t >= cycleEnd {
		t -= ((t-cycleEnd)/cycle + 1) * cycle
	}
	return z.off[find(z.at, t)]
}

// Local returns the local time of t.
func (z *Zone) Local(t int64) int64 { return t + z.Offset(t) }

// UTC returns the time of a local time.
func (z *Zone) UTC(local int64) int64 {
	if len(z.off) == 1 {
		return local - z.off[0]
	}
	l := local
	if l >= cycleEnd {
		l -= ((l-cycleEnd)/cycle + 1) * cycle
	}
	return local - z.off[find(z.local, l)]
}

// find returns the last i with at[i] <= t; at[0] is below everything.
func find(at []int64, t int64) int {
	return sort.Search(len(at)-1, func(i int) bool { return at[i+1] > t })
}

// ToLocal writes the local time of each time. Neighbours usually share an
// offset, so the last one is tried first.
func (z *Zone) ToLocal(dst, src []int64) {
	src = src[:len(dst)]
	if len(z.off) == 1 {
		for i, t := range src {
			dst[i] = t + z.off[0]
		}
		return
	}
	lo, hi, off := int64(0), int64(-1), int64(0)
	for i, t := range src {
		if t < lo || t >= hi {
			lo, hi, off = z.span(t)
		}
		dst[i] = t + off
	}
}

// span returns the bounds of the period of t and its offset.
func (z *Zone) span(t int64) (lo, hi, off int64) {
	if t >= cycleEnd {
		return t, t + 1, z.Offset(t)
	}
	k := find(z.at, t)
	hi = cycleEnd
	if k+1 < len(z.at) {
		hi = z.at[k+1]
	}
	return z.at[k], hi, z.off[k]
}

// ToUTC writes the time of each local time.
func (z *Zone) ToUTC(dst, src []int64) {
	src = src[:len(dst)]
	if len(z.off) == 1 {
		off := z.off[0]
		for i, t := range src {
			dst[i] = t - off
		}
		return
	}
	for i, t := range src {
		dst[i] = z.UTC(t)
	}
}
