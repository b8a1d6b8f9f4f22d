package flightd

import (
	"context"
	"slices"
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/catalog"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/sources"
)

// liveTable returns the table of a query's state or result, or nil if the name is none.
// The same name is the same table in all of a statement.
func (n *names) liveTable(name []string) (*catalog.Table, error) {
	query, part, isState := stateName(name)
	if !isState {
		query = last(name)
	}
	key := strings.ToLower(query) + "\x00" + strings.ToLower(part)
	if t := n.live[key]; t != nil {
		return t, nil
	}
	q := n.eng.Query(query)
	if q == nil {
		if isState {
			return nil, n.eng.noQuery(query)
		}
		return nil, nil
	}
	t := &table{def: tableDef{Name: query, Format: "result"}}
	var err error
	if isState {
		t.def.Name, t.def.Format = stateNamespace(q.name)+"."+part, "state"
		t.live, err = q.stateRef(part)
	} else {
		t.live, err = q.resultRef()
	}
	if err != nil {
		return nil, err
	}
	if old := n.eng.table(query); !isState && old != nil { // a query that reads it keeps to what it found
		t.provider = old.provider
	} else {
		t.provider = unreplayable(t.def.Name, t.def.Format)
	}
	c := &catalog.Table{Name: t.def.Name, Format: t.def.Format, Handle: t, Scannable: true, Hidden: expr.Schema{epochField}}
	if c.Schema, err = t.live.schema(); err != nil {
		return nil, err
	}
	if n.live == nil {
		n.live = map[string]*catalog.Table{}
	}
	n.live[key] = c
	return c, nil
}

// unreplayable is the provider of a table that a streaming query cannot read.
func unreplayable(name, format string) sources.Provider {
	return sources.Provider{Name: format, Batch: func(context.Context, sources.Config) (sources.Table, error) {
		return nil, base.UserError("UNSUPPORTED_FEATURE", "0A000", "A streaming query cannot read %s: it changes with every epoch, and an epoch that is run again would find another one.", name).
			WithHint("write it INTO TABLE, and read that table")
	}}
}

// schema is that of the table, without the hidden column.
func (r *liveRef) schema() (expr.Schema, error) {
	if r.state != nil {
		return r.state.Columns, nil
	}
	var s expr.Schema
	var err error
	switch l := r.live; {
	case l.memory != nil:
		s, err = expr.SchemaFromArrow(l.memory.Schema())
	default:
		s, err = expr.SchemaFromArrow(l.feed.Schema())
	}
	for i := range s {
		s[i].Nullable = true
	}
	return s, err
}

// readable is what readers have of the query; nil if it did not run in this process:
// then stoppedState is what there is.
func (q *StreamingQuery) readable() *live {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.live
}

// stateRef finds a table of the query's state.
func (q *StreamingQuery) stateRef(name string) (*liveRef, error) {
	l := q.readable()
	if l == nil {
		var err error
		if l, err = q.stoppedState(); err != nil {
			return nil, err
		}
	}
	switch {
	case l.tablesErr != nil:
		return nil, l.tablesErr
	}
	var known []string
	for _, t := range l.tables {
		if strings.EqualFold(t.Name, name) {
			return &liveRef{live: l, state: t}, nil
		}
		known = append(known, t.Name)
	}
	if len(known) == 0 {
		e := base.UserError("TABLE_OR_VIEW_NOT_FOUND", "42P01", "The query %s keeps no state.", q.name)
		e.Code = base.CodeNotFound
		return nil, e.WithHint("aggregations, deduplications, joins of streams and limits do")
	}
	e := base.UserError("TABLE_OR_VIEW_NOT_FOUND", "42P01", "The query %s has no state %s; it has %s.", q.name, name, strings.Join(known, ", "))
	e.Code = base.CodeNotFound
	if near := base.Nearest(name, known); near != "" {
		return nil, e.WithHint("did you mean %s.%s?", stateNamespace(q.name), near)
	}
	return nil, e.WithHint("SHOW TABLES IN %s lists them", stateNamespace(expr.QuoteIfNeeded(q.name)))
}

// resultRef is the query's result, where there is one that can be read by the query's
// name.
func (q *StreamingQuery) resultRef() (*liveRef, error) {
	l := q.readable()
	switch {
	case l == nil:
		return nil, base.UserError("LIVE_QUERY_NOT_RUNNING", "55000", "The query %s is not running, so its result cannot be read by its name.", q.name).
			WithHint("start it with its CREATE STREAMING QUERY statement")
	case l.memory != nil || l.feed != nil:
		return &liveRef{live: l}, nil
	}
	e := base.UserError("LIVE_RESULT_NOT_KEPT", "55000", "The query %s writes into %s, which keeps no result that can be read by the query's name.", q.name, q.spec.sinkName())
	switch {
	case q.spec.table != "":
		return nil, e.WithHint("its rows are in the table: SELECT * FROM %s", expr.QuoteIfNeeded(q.spec.table))
	case len(l.tables) > 0:
		return nil, e.WithHint("INTO memory or INTO feed makes a result to read; the state of this query is in %s.%s", stateNamespace(expr.QuoteIfNeeded(q.name)), l.tables[0].Name)
	}
	return nil, e.WithHint("CREATE STREAMING QUERY … INTO memory or INTO feed makes a result to read")
}

// moment returns the moment of a query that the statement reads: the same one for all
// of its tables.
func (b *batch) moment(ctx context.Context, l *live, n *names) (*moment, error) {
	if m := b.moments[l]; m != nil {
		return m, nil
	}
	withState := false
	for _, t := range n.live {
		r := t.Handle.(*table).live
		withState = withState || r.live == l && r.state != nil
	}
	m, err := l.acquire(ctx, withState)
	if err != nil {
		return nil, err
	}
	if b.moments == nil {
		b.moments = map[*live]*moment{}
	}
	b.moments[l] = m
	return m, nil
}

// notState refuses to change a table of a query's state.
func notState(name []string, what string) *base.Error {
	query, _, ok := stateName(name)
	if !ok {
		return nil
	}
	return base.UserError("UNSUPPORTED_FEATURE.TABLE_OPERATION", "0A000", "The state of the query %s can be read, and not %s.", query, what).
		WithHint("the query writes it, and DROP QUERY %s ends it", expr.QuoteIfNeeded(query))
}

// stateSchema is the query whose state tables a schema has: state.<query>, in one part
// or in two.
func stateSchema(name []string) (query string, ok bool) {
	query, _, ok = stateName(append(slices.Clone(name), ""))
	return query, ok
}

// readable are the names of the tables, and of the queries whose result can be read by
// their names.
func (n *names) readable() []string {
	out := n.eng.tableNames()
	for _, q := range n.eng.AllQueries() {
		if q.name == "" || slices.ContainsFunc(out, func(t string) bool { return strings.EqualFold(t, q.name) }) {
			continue
		}
		if _, err := q.resultRef(); err == nil {
			out = append(out, q.name)
		}
	}
	slices.Sort(out)
	return out
}

// stateNamespaces are the schemas of the queries whose state can be read.
func (e *Engine) stateNamespaces() []string {
	var out []string
	for _, q := range e.AllQueries() {
		if l := q.readable(); q.name != "" && q.IsActive() && l != nil && len(l.tables) > 0 {
			out = append(out, stateNamespace(q.name))
		}
	}
	return out
}

// showState is SHOW TABLES IN state.<query>.
func (s *Session) showState(st *logical.Show, query string) (*Result, error) {
	q := s.eng.Query(query)
	if q == nil {
		return nil, s.eng.noQuery(query).At(st.At)
	}
	var rows [][]any
	l := q.readable()
	if l == nil && q.def != nil {
		var err error
		if l, err = q.stoppedState(); err != nil {
			return nil, err
		}
	}
	if st.What == "TABLES" && l != nil {
		if l.tablesErr != nil {
			return nil, l.tablesErr
		}
		for _, t := range l.tables {
			if like(st.Like, t.Name) {
				rows = append(rows, []any{stateNamespace(q.name), t.Name, false})
			}
		}
	}
	name := map[string]string{"TABLES": "tableName", "VIEWS": "viewName"}[st.What]
	return tablesResult(name, rows), nil
}

// stateInfos are the state tables of all queries.
func (e *Engine) stateInfos() []TableInfo {
	var out []TableInfo
	for _, q := range e.AllQueries() {
		l := q.readable()
		if q.name == "" || !q.IsActive() || l == nil {
			continue
		}
		for _, t := range l.tables {
			out = append(out, TableInfo{Namespace: stateNamespace(q.name), Name: t.Name, Type: "SYSTEM TABLE", Schema: t.Schema(), Comment: t.Comment})
		}
	}
	return out
}
