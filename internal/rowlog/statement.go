package rowlog

import (
	"context"
	"os"

	"bytes"
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"path/filepath"

	"github.com/google/uuid"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/seglog"
)

// stageAfter is how many bytes of a statement wait in memory; beyond, they are staged
// on disk.
const stageAfter = 8 << 20

// stage is a file with the rows of a statement that has not ended, in the form of a
// segment.
type stage struct {
	path  string
	out   *seglog.Writer
	refs  []ref // rows from 0
	bytes int64
}

// A Statement is rows that become visible together, or not at all. It is for one
// goroutine.
type Statement struct {
	log   *Log
	parts []Part
	size  int64
	rows  int64
	stage *stage
}

// Begin begins a statement. Commit or Abort ends it.
func (l *Log) Begin() *Statement { return &Statement{log: l} }

// Encode returns a record batch, whose columns must be those of a log, as a part.
func Encode(rec arrow.RecordBatch) (Part, error) {
	payload, err := ipc.GetRecordBatchPayload(rec)
	if err != nil {
		return Part{}, err
	}
	defer payload.Release()
	var body bytes.Buffer
	if err := payload.SerializeBody(&body); err != nil {
		return Part{}, err
	}
	meta := payload.Meta()
	defer meta.Release()
	return Part{Rows: rec.NumRows(), Metadata: bytes.Clone(meta.Bytes()), Body: body.Bytes()}, nil
}

// Rows is the number of rows so far.
func (s *Statement) Rows() int64 { return s.rows }

// Add takes a part. What does not fit into memory goes to disk.
func (s *Statement) Add(p Part) error {
	if p.Rows == 0 {
		return nil
	}
	s.parts, s.size, s.rows = append(s.parts, p), s.size+p.size(), s.rows+p.Rows
	if s.size <= stageAfter {
		return nil
	}
	err := s.spill()
	if closed := s.log.Err(); err != nil && closed != nil {
		return closed // its directory may be gone
	}
	return base.Wrap(err, "staging rows of table %s", s.log.opt.Name)
}

func (s *Statement) spill() error {
	if s.stage == nil {
		path := filepath.Join(s.log.opt.Dir, uuid.NewString()+stageExt)
		out, err := seglog.Create(path)
		if err != nil {
			return err
		}
		s.stage = &stage{path: path, out: out}
	}
	row := s.rows
	for i := range s.parts {
		row -= s.parts[i].Rows
	}
	now := s.log.opt.Clock.Now().UnixMilli()
	for i := range s.parts {
		p := &s.parts[i]
		h := head{more: true, seq: NoSeq, rows: p.Rows, row: row, time: now}
		start := h.frame(p)
		at, err := s.stage.out.Append(start, p.Body)
		if err != nil {
			return err
		}
		s.stage.refs = append(s.stage.refs, ref{row: row, at: at, size: uint32(len(start) + len(p.Body)), rows: uint32(p.Rows)})
		row += p.Rows
	}
	s.parts, s.size = nil, 0
	return nil
}

// Commit makes the rows part of the log and returns when they are durable, with the
// number of the commit. known reports that the producer's group was there before.
// A statement without rows and producer does nothing.
func (s *Statement) Commit(ctx context.Context, o Origin) (commit int64, known bool, err error) {
	defer s.Abort()
	if s.rows == 0 && o.Producer == "" {
		return s.log.Range().Commits, false, s.log.Err()
	}
	it := &item{Origin: o, parts: s.parts, rows: s.rows, size: s.size}
	if s.stage != nil {
		if err := s.finish(o); err != nil {
			return 0, false, base.Wrap(err, "staging rows of table %s", s.log.opt.Name)
		}
		it.parts, it.stage, it.size = nil, s.stage, 1
	}
	r, err := s.log.enqueue(ctx, it)
	if err != nil {
		return 0, false, err
	}
	if it.receipt == r {
		s.stage = nil // the committer's now
	}
	commit, err = r.Await(ctx)
	return commit, r.Known(), err
}

// finish ends the staged group and makes it durable.
func (s *Statement) finish(o Origin) error {
	if err := s.spill(); err != nil {
		return err
	}
	h := head{producer: o.Producer, seq: o.Seq, digest: o.Digest, row: s.rows, time: s.log.opt.Clock.Now().UnixMilli()}
	if o.Producer == "" {
		h.seq = NoSeq
	}
	if _, err := s.stage.out.Append(h.frame(&Part{})); err != nil {
		return err
	}
	if err := s.stage.out.Sync(); err != nil {
		return err
	}
	s.stage.bytes = s.stage.out.Size()
	out := s.stage.out
	s.stage.out = nil
	return out.Close()
}

// Abort forgets a statement that was not committed.
func (s *Statement) Abort() {
	s.stage.drop()
	s.stage, s.parts = nil, nil
}

// drop removes a stage that has not become a segment.
func (s *stage) drop() {
	if s == nil {
		return
	}
	if s.out != nil {
		_ = s.out.Close()
		s.out = nil
	}
	if s.path != "" {
		_ = os.Remove(s.path)
		s.path = ""
	}
}
