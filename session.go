package flightd

import (
	"context"
	"fmt"
	"maps"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/google/uuid"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/catalog"
	"github.com/flightd/flightd/plan/conf"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/resolve"
	"github.com/flightd/flightd/plan/sql"
)

// Session holds what belongs to one user of an engine: temporary views and
// settings. Its methods may be called from any goroutine.
type Session struct {
	eng *Engine
	// user is on whose behalf the session acts.
	user User

	mu    sync.Mutex
	views map[string]*catalog.View
	conf  catalog.Conf
	// records are tables over record batches, under names that no SQL can spell.
	records map[string]*table
	// users are the functions registered with the session, by lower-case name.
	users map[string]*expr.Function
}

// NewSession returns a session with the default settings.
func (e *Engine) NewSession() *Session {
	return &Session{eng: e, views: map[string]*catalog.View{}, conf: catalog.Conf{}, records: map[string]*table{}, users: map[string]*expr.Function{}}
}

// Close forgets the session's views and functions. Queries that it started go on.
func (s *Session) Close() error {
	s.mu.Lock()
	s.views, s.records, s.users = map[string]*catalog.View{}, map[string]*table{}, map[string]*expr.Function{}
	s.mu.Unlock()
	return nil
}

// Engine is the engine of the session.
func (s *Session) Engine() *Engine { return s.eng }

// Set sets a setting. The notice, if any, tells that it has no effect here.
func (s *Session) Set(key, value string) (string, error) {
	if err := s.maySet(key); err != nil {
		return "", err
	}
	notice, err := conf.Check(key, value)
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	s.conf[strings.ToLower(key)] = value
	s.mu.Unlock()
	return notice, nil
}

// Settings are the settings that were set in the session, by lower-case key.
func (s *Session) Settings() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(map[string]string(s.conf))
}

func (s *Session) setView(name string, plan logical.Node, text string, replace bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := strings.ToLower(name)
	if s.views[key] != nil && !replace {
		return base.UserError("TEMP_TABLE_OR_VIEW_ALREADY_EXISTS", "42P07", "There is a temporary view %s already.", name).
			WithHint("CREATE OR REPLACE TEMPORARY VIEW replaces it")
	}
	s.views[key] = &catalog.View{Name: name, Text: text, Plan: plan}
	return nil
}

// names is the session's view of the catalog: temporary views over tables.
type names struct {
	eng   *Engine
	views map[string]*catalog.View
	// records are the session's tables over record batches.
	records map[string]*table
	infer   bool
	zone    *time.Location
	// opened are the connectors named without a table, so that a query that names
	// one twice reads it as one input.
	opened map[string]*table
	// users are the functions of the session over those of the engine.
	users map[string]*expr.Function
	// live are the tables of queries' results and states that were named.
	live map[string]*catalog.Table
}

var (
	_ catalog.Catalog   = (*names)(nil)
	_ catalog.Functions = (*names)(nil)
)

// Functions are those that users registered, by lower-case name.
func (n *names) Functions() map[string]*expr.Function { return n.users }

// snapshot returns the names and settings of this moment.
func (s *Session) snapshot() (*names, catalog.Conf) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := &names{eng: s.eng, opened: map[string]*table{}, views: maps.Clone(s.views), records: maps.Clone(s.records)}
	s.eng.mu.Lock()
	n.users = maps.Clone(s.eng.users)
	s.eng.mu.Unlock()
	maps.Copy(n.users, s.users)
	c := maps.Clone(s.conf)
	n.infer = c.Bool("spark.sql.streaming.schemaInference", false)
	n.zone = zoneOf(c)
	return n, c
}

func zoneOf(c catalog.Conf) *time.Location {
	if loc, ok := sql.ParseZone(c.Zone()); ok {
		return loc
	}
	return time.UTC
}

// View returns a temporary view, or nil.
func (n *names) View(name []string) (*catalog.View, error) {
	if len(name) != 1 {
		return nil, nil
	}
	return n.views[strings.ToLower(name[0])], nil
}

// Table returns a table of the engine, or nil.
func (n *names) Table(name []string) (*catalog.Table, error) {
	t := n.records[last(name)]
	if t == nil {
		t = n.eng.table(last(name))
	}
	if _, _, state := stateName(name); t == nil || t.result || state {
		if live, err := n.liveTable(name); live != nil || err != nil {
			return live, err
		}
	}
	if t == nil {
		return nil, nil
	}
	return t.describe(n)
}

// Names lists views and tables.
func (n *names) Names() []string {
	var out []string
	for _, v := range n.views {
		out = append(out, v.Name)
	}
	out = append(out, n.readable()...)
	sort.Strings(out)
	return out
}

// Source describes a connector that a DataFrame names without a table.
func (n *names) Source(format string, opts base.Options, schema expr.Schema, stream bool) (*catalog.Table, error) {
	key := fmt.Sprintf("%s %v %v %v", format, opts, schema, stream)
	if t := n.opened[key]; t != nil {
		return t.describe(n)
	}
	t, err := n.eng.connector(tableDef{Format: format, Options: opts, Schema: schema})
	if err != nil {
		return nil, err
	}
	t.streamOnly, t.batchOnly = stream, !stream
	n.opened[key] = t
	return t.describe(n)
}

// resolve analyses the DataFrame's plan with the session's names and settings.
func (d *DataFrame) resolve() (logical.Node, error) {
	if d.err != nil {
		return nil, d.err
	}
	names, conf := d.s.snapshot()
	n, err := resolve.Plan(d.plan, &resolve.Env{Catalog: names, Conf: conf, Fold: foldOf(conf)})
	return n, inText(err, d.text)
}

func schemaOf(n logical.Node) expr.Schema {
	var out expr.Schema
	for _, c := range n.Output() {
		out = append(out, expr.Field{Name: c.Name, Type: c.Typ, Nullable: c.Null})
	}
	return out
}

func isStream(n logical.Node) bool { return logical.Streaming(n) }

// Execute runs one statement. A SELECT runs as its result is read; everything
// else has happened when Execute returns.
func (s *Session) Execute(ctx context.Context, text string) (*Result, error) {
	return s.execute(ctx, text, nil, nil)
}

// FromRecords is a DataFrame over record batches of schema, which it retains. A
// name, if given, becomes a temporary view of it.
func (s *Session) FromRecords(name string, schema *arrow.Schema, recs []arrow.RecordBatch) (*DataFrame, error) {
	t, err := memoryTable(schema, recs)
	if err != nil {
		return nil, err
	}
	key := "\x00" + uuid.NewString()
	s.mu.Lock()
	s.records[key] = t
	s.mu.Unlock()
	d := &DataFrame{s: s, plan: &logical.Table{Name: []string{key}}}
	if name != "" {
		return d, d.CreateOrReplaceTempView(name)
	}
	return d, nil
}

// Session is the session that the DataFrame belongs to.
func (d *DataFrame) Session() *Session { return d.s }

var affectedSchema = arrow.NewSchema([]arrow.Field{{Name: "rows_affected", Type: arrow.PrimitiveTypes.Int64}}, nil)
