package tablelog

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"path/filepath"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/flightd/flightd/internal/base"
)

// The modes of a commit.
const (
	ModeCreate  = "create"  // version 0: the table has no rows
	ModeAppend  = "append"  // files are added
	ModeReplace = "replace" // files are the whole table
)

// File is a data file; its path is below the table's directory.
type File struct {
	Path string `json:"path"`
	Rows int64  `json:"rows"`
	Size int64  `json:"size"`
}

// Record is a commit.
type Record struct {
	Version int64      `json:"version"`
	Writer  string     `json:"writer"`
	Epoch   base.Epoch `json:"epoch"`
	Digest  string     `json:"digest"`
	Mode    string     `json:"mode"`
	// Time is when, in milliseconds since 1970.
	Time  int64  `json:"time"`
	Files []File `json:"files"`
	// Schema is set in version 0.
	Schema string `json:"schema,omitempty"`
}

// encode frames v: eight hexadecimal digits of CRC-32C, a space, JSON, a line end.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return append(fmt.Appendf(nil, "%08x ", checksum(b.Bytes())), b.Bytes()...), nil
}

func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

// decode reads what encode wrote.
func decode(b []byte, v any) error {
	sum, text, ok := bytes.Cut(b, []byte(" "))
	if !ok || string(sum) != fmt.Sprintf("%08x", checksum(text)) {
		return base.Errorf(base.CodeCorrupt, "bad checksum")
	}
	if err := json.Unmarshal(text, v); err != nil {
		return base.Errorf(base.CodeCorrupt, "not a record").Because(err)
	}
	return nil
}

// check holds a record to what the log allows.
func (r *Record) check(version int64) error {
	if r.Version != version {
		return base.Errorf(base.CodeCorrupt, "it says that it is version %d", r.Version)
	}
	if r.Mode != ModeAppend && r.Mode != ModeReplace && (r.Mode != ModeCreate || version != 0) {
		return base.Errorf(base.CodeCorrupt, "mode %q", r.Mode)
	}
	return checkFiles(r.Files)
}

func checkFiles(files []File) error {
	for _, f := range files {
		if !filepath.IsLocal(f.Path) || f.Rows < 0 || f.Size < 0 {
			return base.Errorf(base.CodeCorrupt, "file %q of %d rows and %d bytes", f.Path, f.Rows, f.Size)
		}
	}
	return nil
}

func encodeSchema(s *arrow.Schema) (string, error) {
	var b bytes.Buffer
	w := ipc.NewWriter(&b, ipc.WithSchema(s))
	if err := w.Close(); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(b.Bytes()), nil
}

// decodeSchema reads a schema whose bytes a checksum has vouched for.
func decodeSchema(s string) (*arrow.Schema, error) {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return nil, base.Errorf(base.CodeCorrupt, "the schema is damaged").Because(err)
	}
	r, err := ipc.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, base.Errorf(base.CodeCorrupt, "the schema is damaged").Because(err)
	}
	defer r.Release()
	return r.Schema(), nil
}
