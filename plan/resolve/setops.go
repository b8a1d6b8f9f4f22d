package resolve

import (
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
)

func (r *resolver) union(n *logical.Union, outer *scope) (rel, error) {
	kids := make([]rel, len(n.Children))
	for i, c := range n.Children {
		in, err := r.node(c, outer)
		if err != nil {
			return rel{}, err
		}
		kids[i] = in
	}
	if n.ByName {
		if err := r.byName(n, kids); err != nil {
			return rel{}, err
		}
	}
	if err := r.align(n.At, "UNION", kids); err != nil {
		return rel{}, err
	}
	out := make([]*expr.Column, len(kids[0].cols))
	for i, c := range kids[0].cols {
		d := *c
		d.ID, d.Qualifier = expr.NewID(), nil
		for _, k := range kids {
			d.Null = d.Null || k.cols[i].Null
			r.from(d.ID, k.cols[i])
		}
		out[i] = &d
	}
	nodes := make([]logical.Node, len(kids))
	for i, k := range kids {
		nodes[i] = k.node
	}
	return relOf(&logical.Union{At: n.At, Children: nodes, Out: out}), nil
}

func (r *resolver) setOp(n *logical.SetOp, outer *scope) (rel, error) {
	left, err := r.node(n.Left, outer)
	if err != nil {
		return rel{}, err
	}
	right, err := r.node(n.Right, outer)
	if err != nil {
		return rel{}, err
	}
	name := "INTERSECT"
	if n.Except {
		name = "EXCEPT"
	}
	if err := setOperationOn(n.At, append(append([]*expr.Column(nil), left.cols...), right.cols...)); err != nil {
		return rel{}, err
	}
	kids := []rel{left, right}
	if err := r.align(n.At, name, kids); err != nil {
		return rel{}, err
	}
	out := &logical.SetOp{At: n.At, Except: n.Except, All: n.All, Left: kids[0].node, Right: kids[1].node}
	cols := make([]*expr.Column, len(kids[0].cols))
	for i, c := range kids[0].cols {
		cols[i] = plain(c)
	}
	return rel{node: out, cols: cols}, nil
}

// align casts the columns of kids to types they share, in a Project where that
// changes anything; every kid then has exactly its columns.
func (r *resolver) align(at base.Pos, name string, kids []rel) error {
	x := &exprs{r: r}
	width := len(kids[0].cols)
	for i, k := range kids[1:] {
		if len(k.cols) != width {
			return base.UserError("NUM_COLUMNS_MISMATCH", "42826",
				"%s can only be performed on inputs with the same number of columns, but the first input has %d columns and the %s input has %d columns.",
				name, width, ordinal(i+1), len(k.cols)).At(at)
		}
	}
	common := make([]*expr.Type, width)
	for c := range common {
		common[c] = kids[0].cols[c].Typ
		for i, k := range kids[1:] {
			w := r.co.Wider(common[c], k.cols[c].Typ)
			if w == nil && everNull(unnamed(common[c])).Equal(everNull(unnamed(k.cols[c].Typ))) {
				w = common[c] // they differ in the names of members only
			}
			if w == nil {
				return base.UserError("INCOMPATIBLE_COLUMN_TYPE", "42825",
					"%s can only be performed on tables with compatible column types. The %s column of the %s table is %q type which is not compatible with %q at the same column of the first table..",
					name, ordinal(c), ordinal(i+1), k.cols[c].Typ.SQL(), common[c].SQL()).At(at)
			}
			common[c] = w
		}
	}
	for i := range kids {
		list := make([]expr.Expr, width)
		changed := false
		for c, col := range kids[i].cols {
			list[c] = plain(col)
			if !sameType(col.Typ, common[c]) {
				changed = true
				list[c] = &expr.Alias{At: at, Child: x.cast(col, common[c]), Name: col.Name, ID: expr.NewID()}
			}
		}
		if changed {
			kids[i] = relOf(&logical.Project{At: kids[i].node.Pos(), List: list, Input: kids[i].node})
		} else {
			kids[i].node = finish(kids[i])
		}
	}
	return nil
}

// byName puts the columns of every kid into the order of the first one's, by
// name, and with AllowMissing fills NULLs in.
func (r *resolver) byName(n *logical.Union, kids []rel) error {
	names := columnsOf(kids[0])
	if n.AllowMissing {
		for _, k := range kids[1:] {
			for _, c := range k.cols {
				if indexOf(names, c.Name) < 0 {
					names = append(names, c.Name)
				}
			}
		}
	}
	for i, k := range kids {
		var list []expr.Expr
		for _, name := range names {
			found := match(k.cols, nil, name)
			switch {
			case len(found) > 1:
				return ambiguous(&expr.Name{At: n.At, Parts: []string{name}}, found)
			case len(found) == 1:
				list = append(list, plain(found[0]))
			case n.AllowMissing:
				t := typeOf(kids, name)
				list = append(list, &expr.Alias{At: n.At, Child: &expr.Literal{At: n.At, Typ: t}, Name: name, ID: expr.NewID()})
			default:
				return base.UserError("UNRESOLVED_COLUMN_AMONG_FIELD_NAMES", "42703", "Cannot resolve column name %q among (%s).",
					name, strings.Join(columnsOf(k), ", ")).At(n.At)
			}
		}
		if !n.AllowMissing && len(list) != len(k.cols) {
			return base.UserError("NUM_COLUMNS_MISMATCH", "42826",
				"UNION can only be performed on inputs with the same number of columns, but the first input has %d columns and the %s input has %d columns.",
				len(kids[0].cols), ordinal(i), len(k.cols)).At(n.At)
		}
		kids[i] = relOf(&logical.Project{At: n.At, List: list, Input: k.node})
	}
	return nil
}

func columnsOf(in rel) []string {
	out := make([]string, len(in.cols))
	for i, c := range in.cols {
		out[i] = c.Name
	}
	return out
}

func indexOf(names []string, name string) int {
	for i, n := range names {
		if strings.EqualFold(n, name) {
			return i
		}
	}
	return -1
}

func typeOf(kids []rel, name string) *expr.Type {
	for _, k := range kids {
		if found := match(k.cols, nil, name); len(found) > 0 {
			return found[0].Typ
		}
	}
	return expr.Null
}

// unnamed is t with the members of structs named by their places.
func unnamed(t *expr.Type) *expr.Type {
	d := *t
	switch t.Kind {
	case expr.KindArray:
		d.Elem = unnamed(t.Elem)
	case expr.KindMap:
		d.Key, d.Elem = unnamed(t.Key), unnamed(t.Elem)
	case expr.KindStruct:
		d.Fields = append([]expr.Field(nil), t.Fields...)
		for i := range d.Fields {
			d.Fields[i].Name, d.Fields[i].Type = itoa(i), unnamed(t.Fields[i].Type)
		}
	}
	return &d
}
