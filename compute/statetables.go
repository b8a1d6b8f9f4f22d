package compute

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/compute/agg"
	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
	"github.com/flightd/flightd/state"
)

// A StateTable is a table of a stateful operator as SQL shows it: one row for each row
// that is kept, key columns first, and of aggregates what they come to. It may be read
// by any number of goroutines.
type StateTable struct {
	// Name is unique in the query: aggregate, sessions, dedup, join_left, join_right,
	// asof_left, asof_right, asof_last, asof_open or limit. The second operator of a
	// kind is aggregate_2, join_2_left and so on, from the sink down.
	Name string
	// Operator is its number, as EXPLAIN shows it, and Table the name of the kept
	// table within it.
	Operator int
	Table    string
	// Columns are distinct in any case.
	Columns expr.Schema
	// Comment says what a row is.
	Comment string

	schema *arrow.Schema
	reads  []stateRead
	keys   *keyLayout
	// finds says of each key column how it is found from columns.
	finds []stateFind
}

// ID names the kept table.
func (t *StateTable) ID() state.ID { return state.ID{Operator: t.Operator, Name: t.Table} }

// stateRead returns a column of rows of a page.
type stateRead func(p *state.Page, rows []int32) (*vec.Vec, error)

// stateFind says which columns give a key of the layout: the column itself; or the
// start and the end of a window.
type stateFind struct{ column, start, end int }

// StateTables are the tables of the stateful operators of a plan, from the sink down.
// env is what the constants of aggregates depend on.
func StateTables(root physical.Node, env *cexpr.Env) ([]*StateTable, error) {
	s := &stateTables{env: &Env{Expr: env}, root: root, kinds: map[string]int{}}
	var nodes []statefulNode
	collectStateful(root, &nodes)
	slices.SortFunc(nodes, func(a, b statefulNode) int { return cmp.Compare(a.state.Operator, b.state.Operator) })
	for _, n := range nodes {
		if n.state.Refused != nil {
			continue
		}
		s.state = n.state
		if err := s.add(n.node); err != nil {
			return nil, err
		}
	}
	return s.made, nil
}

type statefulNode struct {
	node  physical.Node
	state *physical.State
}

func collectStateful(n physical.Node, out *[]statefulNode) {
	var st *physical.State
	switch n := n.(type) {
	case *physical.Aggregate:
		st = n.State
	case *physical.Dedup:
		st = n.State
	case *physical.StreamJoin:
		st = n.State
	case *physical.AsOfJoin:
		st = n.State
	case *physical.Limit:
		st = n.State
	}
	if st != nil {
		*out = append(*out, statefulNode{n, st})
	}
	for _, in := range n.Inputs() {
		collectStateful(in, out)
	}
}

type stateTables struct {
	env   *Env
	root  physical.Node
	state *physical.State
	kinds map[string]int
	made  []*StateTable
}

func (s *stateTables) add(n physical.Node) error {
	switch n := n.(type) {
	case *physical.Aggregate:
		return s.aggregate(n)
	case *physical.Dedup:
		s.dedup(n)
	case *physical.StreamJoin:
		s.join(n)
	case *physical.AsOfJoin:
		s.asOf(n)
	case *physical.Limit:
		t := s.table(s.kind("limit"), "", state.DefaultName, "how many rows have passed")
		t.column("rows", expr.Int64, func(p *state.Page, rows []int32) (*vec.Vec, error) {
			return plainColumn(expr.Int64, p.Value(0).Gather(rows)), nil
		})
	}
	return nil
}

// kind counts the operators of a kind: its name, or with the number from the second on.
func (s *stateTables) kind(name string) string {
	s.kinds[name]++
	if n := s.kinds[name]; n > 1 {
		return fmt.Sprintf("%s_%d", name, n)
	}
	return name
}

func (s *stateTables) table(kind, part, kept, comment string) *StateTable {
	if part != "" {
		kind += "_" + part
	}
	t := &StateTable{Name: kind, Operator: s.state.Operator, Table: kept, Comment: comment}
	s.made = append(s.made, t)
	return t
}

// column adds a column, under another name if there is one of that name.
func (t *StateTable) column(name string, typ *expr.Type, read stateRead) int {
	unique := name
	for n := 2; slices.ContainsFunc(t.Columns, func(f expr.Field) bool { return strings.EqualFold(f.Name, unique) }); n++ {
		unique = fmt.Sprintf("%s_%d", name, n)
	}
	t.Columns = append(t.Columns, expr.Field{Name: unique, Type: typ, Nullable: true})
	t.schema = t.Columns.Arrow()
	t.reads = append(t.reads, read)
	return len(t.reads) - 1
}

// whole adds a column that read makes, a window as its start and its end.
func (t *StateTable) whole(name string, typ *expr.Type, read stateRead) stateFind {
	if !isTimeWindow(typ) {
		return stateFind{column: t.column(name, typ, read), start: -1, end: -1}
	}
	part := func(i int) stateRead {
		return func(p *state.Page, rows []int32) (*vec.Vec, error) {
			v, err := read(p, rows)
			if err != nil {
				return nil, err
			}
			return memberOf(v, i), nil
		}
	}
	return stateFind{column: -1, start: t.column(name+"_start", typ.Fields[0].Type, part(0)), end: t.column(name+"_end", typ.Fields[1].Type, part(1))}
}

// memberOf returns a member of structs, NULL where the struct is.
func memberOf(v *vec.Vec, i int) *vec.Vec {
	m := *v.Kids[i].Flat()
	m.Valid = bothValid(v.Valid, m.Valid, v.Len)
	return &m
}

// keyColumns adds the columns of a layout; names are theirs.
func (t *StateTable) keyColumns(l *keyLayout, names func(i int) string) {
	t.keys = l
	for i, typ := range l.types {
		t.finds = append(t.finds, t.whole(names(i), typ, func(p *state.Page, rows []int32) (*vec.Vec, error) {
			return l.column(i, func(k int) (state.Vector, error) { return p.Key(k, rows) })
		}))
	}
}

// plainColumn is a column that is kept as it is.
func plainColumn(t *expr.Type, v state.Vector) *vec.Vec {
	return &vec.Vec{Type: t, Len: v.Len, Valid: v.Valid, Data: v.Data, Off: v.Off}
}

// aggregate adds the groups, or sessions, of an aggregation.
func (s *stateTables) aggregate(n *physical.Aggregate) error {
	names := resultNames(s.root, n)
	kind, comment, key := "aggregate", "a group", -1
	if n.Session != nil {
		kind, comment, key = "sessions", "a session", n.Session.Key
	}
	t := s.table(s.kind(kind), "", state.DefaultName, comment)
	if key < 0 {
		t.keyColumns(groupKeys(n), func(i int) string { return names[i] })
	} else {
		w := &sessions{of: n, key: key}
		l := groupKeys(w.inner())
		others := slices.Delete(slices.Clone(names[:len(n.Keys)]), key, key+1)
		t.keyColumns(l, func(i int) string { return others[i] })
	}
	first := 0
	for i, a := range n.Aggs {
		fn, err := agg.New(a, constants{a.Args, s.env})
		if err != nil {
			return err
		}
		from := first
		first += len(fn.Fields)
		t.column(names[len(n.Keys)+i], a.Typ, func(p *state.Page, rows []int32) (*vec.Vec, error) {
			cols := make([]state.Column, len(fn.Fields))
			for c := range cols {
				cols[c] = p.Value(from + c)
			}
			return fn.Bind(cols).Final(rows)
		})
	}
	if key >= 0 {
		typ, at := n.Keys[key].Type(), first
		t.whole(names[key], typ, func(p *state.Page, rows []int32) (*vec.Vec, error) {
			starts, ends := p.Value(at).Gather(rows), p.Value(at+1).Gather(rows)
			return windowAt(typ, state.Values[int64](&starts), state.Values[int64](&ends)), nil
		})
	}
	return nil
}

// resultNames are the names of a node's columns: those that they have in the result,
// where they reach it as they are, else its own.
func resultNames(root physical.Node, n physical.Node) []string {
	out := make([]string, len(n.Schema()))
	for i, f := range n.Schema() {
		out[i] = f.Name
	}
	schema := root.Schema()
	from := make([]int, len(schema)) // the column that a result column comes from, or -1
	for i := range from {
		from[i] = i
	}
	for at := root; at != n; at = at.Inputs()[0] {
		switch x := at.(type) {
		case *physical.Project:
			for i, c := range from {
				if c < 0 {
					continue
				}
				from[i] = -1
				if ref, ok := x.Exprs[c].(*expr.Ref); ok {
					from[i] = ref.Index
				}
			}
		case *physical.Filter, *physical.Sort, *physical.Limit, *physical.Watermark, *physical.Late:
		default:
			return out
		}
	}
	for i, c := range slices.Backward(from) { // the first of several names
		if c >= 0 {
			out[c] = schema[i].Name
		}
	}
	return out
}

// dedup adds the keys that were seen, and when they are forgotten.
func (s *stateTables) dedup(n *physical.Dedup) {
	schema := n.Input.Schema()
	types := make([]*expr.Type, len(n.Keys))
	for i, c := range n.Keys {
		types[i] = schema[c].Type
	}
	t := s.table(s.kind("dedup"), "", state.DefaultName, "a key that was seen; it is forgotten when the watermark passes expires_at")
	t.keyColumns(newKeyLayout(types), func(i int) string { return schema[n.Keys[i]].Name })
	key := slices.Index(n.Keys, n.EventColumn)
	switch {
	case n.Within:
		typ := eventTypeOf(schema[n.EventColumn].Type)
		t.column("expires_at", typ, func(p *state.Page, rows []int32) (*vec.Vec, error) {
			return plainColumn(typ, p.Value(0).Gather(rows)), nil
		})
	case n.EventColumn >= 0 && key >= 0:
		typ, l := eventTypeOf(types[key]), t.keys
		t.column("expires_at", typ, func(p *state.Page, rows []int32) (*vec.Vec, error) {
			v, err := p.Key(l.eventKey(key), rows)
			return plainColumn(typ, v), err
		})
	default:
		t.column("expires_at", expr.Timestamp, func(_ *state.Page, rows []int32) (*vec.Vec, error) {
			return vec.NewNull(expr.Timestamp, len(rows)), nil
		})
	}
}

// eventTypeOf is the type of event times: that of a window's end.
func eventTypeOf(t *expr.Type) *expr.Type {
	if isTimeWindow(t) {
		return t.Fields[1].Type
	}
	return t
}

// join adds the rows of both sides that wait for partners.
func (s *stateTables) join(n *physical.StreamJoin) {
	kind := s.kind("join")
	left, right := conditionUses(n)
	for _, name := range []string{"left", "right"} {
		uses := left
		if name == "right" {
			uses = right
		}
		side, fields := newSideLayout(n, name, uses)
		t := s.table(kind, name, name, "a row that is kept for partners to come")
		for c, f := range side.schema {
			if side.stored[c].at < 0 {
				continue
			}
			t.whole(f.Name, f.Type, func(p *state.Page, rows []int32) (*vec.Vec, error) {
				if side.stored[c].key {
					return side.keys.column(side.stored[c].at, func(k int) (state.Vector, error) { return p.Key(k, rows) })
				}
				return side.values.column(side.stored[c].at, func(k int) (state.Vector, error) { return p.Value(k).Gather(rows), nil })
			})
		}
		t.joinKeys(side)
		if at := len(fields); side.preserved {
			t.column("matched", expr.Bool, func(p *state.Page, rows []int32) (*vec.Vec, error) {
				return plainColumn(expr.Bool, p.Value(at).Gather(rows)), nil
			})
		}
	}
}

// joinKeys adds the keys that are no columns, and says where the others are.
func (t *StateTable) joinKeys(side *streamSide) {
	t.keys = side.keys
	for i, k := range side.keyExprs {
		if ref, ok := k.(*expr.Ref); ok && side.stored[ref.Index].at >= 0 {
			at := 0
			for c := range ref.Index {
				switch {
				case side.stored[c].at < 0:
				case isTimeWindow(side.schema[c].Type):
					at += 2
				default:
					at++
				}
			}
			if isTimeWindow(k.Type()) {
				t.finds = append(t.finds, stateFind{column: -1, start: at, end: at + 1})
			} else {
				t.finds = append(t.finds, stateFind{column: at, start: -1, end: -1})
			}
			continue
		}
		t.finds = append(t.finds, t.whole(k.SQL(), k.Type(), func(p *state.Page, rows []int32) (*vec.Vec, error) {
			return side.keys.column(i, func(c int) (state.Vector, error) { return p.Key(c, rows) })
		}))
	}
}

// asOf adds the rows that wait for the watermark, and those that later ones may match.
func (s *stateTables) asOf(n *physical.AsOfJoin) {
	kind := s.kind("asof")
	third := "last"
	if n.Forward {
		third = "open"
	}
	for _, part := range []struct {
		name, comment string
		of            physical.Node
	}{
		{"left", "a left row that the watermark has not passed", n.Left},
		{"right", "a right row that the watermark has not passed", n.Right},
		{third, map[string]string{"last": "the last right row of a key that the watermark has passed", "open": "a left row that waits for its match"}[third],
			map[string]physical.Node{"last": n.Right, "open": n.Left}[third]},
	} {
		schema := part.of.Schema()
		types := make([]*expr.Type, len(schema))
		for i, f := range schema {
			types[i] = f.Type
		}
		l := newKeyLayout(types)
		t := s.table(kind, part.name, part.name, part.comment)
		for c, f := range schema {
			t.whole(f.Name, f.Type, func(p *state.Page, rows []int32) (*vec.Vec, error) {
				return l.column(c, func(k int) (state.Vector, error) { return p.Value(k).Gather(rows), nil })
			})
		}
	}
}

// Read returns columns of rows of a page.
func (t *StateTable) Read(p *state.Page, rows []int32, columns []int) ([]arrow.Array, error) {
	out := make([]arrow.Array, len(columns))
	for i, c := range columns {
		v, err := t.reads[c](p, rows)
		if err != nil {
			for _, a := range out[:i] {
				a.Release()
			}
			return nil, err
		}
		out[i] = v.Arrow()
	}
	return out, nil
}

// Schema is Columns in Arrow.
func (t *StateTable) Schema() *arrow.Schema { return t.schema }

// KeyColumns are the columns that together make the key by which rows are found; nil
// if that cannot be said.
func (t *StateTable) KeyColumns() []int {
	var out []int
	for i, f := range t.finds {
		switch typ := t.keys.types[i]; {
		case typ.Collation != "" || typ.IsNested() && !isTimeWindow(typ):
			return nil
		case f.column >= 0:
			out = append(out, f.column)
		case t.keys.spans[i] != 0: // the end says it all
			out = append(out, f.end)
		default:
			out = append(out, f.start, f.end)
		}
	}
	return out
}

// Normalise makes keys that of the values of KeyColumns, in the form of literals. It
// reports false if they are none that a key has.
func (t *StateTable) Normalise(keys *state.Keys, values map[int]any) (bool, error) {
	cols := make([]*vec.Vec, len(t.finds))
	for i, f := range t.finds {
		var v *vec.Vec
		var err error
		switch {
		case f.column >= 0:
			v, err = cexpr.Constant(values[f.column], t.keys.types[i])
		default:
			typ := t.keys.types[i]
			end, ok := values[f.end].(int64)
			start, has := values[f.start].(int64)
			if t.keys.spans[i] != 0 {
				start, has = end-t.keys.spans[i], true
			}
			if !ok || !has {
				return false, nil
			}
			v = windowAt(typ, []int64{start}, []int64{end})
		}
		if err != nil {
			return false, err
		}
		v.Const = false
		cols[i] = v
	}
	// The layout has scratch memory, which readers do not share.
	l := *t.keys
	l.vecs = make([]state.Vector, len(l.fields))
	return true, keys.Normalise(l.vectors(cols, []int32{0}), 1, nil)
}
