package flightd

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/flightd/flightd/compute"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/catalog"
	"github.com/flightd/flightd/plan/conf"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/physical"
	"github.com/flightd/flightd/plan/planner"
	"github.com/flightd/flightd/plan/rules"
)

func (s *Session) show(st *logical.Show) (*Result, error) {
	names, _ := s.snapshot()
	var rows [][]any
	switch st.What {
	case "TABLES", "VIEWS":
		if q, ok := stateSchema(st.Name); ok {
			return s.showState(st, q)
		}
		if err := noSchema(st.Name); err != nil {
			return nil, err
		}
	case "CREATE TABLE", "PARTITIONS", "TBLPROPERTIES":
		if err := names.mustHave(st.Name, st.NameAt); err != nil {
			return nil, err
		}
	}
	switch st.What {
	case "TABLES":
		for _, t := range names.readable() {
			if like(st.Like, t) {
				rows = append(rows, []any{"default", t, false})
			}
		}
		for _, key := range sortedKeys(names.views) {
			if v := names.views[key]; like(st.Like, v.Name) {
				rows = append(rows, []any{"", v.Name, true})
			}
		}
		return tablesResult("tableName", rows), nil
	case "VIEWS":
		for _, key := range sortedKeys(names.views) {
			if v := names.views[key]; like(st.Like, v.Name) {
				rows = append(rows, []any{"", v.Name, true})
			}
		}
		return tablesResult("viewName", rows), nil
	case "QUERIES":
		for _, q := range s.eng.AllQueries() {
			if like(st.Like, q.name) {
				rows = append(rows, queryRow(q))
			}
		}
		return textResult(queryColumns, rows), nil
	case "DATABASES", "SCHEMAS", "NAMESPACES":
		for _, name := range append([]string{"default"}, s.eng.stateNamespaces()...) {
			if like(st.Like, name) {
				rows = append(rows, []any{name})
			}
		}
		return textResult([]string{"namespace"}, rows), nil
	case "CATALOGS":
		return textResult([]string{"catalog"}, [][]any{{"spark_catalog"}}), nil
	case "FUNCTIONS":
		return showFunctions(st, names), nil
	case "PRODUCERS":
		return s.showProducers(st)
	case "COLUMNS":
		return s.showColumns(st, names)
	}
	return nil, base.UserError("UNSUPPORTED_FEATURE", "0A000", "SHOW %s cannot be run yet.", st.What).At(st.At)
}

// like matches the patterns of SHOW: * stands for any text, | separates
// alternatives, case does not matter; % is taken as well.
func like(pattern, name string) bool {
	if pattern == "" {
		return true
	}
	for _, p := range strings.Split(strings.ToLower(strings.ReplaceAll(pattern, "%", "*")), "|") {
		if ok, err := path.Match(p, strings.ToLower(name)); ok && err == nil {
			return true
		}
	}
	return false
}

var queryColumns = []string{"name", "id", "runId", "isActive", "status", "batchId", "outputMode", "sink", "exception"}

func queryRow(q *StreamingQuery) []any {
	var batch, failure any
	if p := q.LastProgress(); p != nil {
		batch = p.BatchID
	}
	if err := q.Exception(); err != nil {
		failure = err.Error()
	}
	return []any{q.name, q.id, q.runID, q.IsActive(), q.Status().Message, batch, q.spec.mode, q.spec.sinkName(), failure}
}

func (s *Session) describe(st *logical.Describe) (*Result, error) {
	names, conf := s.snapshot()
	columns := []string{"col_name", "data_type", "comment"}
	if st.What == "FUNCTION" {
		return describeFunction(st, names)
	}
	if st.What == "QUERY" && st.Plan == nil {
		return s.describeQuery(st)
	}
	plan := st.Plan
	if plan == nil {
		plan = &logical.Table{At: st.At, Name: st.Name}
		if v, _ := names.View(st.Name); v == nil {
			t, err := names.Table(st.Name)
			if err == nil && t == nil {
				err = notFound("table or view", last(st.Name), names.Names()).At(st.NameAt)
			}
			if err != nil {
				return nil, err
			}
			rows := schemaRows(t.Schema)
			if st.Extended {
				rows = append(rows, []any{"", nil, nil}, []any{"# Detailed Table Information", "", ""}, []any{"Name", t.Name, ""}, []any{"Provider", t.Format, ""})
				for _, k := range sortedKeys(t.Options) {
					rows = append(rows, []any{"Option " + k, t.Options[k], ""})
				}
			}
			return textResult(columns, rows), nil
		}
	}
	n, err := analyse(plan, names, conf)
	if err != nil {
		return nil, err
	}
	return textResult(columns, schemaRows(schemaOf(n))), nil
}

func schemaRows(s expr.Schema) [][]any {
	var rows [][]any
	for _, f := range s {
		rows = append(rows, []any{f.Name, strings.ToLower(f.Type.SQL()), nil})
	}
	return rows
}

func (s *Session) describeQuery(st *logical.Describe) (*Result, error) {
	q := s.eng.Query(last(st.Name))
	if q == nil {
		return nil, s.eng.noQuery(last(st.Name)).At(st.At)
	}
	var rows [][]any
	for i, v := range queryRow(q) {
		rows = append(rows, []any{queryColumns[i], v})
	}
	if p := q.LastProgress(); p != nil {
		rows = append(rows, []any{"lastProgress", p.JSON()})
	}
	if q.spec.text != "" {
		rows = append(rows, []any{"statement", q.spec.text})
	}
	return textResult([]string{"property", "value"}, rows), nil
}

func (s *Session) showSetting(st *logical.Set) (*Result, error) {
	value, ok := s.Settings()[strings.ToLower(st.Key)]
	if !ok {
		k, known := conf.Lookup(st.Key)
		if !known { // as Spark says it; what may be meant is told beside
			r := textResult([]string{"key", "value"}, [][]any{{st.Key, "<undefined>"}})
			if _, err := conf.Check(st.Key, ""); err != nil {
				r.notices = []string{base.AsError(err).Error()}
			}
			return r, nil
		}
		value = k.Default
	}
	return textResult([]string{"key", "value"}, [][]any{{st.Key, value}}), nil
}

// explain prints the analysed plan and the physical one.
func (s *Session) explain(plan logical.Node) (string, error) {
	names, conf := s.snapshot()
	n, err := analyse(plan, names, conf)
	if err != nil {
		return "", err
	}
	out := "== Analyzed Logical Plan ==\n" + logical.Format(n)
	p, err := s.planned(n, names, conf)
	if err != nil {
		return "", err
	}
	out = fmt.Sprintf("%s\n== Physical Plan ==\n%s", out, physical.Format(p.Root, inputNames(p)))
	if len(p.Stateful) == 0 {
		return out, nil
	}
	tables, err := compute.StateTables(p.Root, s.eng.exprEnv(conf, 0))
	if err != nil {
		return "", err
	}
	out += "\n== State ==\n"
	for _, t := range tables {
		var columns []string
		for _, f := range t.Columns {
			columns = append(columns, expr.QuoteIfNeeded(f.Name)+" "+f.Type.SQL())
		}
		out += fmt.Sprintf("%s, operator %d: %s\n", t.Name, t.Operator, strings.Join(columns, ", "))
	}
	return out, nil
}

// planned is the physical plan of a resolved query.
func (s *Session) planned(n logical.Node, names *names, conf catalog.Conf) (*planner.Plan, error) {
	if !isStream(n) {
		b := &batch{opened: map[*catalog.Table]*openTable{}}
		defer b.close()
		return s.eng.planBatch(context.Background(), n, names, conf, b)
	}
	meant, err := rules.Meaning(n, s.eng.fold(conf))
	if err != nil {
		return nil, err
	}
	return planner.New(meant, planner.Options{Stream: true, StreamAsOf: streamAsOf(conf), Fold: s.eng.fold(conf)})
}

func inputNames(p *planner.Plan) []string {
	out := make([]string, len(p.Inputs))
	for i, in := range p.Inputs {
		out[i] = cmp.Or(in.Table.Name, in.Table.Format)
	}
	return out
}

// AllQueries lists every query by name, those that ended included; queries
// without a name come last.
func (e *Engine) AllQueries() []*StreamingQuery {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []*StreamingQuery
	for _, k := range sortedKeys(e.queries) {
		out = append(out, e.queries[k])
	}
	return append(out, e.unnamed...)
}

func (e *Engine) noQuery(name string) *base.Error {
	var known []string
	for _, q := range e.AllQueries() {
		known = append(known, q.name)
	}
	slices.Sort(known)
	err := base.UserError("STREAMING_QUERY_NOT_FOUND", "42704", "There is no query %s.", name)
	err.Code = base.CodeNotFound
	if s := base.Nearest(name, known); s != "" {
		return err.WithHint("did you mean %s?", s)
	}
	return err.WithHint("SHOW QUERIES lists them")
}

// noSchema refuses a schema that is not there: flightd has one, which is called default.
func noSchema(name []string) error {
	if len(name) == 0 || strings.EqualFold(last(name), "default") || len(name) == 1 && strings.EqualFold(name[0], "spark_catalog") {
		return nil
	}
	return base.UserError("SCHEMA_NOT_FOUND", "42704", "There is no schema %s.", last(name)).WithHint("the one schema is called default")
}

// mustHave refuses a name that is neither a table's nor a view's.
func (n *names) mustHave(name []string, at base.Pos) error {
	if v, err := n.View(name); err != nil || v != nil {
		return err
	}
	t, err := n.Table(name)
	if err == nil && t == nil {
		return notFound("table or view", last(name), n.Names()).At(at)
	}
	return err
}
