package seglog

import (
	"os"
	"path/filepath"

	"github.com/flightd/flightd/internal/atomicfile"
)

// bufferBytes is how many bytes of small frames wait for one write.
const bufferBytes = 256 << 10

// Writer appends to a segment. It is for one goroutine.
type Writer struct {
	f    *os.File
	size int64 // frames that were appended
	buf  []byte
	// written is the size of the file, the rest is in buf.
	written int64
}

// Create makes a segment, which must not exist. Its name is durable when Create
// returns.
func Create(path string) (*Writer, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	if err := atomicfile.SyncDir(filepath.Dir(path)); err != nil {
		_, _ = f.Close(), os.Remove(path) // else it is in the way of the next attempt
		return nil, err
	}
	return &Writer{f: f}, nil
}

// Path is the segment's file.
func (w *Writer) Path() string { return w.f.Name() }

// Size is the number of bytes that were appended.
func (w *Writer) Size() int64 { return w.size }

// Append adds a sealed frame, given in parts, and returns where it begins. Sync
// makes it durable; until then nobody may read it.
func (w *Writer) Append(parts ...[]byte) (at int64, err error) {
	at = w.size
	for _, p := range parts {
		if len(w.buf)+len(p) > bufferBytes {
			if err := w.flush(); err != nil {
				return 0, err
			}
		}
		if len(p) >= bufferBytes/2 {
			if err := w.flush(); err != nil {
				return 0, err
			}
			if _, err := w.f.WriteAt(p, w.written); err != nil {
				return 0, err
			}
			w.written += int64(len(p))
		} else {
			w.buf = append(w.buf, p...)
		}
		w.size += int64(len(p))
	}
	return at, nil
}

func (w *Writer) flush() error {
	if len(w.buf) == 0 {
		return nil
	}
	_, err := w.f.WriteAt(w.buf, w.written)
	w.written += int64(len(w.buf))
	w.buf = w.buf[:0]
	return err
}

// Sync makes what was appended durable.
func (w *Writer) Sync() error {
	if err := w.flush(); err != nil {
		return err
	}
	return w.f.Sync()
}

// Close closes the segment; what was not synced may be lost.
func (w *Writer) Close() error { return w.f.Close() }

// Abandon closes the segment and cuts it to size, which removes what was written
// behind that (G3). An empty segment is removed.
func (w *Writer) Abandon(size int64) error {
	_ = w.f.Close()
	return Cut(w.f.Name(), size)
}

// Cut shortens a segment, durably; an empty one is removed.
func Cut(path string, size int64) error {
	if size == 0 {
		if err := os.Remove(path); err != nil {
			return err
		}
		return atomicfile.SyncDir(filepath.Dir(path))
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	err = f.Truncate(size)
	if e := atomicfile.SyncClose(f, err == nil); err == nil {
		err = e
	}
	return err
}
