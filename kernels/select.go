package kernels

import "unsafe"

// SelectScalar writes to out the indices i of a, ascending, with a[i] op s, and
// returns how many; out needs len(a).
func SelectScalar[T Int](op Op, a []T, s T, out []int32) int {
	if useAVX2 && unsafe.Sizeof(s) >= 4 && len(a) >= 8 {
		return selectScalarBits(op, a, s, out)
	}
	return selectScalarGo(op, a, s, out)
}

// selectScalarBits makes a bitmap, a part at a time, and of it the indices.
func selectScalarBits[T Int](op Op, a []T, s T, out []int32) int {
	const part = 2048
	var bits [part / 8]byte
	k := 0
	for i := 0; i < len(a); i += part {
		n := min(part, len(a)-i)
		CompareIntScalar(op, bits[:BitmapBytes(n)], a[i:i+n], s)
		k += onesFrom(bits[:], n, i, out[k:])
	}
	return k
}

// selectScalarGo writes every candidate and moves on only past those that hold,
// so that there is no branch to mispredict.
func selectScalarGo[T Int](op Op, a []T, s T, out []int32) int {
	k := 0
	out = out[:len(a)]
	switch op {
	case EQ:
		for i, v := range a {
			out[k] = int32(i)
			k += int(b2u(v == s))
		}
	case NE:
		for i, v := range a {
			out[k] = int32(i)
			k += int(b2u(v != s))
		}
	case LT:
		for i, v := range a {
			out[k] = int32(i)
			k += int(b2u(v < s))
		}
	case LE:
		for i, v := range a {
			out[k] = int32(i)
			k += int(b2u(v <= s))
		}
	case GT:
		for i, v := range a {
			out[k] = int32(i)
			k += int(b2u(v > s))
		}
	case GE:
		for i, v := range a {
			out[k] = int32(i)
			k += int(b2u(v >= s))
		}
	}
	return k
}

// SelectScalarSel is SelectScalar over the rows of sel. out may be sel itself.
func SelectScalarSel[T Int](op Op, a []T, s T, sel, out []int32) int {
	k := 0
	switch op {
	case EQ:
		for _, i := range sel {
			out[k] = i
			k += int(b2u(a[i] == s))
		}
	case NE:
		for _, i := range sel {
			out[k] = i
			k += int(b2u(a[i] != s))
		}
	case LT:
		for _, i := range sel {
			out[k] = i
			k += int(b2u(a[i] < s))
		}
	case LE:
		for _, i := range sel {
			out[k] = i
			k += int(b2u(a[i] <= s))
		}
	case GT:
		for _, i := range sel {
			out[k] = i
			k += int(b2u(a[i] > s))
		}
	case GE:
		for _, i := range sel {
			out[k] = i
			k += int(b2u(a[i] >= s))
		}
	}
	return k
}

// SelectCodes writes to out the members of sel, or all rows if it is nil, whose code
// is that of a 1 in verdicts, and returns how many they are. A code beyond verdicts
// is not. out is as long as sel, or codes, and may be sel.
func SelectCodes(verdicts []byte, codes, sel, out []int32) int {
	n := 0
	if sel == nil {
		out = out[:len(codes)]
		for i, c := range codes {
			out[n] = int32(i)
			if uint(c) < uint(len(verdicts)) {
				n += int(verdicts[c] & 1)
			}
		}
		return n
	}
	out = out[:len(sel)]
	for _, r := range sel {
		out[n] = r
		if c := codes[r]; uint(c) < uint(len(verdicts)) {
			n += int(verdicts[c] & 1)
		}
	}
	return n
}

// SelectDecimal writes to out the members r of sel, or all rows if it is nil, with
// a[r] op s, of decimals of one scale, and returns how many. out is as long as sel, or a,
// and may be sel.
func SelectDecimal(op Op, a []Int128, s Int128, sel, out []int32) int {
	// Bit 0 of accept is for below, 1 for equal, 2 for above.
	accept := [...]uint8{EQ: 2, NE: 5, LT: 1, LE: 3, GT: 4, GE: 6}[op]
	k := 0
	if sel == nil {
		out = out[:len(a)]
		for i := range a {
			out[k] = int32(i)
			k += int(accept >> (1 - b2u(a[i].Less(s)) + b2u(s.Less(a[i]))) & 1)
		}
		return k
	}
	out = out[:len(sel)]
	for _, r := range sel {
		out[k] = r
		k += int(accept >> (1 - b2u(a[r].Less(s)) + b2u(s.Less(a[r]))) & 1)
	}
	return k
}
