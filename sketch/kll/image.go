package kll

import (
	"encoding/binary"
	"math"
)

const (
	family     = 15
	flagEmpty  = 1
	flagSorted = 2
	flagSingle = 4
	// emptyHead and fullHead are the bytes before the items of a sketch of up to one
	// item, and before the levels of one of more.
	emptyHead = 8
	fullHead  = 20
)

// Append appends the compact image of the sketch.
func (s *Sketch[T]) Append(dst []byte) []byte {
	flags := byte(0)
	if s.n == 0 {
		flags |= flagEmpty
	}
	if s.sorted {
		flags |= flagSorted
	}
	head := [emptyHead]byte{2, 1, family, flags, byte(s.k), byte(s.k >> 8), width, 0}
	switch s.n {
	case 0:
		return append(dst, head[:]...)
	case 1:
		head[1], head[3] = 2, flags|flagSingle
		return appendItem(append(dst, head[:]...), s.items[s.levels[0]])
	}
	head[0] = 5
	dst = binary.LittleEndian.AppendUint64(append(dst, head[:]...), uint64(s.n))
	dst = append(dst, byte(s.leastK), byte(s.leastK>>8), byte(len(s.levels)-1), 0)
	for _, at := range s.levels[:len(s.levels)-1] {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(at))
	}
	dst = appendItem(appendItem(dst, s.min), s.max)
	for _, x := range s.items[s.levels[0]:] {
		dst = appendItem(dst, x)
	}
	return dst
}

func appendItem[T Item](dst []byte, x T) []byte {
	switch x := any(x).(type) {
	case int64:
		return binary.LittleEndian.AppendUint64(dst, uint64(x))
	case float64:
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(x))
	case float32:
		return binary.LittleEndian.AppendUint32(dst, math.Float32bits(x))
	}
	return dst
}

// itemAt reads item i of b.
func itemAt[T Item](b []byte, i int) T {
	var x T
	switch p := any(&x).(type) {
	case *int64:
		*p = int64(binary.LittleEndian.Uint64(b[8*i:]))
	case *float64:
		*p = math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
	case *float32:
		*p = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return x
}

// Parse reads the image of a sketch of T, in its compact or its updatable form;
// the error is ErrImage. Nothing in an image says of what type its items are.
func Parse[T Item](b []byte) (*Sketch[T], error) {
	if len(b) < emptyHead || b[2] != family || b[6] != width {
		return nil, ErrImage
	}
	k, empty := int(binary.LittleEndian.Uint16(b[4:])), b[3]&flagEmpty != 0
	if k < MinK {
		return nil, ErrImage
	}
	s := New[T](k)
	s.sorted = b[3]&flagSorted != 0
	size := s.itemBytes()
	switch {
	case b[0] == 2 && b[1] == 1 && empty:
		return s, nil
	case b[0] == 2 && b[1] == 2 && !empty && len(b) >= emptyHead+size:
		sorted := s.sorted
		s.update(itemAt[T](b[emptyHead:], 0))
		s.sorted = sorted
		return s, nil
	case b[0] == 5 && (b[1] == 1 && !empty || b[1] == 3) && len(b) >= fullHead:
		return s, s.parseFull(b, b[1] == 3)
	}
	return nil, ErrImage
}

func (s *Sketch[T]) parseFull(b []byte, updatable bool) error {
	s.n = int64(binary.LittleEndian.Uint64(b[8:]))
	s.leastK = int(binary.LittleEndian.Uint16(b[16:]))
	numLevels := int(b[18])
	b = b[fullHead:]
	given := numLevels
	if updatable {
		given++
	}
	if numLevels < 1 || numLevels > 60 || len(b) < 4*given {
		return ErrImage
	}
	total := totalCapacity(s.k, numLevels)
	s.levels = make([]int, numLevels+1)
	for i := range given {
		s.levels[i] = int(int32(binary.LittleEndian.Uint32(b[4*i:])))
	}
	if !updatable {
		s.levels[numLevels] = total
	}
	weight := int64(0)
	for i := range numLevels {
		if s.levels[i] < 0 || s.levels[i] > s.levels[i+1] {
			return ErrImage
		}
		weight += int64(s.levels[i+1]-s.levels[i]) << i
	}
	size, stored := s.itemBytes(), total-s.levels[0]
	if updatable {
		stored = total
	}
	b = b[4*given:]
	if s.levels[numLevels] != total || weight != s.n || len(b) < (2+stored)*size {
		return ErrImage
	}
	s.min, s.max = itemAt[T](b, 0), itemAt[T](b, 1)
	s.items = make([]T, total)
	for i := range stored {
		s.items[total-stored+i] = itemAt[T](b, 2+i)
	}
	return nil
}
