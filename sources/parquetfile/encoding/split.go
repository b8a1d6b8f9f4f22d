package encoding

import "fmt"

// Split decodes values of Size bytes whose first bytes are stored together, then
// their second bytes and so on (BYTE_STREAM_SPLIT).
type Split struct {
	data     []byte
	size     int
	at, rows int
}

// Reset begins with data, a whole number of values of size bytes.
func (s *Split) Reset(data []byte, size int) error {
	if size <= 0 || len(data)%size != 0 {
		return fmt.Errorf("%d bytes of values of %d bytes", len(data), size)
	}
	*s = Split{data: data, size: size, rows: len(data) / size}
	return nil
}

// Len returns how many values are to come.
func (s *Split) Len() int { return s.rows - s.at }

// Next puts the bytes of the next values together; dst is a whole number of them.
func (s *Split) Next(dst []byte) error {
	n := len(dst) / s.size
	if n > s.rows-s.at {
		return fmt.Errorf("%d split values where %d are needed", s.rows-s.at, n)
	}
	if n == 0 {
		return nil
	}
	for k := range s.size {
		from := s.data[k*s.rows+s.at:][:n]
		to := dst[k:]
		for i, b := range from {
			to[i*s.size] = b
		}
	}
	s.at += n
	return nil
}
