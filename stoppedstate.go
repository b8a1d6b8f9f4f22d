package flightd

import (
	"github.com/flightd/flightd/compute"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/planner"
	"github.com/flightd/flightd/state"
)

// stoppedState is what readers have of the state of a query that did not run in this
// process: its tables from its statement, its rows from its checkpoint. It is made when
// somebody asks, and kept until the query is started.
func (q *StreamingQuery) stoppedState() (*live, error) {
	q.mu.Lock()
	l, def := q.atRest, q.def
	q.mu.Unlock()
	if l != nil {
		return l, nil
	}
	if def == nil {
		return nil, (&live{q: q}).notRunning()
	}
	l, err := q.eng.stateOf(q, *def)
	if err != nil {
		return nil, base.Wrap(err, "reading what state the query %s keeps, which is stopped", q.name)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.atRest = l
	return l, nil
}

func (e *Engine) stateOf(q *StreamingQuery, def queryDef) (*live, error) {
	s, err := e.sessionOf(def)
	if err != nil {
		return nil, err
	}
	stmt, err := s.parse(def.Text)
	if err != nil {
		return nil, inText(err, def.Text)
	}
	st, ok := stmt.(*logical.CreateQuery)
	if !ok { // the query of a table, which writes into it
		return nil, (&live{q: q}).notRunning()
	}
	spec, err := specOf(st, def.Text)
	if err != nil {
		return nil, err
	}
	names, conf := s.snapshot()
	p, schema, err := planStream(spec.plan, names, conf, planner.Options{Mode: spec.mode, KeepLate: spec.lateRows != "", Fold: e.fold(conf)})
	if err != nil {
		return nil, inText(err, def.Text)
	}
	asked := &StreamingQuery{name: q.name, eng: e, spec: spec}
	r := &run{q: asked, eng: e, plan: p, conf: conf, names: names, schema: schema}
	provider, err := r.sinkProvider()
	if err != nil {
		return nil, err
	}
	dir, temporary, err := r.checkpointDir(provider)
	if err != nil {
		return nil, err
	}
	l := &live{q: q, eng: e, epoch: base.NoEpoch, ended: true, changed: make(chan struct{}), budget: state.Budget{Limit: e.memoryLimit(conf)}}
	l.tables, l.tablesErr = compute.StateTables(p.Root, e.exprEnv(conf, 0))
	if !temporary {
		l.checkpoint = checkpointAt{r.checkpointFS(dir), dir}
	}
	return l, nil
}
