package encoding

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
)

// Runs decodes numbers of a fixed width that are stored as runs: one number that
// is repeated, or numbers packed bit by bit. Definition levels, dictionary
// indices and the truth values of newer pages are.
type Runs struct {
	data  []byte
	pos   int // in data, behind the current run
	width int
	// left is how many numbers of the current run are to come.
	left int
	// packed says that the current run begins at data[start] and that at of its
	// numbers have been taken; else it repeats value.
	packed    bool
	start, at int
	value     uint32
}

// Reset begins with runs of numbers of width bits, at most 32.
func (r *Runs) Reset(data []byte, width int) error {
	*r = Runs{}
	if width < 0 || width > 32 {
		return fmt.Errorf("numbers of %d bits", width)
	}
	r.data, r.width = Padded(data), width
	if width == 0 { // nothing needs to be stored
		r.left = math.MaxInt
	}
	return nil
}

// ResetPacked begins with levels of one bit in the form that old writers used: a
// single packed run whose first number is the highest bit of a byte.
func (r *Runs) ResetPacked(data []byte) {
	turned := make([]byte, len(data), len(data)+Slack)
	for i, b := range data {
		turned[i] = bits.Reverse8(b)
	}
	*r = Runs{data: turned, pos: len(turned), width: 1, packed: true, left: 8 * len(turned)}
}

// next begins with the next run.
func (r *Runs) next() error {
	var head uint64
	if r.pos < len(r.data) && r.data[r.pos] < 0x80 {
		head = uint64(r.data[r.pos])
		r.pos++
	} else {
		v, n, err := uvarint(r.data[r.pos:])
		if err != nil {
			return fmt.Errorf("runs of numbers: %w", err)
		}
		if v > math.MaxUint32 {
			return fmt.Errorf("a run of %d numbers", v>>1)
		}
		head = v
		r.pos += n
	}
	count, left := int(head>>1), len(r.data)-r.pos
	if r.packed = head&1 == 1; r.packed {
		// Some writers leave out the end of the last group.
		bytes := min(count*r.width, left)
		r.start, r.at = r.pos, 0
		r.pos += bytes
		r.left = bytes * 8 / r.width
		return nil
	}
	bytes := (r.width + 7) / 8
	if left < bytes {
		return fmt.Errorf("runs of numbers: %w", ErrShort)
	}
	v := load(r.data[:cap(r.data)], r.pos) & (1<<(8*bytes) - 1)
	if v>>r.width != 0 {
		return fmt.Errorf("a run of the number %d in %d bits", v, r.width)
	}
	r.value = uint32(v)
	r.pos += bytes
	r.left = count
	return nil
}

// Numbers decodes the next len(dst) numbers.
func (r *Runs) Numbers(dst []uint32) error {
	for len(dst) > 0 {
		if r.left == 0 {
			if err := r.next(); err != nil {
				return err
			}
			continue
		}
		n := min(r.left, len(dst))
		if r.packed {
			unpack(dst[:n], r.data[r.start:], r.at, r.width)
			r.at += n
		} else {
			v, run := r.value, dst[:n]
			for i := range run {
				run[i] = v
			}
		}
		dst, r.left = dst[n:], r.left-n
	}
	return nil
}

// Pick passes over the next n numbers and puts those at places, which are ascending
// and below n, into dst.
func (r *Runs) Pick(dst []uint32, places []int32, n int) error {
	dst = dst[:len(places)]
	for from := 0; n > 0; {
		if r.left == 0 {
			if err := r.next(); err != nil {
				return err
			}
			continue
		}
		k := min(r.left, n)
		in := 0
		if r.packed {
			src, first := r.data[r.start:], r.at-from
			for ; in < len(places) && int(places[in]) < from+k; in++ {
				dst[in] = one(src, first+int(places[in]), r.width)
			}
			r.at += k
		} else {
			for ; in < len(places) && int(places[in]) < from+k; in++ {
				dst[in] = r.value
			}
		}
		dst, places = dst[in:], places[in:]
		from, n, r.left = from+k, n-k, r.left-k
	}
	return nil
}

// Bits decodes the next n numbers of width 1 into the bits of dst from bit at on,
// and returns how many are 1. The bits of dst are 0 from there on, and it is padded.
func (r *Runs) Bits(dst []byte, at, n int) (ones int, err error) {
	if r.width != 1 {
		return 0, fmt.Errorf("bits of numbers of %d bits", r.width)
	}
	out := bitWriter{dst: dst[:cap(dst)], at: at >> 3, filled: at & 7}
	out.word = uint64(dst[out.at]) & (1<<out.filled - 1)
	for n > 0 {
		if r.left == 0 {
			if n = r.shortRuns(&out, n); n == 0 {
				break
			}
			if err := r.next(); err != nil {
				return out.ones, err
			}
			continue
		}
		k := min(r.left, n, 56)
		w := -uint64(r.value & 1)
		if r.packed {
			bit := 8*r.start + r.at
			w = load(r.data[:cap(r.data)], bit>>3) >> (bit & 7)
			r.at += k
		}
		out.put(w, k)
		n -= k
		r.left -= k
	}
	return out.ones, nil
}

// bitWriter stores bits. They wait in a word: to add them to bytes that were stored
// just before would wait for these, and levels with a few nulls are runs of some ten.
type bitWriter struct {
	dst        []byte
	at, filled int
	word       uint64
	ones       int
}

// put stores the lowest n bits of w, n at most 56.
func (b *bitWriter) put(w uint64, n int) {
	w &= 1<<n - 1
	b.ones += bits.OnesCount64(w)
	b.word |= w << b.filled
	binary.LittleEndian.PutUint64(b.dst[b.at:], b.word)
	b.filled += n
	b.at += b.filled >> 3
	b.word >>= b.filled &^ 7
	b.filled &= 7
}

// shortRuns takes whole runs of numbers of width 1, at most n numbers, until one is not
// short or next has to look closer at it. It returns what is left of n.
func (r *Runs) shortRuns(to *bitWriter, n int) int {
	out, data, pos := *to, r.data, r.pos
	for n > 0 && len(data)-pos >= 10 {
		head, body := uint64(data[pos]), load(data, pos+1)
		// No branch on which kind it is: they come mixed.
		count, packed := head>>1, -(head & 1)
		k := int(count << (3 & packed))
		value := body & 0xff
		if head >= 0x80 || k > min(n, 56) || value&^packed > 1 {
			break
		}
		out.put(body&packed|-(value&1)&^packed, k)
		n -= k
		pos += 2 + int((count-1)&packed)
	}
	*to, r.pos = out, pos
	return n
}
