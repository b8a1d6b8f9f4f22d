package rowlog

import (
	"bytes"
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/google/uuid"

	"github.com/flightd/flightd/internal/atomicfile"
	"github.com/flightd/flightd/internal/base"
)

// tableFile says what the log is of.
type tableFile struct {
	Version int    `json:"v"`
	ID      string `json:"id"`
	// Schema is an Arrow IPC stream without record batches.
	Schema []byte `json:"schema"`
}

// Create makes an empty log in dir, which must have none.
func Create(dir string, schema *arrow.Schema) error {
	b, err := schemaStream(schema)
	if err == nil {
		b, err = framed(tableFile{Version: 1, ID: uuid.NewString()[:8], Schema: b})
	}
	if err == nil {
		err = atomicfile.MkdirAll(dir)
	}
	if err == nil {
		err = atomicfile.Create(filepath.Join(dir, "table"), b)
	}
	if errors.Is(err, fs.ErrExist) {
		return base.Errorf(base.CodeConflict, "there is a table in %s", dir)
	}
	return base.Wrap(err, "creating a table in %s", dir)
}

// schemaStream is an Arrow IPC stream that has a schema and nothing else.
func schemaStream(s *arrow.Schema) ([]byte, error) {
	var out bytes.Buffer
	w := ipc.NewWriter(&out, ipc.WithSchema(s))
	err := w.Close()
	return out.Bytes(), err
}

// readTable returns the id and the schema of the log in dir.
func readTable(dir string) (id string, s *arrow.Schema, err error) {
	var t tableFile
	err = readFramed(filepath.Join(dir, "table"), &t)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil, base.Errorf(base.CodeNotFound, "there is no table in %s", dir)
	}
	if err != nil {
		return "", nil, err
	}
	if t.Version != 1 {
		return "", nil, base.Errorf(base.CodeCorrupt, "version %d; this flightd reads 1", t.Version)
	}
	r, err := ipc.NewReader(bytes.NewReader(t.Schema))
	if err != nil {
		return "", nil, base.Errorf(base.CodeCorrupt, "the schema of the table is damaged").Because(err)
	}
	defer r.Release()
	return t.ID, r.Schema(), nil
}
