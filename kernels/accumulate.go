package kernels

// The loops of this file take in one column of values by group: groups[i] is the
// group of value i. No value is missing. Where there is one group only, it is kept in
// a register.

// Signed is the set of integer types of columns.
type Signed interface {
	~int8 | ~int16 | ~int32 | ~int64
}

// CountGroups adds one to the count of each group, once for each mention.
func CountGroups(count []int64, groups []int32) {
	if len(count) == 1 {
		count[0] += int64(len(groups))
		return
	}
	if len(count) <= bankGroups && len(groups) > 2*bankGroups {
		var banks [4][bankGroups]int64
		for len(groups) >= 4 {
			for j := range 4 {
				banks[j][groups[j]&(bankGroups-1)]++
			}
			groups = groups[4:]
		}
		for g := range count {
			count[g] += banks[0][g] + banks[1][g] + banks[2][g] + banks[3][g]
		}
	}
	for _, g := range groups {
		count[g]++
	}
}

// SumGroups adds vals to the sums of their groups. The result is negative if a
// sum left the range of int64.
func SumGroups[T Signed](sum []int64, groups []int32, vals []T) (wrapped int64) {
	vals = vals[:len(groups)]
	if len(sum) == 1 {
		all := sum[0]
		for _, v := range vals {
			x := int64(v)
			s := all + x
			wrapped |= (all ^ s) & (x ^ s)
			all = s
		}
		sum[0] = all
		return wrapped
	}
	for i, g := range groups {
		x := int64(vals[i])
		old := sum[g]
		s := old + x
		wrapped |= (old ^ s) & (x ^ s)
		sum[g] = s
	}
	return wrapped
}

// MinGroups keeps the smallest value of each group.
func MinGroups[T Signed](best []T, groups []int32, vals []T) {
	vals = vals[:len(groups)]
	if len(best) == 1 {
		b := best[0]
		for _, v := range vals {
			b = min(b, v)
		}
		best[0] = b
		return
	}
	for i, g := range groups {
		best[g] = min(best[g], vals[i])
	}
}

// MaxGroups keeps the greatest value of each group.
func MaxGroups[T Signed](best []T, groups []int32, vals []T) {
	vals = vals[:len(groups)]
	if len(best) == 1 {
		b := best[0]
		for _, v := range vals {
			b = max(b, v)
		}
		best[0] = b
		return
	}
	for i, g := range groups {
		best[g] = max(best[g], vals[i])
	}
}

// SumMinMaxGroups is SumGroups, MinGroups and MaxGroups in one pass.
func SumMinMaxGroups[T Signed](sum []int64, lo, hi []T, groups []int32, vals []T) (wrapped int64) {
	vals = vals[:len(groups)]
	hi, sum = hi[:len(lo)], sum[:len(lo)]
	for i, g := range groups {
		v := vals[i]
		lo[g] = min(lo[g], v)
		hi[g] = max(hi[g], v)
		x := int64(v)
		old := sum[g]
		s := old + x
		wrapped |= (old ^ s) & (x ^ s)
		sum[g] = s
	}
	return wrapped
}

// A Summary is what one group has of a column: how many values, their sum, the smallest
// and the greatest.
type Summary struct{ Count, Sum, Low, High int64 }

// SummarizeGroups takes in vals by group; sums wrap.
func SummarizeGroups[T Signed](cells []Summary, groups []int32, vals []T) {
	vals = vals[:len(groups)]
	if len(cells) == 1 {
		c := cells[0]
		for _, v := range vals {
			x := int64(v)
			c.Sum += x
			c.Low, c.High = min(c.Low, x), max(c.High, x)
		}
		c.Count += int64(len(vals))
		cells[0] = c
		return
	}
	for i, g := range groups {
		c, x := &cells[g], int64(vals[i])
		c.Count++
		c.Sum += x
		if x < c.Low { // seldom, and then a store less
			c.Low = x
		}
		if x > c.High {
			c.High = x
		}
	}
}

// FloatSumGroups adds vals to the sums of their groups, in order.
func FloatSumGroups[T Signed | ~float32 | ~float64](sum []float64, groups []int32, vals []T) {
	vals = vals[:len(groups)]
	if len(sum) == 1 {
		all := sum[0]
		for _, v := range vals {
			all += float64(v)
		}
		sum[0] = all
		return
	}
	for i, g := range groups {
		sum[g] += float64(vals[i])
	}
}

// FloatMeanGroups is FloatSumGroups and CountGroups in one pass.
func FloatMeanGroups[T Signed | ~float32 | ~float64](sum []float64, count []int64, groups []int32, vals []T) {
	vals = vals[:len(groups)]
	sum = sum[:len(count)]
	for i, g := range groups {
		sum[g] += float64(vals[i])
		count[g]++
	}
}

// SumDecimalGroups adds vals[rows[i]] to the sum of group groups[i], wrapping.
func SumDecimalGroups(sum []Int128, groups, rows []int32, vals []Int128) {
	rows = rows[:len(groups)]
	if len(sum) == 1 {
		all := sum[0]
		for _, r := range rows {
			all = all.Add(vals[r])
		}
		sum[0] = all
		return
	}
	if len(sum) <= bankGroups && narrowGroups(sum, groups, rows, vals) {
		return
	}
	for i, g := range groups {
		sum[g] = sum[g].Add(vals[rows[i]])
	}
}
