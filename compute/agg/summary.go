package agg

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/flightd/flightd/compute/vec"
)

// A summary stands for count numbers: samples ascend; the rank of a sample lies
// between the sum of gaps up to it and that plus its delta.
type summary struct {
	samples    []sample
	count      int64
	compressed bool
}

type sample struct {
	value      float64
	gap, delta int64
}

// insert takes in pending numbers.
func (s *summary) insert(pending []byte, relErr float64) {
	if len(pending) == 0 {
		return
	}
	vals := make([]float64, len(pending)/8)
	for i := range vals {
		vals[i] = math.Float64frombits(binary.LittleEndian.Uint64(pending[8*i:]))
	}
	slices.SortFunc(vals, totalOrder)
	merged := make([]sample, 0, len(s.samples)+len(vals))
	next := 0
	for i, v := range vals {
		for next < len(s.samples) && s.samples[next].value <= v {
			merged = append(merged, s.samples[next])
			next++
		}
		s.count++
		delta := int64(0)
		// The least and the greatest number are known exactly.
		if len(merged) > 0 && !(next == len(s.samples) && i == len(vals)-1) {
			delta = int64(math.Floor(2 * relErr * float64(s.count)))
		}
		merged = append(merged, sample{v, 1, delta})
	}
	s.samples, s.compressed = append(merged, s.samples[next:]...), false
}

// totalOrder puts −0 below 0 and NaN above everything.
func totalOrder(a, b float64) int {
	if c := vec.CompareFloat(a, b); c != 0 || a != 0 {
		return c
	}
	return vec.CompareFloat(math.Copysign(1, a), math.Copysign(1, b))
}

func (s *summary) compress(relErr float64) {
	s.samples = compressSamples(s.samples, 2*relErr*float64(s.count))
	s.compressed = true
}

// compressSamples lets samples be absorbed by their right neighbours as long as
// the uncertainty stays below the threshold. The first and the last one stay.
func compressSamples(in []sample, threshold float64) []sample {
	if len(in) == 0 {
		return in
	}
	var kept []sample // from right to left
	head := in[len(in)-1]
	for i := len(in) - 2; i >= 1; i-- {
		if float64(in[i].gap+head.gap+head.delta) < threshold {
			head.gap += in[i].gap
			continue
		}
		kept = append(kept, head)
		head = in[i]
	}
	kept = append(kept, head)
	if in[0].value <= head.value && len(in) > 1 {
		kept = append(kept, in[0])
	}
	slices.Reverse(kept)
	return kept
}

// merge takes in another summary; both are compressed.
func (s *summary) merge(o summary, relErr float64) {
	if o.count == 0 {
		return
	}
	if s.count == 0 {
		*s = o
		return
	}
	more := int64(math.Floor(2 * relErr * float64(o.count)))
	moreOther := int64(math.Floor(2 * relErr * float64(s.count)))
	merged := make([]sample, 0, len(s.samples)+len(o.samples))
	i, j := 0, 0
	for i < len(s.samples) && j < len(o.samples) {
		var next sample
		if s.samples[i].value < o.samples[j].value {
			next = s.samples[i]
			i++
			if j > 0 {
				next.delta += more
			}
		} else {
			next = o.samples[j]
			j++
			if i > 0 {
				next.delta += moreOther
			}
		}
		merged = append(merged, next)
	}
	merged = append(append(merged, s.samples[i:]...), o.samples[j:]...)
	s.count += o.count
	s.samples = merged
	s.compress(relErr)
}

// query returns a number for each percentage, in their order.
func (s *summary) query(percentages []float64, relErr float64) []float64 {
	target := int64(math.MinInt64)
	for _, x := range s.samples {
		target = max(target, x.delta+x.gap)
	}
	target /= 2
	out := make([]float64, len(percentages))
	for i, p := range percentages {
		switch {
		case p <= relErr || len(s.samples) == 1:
			out[i] = s.samples[0].value
		case p >= 1-relErr:
			out[i] = s.samples[len(s.samples)-1].value
		default:
			out[i] = s.at(int64(math.Ceil(p*float64(s.count))), target)
		}
	}
	return out
}

// at returns the first sample whose rank is certain to be within target of rank.
func (s *summary) at(rank, target int64) float64 {
	low := int64(0)
	for _, x := range s.samples[:len(s.samples)-1] {
		low += x.gap
		if low+x.delta-target <= rank && rank <= low+target {
			return x.value
		}
	}
	return s.samples[len(s.samples)-1].value
}

// writeSummary appends s: number of samples and whether it is compressed, count,
// samples.
func writeSummary(dst []byte, s *summary) []byte {
	head := uint64(len(s.samples)) << 1
	if s.compressed {
		head |= 1
	}
	dst = binary.LittleEndian.AppendUint64(dst, head)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(s.count))
	for _, x := range s.samples {
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(x.value))
		dst = binary.LittleEndian.AppendUint64(dst, uint64(x.gap))
		dst = binary.LittleEndian.AppendUint64(dst, uint64(x.delta))
	}
	return dst
}

// pendingBytes returns how many bytes follow the summary in b.
func pendingBytes(b []byte) int { return len(b) - 16 - 24*int(binary.LittleEndian.Uint64(b)>>1) }

// readSummary reads what writeSummary wrote, and returns what follows. No bytes
// are an empty summary.
func readSummary(b []byte) (s summary, rest []byte) {
	if len(b) < 16 {
		return s, nil
	}
	head := binary.LittleEndian.Uint64(b)
	s.compressed, s.count = head&1 == 1, int64(binary.LittleEndian.Uint64(b[8:]))
	b = b[16:]
	s.samples = make([]sample, head>>1)
	for i := range s.samples {
		s.samples[i] = sample{math.Float64frombits(binary.LittleEndian.Uint64(b)),
			int64(binary.LittleEndian.Uint64(b[8:])), int64(binary.LittleEndian.Uint64(b[16:]))}
		b = b[24:]
	}
	return s, b
}
