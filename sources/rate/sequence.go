package rate

import "sort"

// Limits that keep every product of them below 2^63.
const (
	maxRowsPerSecond = 1 << 29
	maxSeconds       = 1 << 33
)

// sequence says how many rows there are after how many seconds. During the ramp
// the rate grows by the same amount each second.
type sequence struct {
	start         int64 // milliseconds since 1970
	rowsPerSecond int64
	ramp          int64 // seconds
}

// rowsAfter is the number of rows of the first so many seconds.
func (q sequence) rowsAfter(seconds int64) int64 {
	ramping := min(seconds, q.ramp)
	step := q.rowsPerSecond / (q.ramp + 1)
	return step*ramping*(ramping+1)/2 + (seconds-ramping)*q.rowsPerSecond
}

// times fills in the microseconds since 1970 of rows from lo on: those of a second
// are spread over it evenly, in whole milliseconds.
func (q sequence) times(dst []int64, lo int64) {
	second := int64(sort.Search(maxSeconds, func(s int) bool { return q.rowsAfter(int64(s)+1) > lo }))
	for len(dst) > 0 {
		first, end := q.rowsAfter(second), q.rowsAfter(second+1)
		n := end - first
		begins := q.start + second*1000
		k := min(end-lo, int64(len(dst)))
		for i := range k {
			dst[i] = (begins + ((lo-first+i)*2000+n)/(2*n)) * 1000
		}
		dst, lo, second = dst[k:], lo+k, second+1
	}
}
