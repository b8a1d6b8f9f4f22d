package rowlog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/semaphore"

	"github.com/flightd/flightd/internal/atomicfile"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/seglog"
)

// Open opens the log in o.Dir. It reads the newest state and the one segment behind
// it, of which a torn end is cut; other segments are read when somebody asks.
func Open(o Options) (*Log, error) {
	l := &Log{opt: o.withDefaults(), producers: map[string]*producer{}, holds: map[*hold]struct{}{}, told: map[*func()]struct{}{}, changed: make(chan struct{})}
	l.room = semaphore.NewWeighted(l.opt.QueueBytes)
	if err := l.open(); err != nil {
		return nil, base.Wrap(err, "opening table %s", o.Name)
	}
	l.expire()
	return l, nil
}

func (l *Log) open() error {
	var err error
	if l.id, l.schema, err = readTable(l.opt.Dir); err != nil {
		return err
	}
	if err := (atomicfile.In{}).Sweep(l.opt.Dir); err != nil {
		return err
	}
	segments, states, err := l.list()
	if err != nil {
		return err
	}
	from, err := l.newestState(states, segments)
	if err != nil {
		return err
	}
	for i, s := range segments {
		if s.commit < from.commit { // it is whole: others came after it
			s.end = from.row
			if i+1 < len(segments) {
				s.end = segments[i+1].row
			}
			if s.end < s.row {
				return seglog.Damaged(s.path, 0, fmt.Sprintf("the next segment begins with row %d", s.end))
			}
			l.segments = append(l.segments, s)
			continue
		}
		if err := l.replay(s, i == len(segments)-1); err != nil {
			return err
		}
	}
	if len(l.segments) > 0 {
		l.first = l.segments[0].row
	} else {
		l.first = l.end
	}
	return l.tidy(states)
}

// list returns the segments and states in dir, oldest first, and removes the rows of
// statements that did not end.
func (l *Log) list() (segments []*segment, states []name, err error) {
	entries, err := os.ReadDir(l.opt.Dir)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range entries { // by name, which is by row and commit
		file := e.Name()
		if n, ok := parseName(file, rowsExt); ok {
			st, err := e.Info()
			if err != nil {
				return nil, nil, err
			}
			segments = append(segments, &segment{name: n, path: filepath.Join(l.opt.Dir, file), bytes: st.Size()})
		} else if n, ok := parseName(file, stateExt); ok {
			states = append(states, n)
		} else if strings.HasSuffix(file, stageExt) {
			if err := os.Remove(filepath.Join(l.opt.Dir, file)); err != nil {
				return nil, nil, err
			}
		}
	}
	byCommit := func(a, b int64) int { return int(min(max(a-b, -1), 1)) }
	slices.SortFunc(segments, func(a, b *segment) int { return byCommit(a.commit, b.commit) })
	slices.SortFunc(states, func(a, b name) int { return byCommit(a.commit, b.commit) })
	return segments, states, nil
}

// newestState restores the newest state that is whole. One that is damaged costs
// only time: the segment before it is read instead.
func (l *Log) newestState(states []name, segments []*segment) (name, error) {
	var damage error
	for i := len(states) - 1; i >= 0; i-- {
		n := states[i]
		s, err := readState(l.opt.Dir, n)
		if err != nil {
			damage = err
			continue
		}
		if damage != nil && !slices.ContainsFunc(segments, func(s *segment) bool { return s.name == n }) {
			return n, damage // what led from it to the damaged one is not there
		}
		return n, l.restore(s)
	}
	if damage != nil {
		return name{}, damage
	}
	if len(segments) > 0 {
		return name{}, seglog.Damaged(segments[0].path, 0, "there is no state of its producers")
	}
	return name{0, 1}, nil
}

// replay takes over a segment behind the state. The last one may have a torn end.
func (l *Log) replay(s *segment, last bool) error {
	if s.row != l.end || s.commit <= l.commits {
		return seglog.Damaged(s.path, 0, fmt.Sprintf("it follows row %d and commit %d", l.end, l.commits))
	}
	row, groupAt, rows := s.row, seglog.Whole, int64(0)
	var staged bool
	var refs []ref // of whole groups
	var group []ref
	torn, err := seglog.Load(s.path, bodies(), func(at int64, body []byte) error {
		h, _, err := parse(body)
		if err != nil {
			return err
		}
		if s.row+h.row != row {
			return fmt.Errorf("row %d follows row %d", s.row+h.row, row)
		}
		if groupAt == seglog.Whole {
			groupAt = at
		}
		if h.rows > 0 {
			group = append(group, ref{row: row, at: at, size: uint32(seglog.HeadLen + len(body)), rows: uint32(h.rows)})
		}
		row, rows = row+h.rows, rows+h.rows
		staged = staged || h.commit == 0
		if h.more {
			return nil
		}
		l.commits, l.time = max(l.commits, h.commit, s.commit), max(l.time, h.time)
		if h.producer != "" {
			p := l.producers[h.producer]
			if p == nil {
				p = &producer{}
				l.producers[h.producer] = p
			}
			p.accepted, p.durable, p.time, p.digest = h.seq, h.seq, h.time, h.digest
			p.rows += rows
		}
		refs, group, groupAt, rows, l.end = append(refs, group...), nil, seglog.Whole, 0, row
		return nil
	})
	if err != nil {
		return err
	}
	if groupAt != seglog.Whole { // a group that was not finished is not there
		torn = groupAt
	}
	if torn != seglog.Whole {
		if !last || staged {
			return seglog.Damaged(s.path, torn, "the segment ends within a frame")
		}
		if err := seglog.Cut(s.path, torn); err != nil {
			return base.Wrap(err, "cutting the torn end of %s", s.path)
		}
		s.bytes = torn
	}
	if s.bytes == 0 {
		return removed(s.path)
	}
	// What a process wrote that was killed need not be on disk yet; from now on it is
	// told to be.
	if err := syncFile(s.path); err != nil {
		return err
	}
	s.end, s.time = l.end, l.time
	l.cache.put(s.name, refs)
	l.segments = append(l.segments, s)
	return nil
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return atomicfile.SyncClose(f, true)
}

// tidy removes states that no segment needs any more, which a crash left.
func (l *Log) tidy(states []name) error {
	for _, n := range states[:max(0, len(states)-1)] {
		if slices.ContainsFunc(l.segments, func(s *segment) bool { return s.name == n }) {
			continue
		}
		if err := os.Remove(n.file(l.opt.Dir, stateExt)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
