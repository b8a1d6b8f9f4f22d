package expr

import (
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

// sequence is the numbers, dates or times from start to stop, both included, by a
// step: 1, one day, or −1 where stop is before start.
func sequence(f *frame) error {
	t := f.args[0].Type
	b := vec.NewBuilder(f.call.Typ.Elem)
	off := f.offsets()
	next := 0
	var one func(i int) error
	if t.IsInteger() {
		one = integerSequence(f, b)
	} else {
		one = timeSequence(f, b)
	}
	err := f.tryAll(func(i int) error {
		for ; next <= i; next++ {
			off[next] = int32(b.Len())
		}
		if !f.valid(i) {
			return nil
		}
		return one(i)
	})
	for ; next <= f.n; next++ {
		off[next] = int32(b.Len())
	}
	f.out.Kids = []*vec.Vec{b.Vec()}
	return err
}

func badSequence(f *frame, i int) error {
	step := "1"
	if len(f.args) > 2 {
		step = string(AppendText(nil, f.args[2], i, nil))
	}
	return base.Errorf(base.CodeInvalid, "IllegalArgumentException: requirement failed: Illegal sequence boundaries: %s to %s by %s",
		AppendText(nil, f.args[0], i, nil), AppendText(nil, f.args[1], i, nil), step).At(f.call.At)
}

func integerSequence(f *frame, b *vec.Builder) func(i int) error {
	lo, hi := ints(f, 0, nil), ints(f, 1, nil)
	step := func(i int) int64 {
		if lo[i] <= hi[i] {
			return 1
		}
		return -1
	}
	if len(f.args) > 2 {
		s := ints(f, 2, nil)
		step = func(i int) int64 { return s[i] }
	}
	return func(i int) error {
		by := step(i)
		if by == 0 && lo[i] != hi[i] || by > 0 && lo[i] > hi[i] || by < 0 && lo[i] < hi[i] {
			return badSequence(f, i)
		}
		if by == 0 {
			b.AppendInt(lo[i])
			return nil
		}
		var n uint64
		if by > 0 {
			n = (uint64(hi[i]) - uint64(lo[i])) / uint64(by)
		} else {
			n = (uint64(lo[i]) - uint64(hi[i])) / -uint64(by)
		}
		if n >= maxArray {
			return arrayTooLong(f, int64(n)+1, "count")
		}
		if err := f.room(product(int64(n)+1, 8)); err != nil {
			return err
		}
		for k := uint64(0); k <= n; k++ {
			b.AppendInt(lo[i] + int64(k)*by)
		}
		return nil
	}
}

func timeSequence(f *frame, b *vec.Builder) func(i int) error {
	t := f.args[0].Type
	zone := f.env.zone
	if t.Kind != expr.KindTimestamp {
		zone = utc
	}
	lo, hi := instants(f, 0, zone), instants(f, 1, zone)
	step := func(i int) interval {
		if lo(i) <= hi(i) {
			return interval{days: 1}
		}
		return interval{days: -1}
	}
	if len(f.args) > 2 {
		step = intervals(f, 2)
	}
	return func(i int) error {
		from, to, by := lo(i), hi(i), step(i)
		size := by.months*28*kernels.Day + by.days*kernels.Day + by.micros
		if size == 0 && from != to || size > 0 && from > to || size < 0 && from < to {
			return badSequence(f, i)
		}
		for k := int64(0); ; k++ {
			at, ok := addCivil(zone, from, interval{by.months * k, by.days * k, by.micros * k})
			if !ok || size >= 0 && at > to || size < 0 && at < to {
				return nil
			}
			if k >= maxArray {
				return arrayTooLong(f, k, "count")
			}
			if t.Kind == expr.KindDate {
				b.AppendInt(kernels.FloorDiv(at, kernels.Day))
			} else {
				b.AppendInt(at)
			}
			if size == 0 {
				return nil
			}
		}
	}
}
