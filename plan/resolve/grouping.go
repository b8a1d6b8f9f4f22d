package resolve

import (
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
)

// aggregation is the Aggregate node of a block in the making. Whatever stands
// above it refers to the columns that it puts out.
type aggregation struct {
	at    base.Pos
	group []expr.Expr
	list  []expr.Expr
	// columns are what the node puts out, by the fingerprint of the grouping
	// expression or aggregate.
	columns map[string]*expr.Column
	// sets are the grouping expressions of CUBE and its kin as written, in
	// order; gid is the column that tells the sets apart, or nil.
	sets  []expr.Expr
	gid   *expr.Column
	input logical.Node
	// window is the fingerprint of the block's own time window, or "".
	window string
	// subqueries are those in the keys, by their shapes.
	subqueries map[string]*joined
	// unsupported is set by a key that cannot be computed below the node, which is told
	// after what is wrong above.
	unsupported bool
	// all is set by GROUP BY ALL.
	all bool
	// shown are the select list's names while HAVING is rewritten, which sees no other
	// columns.
	shown []*expr.Column
}

// group resolves the GROUP BY of the block.
func (b *block) group(n *logical.Aggregate) error {
	a := &aggregation{at: b.at, columns: map[string]*expr.Column{}, input: b.in.node}
	if w := b.x.windows; w != nil && w.column != nil {
		a.window = expr.Fingerprint(w.column)
	}
	b.agg = a
	if n == nil {
		return nil
	}
	a.at = n.At
	if a.all = n.Kind == logical.GroupAll; a.all {
		for _, it := range b.items {
			if !holdsAgg(it.e) && !holdsOver(it.e) {
				a.addKey(it.e, it.name)
			}
			a.unsupported = a.unsupported || ranks(it.e)
		}
		return nil
	}
	keys := make([]expr.Expr, len(n.Group))
	for i, g := range n.Group {
		e, err := b.groupKey(g)
		if err != nil {
			return err
		}
		keys[i] = e
	}
	if n.Kind == logical.GroupPlain {
		for i, k := range keys {
			a.addKey(k, keyName(n.Group[i], k))
		}
		return nil
	}
	sets, err := b.groupingSets(n)
	if err != nil {
		return err
	}
	if len(keys) == 0 && len(sets) == 1 { // all rows are one group, also if there are none
		return nil
	}
	return b.expand(a, keys, sets)
}

func holdsOver(e expr.Expr) bool {
	found := false
	expr.Walk(e, func(e expr.Expr) bool {
		_, ok := e.(*overCall)
		found = found || ok
		return !found
	})
	return found
}

func keyName(raw, e expr.Expr) string {
	if a, ok := raw.(*expr.Alias); ok {
		return a.Name
	}
	return itemName(raw, e)
}

// addKey adds a grouping expression.
func (a *aggregation) addKey(e expr.Expr, name string) {
	if al, ok := e.(*expr.Alias); ok {
		e = al.Child
	}
	if holdsOver(e) || generatorOf(e) != nil {
		a.unsupported = true
		return
	}
	print := sameAs(e)
	if a.column(e) != nil {
		return
	}
	if c, ok := e.(*expr.Column); ok && name == "" {
		name = c.Name
	}
	expr.Walk(e, func(e expr.Expr) bool {
		if q, ok := e.(*joined); ok && q.shape != "" {
			if a.subqueries == nil {
				a.subqueries = map[string]*joined{}
			}
			if a.subqueries[q.shape] == nil {
				a.subqueries[q.shape] = q
			}
		}
		return true
	})
	e = sortedMap(e)
	a.group = append(a.group, e)
	if c, ok := e.(*expr.Column); ok {
		a.list = append(a.list, plain(c))
		a.columns[print] = plain(c)
		return
	}
	al := &expr.Alias{At: e.Pos(), Child: e, Name: name, ID: expr.NewID()}
	a.list = append(a.list, al)
	a.columns[print] = &expr.Column{At: e.Pos(), ID: al.ID, Name: name, Typ: e.Type(), Null: e.Nullable()}
}

// groupKey resolves one grouping expression: an ordinal, a column, an alias of
// the select list, or any expression.
func (b *block) groupKey(raw expr.Expr) (expr.Expr, error) {
	if al, ok := raw.(*expr.Alias); ok {
		raw = al.Child
	}
	if lit, ok := raw.(*expr.Literal); ok && lit.Typ.Kind == expr.KindInt32 && lit.Value != nil {
		at := int(lit.Value.(int64))
		for _, it := range b.items {
			if it.star {
				return nil, base.UserError("STAR_GROUP_BY_POS", "0A000", "GROUP BY positions cannot be counted in a select list with a star.").At(raw.Pos()).
					WithHint("name the columns")
			}
		}
		if at < 1 || at > len(b.items) {
			return nil, base.UserError("GROUP_BY_POS_OUT_OF_RANGE", "42805",
				"GROUP BY position %d is not in select list (valid range is [1, %d]).", at, len(b.items)).At(raw.Pos())
		}
		e := b.items[at-1].e
		if holdsAgg(e) {
			return nil, base.UserError("GROUP_BY_POS_AGGREGATE", "42903",
				"GROUP BY %d refers to an expression %s that contains an aggregate function. Aggregate functions are not allowed in GROUP BY.", at, e.SQL()).At(raw.Pos())
		}
		return e, nil
	}
	s := *b.s
	s.aggregates = false
	s.clause = "GROUP BY"
	e, err := b.x.expr(raw, &s)
	if err != nil {
		return nil, err
	}
	if holdsAgg(e) || holdsOver(e) && !ranks(e) {
		return nil, base.UserError("GROUP_BY_AGGREGATE", "42903", "Aggregate functions are not allowed in GROUP BY, but found %s.", e.SQL()).At(raw.Pos())
	}
	if err := notGroupable(e, raw.Pos()); err != nil {
		return nil, err
	}
	if generatorOf(e) != nil || holdsOver(e) {
		b.agg.unsupported = true
	}
	return e, nil
}

// groupingSets returns the sets of CUBE, ROLLUP or GROUPING SETS, each the
// fingerprints of its expressions.
func (b *block) groupingSets(n *logical.Aggregate) ([]map[string]bool, error) {
	parts := make([][]string, len(n.Sets))
	for i, set := range n.Sets {
		for _, raw := range set {
			e, err := b.groupKey(raw)
			if err != nil {
				return nil, err
			}
			parts[i] = append(parts[i], expr.Fingerprint(e))
		}
	}
	union := func(parts [][]string) map[string]bool {
		out := map[string]bool{}
		for _, p := range parts {
			for _, k := range p {
				out[k] = true
			}
		}
		return out
	}
	var sets []map[string]bool
	switch n.Kind {
	case logical.GroupSets:
		for _, p := range parts {
			sets = append(sets, union([][]string{p}))
		}
	case logical.GroupRollup:
		for k := len(parts); k >= 0; k-- {
			sets = append(sets, union(parts[:k]))
		}
	case logical.GroupCube:
		if len(parts) > 12 {
			return nil, base.UserError("GROUPING_SIZE_LIMIT_EXCEEDED", "54000", "Grouping sets size cannot be greater than 12.").At(n.At)
		}
		for mask := 1<<len(parts) - 1; mask >= 0; mask-- {
			var chosen [][]string
			for i, p := range parts {
				if mask>>(len(parts)-1-i)&1 == 1 {
					chosen = append(chosen, p)
				}
			}
			sets = append(sets, union(chosen))
		}
	}
	return sets, nil
}

// expand puts the Expand node of grouping sets under the aggregation: a copy of
// every key, NULL where the set leaves it out, and spark_grouping_id.
func (b *block) expand(a *aggregation, keys []expr.Expr, sets []map[string]bool) error {
	in := a.input.Output()
	var distinct []expr.Expr
	seen := map[string]bool{}
	for _, k := range keys {
		if print := expr.Fingerprint(k); !seen[print] {
			seen[print] = true
			distinct = append(distinct, k)
		}
	}
	out := concat(in, nil)
	copies := make([]*expr.Column, len(distinct))
	for i, k := range distinct {
		copies[i] = &expr.Column{At: k.Pos(), ID: expr.NewID(), Name: itemName(k, k), Typ: k.Type(), Null: true, Meta: logical.MetaOf(k)}
	}
	gid := &expr.Column{At: a.at, ID: expr.NewID(), Name: "spark_grouping_id", Typ: expr.Int64}
	out = append(append(out, copies...), gid)
	pos := &expr.Column{At: a.at, ID: expr.NewID(), Name: "_gen_grouping_pos", Typ: expr.Int32}
	repeated := false
	ids := map[int64]bool{}
	node := &logical.Expand{At: a.at, Input: a.input}
	for _, set := range sets {
		list := asExprs(in)
		id := int64(0)
		for _, k := range distinct {
			id <<= 1
			if set[expr.Fingerprint(k)] {
				list = append(list, sortedMap(k))
			} else {
				id |= 1
				list = append(list, &expr.Literal{At: k.Pos(), Typ: k.Type()})
			}
		}
		repeated = repeated || ids[id]
		ids[id] = true
		node.Lists = append(node.Lists, append(list, &expr.Literal{At: a.at, Value: id, Typ: expr.Int64}))
	}
	if repeated {
		for i := range node.Lists {
			node.Lists[i] = append(node.Lists[i], &expr.Literal{At: a.at, Value: int64(i), Typ: expr.Int32})
		}
		out = append(out, pos)
	}
	node.Columns = out
	a.input, a.sets, a.gid = node, distinct, gid
	for i, k := range distinct {
		a.group = append(a.group, copies[i])
		a.list = append(a.list, copies[i])
		a.columns[sameAs(k)] = copies[i]
	}
	a.group, a.list = append(a.group, gid), append(a.list, gid)
	if repeated {
		a.group, a.list = append(a.group, pos), append(a.list, pos)
	}
	return nil
}

// rewrite turns an expression over the aggregation's input into one over its
// output: grouping expressions and aggregates become columns.
func (a *aggregation) rewrite(e expr.Expr, inner map[expr.ID]bool) (expr.Expr, error) {
	if al, ok := e.(*expr.Alias); ok {
		child, err := a.rewrite(al.Child, inner)
		if err != nil {
			return nil, err
		}
		return al.With([]expr.Expr{child}), nil
	}
	if c := a.column(e); c != nil {
		return c, nil
	}
	switch e := e.(type) {
	case *expr.Call:
		// Spark knows no window_time of the window that the same query makes.
		if e.Fn == "window_time" && expr.Fingerprint(e.Args[0]) == a.window {
			return nil, a.missing(&expr.Column{At: e.At, Name: e.SQL()})
		}
	case *expr.Agg:
		if e.Fn == "grouping" || e.Fn == "grouping_id" {
			return a.groupingCall(e)
		}
		return a.addAgg(e), nil
	case *expr.Column:
		if inner[e.ID] {
			return e, nil
		}
		return nil, a.missing(e)
	case *joined:
		inner = map[expr.ID]bool{}
		for _, c := range e.node.Output() {
			inner[c.ID] = true
		}
	}
	children := e.Children()
	if len(children) == 0 {
		return e, nil
	}
	out := make([]expr.Expr, len(children))
	for i, c := range children {
		var err error
		if out[i], err = a.rewrite(c, inner); err != nil {
			return nil, err
		}
	}
	return e.With(out), nil
}

func (a *aggregation) addAgg(e *expr.Agg) expr.Expr {
	print := sameAs(e)
	if c := a.columns[print]; c != nil {
		return c
	}
	al := &expr.Alias{At: e.At, Child: e, Name: e.SQL(), ID: expr.NewID()}
	c := &expr.Column{At: e.At, ID: al.ID, Name: al.Name, Typ: e.Typ, Null: e.Null}
	a.list = append(a.list, al)
	a.columns[print] = c
	return c
}

// sortedMap returns e, or if it is a map with its entries in the order of the keys:
// maps are grouped by what they hold.
func sortedMap(e expr.Expr) expr.Expr {
	if e.Type().Kind != expr.KindMap {
		return e
	}
	at, null := e.Pos(), e.Nullable()
	for _, fn := range []string{"map_entries", "sort_array", "map_from_entries"} {
		args := []expr.Expr{e}
		if fn == "sort_array" {
			args = append(args, &expr.Literal{At: at, Value: true, Typ: expr.Bool})
		}
		e = &expr.Call{At: at, Fn: fn, Args: args, Typ: expr.Functions.Lookup(fn).Result(types(args)), Null: null}
	}
	return e
}

func (a *aggregation) missing(e *expr.Column) error {
	if a.shown != nil {
		return unresolvedColumn(e.At, []string{e.Name}, a.shown)
	}
	if a.all && len(a.group) == 0 {
		return base.UserError("UNRESOLVED_ALL_IN_GROUP_BY", "42803",
			"The columns to group by cannot be told from the select list: %s stands beside an aggregate.", e.Name).At(a.at).
			WithHint("name them: GROUP BY %s", e.Name)
	}
	if len(a.group) == 0 && !a.unsupported {
		return base.UserError("MISSING_GROUP_BY", "42803",
			"The query does not include a GROUP BY clause. Add GROUP BY or turn it into the window functions using OVER clauses.").At(e.At).
			WithHint("aggregate %s, for example any_value(%s), or add GROUP BY", e.Name, e.Name)
	}
	return base.UserError("MISSING_AGGREGATION", "42803",
		"The non-aggregating expression %q is based on columns which are not participating in the GROUP BY clause.\nAdd the columns or the expression to the GROUP BY, aggregate the expression, or use \"any_value(%s)\" if you do not care which of the values within a group is returned.",
		e.Name, e.Name).At(e.At).WithHint("write any_value(%s) or add %s to GROUP BY", e.Name, e.Name)
}

// groupingCall turns grouping(c) and grouping_id() into arithmetic on
// spark_grouping_id.
func (a *aggregation) groupingCall(e *expr.Agg) (expr.Expr, error) {
	if a.gid == nil {
		if e.Fn == "grouping" {
			return nil, base.UserError("UNSUPPORTED_GROUPING_EXPRESSION", "42K0E",
				"grouping()/grouping_id() can only be used with GroupingSets/Cube/Rollup.").At(e.At)
		}
		return nil, base.UserError("UNSUPPORTED_GROUPING_EXPRESSION", "42K0E",
			"grouping()/grouping_id() can only be used with GroupingSets/Cube/Rollup.").At(e.At)
	}
	bit := func(arg expr.Expr) (expr.Expr, error) {
		for i, k := range a.sets {
			if expr.Fingerprint(k) == expr.Fingerprint(arg) {
				by := &expr.Literal{At: e.At, Value: int64(len(a.sets) - 1 - i), Typ: expr.Int32}
				shifted := &expr.Call{At: e.At, Fn: "shiftright", Args: []expr.Expr{a.gid, by}, Typ: expr.Int64}
				return &expr.Call{At: e.At, Fn: "&", Args: []expr.Expr{shifted, &expr.Literal{At: e.At, Value: int64(1), Typ: expr.Int64}}, Typ: expr.Int64}, nil
			}
		}
		names := make([]string, len(a.sets))
		for i, k := range a.sets {
			names[i] = k.SQL()
		}
		return nil, base.UserError("GROUPING_COLUMN_MISMATCH", "42803", "Column of grouping (%q) can't be found in grouping columns %s.",
			arg.SQL(), strings.Join(names, ", ")).At(e.At)
	}
	if e.Fn == "grouping" {
		b, err := bit(e.Args[0])
		if err != nil {
			return nil, err
		}
		return &expr.Cast{At: e.At, Child: b, To: expr.Int8, Implicit: true}, nil
	}
	if len(e.Args) == 0 {
		return a.gid, nil
	}
	if len(e.Args) != len(a.sets) {
		return nil, groupingIDMismatch(e, a.sets)
	}
	for i, arg := range e.Args {
		if expr.Fingerprint(arg) != expr.Fingerprint(a.sets[i]) {
			return nil, groupingIDMismatch(e, a.sets)
		}
	}
	return a.gid, nil
}

func groupingIDMismatch(e *expr.Agg, sets []expr.Expr) error {
	return base.UserError("GROUPING_ID_COLUMN_MISMATCH", "42803", "Columns of grouping_id (%s) does not match grouping columns (%s).",
		quotedSQL(e.Args), quotedSQL(sets)).At(e.At)
}

// node makes the Aggregate, over the joins of the subqueries in its keys and the
// arguments of its functions.
func (a *aggregation) node() (logical.Node, error) {
	n := &logical.Aggregate{At: a.at, Group: a.group, List: a.list, Input: a.input}
	all := append(append([]expr.Expr(nil), a.group...), a.list...)
	some := false
	for _, e := range all {
		some = some || holdsJoined(e)
	}
	if !some {
		return n, nil
	}
	keys := len(a.group)
	var computed []expr.Expr
	for i, g := range a.group { // a key is computed once, below
		if !holdsJoined(g) {
			continue
		}
		k := &expr.Alias{At: g.Pos(), Child: g, Name: g.SQL(), ID: expr.NewID()}
		c := &expr.Column{At: k.At, ID: k.ID, Name: k.Name, Typ: k.Type(), Null: true}
		computed = append(computed, k)
		all[i] = c
		if old, ok := a.list[i].(*expr.Alias); ok {
			all[keys+i] = old.With([]expr.Expr{c})
		}
	}
	input := a.input
	if computed != nil {
		before := asExprs(input.Output())
		node, list, err := placeSubqueries(input, computed)
		if err != nil {
			return nil, err
		}
		input = &logical.Project{At: a.at, List: append(before, list...), Input: node}
	}
	node, list, err := placeSubqueries(input, all)
	if err != nil {
		return nil, err
	}
	n.Input, n.Group, n.List = node, list[:keys], list[keys:]
	return n, nil
}

// ranks reports whether e has functions with OVER in it, none of which aggregates.
func ranks(e expr.Expr) bool {
	found, aggregates := false, false
	expr.Walk(e, func(e expr.Expr) bool {
		switch e := e.(type) {
		case *expr.Agg:
			aggregates = true
		case *overCall:
			found = true
			_, agg := e.fn.(*expr.Agg)
			aggregates = aggregates || agg
		}
		return true
	})
	return found && !aggregates
}
