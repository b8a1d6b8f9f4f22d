package file

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"

	"github.com/flightd/flightd/internal/base"
)

// planned is a file as an offset names it.
type planned struct {
	Path string `json:"path"`
	Size int64  `json:"size"`
	// MTime is in microseconds since 1970.
	MTime int64 `json:"mtime"`
}

// delta is an offset: the files that it adds to those before it.
type delta struct {
	LogOffset int64     `json:"logOffset"`
	Files     []planned `json:"files"`
}

// none is the delta of the empty offset.
func none() delta { return delta{LogOffset: -1} }

func (d delta) encode() base.Offset {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(d) // strings and numbers always encode
	return base.Offset(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

func decodeOffset(o base.Offset) (delta, error) {
	if o == "" {
		return none(), nil
	}
	d := none()
	dec := json.NewDecoder(strings.NewReader(string(o)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&d); err != nil || d.LogOffset < 0 || dec.More() {
		return d, base.Errorf(base.CodeCorrupt, "%.80q is not an offset of a file source", o)
	}
	for _, f := range d.Files {
		if !filepath.IsAbs(f.Path) || f.Size < 0 {
			return d, base.Errorf(base.CodeCorrupt, "offset %d of a file source names the file %q of %d bytes", d.LogOffset, f.Path, f.Size)
		}
	}
	return d, nil
}
