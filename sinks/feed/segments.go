package feed

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/seglog"
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
		if good != seglog.Whole {
			if i < len(names)-1 {
				return nil, seglog.Damaged(path, good, "the segment ends within a frame")
			}
			if err := seglog.Cut(path, good); err != nil {
				return nil, base.Wrap(err, "cutting the torn end of %s", path)
			}
		}
		for _, e := range more {
			if len(out) > 0 && e.epoch <= out[len(out)-1].epoch {
				return nil, seglog.Damaged(path, e.at, fmt.Sprintf("epoch %d follows epoch %d", e.epoch, out[len(out)-1].epoch))
			}
			out = append(out, e)
		}
	}
	return out, nil
}

// loadSegment returns the frames of a segment, and where a torn one begins.
func loadSegment(path string) (out []entry, torn int64, err error) {
	torn, err = seglog.Load(path, bodies(), func(at int64, body []byte) error {
		h, _, _, err := parse(body)
		if err == nil {
			out = append(out, entry{head: h, segment: path, at: at, size: int64(headLen + len(body))})
		}
		return err
	})
	return out, torn, err
}

// read returns the body of e's frame.
func (e *entry) read() ([]byte, error) {
	f, err := os.Open(e.segment)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return seglog.ReadFrame(f, e.at, e.size, bodies())
}
