package file

import (
	"context"
	"fmt"
	"path/filepath"
	"sort"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
)

// stage is the files of an epoch that is being written.
type stage struct {
	set   *settings
	epoch base.Epoch
	dir   string // where files are until Commit
	name  string // what their names begin with
	open  map[string]*staged
	done  []*staged
	files int // opened so far
}

// staged is one file.
type staged struct {
	dir  string // below the root
	seq  int    // of the directory's files in the epoch
	path string
	rows int64
	enc  encoder
	// buffered are rows for which no file is open yet.
	buffered []arrow.RecordBatch
}

// bufferRows is how many rows of a directory are gathered before its file is
// opened, so that many directories do not mean many open files.
const bufferRows = 16 << 10

// maxOpen is the most directories of one epoch with more rows than that.
const maxOpen = 512

func newStage(set *settings, epoch base.Epoch, name string) (*stage, error) {
	st := &stage{set: set, epoch: epoch, dir: filepath.Join(set.root, metaDir, "stage"), name: name, open: map[string]*staged{}}
	if err := set.disk.RemoveAll(st.dir); err != nil {
		return nil, err
	}
	return st, set.disk.MkdirAll(st.dir, 0o755)
}

// fileName is the name that the file has from Commit on.
func (st *stage) fileName(f *staged) string {
	return filepath.Join(f.dir, fmt.Sprintf("part-%05d-%s-c%03d%s", st.epoch, st.name, f.seq, st.set.ext()))
}

func (st *stage) write(ctx context.Context, rec arrow.RecordBatch) error {
	pieces, err := st.set.pieces(ctx, rec)
	if err != nil {
		return err
	}
	for _, p := range pieces {
		if err == nil {
			err = st.add(p.dir, p.rec)
		}
		p.rec.Release()
	}
	return err
}

// add puts rows into the open file of dir, and into new ones where the limit of
// rows a file is reached.
func (st *stage) add(dir string, rec arrow.RecordBatch) error {
	for rec.NumRows() > 0 {
		f := st.open[dir]
		if f == nil {
			f = &staged{dir: dir}
			for _, d := range st.done {
				if d.dir == dir {
					f.seq++
				}
			}
			st.open[dir] = f
		}
		n := rec.NumRows()
		if most := st.set.maxRecords; most > 0 {
			n = min(n, most-f.rows)
		}
		part := rec.NewSlice(0, n)
		f.buffered = append(f.buffered, part)
		if f.rows += n; f.rows >= bufferRows {
			if err := st.flush(f); err != nil {
				return err
			}
		}
		if f.rows == st.set.maxRecords {
			if err := st.finish(f); err != nil {
				return err
			}
		}
		rest := rec.NewSlice(n, rec.NumRows())
		defer rest.Release()
		rec = rest
	}
	return nil
}

// flush writes what is buffered.
func (st *stage) flush(f *staged) error {
	if f.enc == nil {
		if n := st.encoders(); n >= maxOpen {
			return base.Errorf(base.CodeExhausted, "more than %d large directories in one epoch: partition by a column with fewer values", n)
		}
		f.path = filepath.Join(st.dir, fmt.Sprint(st.files))
		st.files++
		var err error
		if f.enc, err = st.set.newEncoder(f.path); err != nil {
			return err
		}
	}
	var err error
	for _, rec := range f.buffered {
		if err == nil {
			err = f.enc.Write(rec)
		}
		rec.Release()
	}
	f.buffered = nil
	return err
}

func (st *stage) encoders() int {
	n := 0
	for _, f := range st.open {
		if f.enc != nil {
			n++
		}
	}
	return n
}

// finish completes and syncs a file.
func (st *stage) finish(f *staged) error {
	delete(st.open, f.dir)
	if err := st.flush(f); err != nil {
		if f.enc != nil {
			f.enc.Abort()
		}
		return err
	}
	st.done = append(st.done, f)
	return f.enc.Close()
}

// complete finishes all files; they are then in the order of their names.
func (st *stage) complete() error {
	var dirs []string
	for d := range st.open {
		dirs = append(dirs, d)
	}
	sort.Strings(dirs)
	for _, d := range dirs {
		if err := st.finish(st.open[d]); err != nil {
			return err
		}
	}
	sort.Slice(st.done, func(i, j int) bool { return st.fileName(st.done[i]) < st.fileName(st.done[j]) })
	return nil
}

// drop forgets everything.
func (st *stage) drop() error {
	for _, f := range st.open {
		for _, r := range f.buffered {
			r.Release()
		}
		if f.enc != nil {
			f.enc.Abort()
		}
	}
	st.open, st.done = nil, nil
	return st.set.disk.RemoveAll(st.dir)
}
