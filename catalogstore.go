package flightd

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

// catalogStore is the durable part of the catalog: a log of framed, checksummed
// records under the data folder (FORMAT.md draws them). Each change is one
// synced record; opening folds them and, when most are stale, writes the log
// anew.
type catalogStore struct {
	dir     string
	lock    *os.File
	log     *os.File
	content catalogContent
	records int
}

// catalogContent is what the log's records add up to.
type catalogContent struct {
	Tables  map[string]tableDef
	Queries map[string]queryDef
}

// tableDef is a table as the catalog keeps it.
type tableDef struct {
	Name   string `json:"name"`
	Format string `json:"format"` // "table" for one under the data folder
	// Schema in DDL, empty if the connector knows it.
	DDL     string       `json:"ddl,omitempty"`
	Options base.Options `json:"options,omitempty"`
	Comment string       `json:"comment,omitempty"`
	// Dir is the directory of a table under the data folder, relative to it.
	Dir    string      `json:"dir,omitempty"`
	Schema expr.Schema `json:"-"`
}

// queryDef is a streaming query as the catalog keeps it: what it takes to start
// it again in a session like the one it was made in.
type queryDef struct {
	Name string `json:"name"`
	// Text is the CREATE statement.
	Text string `json:"text"`
	// Owner is the user who made it; empty is the server itself.
	Owner string `json:"owner,omitempty"`
	// Views are the temporary views of the session, Settings its settings.
	Views    []viewDef         `json:"views,omitempty"`
	Settings map[string]string `json:"settings,omitempty"`
	// Stopped queries are not started by Open.
	Stopped bool `json:"stopped,omitempty"`
}

type viewDef struct{ Name, Text string }

// catalogRecord is one change. Exactly one of the fields besides Version is set.
type catalogRecord struct {
	Version   int       `json:"v"`
	Table     *tableDef `json:"table,omitempty"`
	DropTable string    `json:"dropTable,omitempty"`
	Query     *queryDef `json:"query,omitempty"`
	DropQuery string    `json:"dropQuery,omitempty"`
}

const (
	catalogVersion  = 1
	maxCatalogFrame = 16 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func openCatalogStore(dir string) (*catalogStore, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(filepath.Join(dir, "LOCK"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		return nil, base.Errorf(base.CodeConflict, "another process has it open").WithHint("stop the other flightd, or give --data another folder")
	}
	c := &catalogStore{dir: dir, lock: lock, content: catalogContent{map[string]tableDef{}, map[string]queryDef{}}}
	if err := c.load(); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (c *catalogStore) path() string { return filepath.Join(c.dir, "log") }

// load folds the log and opens it for appending. A torn record at the end was
// never acknowledged and is cut off; any other damage is an error.
func (c *catalogStore) load() error {
	data, err := os.ReadFile(c.path())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	at := 0
	for at < len(data) {
		rec, n, err := readFrame(data[at:])
		if err == io.ErrUnexpectedEOF {
			break
		}
		if err != nil {
			return base.Wrap(err, "catalog record %d at byte %d", c.records, at)
		}
		c.apply(rec)
		c.records++
		at += n
	}
	if c.records > 64 && c.records > 4*(len(c.content.Tables)+len(c.content.Queries)) {
		return c.rewrite()
	}
	if c.log, err = os.OpenFile(c.path(), os.O_CREATE|os.O_RDWR, 0o644); err != nil {
		return err
	}
	if at < len(data) {
		if err := c.log.Truncate(int64(at)); err != nil {
			return err
		}
	}
	if _, err := c.log.Seek(int64(at), io.SeekStart); err != nil {
		return err
	}
	return syncDir(c.dir)
}

// readFrame reads length, checksum and JSON of one record. What looks cut short
// is io.ErrUnexpectedEOF; a whole frame with a wrong checksum is Corrupt unless
// nothing follows it.
func readFrame(b []byte) (catalogRecord, int, error) {
	var rec catalogRecord
	if len(b) < 8 {
		return rec, 0, io.ErrUnexpectedEOF
	}
	n := int(binary.LittleEndian.Uint32(b))
	if n > maxCatalogFrame {
		return rec, 0, base.Errorf(base.CodeCorrupt, "a length of %d bytes", n)
	}
	if len(b) < 8+n {
		return rec, 0, io.ErrUnexpectedEOF
	}
	body := b[8 : 8+n]
	if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(b[4:]) {
		if len(b) == 8+n {
			return rec, 0, io.ErrUnexpectedEOF
		}
		return rec, 0, base.Errorf(base.CodeCorrupt, "bad checksum")
	}
	if err := json.Unmarshal(body, &rec); err != nil {
		return rec, 0, base.Errorf(base.CodeCorrupt, "bad record").Because(err)
	}
	if rec.Version != catalogVersion {
		return rec, 0, base.Errorf(base.CodeCorrupt, "version %d; this flightd reads %d", rec.Version, catalogVersion)
	}
	return rec, 8 + n, nil
}

func frame(rec catalogRecord) ([]byte, error) {
	rec.Version = catalogVersion
	body, err := json.Marshal(rec)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 8, 8+len(body))
	binary.LittleEndian.PutUint32(out, uint32(len(body)))
	binary.LittleEndian.PutUint32(out[4:], crc32.Checksum(body, castagnoli))
	return append(out, body...), nil
}

func (c *catalogStore) apply(rec catalogRecord) {
	switch {
	case rec.Table != nil:
		c.content.Tables[rec.Table.Name] = *rec.Table
	case rec.DropTable != "":
		delete(c.content.Tables, rec.DropTable)
	case rec.Query != nil:
		c.content.Queries[rec.Query.Name] = *rec.Query
	case rec.DropQuery != "":
		delete(c.content.Queries, rec.DropQuery)
	}
}

// write appends one record and syncs it; then it holds.
func (c *catalogStore) write(rec catalogRecord) error {
	b, err := frame(rec)
	if err == nil {
		_, err = c.log.Write(b)
	}
	if err == nil {
		err = c.log.Sync()
	}
	if err != nil {
		return base.Wrap(err, "writing the catalog")
	}
	c.apply(rec)
	c.records++
	return nil
}

// rewrite replaces the log by one record per table and query.
func (c *catalogStore) rewrite() error {
	next := c.path() + ".new"
	f, err := os.Create(next)
	if err != nil {
		return err
	}
	c.records = 0
	put := func(rec catalogRecord) {
		var b []byte
		if err == nil {
			b, err = frame(rec)
		}
		if err == nil {
			_, err = f.Write(b)
		}
		c.records++
	}
	for _, name := range sortedKeys(c.content.Tables) {
		t := c.content.Tables[name]
		put(catalogRecord{Table: &t})
	}
	for _, name := range sortedKeys(c.content.Queries) {
		q := c.content.Queries[name]
		put(catalogRecord{Query: &q})
	}
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = os.Rename(next, c.path())
	}
	if err != nil {
		f.Close()
		return err
	}
	c.log = f
	return syncDir(c.dir)
}

func (c *catalogStore) close() error {
	var err error
	if c.log != nil {
		err = c.log.Close()
	}
	return errors.Join(err, c.lock.Close())
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
