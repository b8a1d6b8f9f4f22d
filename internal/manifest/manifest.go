package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/flightd/flightd/internal/atomicfile"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/roots"
)

// DirName is the log's directory inside the data directory.
const DirName = "_spark_metadata"

// compactEvery is how often a log file repeats all entries before it.
const compactEvery = 10

// cleanupDelay is how long log files that a compact one covers are kept for
// readers that listed them.
const cleanupDelay = 10 * time.Minute

// Entry is a data file, with Spark's names.
type Entry struct {
	Path             string `json:"path"`
	Size             int64  `json:"size"`
	IsDir            bool   `json:"isDir"`
	ModificationTime int64  `json:"modificationTime"` // ms since 1970
	BlockReplication int    `json:"blockReplication"`
	BlockSize        int64  `json:"blockSize"`
	Action           string `json:"action"`
}

// NewEntry returns the entry of the file at the absolute path.
func NewEntry(path string, size int64, modified time.Time) Entry {
	u := url.URL{Scheme: "file", Path: path}
	return Entry{Path: u.String(), Size: size, ModificationTime: modified.UnixMilli(), BlockReplication: 1, BlockSize: 32 << 20, Action: "add"}
}

// File returns the path in the file system that e names.
func (e Entry) File() (string, error) {
	u, err := url.Parse(e.Path)
	if err != nil || u.Path == "" || u.Scheme != "" && u.Scheme != "file" {
		return "", base.Errorf(base.CodeCorrupt, "manifest entry %q is not a local path", e.Path)
	}
	return u.Path, nil
}

// Log is the manifest of a data directory.
type Log struct {
	dir  string
	disk *roots.Set
}

// Open returns the log of the data directory root, which need not exist. The log
// is read and written within disk.
func Open(disk *roots.Set, root string) Log { return Log{filepath.Join(root, DirName), disk} }

// Exists reports whether the directory has a manifest.
func (l Log) Exists() bool {
	st, err := l.disk.Stat(l.dir)
	return err == nil && st.IsDir()
}

// files returns the log files by epoch: plain and compact.
func (l Log) files() (plain, compact map[base.Epoch]bool, latest base.Epoch, err error) {
	plain, compact, latest = map[base.Epoch]bool{}, map[base.Epoch]bool{}, base.NoEpoch
	names, err := l.disk.ReadDir(l.dir)
	if errors.Is(err, os.ErrNotExist) {
		return plain, compact, latest, nil
	}
	if err != nil {
		return nil, nil, latest, err
	}
	for _, d := range names {
		name, isCompact := strings.CutSuffix(d.Name(), ".compact")
		n, err := strconv.ParseInt(name, 10, 64)
		if err != nil || n < 0 || strconv.FormatInt(n, 10) != name {
			continue
		}
		if isCompact {
			compact[base.Epoch(n)] = true
		} else {
			plain[base.Epoch(n)] = true
		}
		latest = max(latest, base.Epoch(n))
	}
	return plain, compact, latest, nil
}

// Latest returns the last epoch in the log; NoEpoch if there is none.
func (l Log) Latest() (base.Epoch, error) {
	_, _, latest, err := l.files()
	return latest, err
}

// Read returns the entries up to the last epoch in the log.
func (l Log) Read() ([]Entry, base.Epoch, error) {
	plain, compact, latest, err := l.files()
	if err != nil {
		return nil, latest, base.Wrap(err, "reading manifest %s", l.dir)
	}
	from := base.NoEpoch
	for e := range compact {
		from = max(from, e)
	}
	var out []Entry
	if from >= 0 {
		if out, err = l.read(from, ".compact"); err != nil {
			return nil, latest, err
		}
	}
	for e := from + 1; e <= latest; e++ {
		if !plain[e] {
			return nil, latest, base.Errorf(base.CodeCorrupt, "manifest %s has epoch %d but not epoch %d", l.dir, latest, e)
		}
		more, err := l.read(e, "")
		if err != nil {
			return nil, latest, err
		}
		out = append(out, more...)
	}
	return dropDeleted(out), latest, nil
}

func (l Log) read(e base.Epoch, suffix string) ([]Entry, error) {
	path := filepath.Join(l.dir, strconv.FormatInt(int64(e), 10)+suffix)
	b, err := l.disk.ReadFile(path)
	if err != nil {
		return nil, base.Wrap(err, "reading manifest")
	}
	entries, err := Decode(b)
	return entries, base.Wrap(err, "reading manifest %s", path)
}

// Decode reads the bytes of a log file.
func Decode(b []byte) ([]Entry, error) {
	version, rest, _ := bytes.Cut(b, []byte("\n"))
	if string(bytes.TrimRight(version, "\r")) != "v1" {
		return nil, base.Errorf(base.CodeCorrupt, "version %.20q is not v1", version)
	}
	var out []Entry
	for i, line := range bytes.Split(rest, []byte("\n")) {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		var e Entry
		if err := json.Unmarshal(line, &e); err != nil || e.Path == "" {
			return nil, base.Errorf(base.CodeCorrupt, "line %d is not an entry", i+2)
		}
		out = append(out, e)
	}
	return out, nil
}

// Encode returns the bytes of a log file.
func Encode(entries []Entry) []byte {
	var b bytes.Buffer
	b.WriteString("v1")
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	for _, e := range entries {
		b.WriteByte('\n')
		_ = enc.Encode(e) // strings and numbers always encode
		b.Truncate(b.Len() - 1)
	}
	return b.Bytes()
}

// dropDeleted leaves out the files that older Sparks marked as deleted.
func dropDeleted(entries []Entry) []Entry {
	deleted := map[string]bool{}
	for _, e := range entries {
		if e.Action == "delete" {
			deleted[e.Path] = true
		}
	}
	if len(deleted) == 0 {
		return entries
	}
	var out []Entry
	for _, e := range entries {
		if !deleted[e.Path] {
			out = append(out, e)
		}
	}
	return out
}

// Append makes entries those of epoch, the one after the last: the moment from
// which readers see the files. Entries modified before oldest are left out when
// the log is compacted; the zero time keeps all. now steers what old log files
// are removed.
func (l Log) Append(epoch base.Epoch, entries []Entry, oldest, now time.Time) error {
	if err := (atomicfile.In{Roots: l.disk}).MkdirAll(l.dir); err != nil {
		return base.Wrap(err, "writing manifest %s", l.dir)
	}
	name := strconv.FormatInt(int64(epoch), 10)
	compacting := (int64(epoch)+1)%compactEvery == 0
	if compacting {
		before, latest, err := l.Read()
		if err != nil {
			return err
		}
		if latest != epoch-1 {
			return base.Errorf(base.CodeConflict, "manifest %s ends at epoch %d, so epoch %d cannot follow", l.dir, latest, epoch)
		}
		var kept []Entry
		for _, e := range append(before, entries...) {
			if oldest.IsZero() || e.ModificationTime >= oldest.UnixMilli() {
				kept = append(kept, e)
			}
		}
		name, entries = name+".compact", kept
	}
	if err := (atomicfile.In{Roots: l.disk}).Create(filepath.Join(l.dir, name), Encode(entries)); err != nil {
		return base.Wrap(err, "writing manifest of epoch %d", epoch)
	}
	if compacting {
		l.clean(epoch, now)
	}
	return nil
}

// clean removes log files that the compact one before the last covers. What it
// cannot remove stays.
func (l Log) clean(compacted base.Epoch, now time.Time) {
	plain, compact, _, err := l.files()
	if err != nil {
		return
	}
	covered := compacted - compactEvery
	remove := func(e base.Epoch, suffix string) {
		path := filepath.Join(l.dir, strconv.FormatInt(int64(e), 10)+suffix)
		if st, err := l.disk.Stat(path); err == nil && now.Sub(st.ModTime()) > cleanupDelay {
			l.disk.Remove(path)
		}
	}
	for e := range plain {
		if e <= covered {
			remove(e, "")
		}
	}
	for e := range compact {
		if e < covered {
			remove(e, ".compact")
		}
	}
}
