package numbered

import (
	"strconv"

	"github.com/flightd/flightd/internal/base"
)

// Offset returns the offset behind the first n things: n as a JSON number.
func Offset(n int64) base.Offset { return base.Offset(strconv.FormatInt(n, 10)) }

// ParseOffset reads what Offset wrote; the empty offset is 0. Anything else is a
// Corrupt error that names the source.
func ParseOffset(o base.Offset, source string) (int64, error) {
	if o == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(string(o), 10, 64)
	if err != nil || n < 0 || Offset(n) != o {
		return 0, base.Errorf(base.CodeCorrupt, "%.80q is not an offset of %s", o, source)
	}
	return n, nil
}

// ParseRange reads the two ends of a range; one that runs backwards is a Corrupt
// error.
func ParseRange(from, to base.Offset, source string) (lo, hi int64, err error) {
	if lo, err = ParseOffset(from, source); err != nil {
		return 0, 0, err
	}
	if hi, err = ParseOffset(to, source); err != nil {
		return 0, 0, err
	}
	if hi < lo {
		return 0, 0, base.Errorf(base.CodeCorrupt, "a range of %s begins at %d and ends at %d", source, lo, hi)
	}
	return lo, hi, nil
}
