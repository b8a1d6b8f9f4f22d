package file

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"math/bits"
	"strings"

	"github.com/flightd/flightd/internal/base"
)

// The fold is a text: a line "files 1", then a JSON line per offset, in which
// the directory that the files share stands once. Adding an offset appends.

const foldHeader = "files 1\n"

// foldLine is the files of one offset.
type foldLine struct {
	LogOffset int64  `json:"n"`
	Dir       string `json:"dir,omitempty"`
	// Names and Times are the files' paths below Dir and modification times.
	Names []string `json:"names"`
	Times []int64  `json:"times"`
}

func (d delta) foldLine() foldLine {
	l := foldLine{LogOffset: d.LogOffset, Names: []string{}, Times: []int64{}}
	for i, f := range d.Files {
		dir := f.Path[:strings.LastIndexByte(f.Path, '/')+1]
		if i == 0 {
			l.Dir = dir
		}
		for !strings.HasPrefix(dir, l.Dir) {
			l.Dir = l.Dir[:strings.LastIndexByte(l.Dir[:len(l.Dir)-1], '/')+1]
		}
	}
	for _, f := range d.Files {
		l.Names, l.Times = append(l.Names, f.Path[len(l.Dir):]), append(l.Times, f.MTime)
	}
	return l
}

func appendFold(fold []byte, l foldLine) []byte {
	if len(fold) == 0 {
		fold = append(fold, foldHeader...)
	}
	b, _ := json.Marshal(l) // strings and numbers always encode
	return append(append(fold, b...), '\n')
}

func parseFold(fold []byte) ([]foldLine, error) {
	if len(fold) == 0 {
		return nil, nil
	}
	rest, ok := bytes.CutPrefix(fold, []byte(foldHeader))
	if !ok || !bytes.HasSuffix(fold, []byte("\n")) {
		return nil, base.Errorf(base.CodeCorrupt, "the files taken so far: unknown format %.20q", fold)
	}
	var out []foldLine
	for len(rest) > 0 {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte("\n"))
		var l foldLine
		if err := json.Unmarshal(line, &l); err != nil || len(l.Names) != len(l.Times) {
			return nil, base.Errorf(base.CodeCorrupt, "the files taken so far: line %d is damaged", len(out)+2)
		}
		out = append(out, l)
	}
	return out, nil
}

// Fold returns fold with the files of to added. Whenever the fold has doubled,
// files too old to be taken again are left out.
func (s *Source) Fold(fold []byte, to base.Offset) ([]byte, error) {
	d, err := decodeOffset(to)
	if err != nil || d.LogOffset < 0 {
		return fold, err
	}
	before := len(fold)
	fold = appendFold(fold, d.foldLine())
	const small = 1 << 16
	if len(fold) < small || bits.Len(uint(before)) == bits.Len(uint(len(fold))) || s.set.oldest == 0 {
		return fold, nil
	}
	lines, err := parseFold(fold)
	if err != nil {
		return nil, err
	}
	latest := int64(math.MinInt64)
	for _, l := range lines {
		for _, t := range l.Times {
			latest = max(latest, t)
		}
	}
	var out []byte
	for i, l := range lines {
		kept := foldLine{LogOffset: l.LogOffset, Dir: l.Dir, Names: []string{}, Times: []int64{}}
		for k, t := range l.Times {
			if t >= latest-s.set.oldest.Microseconds() {
				kept.Names, kept.Times = append(kept.Names, l.Names[k]), append(kept.Times, t)
			}
		}
		if len(kept.Names) > 0 || i == len(lines)-1 {
			out = appendFold(out, kept)
		}
	}
	return out, nil
}

// Restore tells the source which files were planned before this start.
func (s *Source) Restore(_ context.Context, fold []byte) error {
	lines, err := parseFold(fold)
	if err != nil {
		return base.Wrap(err, "restoring %s", s.Describe())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range lines {
		for i, name := range l.Names {
			s.seen.add(l.Dir+name, l.Times[i])
		}
	}
	s.seen.purge()
	return nil
}
