package seglog

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"os"
)

// Whole is no offset: the segment ends with a frame.
const Whole int64 = -1

// Load calls each with every frame of a segment: where it begins, and its body,
// which is valid until each returns. torn is the byte from which the rest is the
// beginning of a frame that was not finished, or Whole; of a segment that nothing was
// written to it is 0. An error of each is damage, unless the frame is the last one: then it is torn.
func Load(path string, lim Limits, each func(at int64, body []byte) error) (torn int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return Whole, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return Whole, err
	}
	size, in := st.Size(), bufio.NewReaderSize(f, 1<<18)
	if size == 0 {
		return 0, nil
	}
	var frame []byte
	for at := int64(0); at < size; at += int64(len(frame)) {
		if size-at < HeadLen {
			return at, nil
		}
		head, err := in.Peek(HeadLen)
		if err != nil {
			return Whole, err
		}
		n, ok := bodyLen(head, lim)
		if !ok {
			return unreadable(path, f, at, size)
		}
		end := at + HeadLen + int64(n)
		if end > size {
			return at, nil
		}
		if cap(frame) < HeadLen+n {
			frame = make([]byte, HeadLen+n)
		}
		frame = frame[:HeadLen+n]
		if _, err := io.ReadFull(in, frame); err != nil {
			return Whole, err
		}
		body, err := Body(frame, lim)
		if err == nil {
			err = each(at, body)
		}
		if err != nil && end == size {
			return at, nil
		}
		if err != nil {
			return Whole, Damaged(path, at, err.Error())
		}
	}
	return Whole, nil
}

// unreadable tells a file whose size was written before its bytes, which are zero
// to the end, from damage.
func unreadable(path string, f *os.File, at, size int64) (int64, error) {
	buf := make([]byte, 1<<16)
	for from := at; from < size; {
		n, err := f.ReadAt(buf[:min(int64(len(buf)), size-from)], from)
		if n == 0 && err != nil {
			return Whole, err
		}
		if !allZero(buf[:n]) {
			return Whole, Damaged(path, at, errHead.Error())
		}
		from += int64(n)
	}
	return at, nil
}

// Walk calls each with where every frame of a finished segment begins, its length
// with the head, and the first bytes of its body, at most peek. It reads no more of
// large frames, and so checks their heads only; ReadFrame checks the rest.
func Walk(path string, lim Limits, peek int, each func(at, size int64, start []byte) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	in := bufio.NewReaderSize(f, max(1<<16, HeadLen+peek))
	for at, end := int64(0), st.Size(); at < end; {
		b, err := in.Peek(int(min(int64(HeadLen+peek), end-at)))
		if err != nil {
			return err
		}
		if len(b) < HeadLen {
			return Damaged(path, at, "the segment ends within a frame")
		}
		n, ok := bodyLen(b, lim)
		if !ok {
			return Damaged(path, at, errHead.Error())
		}
		size := int64(HeadLen + n)
		if at+size > end {
			return Damaged(path, at, "the segment ends within a frame")
		}
		if err := each(at, size, b[HeadLen:min(int64(len(b)), size)]); err != nil {
			return Damaged(path, at, err.Error())
		}
		at += size
		if size <= int64(in.Buffered()) {
			_, err = in.Discard(int(size))
		} else if _, err = f.Seek(at, io.SeekStart); err == nil {
			in.Reset(f)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ReadFrame returns the body of the frame of size bytes at a place, whose checksum
// is right. If the segment is not there the error is fs.ErrNotExist.
func ReadFrame(f *os.File, at, size int64, lim Limits) ([]byte, error) {
	b := make([]byte, size)
	if _, err := f.ReadAt(b, at); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, Damaged(f.Name(), at, "the segment ends within a frame")
		}
		return nil, err
	}
	body, err := Body(b, lim)
	if err != nil {
		return nil, Damaged(f.Name(), at, err.Error())
	}
	return body, nil
}

// ReadFile returns the body of a file that is one frame.
func ReadFile(path string, lim Limits) ([]byte, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	body, err := Body(b, lim)
	if err != nil {
		return nil, Damaged(path, 0, err.Error())
	}
	return body, nil
}

// FrameReader is ReadFrame for a body that is read in pieces: its checksum is checked
// first, in a pass over the file that keeps nothing.
func FrameReader(f *os.File, at, size int64, lim Limits) (*io.SectionReader, error) {
	damaged := func(err error) (*io.SectionReader, error) {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, Damaged(f.Name(), at, "the segment ends within a frame")
		}
		return nil, err
	}
	var head [HeadLen]byte
	if _, err := f.ReadAt(head[:], at); err != nil {
		return damaged(err)
	}
	if n, ok := bodyLen(head[:], lim); !ok || int64(n) != size-HeadLen {
		return nil, Damaged(f.Name(), at, errHead.Error())
	}
	body := io.NewSectionReader(f, at+HeadLen, size-HeadLen)
	sum, buf := uint32(0), make([]byte, 1<<18)
	for left := body.Size(); left > 0; {
		n, err := io.ReadFull(body, buf[:min(left, int64(len(buf)))])
		if err != nil {
			return damaged(err)
		}
		sum = checksum(sum, buf[:n])
		left -= int64(n)
	}
	if sum != binary.LittleEndian.Uint32(head[4:]) {
		return nil, Damaged(f.Name(), at, errChecksum.Error())
	}
	_, err := body.Seek(0, io.SeekStart)
	return body, err
}
