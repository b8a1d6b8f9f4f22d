package rowlog

import (
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/flightd/flightd/internal/atomicfile"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/seglog"
)

// A name is what a segment and its state are called by: the first row and the first
// commit. Of two segments the later one has the greater commit.
type name struct{ row, commit int64 }

func (n name) file(dir, ext string) string {
	return filepath.Join(dir, fmt.Sprintf("%020d-%020d%s", n.row, n.commit, ext))
}

const (
	rowsExt  = ".rows"
	stateExt = ".state"
	stageExt = ".stage"
)

// parseName reads the name of a file with the extension.
func parseName(file, ext string) (name, bool) {
	text, ok := strings.CutSuffix(file, ext)
	row, commit, dash := strings.Cut(text, "-")
	if !ok || !dash || len(row) != 20 || len(commit) != 20 {
		return name{}, false
	}
	r, err1 := strconv.ParseInt(row, 10, 64)
	c, err2 := strconv.ParseInt(commit, 10, 64)
	return name{r, c}, err1 == nil && err2 == nil && r >= 0 && c >= 1
}

// state is what a log knows besides its rows, before a segment.
type state struct {
	Version   int             `json:"v"`
	Row       int64           `json:"row"`
	Commits   int64           `json:"commits"`
	Time      int64           `json:"time"` // of the last commit, in ms since 1970
	Producers []producerState `json:"producers,omitempty"`
}

type producerState struct {
	Name   string `json:"name"`
	Seq    int64  `json:"seq"`
	Rows   int64  `json:"rows"`
	Time   int64  `json:"time"`
	Digest string `json:"digest,omitempty"`
}

// framed is v as JSON in one frame.
func framed(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	out := append(make([]byte, seglog.HeadLen), b...)
	seglog.Seal(out)
	return out, nil
}

// readFramed reads what framed made.
func readFramed(path string, v any) error {
	b, err := seglog.ReadFile(path, seglog.Limits{Min: 2, Max: math.MaxInt32})
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return seglog.Damaged(path, seglog.HeadLen, err.Error())
	}
	return nil
}

func readState(dir string, n name) (*state, error) {
	s := &state{}
	path := n.file(dir, stateExt)
	if err := readFramed(path, s); err != nil {
		return nil, err
	}
	if s.Version != 1 || s.Row != n.row || s.Commits != n.commit-1 {
		return nil, seglog.Damaged(path, 0, fmt.Sprintf("version %d, row %d after %d commits", s.Version, s.Row, s.Commits))
	}
	return s, nil
}

// writeState makes what is known now the state before the next segment. The caller
// is the committer, with everything written flushed.
func (l *Log) writeState() error {
	if err := l.step(StepState); err != nil {
		return err
	}
	l.mu.Lock()
	s := state{Version: 1, Row: l.end, Commits: l.commits, Time: l.time}
	for _, n := range sortedNames(l.producers) {
		p := l.producers[n]
		if p.durable < 0 {
			continue
		}
		ps := producerState{Name: n, Seq: p.durable, Rows: p.rows, Time: p.time}
		if p.digest != nil {
			ps.Digest = p.digest.String()
		}
		s.Producers = append(s.Producers, ps)
	}
	l.mu.Unlock()
	b, err := framed(s)
	if err != nil {
		return err
	}
	return atomicfile.Write(name{s.Row, s.Commits + 1}.file(l.opt.Dir, stateExt), b)
}

// restore takes over a state that was read.
func (l *Log) restore(s *state) error {
	l.end, l.commits, l.time = s.Row, s.Commits, s.Time
	for _, ps := range s.Producers {
		p := &producer{accepted: ps.Seq, durable: ps.Seq, rows: ps.Rows, time: ps.Time}
		if ps.Digest != "" {
			d, err := base.ParseDigest(ps.Digest)
			if err != nil {
				return err
			}
			p.digest = &d
		}
		l.producers[ps.Name] = p
	}
	return nil
}
