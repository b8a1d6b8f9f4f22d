package file

import (
	"encoding/json"
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/flightd/flightd/internal/atomicfile"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/roots"
)

// metaDir holds what is flightd's own in a directory.
const metaDir = "_flightd"

// commits is the content of <path>/_flightd/commits: what the last epochs wrote.
// An entry whose epoch is not in the manifest was begun and not committed.
type commits struct {
	Version int      `json:"version"`
	QueryID string   `json:"queryId"`
	Entries []commit `json:"commits"`
}

// commit is an epoch's.
type commit struct {
	Epoch  base.Epoch `json:"epoch"`
	Digest string     `json:"digest"`
	// Files are below the root.
	Files []string `json:"files"`
}

// keepCommits is how many entries are kept. A replay is always of the last.
const keepCommits = 20

func commitsPath(root string) string { return filepath.Join(root, metaDir, "commits") }

func loadCommits(disk *roots.Set, root string) (*commits, error) {
	path := commitsPath(root)
	b, err := disk.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return &commits{Version: 1}, nil
	}
	if err != nil {
		return nil, base.Wrap(err, "opening the sink")
	}
	c := &commits{}
	if err := json.Unmarshal(b, c); err != nil || c.Version != 1 {
		return nil, base.Errorf(base.CodeCorrupt, "%s is damaged or of another version", path)
	}
	for _, e := range c.Entries {
		for _, f := range e.Files {
			if !filepath.IsLocal(f) {
				return nil, base.Errorf(base.CodeCorrupt, "%s names the file %q, which is not below the directory", path, f)
			}
		}
	}
	return c, nil
}

func (c *commits) find(epoch base.Epoch) *commit {
	for i := range c.Entries {
		if c.Entries[i].Epoch == epoch {
			return &c.Entries[i]
		}
	}
	return nil
}

// put adds or replaces an epoch's entry and makes the file durable.
func (c *commits) put(disk *roots.Set, root string, e commit) error {
	next := commits{Version: 1, QueryID: c.QueryID}
	for _, old := range c.Entries {
		if old.Epoch < e.Epoch {
			next.Entries = append(next.Entries, old)
		}
	}
	next.Entries = append(next.Entries, e)
	next.Entries = next.Entries[max(0, len(next.Entries)-keepCommits):]
	if err := next.save(disk, root); err != nil {
		return err
	}
	*c = next
	return nil
}

func (c *commits) save(disk *roots.Set, root string) error {
	b, err := json.MarshalIndent(c, "", " ")
	if err != nil {
		return err
	}
	return atomicfile.In{Roots: disk}.Write(commitsPath(root), append(b, '\n'))
}
