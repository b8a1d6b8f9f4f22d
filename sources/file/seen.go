package file

import (
	"math"
	"path/filepath"
	"time"
)

// seen is the set of files taken, without those too old to matter. Once a file
// is older than the newest one by more than oldest, it is neither remembered nor
// taken.
type seen struct {
	oldest time.Duration // 0: no age is too old
	byName bool
	times  map[string]int64
	// latest is the newest time met, floor the time below which files are too old.
	latest, floor int64
}

func newSeen(oldest time.Duration, byName bool) *seen {
	return &seen{oldest: oldest, byName: byName, times: map[string]int64{}, latest: math.MinInt64, floor: math.MinInt64}
}

func (s *seen) key(path string) string {
	if s.byName {
		return filepath.Base(path)
	}
	return path
}

func (s *seen) add(path string, mtime int64) {
	s.times[s.key(path)] = mtime
	s.latest = max(s.latest, mtime)
}

// has reports whether the file was taken and is remembered.
func (s *seen) has(path string) bool {
	_, ok := s.times[s.key(path)]
	return ok
}

func (s *seen) isNew(path string, mtime int64) bool {
	_, ok := s.times[s.key(path)]
	return !ok && mtime >= s.floor
}

// purge moves the floor after the newest file and forgets what is below it.
func (s *seen) purge() {
	if s.oldest == 0 || s.latest == math.MinInt64 {
		return
	}
	floor := s.latest - s.oldest.Microseconds()
	if floor <= s.floor {
		return
	}
	s.floor = floor
	for k, t := range s.times {
		if t < floor {
			delete(s.times, k)
		}
	}
}
