package flightd

import (
	"path/filepath"

	"github.com/flightd/flightd/internal/roots"
)

// ownFolders are what the engine keeps in its data folder, and the key of resume tokens. No statement may name
// a file in them: with a sink or a table over them it could change the catalog or
// read the rows of a query.
func ownFolders() []string {
	return []string{"catalog", "tables", "checkpoints", "feeds", "subscriptions", keyFile}
}

// confine opens the directories below which SQL may name files, if there are
// such.
func (e *Engine) confine() error {
	if e.opts.Roots == nil {
		return nil
	}
	private := append([]string(nil), e.opts.Private...)
	for _, name := range ownFolders() {
		private = append(private, filepath.Join(e.dir, name))
	}
	var err error
	e.disk, err = roots.New(e.opts.Roots, private)
	return err
}

// mayUse refuses a place that a statement named and that is out of its reach.
func (e *Engine) mayUse(path string) error {
	abs, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	return e.disk.Check(abs)
}
