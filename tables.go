package flightd

import (
	"cmp"
	"context"
	"path/filepath"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/catalog"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/sql"
	"github.com/flightd/flightd/sources"
)

// table is a relation of the engine: a connector with its options, a table under
// the data folder, or the result of a query.
type table struct {
	def      tableDef
	provider sources.Provider
	// result marks the result of a query into memory: it is not in the catalog's
	// log.
	result bool
	// live, if set, says that the rows are those of a query, as of an epoch.
	live *liveRef
	// streamOnly and batchOnly narrow what a DataFrame asked for.
	streamOnly, batchOnly bool
	// described caches the catalog's entry.
	described *catalog.Table
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (e *Engine) table(name string) *table {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.tables[strings.ToLower(name)]
}

func (e *Engine) tableNames() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []string
	for _, t := range e.tables {
		out = append(out, t.def.Name)
	}
	slices.Sort(out)
	return out
}

// connector makes the table of a connector's format and options.
func (e *Engine) connector(def tableDef) (*table, error) {
	t := &table{def: def}
	var err error
	if def.Format == managedFormat {
		t.provider, err = managedProvider(filepath.Join(e.dir, def.Dir)), nil
	} else if def.Format == flightFormat {
		t.provider = e.flightProvider(def)
	} else if err = refused(def.Format); err == nil {
		t.provider, err = e.sources.Lookup(def.Format)
	}
	if err != nil {
		return nil, err
	}
	if err := def.Options.CheckKeys("source "+def.Format, t.provider.Options); err != nil {
		return nil, err
	}
	if t.def.Schema == nil && def.DDL != "" {
		if t.def.Schema, err = sql.ParseSchema(def.DDL); err != nil {
			return nil, err
		}
	}
	if t.def.Schema != nil && def.Format != flightFormat { // NOT NULL says nothing of files, as in Spark
		t.def.Schema = t.def.Schema.AsNullable()
	}
	return t, nil
}

// config is what the connector is opened with.
func (t *table) config(n *names) sources.Config {
	c := sources.Config{Name: t.def.Name, Options: t.def.Options, Clock: n.eng.clock, InferSchema: n.infer, Zone: n.zone, Disk: n.eng.disk}
	if t.def.Schema != nil {
		c.Schema = t.def.Schema.Arrow()
	}
	return c
}

// describe returns the catalog's entry. A connector whose schema was not declared
// is opened once to ask for it.
func (t *table) describe(n *names) (*catalog.Table, error) {
	if t.described != nil {
		return t.described, nil
	}
	c := &catalog.Table{Name: t.def.Name, Format: t.def.Format, Options: t.def.Options, Comment: t.def.Comment, Handle: t,
		Streamable: t.provider.Stream != nil && !t.batchOnly, Scannable: t.provider.Batch != nil && !t.streamOnly}
	schema, err := t.schema(n)
	if err != nil {
		return nil, base.Wrap(err, "opening %s", cmp.Or(t.def.Name, t.def.Format))
	}
	if c.Schema, err = expr.SchemaFromArrow(schema); err != nil {
		return nil, base.Wrap(err, "opening %s", cmp.Or(t.def.Name, t.def.Format))
	}
	for i := range c.Schema {
		c.Schema[i].Nullable = true
	}
	if !t.result {
		t.described = c
	}
	return c, nil
}

func (t *table) schema(n *names) (*arrow.Schema, error) {
	ctx := context.Background()
	if t.provider.Batch != nil && !t.streamOnly {
		b, err := t.provider.Batch(ctx, t.config(n))
		if err != nil {
			return nil, err
		}
		defer b.Close()
		return b.Schema(), nil
	}
	if t.provider.Stream == nil {
		return nil, base.Errorf(base.CodeInvalid, "%s cannot be read", t.def.Format)
	}
	s, err := t.provider.Stream(ctx, t.config(n))
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return s.Schema(), nil
}

func (t *table) openStream(ctx context.Context, n *names) (sources.Source, error) {
	return t.provider.Stream(ctx, t.config(n))
}

func (t *table) openBatch(ctx context.Context, n *names) (sources.Table, error) {
	return t.provider.Batch(ctx, t.config(n))
}

// TableInfo is what a client sees of a table or view.
type TableInfo struct {
	// Namespace is "default", or state.<query> for a table of a query's state.
	Namespace, Name string
	// Type is "BASE TABLE", "VIEW" or, of state, "SYSTEM TABLE".
	Type    string
	Schema  *arrow.Schema
	Comment string
}

// Tables lists the engine's tables by name, results of queries included, and behind
// them those of the state of running queries. A table whose connector cannot be opened
// now is listed without a schema.
func (e *Engine) Tables(ctx context.Context) ([]TableInfo, error) {
	n, _ := e.NewSession().snapshot()
	var out []TableInfo
	for _, name := range n.readable() {
		info := TableInfo{Namespace: "default", Name: name, Type: "BASE TABLE", Schema: arrow.NewSchema(nil, nil)}
		if t := e.table(name); t != nil {
			info.Comment = t.def.Comment
		}
		if d, err := n.Table([]string{name}); err == nil && d != nil {
			info.Schema = d.Schema.Arrow()
		} else {
			e.log.Debug("describing a table", "table", name, "err", err)
		}
		out = append(out, info)
	}
	return append(out, e.stateInfos()...), nil
}

// addTable makes a table known; with replace it may take the place of another.
func (e *Engine) addTable(t *table, replace bool) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	key := strings.ToLower(t.def.Name)
	if old := e.tables[key]; old != nil && !replace {
		err := base.UserError("TABLE_OR_VIEW_ALREADY_EXISTS", "42P07", "There is a table %s already.", t.def.Name)
		err.Code = base.CodeConflict
		return err.WithHint("CREATE OR REPLACE TABLE replaces it, IF NOT EXISTS keeps it")
	}
	if !t.result {
		def := t.def
		if def.DDL == "" && def.Schema != nil {
			def.DDL = ddl(def.Schema)
		}
		if err := e.store.write(catalogRecord{Table: &def}); err != nil {
			return err
		}
	}
	e.tables[key] = t
	return nil
}

func ddl(s expr.Schema) string {
	parts := make([]string, len(s))
	for i, f := range s {
		parts[i] = "`" + strings.ReplaceAll(f.Name, "`", "``") + "` " + f.Type.SQL()
		if !f.Nullable {
			parts[i] += " NOT NULL"
		}
	}
	return strings.Join(parts, ", ")
}

// notFound is the error of a name that nothing has.
func notFound(kind, name string, known []string) *base.Error {
	e := base.UserError("TABLE_OR_VIEW_NOT_FOUND", "42P01", "There is no %s %s.", kind, name)
	e.Code = base.CodeNotFound
	if s := base.Nearest(name, known); s != "" {
		return e.WithHint("did you mean %s?", s)
	}
	return e
}
