package resolve

import (
	"slices"
	"strings"

	"github.com/flightd/flightd/plan/catalog"
	"github.com/flightd/flightd/plan/expr"
)

// users are the functions that users registered, by lower-case name.
func (r *resolver) users() map[string]*expr.Function {
	if c, ok := r.env.Catalog.(catalog.Functions); ok {
		return c.Functions()
	}
	return nil
}

// Reserved reports whether a lower-case name stands for something in the dialect,
// so that no user's function can have it.
func Reserved(name string) bool {
	return name == "cast" || castNames[name] != nil || tableOnly(name) || unitForms[name] || expr.Functions.Lookup(name) != nil
}

// A Described is a function as DESCRIBE FUNCTION tells of it.
type Described struct {
	// Name is the name that was asked for, Others those that it has besides.
	Name   string
	Others []string
	// Kind is "scalar", "aggregate", "generator", "window" or "table".
	Kind string
	// Usage is the call with its argument types and what it returns.
	Usage string
	// Nulls says when the result may be NULL, Note what a user says of his function.
	Nulls, Note      string
	Nondeterministic bool
	User             bool
}

// syntaxOnly are rows of the table that stand for syntax: a.b, a[i], v:path.
var syntaxOnly = map[string]bool{".": true, ":": true, "[]": true, "getfield": true, "getitem": true, "getmapvalue": true}

// FunctionNames are the names of all built-in functions and operators, sorted.
func FunctionNames() []string {
	set := map[string]bool{"cast": true, "range": true, "sql_keywords": true, "collations": true, "variant_explode": true, "variant_explode_outer": true}
	for name := range castNames {
		set[name] = true
	}
	for _, f := range expr.Functions.All() {
		for _, n := range append([]string{f.Name}, f.Aliases...) {
			if !unitForms[n] && !syntaxOnly[n] {
				set[n] = true
			}
		}
	}
	out := make([]string, 0, len(set))
	for n := range set {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

// Describe tells of the function of a name, which may be one of users; nil if there
// is none.
func Describe(name string, users map[string]*expr.Function) *Described {
	name = strings.ToLower(name)
	if name == "cast" {
		return &Described{Name: name, Kind: "scalar", Usage: "cast(ANY AS type)", Nulls: "for NULL"}
	}
	if t := castNames[name]; t != nil {
		return &Described{Name: name, Kind: "scalar", Usage: name + "(ANY) casts to " + t.SQL(), Nulls: "for NULL"}
	}
	f := expr.Functions.Lookup(name)
	if unitForms[name] || syntaxOnly[name] {
		f = nil
	}
	if f == nil {
		if f = users[name]; f == nil {
			if tableOnly(name) {
				return &Described{Name: name, Kind: "table", Usage: name + "(…) makes a table: it stands in FROM"}
			}
			return nil
		}
	}
	d := &Described{Name: name, Kind: [...]string{"scalar", "aggregate", "generator", "window"}[f.Class], Note: f.Comment,
		Nondeterministic: f.Nondeterministic, User: f.User != nil, Usage: usage(name, f),
		Nulls: [...]string{"if an argument may be", "for some arguments", "never"}[f.Null]}
	for _, n := range append([]string{f.Name}, f.Aliases...) {
		if n != name {
			d.Others = append(d.Others, n)
		}
	}
	return d
}

// usage shows a call of f: the types that each parameter takes, optional ones in
// brackets.
func usage(name string, f *expr.Function) string {
	var b strings.Builder
	open := 0
	for i, p := range f.Params {
		optional := i >= f.Min
		if optional {
			b.WriteString("[")
			open++
		}
		if i > 0 {
			b.WriteString(", ")
		}
		if p.Name != "" {
			b.WriteString(p.Name + " ")
		}
		for j, w := range p.Wants {
			if j > 0 {
				b.WriteString(" | ")
			}
			b.WriteString(wantName(w))
		}
		if f.Max < 0 && i == len(f.Params)-1 {
			b.WriteString(", …")
		}
	}
	text := name + "(" + b.String() + strings.Repeat("]", open) + ")"
	if t := f.Fixed(); t != nil {
		text += " returns " + t.SQL()
	}
	return text
}

func wantName(w expr.Want) string {
	switch w.Family {
	case expr.OneType:
		return w.Type.SQL()
	case expr.Shared:
		return "T"
	case expr.SharedArray:
		return "ARRAY<T>"
	case expr.Func:
		return "FUNCTION"
	}
	return wantNames[w.Family]
}
