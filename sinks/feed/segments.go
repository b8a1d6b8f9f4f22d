package feed

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"

	"github.com/flightd/flightd/internal/atomicfile"
	"github.com/flightd/flightd/internal/base"
)

// segmentBytes is where a new segment begins.
const segmentBytes = 16 << 20

// entry is where an epoch is.
type entry struct {
	head
	segment string // path
	at      int64
	size    int64 // of the frame
}

// segmentPath names a segment by its first epoch.
func segmentPath(dir string, first base.Epoch) string {
	return filepath.Join(dir, fmt.Sprintf("%020d.feed", first))
}

// load reads the heads of all frames of dir, and cuts a torn one at the end.
func load(dir string) ([]entry, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.feed"))
	if err != nil {
		return nil, err
	}
	sort.Strings(names)
	var out []entry
	for i, path := range names {
		more, good, err := loadSegment(path)
		if err != nil {
			return nil, base.Wrap(err, "opening feed")
		}
		if good >= 0 {
			if i < len(names)-1 {
				return nil, damaged(path, good, "the segment ends within a frame")
			}
			if err := cut(path, good); err != nil {
				return nil, base.Wrap(err, "cutting the torn end of %s", path)
			}
		}
		for _, e := range more {
			if len(out) > 0 && e.epoch <= out[len(out)-1].epoch {
				return nil, damaged(path, e.at, fmt.Sprintf("epoch %d follows epoch %d", e.epoch, out[len(out)-1].epoch))
			}
			out = append(out, e)
		}
	}
	return out, nil
}

// loadSegment returns the frames of a segment. torn is the byte from which the
// rest is the beginning of a frame that was not finished; −1 if nothing is.
func loadSegment(path string) (out []entry, torn int64, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, -1, err
	}
	at := 0
	for at < len(b) {
		if len(b)-at < headLen {
			return out, int64(at), nil
		}
		n, ok := bodyLen(b[at:])
		if !ok && allZero(b[at:]) { // the size was written before the bytes
			return out, int64(at), nil
		}
		if !ok {
			return nil, -1, damaged(path, int64(at), "the head of a frame is damaged")
		}
		end := at + headLen + n
		if end > len(b) {
			return out, int64(at), nil
		}
		h, _, _, err := parse(b[at:end])
		if err != nil && end == len(b) {
			return out, int64(at), nil
		}
		if err != nil {
			return nil, -1, damaged(path, int64(at), err.Error())
		}
		out = append(out, entry{head: h, segment: path, at: int64(at), size: int64(end - at)})
		at = end
	}
	return out, -1, nil
}

func allZero(b []byte) bool { return !slices.ContainsFunc(b, func(c byte) bool { return c != 0 }) }

func damaged(path string, at int64, why string) error {
	return base.Errorf(base.CodeCorrupt, "segment %s, byte %d: %s", path, at, why)
}

// cut shortens a segment; an empty one is removed.
func cut(path string, size int64) error {
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

// read returns the frame of e.
func (e *entry) read() ([]byte, error) {
	f, err := os.Open(e.segment)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := make([]byte, e.size)
	_, err = f.ReadAt(b, e.at)
	return b, err
}
