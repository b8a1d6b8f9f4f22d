package kernels

import "math/bits"

// Most decimals are of 64 bits and far from the ends of these. The functions below
// compute as if all were, note meanwhile how far the numbers are from zero, and tell
// afterwards whether the result is right: the caller does it again where it is not.

// narrowProducts writes x·y for each row. It reports whether these are the products,
// and all of them below limit.
func narrowProducts(dst, a, b []Int128, limit Int128) bool {
	a, b = a[:len(dst)], b[:len(dst)]
	var wide, ma, mb uint64
	for i := range dst {
		x, y := int64(a[i].Lo), int64(b[i].Lo)
		wide |= uint64(a[i].Hi^x>>63) | uint64(b[i].Hi^y>>63)
		ma |= uint64(x ^ x>>63)
		mb |= uint64(y ^ y>>63)
		dst[i] = From64(x * y)
	}
	// |x| ≤ 2^Len64(ma), so no product is beyond 2^n.
	n := bits.Len64(ma) + bits.Len64(mb)
	return wide == 0 && n < 63 && From64(1<<n).Below(limit)
}

// narrowSums writes p·x + q·y for each row. It reports whether these are the sums, and
// all of them below limit.
func narrowSums(dst, a, b []Int128, p, q int64, limit Int128) bool {
	a, b = a[:len(dst)], b[:len(dst)]
	var wide, ma, mb uint64
	for i := range dst {
		x, y := int64(a[i].Lo), int64(b[i].Lo)
		wide |= uint64(a[i].Hi^x>>63) | uint64(b[i].Hi^y>>63)
		ma |= uint64(x ^ x>>63)
		mb |= uint64(y ^ y>>63)
		dst[i] = From64(p*x + q*y)
	}
	n := 1 + max(bits.Len64(ma)+bits.Len64(uint64(max(p, -p))), bits.Len64(mb)+bits.Len64(uint64(max(q, -q))))
	return wide == 0 && n < 63 && From64(1<<n).Below(limit)
}

// Narrow reports whether all decimals are of 64 bits.
func Narrow(vals []Int128) bool {
	var wide int64
	for _, v := range vals {
		wide |= v.Hi ^ int64(v.Lo)>>63
	}
	return wide == 0
}

// bankGroups is up to how many groups are summed and counted in banks: rows next to each
// other, which often are of one group, need not wait for each other's sum.
const bankGroups = 64

// narrowGroups is SumDecimalGroups for at most bankGroups groups; it adds all or, where
// values are too large, none and returns false.
func narrowGroups(sum []Int128, groups, rows []int32, vals []Int128) bool {
	n := len(groups)
	rows = rows[:n]
	var banks [4][bankGroups]int64
	var wide, m uint64
	i := 0
	for ; i+4 <= n; i += 4 {
		g, r := groups[i:i+4:i+4], rows[i:i+4:i+4]
		v0, v1, v2, v3 := &vals[r[0]], &vals[r[1]], &vals[r[2]], &vals[r[3]]
		x0, x1, x2, x3 := int64(v0.Lo), int64(v1.Lo), int64(v2.Lo), int64(v3.Lo)
		s0, s1, s2, s3 := x0>>63, x1>>63, x2>>63, x3>>63
		wide |= uint64(v0.Hi^s0) | uint64(v1.Hi^s1) | uint64(v2.Hi^s2) | uint64(v3.Hi^s3)
		m |= uint64(x0^s0) | uint64(x1^s1) | uint64(x2^s2) | uint64(x3^s3)
		banks[0][g[0]&(bankGroups-1)] += x0
		banks[1][g[1]&(bankGroups-1)] += x1
		banks[2][g[2]&(bankGroups-1)] += x2
		banks[3][g[3]&(bankGroups-1)] += x3
	}
	for ; i < n; i++ {
		v := &vals[rows[i]]
		x := int64(v.Lo)
		wide |= uint64(v.Hi ^ x>>63)
		m |= uint64(x ^ x>>63)
		banks[0][groups[i]&(bankGroups-1)] += x
	}
	if wide != 0 || bits.Len64(m)+bits.Len(uint(n)) >= 63 {
		return false
	}
	for g := range sum {
		sum[g] = sum[g].Add(From64(banks[0][g] + banks[1][g] + banks[2][g] + banks[3][g]))
	}
	return true
}

// CompareNarrowDecimal is CompareDecimal for decimals of at most 18 digits.
func CompareNarrowDecimal(op Op, dst []byte, a, b []Int128) {
	n := len(a)
	b = b[:n]
	switch op {
	case GT, LE: // y < x, or not
		a, b = b, a
	}
	var flip uint8
	if op == NE || op == GE || op == LE {
		flip = 0xff
	}
	for i := range dst {
		var m uint8
		lo := i << 3
		xs, ys := a[lo:min(lo+8, n)], b[lo:min(lo+8, n)]
		if op == EQ || op == NE {
			for j := range xs {
				m |= b2u(xs[j].Lo == ys[j].Lo) << (j & 7)
			}
		} else {
			for j := range xs { // no difference leaves 64 bits
				m |= uint8((xs[j].Lo-ys[j].Lo)>>63) << (j & 7)
			}
		}
		dst[i] = m ^ flip
	}
}

// SelectNarrowDecimal is SelectDecimal for decimals of at most 18 digits.
func SelectNarrowDecimal(op Op, a []Int128, s Int128, sel, out []int32) int {
	// Bit 0 of accept is for below, 1 for equal, 2 for above.
	accept := [...]uint8{EQ: 2, NE: 5, LT: 1, LE: 3, GT: 4, GE: 6}[op]
	k := 0
	if sel == nil {
		out = out[:len(a)]
		for i := range a {
			out[k] = int32(i)
			k += int(accept >> (1 - (a[i].Lo-s.Lo)>>63 + (s.Lo-a[i].Lo)>>63) & 1)
		}
		return k
	}
	out = out[:len(sel)]
	for _, r := range sel {
		x := a[r].Lo
		out[k] = r
		k += int(accept >> (1 - (x-s.Lo)>>63 + (s.Lo-x)>>63) & 1)
	}
	return k
}
