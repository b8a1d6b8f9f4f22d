package kernels

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// The short way to a date is that of package time, over all the days it knows and
// around their ends.
func TestCivilShort(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	check := func(day int64) {
		t.Helper()
		at := time.Unix(day*86400, 0).UTC()
		y, m, d := Civil(day)
		if y != int64(at.Year()) || m != int(at.Month()) || d != at.Day() {
			t.Fatalf("day %d is %d-%d-%d, not %s", day, y, m, d, at)
		}
		if n := YearDay(day); n != at.YearDay() {
			t.Fatalf("day %d is day %d of its year, not %d", day, n, at.YearDay())
		}
		wy, w := at.ISOWeek()
		if gy, g := ISOWeek(day); gy != int64(wy) || g != w {
			t.Fatalf("day %d is in week %d of %d, not %d of %d", day, g, gy, w, wy)
		}
	}
	for day := int64(-800_000); day < 400_000; day += 1 + rnd.Int64N(3) {
		check(day)
	}
	for range 100_000 {
		check(rnd.Int64N(30_000_000) - 15_000_000)
	}
	for _, day := range []int64{firstShort - 1, firstShort, lastShort, lastShort + 1, 0, -1} {
		check(day)
	}
	days, out := []int32{firstShort - 1, -1, 0, lastShort + 1, math.MinInt32, math.MaxInt32}, make([]int32, 6)
	DateFields(FieldYear, out, days)
	for i, d := range days {
		if y, _, _ := Civil(int64(d)); int32(y) != out[i] {
			t.Fatalf("year of day %d is %d, not %d", d, out[i], y)
		}
	}
}

// Days and truncated times are floors over the whole range.
func TestTruncTimes(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	times := []int64{math.MinInt64, math.MinInt64 + 1, -Day - 1, -Day, -1, 0, 1, Day - 1, Day, math.MaxInt64, math.MaxInt64 - Day, math.MaxInt64 - Day + 1}
	for range 10_000 {
		times = append(times, int64(rnd.Uint64())>>rnd.IntN(40))
	}
	days, out := make([]int32, len(times)), make([]int64, len(times))
	Days(days, times)
	for i, at := range times {
		if want := int32(FloorDiv(at, Day)); days[i] != want {
			t.Fatalf("day of %d is %d, not %d", at, days[i], want)
		}
	}
	for _, unit := range []int64{Day, Hour, Minute, Second, 1000, 1} {
		TruncTimes(out, times, unit)
		for i, at := range times {
			if want := at - FloorMod(at, unit); out[i] != want {
				t.Fatalf("%d truncated to %d is %d, not %d", at, unit, out[i], want)
			}
		}
	}
	for _, months := range []int{1, 3, 12} {
		TruncMonths(out, times, months)
		for i, at := range times {
			y, m, _ := Civil(FloorDiv(at, Day))
			if want := DayOf(y, (m-1)/months*months+1, 1) * Day; out[i] != want {
				t.Fatalf("%d truncated to %d months is %d, not %d", at, months, out[i], want)
			}
		}
	}
}
