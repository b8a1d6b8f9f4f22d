package kafka

import (
	"math"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/flightd/flightd/internal/base"
)

// traffic counts what readers read, to know how long a record is.
type traffic struct{ records, bytes atomic.Int64 }

func (t *traffic) add(records, bytes int) {
	t.records.Add(int64(records))
	t.bytes.Add(int64(bytes))
}

// Metrics returns how far the query is behind the ends of the logs as they were
// last seen, in offsets, under Spark's names; and lostOffsets if losses were
// accepted.
func (s *Source) Metrics(latest base.Offset) map[string]string {
	out := map[string]string{}
	if n := s.losses.offsets.Load(); n > 0 {
		out["lostOffsets"] = strconv.FormatInt(n, 10)
	}
	at, err := parseOffset(latest)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil || len(s.ends) == 0 || len(at) == 0 {
		return out
	}
	lo, hi, sum := int64(math.MaxInt64), int64(0), int64(0)
	for p, end := range s.ends {
		behind := max(end-at[p], 0)
		lo, hi, sum = min(lo, behind), max(hi, behind), sum+behind
	}
	out["minOffsetsBehindLatest"], out["maxOffsetsBehindLatest"] = strconv.FormatInt(lo, 10), strconv.FormatInt(hi, 10)
	out["avgOffsetsBehindLatest"] = javaDouble(float64(sum) / float64(len(s.ends)))
	if n := s.seen.records.Load(); n > 0 {
		out["estimatedTotalBytesBehindLatest"] = javaDouble(float64(sum) * float64(s.seen.bytes.Load()) / float64(n))
	}
	return out
}

// javaDouble writes v as Java does: 4.0, 1.5, 1.0E7.
func javaDouble(v float64) string {
	if v == 0 || math.Abs(v) >= 1e-3 && math.Abs(v) < 1e7 {
		t := strconv.FormatFloat(v, 'f', -1, 64)
		if !strings.Contains(t, ".") {
			t += ".0"
		}
		return t
	}
	mantissa, exp, _ := strings.Cut(strconv.FormatFloat(v, 'e', -1, 64), "e")
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	n, err := strconv.Atoi(exp)
	if err != nil { // infinite or not a number
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return mantissa + "E" + strconv.Itoa(n)
}

// Positions returns the offset of each partition, as topic-number.
func (s *Source) Positions(o base.Offset) (map[string]int64, error) {
	at, err := parseOffset(o)
	if err != nil {
		return nil, err
	}
	out := make(map[string]int64, len(at))
	for p, n := range at {
		out[p.String()] = n
	}
	return out, nil
}
