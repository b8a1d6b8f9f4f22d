package flightd

import (
	"context"
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/logical"
)

// restore takes the tables of the catalog and starts the queries that ran when
// the folder was closed, each in a session like the one that made it. A query
// that cannot start is logged and listed as failed; the engine opens.
func (e *Engine) restore(ctx context.Context) error {
	for _, name := range sortedKeys(e.store.content.Tables) {
		t, err := e.connector(e.store.content.Tables[name])
		if err != nil {
			return base.Wrap(err, "restoring table %s", name)
		}
		e.tables[strings.ToLower(name)] = t
	}
	if e.opts.NoResume {
		return nil
	}
	for _, name := range sortedKeys(e.store.content.Queries) {
		def := e.store.content.Queries[name]
		if def.Stopped {
			e.ended(def, nil)
			continue
		}
		if err := e.resume(ctx, def); err != nil {
			e.log.Error("query not resumed", "query", def.Name, "err", err)
			e.ended(def, err)
		}
	}
	return nil
}

// sessionOf is a session like the one that made a query.
func (e *Engine) sessionOf(def queryDef) (*Session, error) {
	s := e.NewSessionFor(User{Name: def.Owner})
	for _, k := range sortedKeys(def.Settings) {
		if _, err := s.Set(k, def.Settings[k]); err != nil {
			return nil, err
		}
	}
	// A view may use one that comes later by name: try until nothing changes.
	pending := def.Views
	for len(pending) > 0 {
		var again []viewDef
		var last error
		for _, v := range pending {
			if err := s.SQL(v.Text).CreateOrReplaceTempView(v.Name); err != nil {
				again, last = append(again, v), err
			}
		}
		if len(again) == len(pending) {
			return nil, base.Wrap(last, "restoring view %s", again[0].Name)
		}
		pending = again
	}
	return s, nil
}

// resume starts a query of the catalog.
func (e *Engine) resume(ctx context.Context, def queryDef) error {
	s, err := e.sessionOf(def)
	if err != nil {
		return err
	}
	stmt, err := s.parse(def.Text)
	if err != nil {
		return inText(err, def.Text)
	}
	switch st := stmt.(type) {
	case *logical.CreateQuery:
		_, err = s.createQuery(ctx, st, def.Text)
	case *logical.CreateTable:
		st.IfNotExists, st.Replace = false, false
		_, err = s.createTable(ctx, st, def.Text)
	}
	return inText(err, def.Text)
}

// ended lists a query that is stopped, or could not be resumed because of err.
func (e *Engine) ended(def queryDef, err error) {
	q := &StreamingQuery{name: def.Name, eng: e, spec: querySpec{name: def.Name, text: def.Text},
		stopping: make(chan struct{}), done: make(chan struct{}), wake: make(chan struct{}, 1), arrived: make(chan struct{}, 1), cancel: func() {}}
	q.def = &def
	q.finish(err, nil)
	e.mu.Lock()
	e.queries[strings.ToLower(def.Name)] = q
	e.mu.Unlock()
}
