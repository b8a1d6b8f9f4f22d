package flightd

import (
	"cmp"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/compute/adopt"
	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/resolve"
)

// A parameter is one ? of a statement, or every :name of one name.
type parameter struct {
	label string
	first *expr.Param
	place *expr.Place
	// sample is a value that stands for the parameter where a NULL cannot.
	sample any
}

// typ is the type of the parameter's place, STRING if it has none.
func (p *parameter) typ() *expr.Type {
	if p.place.Type == nil {
		return expr.String
	}
	return p.place.Type
}

// parameters are those of a statement, in the order in which they first stand in it.
type parameters []*parameter

// paramKey is what tells the parameters of a statement apart: the name, or the index.
type paramKey struct {
	label string
	index int
}

func keyOf(e *expr.Param) paramKey {
	if e.Label != "" {
		return paramKey{label: e.Label}
	}
	return paramKey{index: e.Index}
}

func (l parameters) schema() *arrow.Schema {
	fields := make([]arrow.Field, len(l))
	for i, p := range l {
		fields[i] = arrow.Field{Name: p.label, Type: p.typ().Arrow(), Nullable: true}
	}
	return arrow.NewSchema(fields, nil)
}

// parametersOf lists the parameters of a statement.
func parametersOf(st logical.Statement) (parameters, error) {
	var list parameters
	seen := map[paramKey]*parameter{}
	_, err := rewriteStatement(st, func(e expr.Expr) (expr.Expr, error) {
		p, ok := e.(*expr.Param)
		if !ok {
			return e, nil
		}
		if known := seen[keyOf(p)]; known == nil {
			known = &parameter{label: p.Label, first: p, place: &expr.Place{}}
			seen[keyOf(p)] = known
			list = append(list, known)
		} else if p.At.Start < known.first.At.Start {
			known.first = p
		}
		return e, nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(list, func(a, b *parameter) int { return cmp.Compare(a.first.At.Start, b.first.At.Start) })
	for _, p := range list {
		if (p.label == "") != (list[0].label == "") {
			return nil, base.UserError("INVALID_QUERY_MIXED_QUERY_PARAMETERS", "42613", "The parameters of a statement are all ? or all named, not both.").At(p.first.At)
		}
	}
	return list, nil
}

// with puts literals in the place of parameters.
func (l parameters) with(st logical.Statement, value func(*parameter) *expr.Literal) (logical.Statement, error) {
	byKey := make(map[paramKey]*parameter, len(l))
	for _, p := range l {
		byKey[keyOf(p.first)] = p
	}
	return rewriteStatement(st, func(e expr.Expr) (expr.Expr, error) {
		p, ok := e.(*expr.Param)
		if !ok {
			return e, nil
		}
		lit := *value(byKey[keyOf(p)])
		lit.At = p.At
		return &lit, nil
	})
}

// infer finds the types of a statement's parameters: it analyses the statement with
// a NULL for each, and what would be cast tells to what. The statement is returned with
// a NULL of that type, to learn what it returns.
func (s *Session) infer(st logical.Statement) (logical.Statement, parameters, error) {
	list, err := parametersOf(st)
	if err != nil || len(list) == 0 {
		return st, list, err
	}
	asking, err := list.with(st, func(p *parameter) *expr.Literal { return &expr.Literal{Typ: expr.Null, Place: p.place} })
	if err != nil {
		return nil, nil, err
	}
	if err := s.analyses(asking); err != nil && !s.guess(st, list) {
		return nil, nil, err
	}
	typed, err := list.with(st, func(p *parameter) *expr.Literal {
		return &expr.Literal{Value: p.sample, Typ: p.typ(), Place: &expr.Place{Type: p.typ()}}
	})
	return typed, list, err
}

// guesses are the values that guess tries.
var guesses = []expr.Literal{
	{Value: int64(1), Typ: expr.Int32}, {Value: int64(1), Typ: expr.Int64}, {Value: 1.0, Typ: expr.Float64}, {Value: int64(0), Typ: expr.Timestamp},
	{Value: int64(0), Typ: expr.Date}, {Value: "1 second", Typ: expr.String}, {Value: true, Typ: expr.Bool},
}

// maxGuessed is the most parameters that a statement may have for guess to look at each
// by itself: each look is an analysis.
const maxGuessed = 16

// guess types parameters of a statement that cannot be analysed with a NULL for each,
// because a constant must stand there or a NULL means something else: first those
// that nothing has asked about, all alike, then each by itself.
func (s *Session) guess(st logical.Statement, list parameters) bool {
	try := func(chosen func(*parameter) bool) bool {
		for _, g := range guesses {
			with, err := list.with(st, func(p *parameter) *expr.Literal {
				if chosen(p) {
					return &expr.Literal{Value: g.Value, Typ: g.Typ}
				}
				return &expr.Literal{Typ: p.typ(), Place: &expr.Place{Type: p.typ()}}
			})
			if err != nil || s.analyses(with) != nil {
				continue
			}
			for _, p := range list {
				if chosen(p) {
					p.sample = g.Value
					*p.place = expr.Place{Type: g.Typ, Use: expr.Argument}
				}
			}
			return true
		}
		return false
	}
	if try(func(p *parameter) bool { return p.place.Use == expr.Unused }) {
		return true
	}
	if len(list) > maxGuessed {
		return false
	}
	for _, only := range list {
		if try(func(p *parameter) bool { return p == only }) {
			return true
		}
	}
	return false
}

// analyses resolves the statement's plan, for the types that its expressions get and
// for its errors.
func (s *Session) analyses(st logical.Statement) error {
	var plan logical.Node
	var err error
	switch st := st.(type) {
	case *logical.Query:
		plan = st.Plan
	case *logical.Subscribe:
		plan = st.Plan
	case *logical.CreateTable:
		plan = st.Plan
	case *logical.Explain:
		if st.Inner != nil {
			return s.analyses(st.Inner)
		}
	case *logical.Insert:
		_, plan, err = s.insertPlan(st)
	case *logical.Immediate:
		inner, text, err := s.immediate(st)
		if err == nil {
			err = s.analyses(inner)
		}
		return inText(err, text)
	}
	if err != nil || plan == nil {
		return err
	}
	names, conf := s.snapshot()
	_, err = analyse(plan, names, conf)
	return err
}

// bind puts row 0 of params in the place of the statement's parameters. list is what
// infer found for it, nil if the statement was not prepared.
func (s *Session) bind(st logical.Statement, list parameters, params arrow.RecordBatch) (logical.Statement, error) {
	if list == nil {
		var err error
		if list, err = parametersOf(st); err != nil {
			return nil, err
		}
	}
	if len(list) == 0 {
		return st, nil
	}
	own, err := list.values(params)
	if err != nil {
		return nil, err
	}
	values := make(map[*parameter]*expr.Literal, len(list))
	put := func(which func(*parameter) bool) error {
		for i, p := range list {
			values[p] = own[i]
			if !which(p) {
				continue
			}
			if values[p], err = s.assigned(p, own[i]); err != nil {
				return err
			}
		}
		return nil
	}
	// A value has its own type, unless its place stores it, or cannot take it as it is.
	first := st
	for step, which := range []func(*parameter) bool{
		func(p *parameter) bool { return p.place.Use == expr.Stored },
		func(p *parameter) bool { return p.place.Use >= expr.Argument },
		func(p *parameter) bool { return p.place.Use != expr.Unused },
	} {
		if err := put(which); err != nil {
			return nil, err
		}
		bound, err := list.with(st, func(p *parameter) *expr.Literal { return values[p] })
		if err != nil {
			return nil, err
		}
		if step == 0 {
			first = bound
			if !list.differ(own) {
				break
			}
		}
		if s.analyses(bound) == nil {
			return bound, nil
		}
	}
	return first, nil
}

// differ reports whether a value has another type than the place that takes it.
func (l parameters) differ(own []*expr.Literal) bool {
	for i, p := range l {
		if p.place.Use != expr.Unused && p.place.Use != expr.Stored && !own[i].Typ.Equal(p.place.Type) {
			return true
		}
	}
	return false
}

// values are the values of row 0 of params, of the types that the client chose. Those
// of :name go by the names of columns if one is there, else by their order.
func (l parameters) values(params arrow.RecordBatch) ([]*expr.Literal, error) {
	named := false
	if params != nil {
		for _, p := range l {
			named = named || p.label != "" && params.Schema().HasField(p.label)
		}
	}
	out := make([]*expr.Literal, len(l))
	for i, p := range l {
		col := i
		if named {
			col = -1
			if at := params.Schema().FieldIndices(p.label); len(at) > 0 {
				col = at[0]
			}
		}
		if params == nil || params.NumRows() == 0 || col < 0 || col >= int(params.NumCols()) {
			return nil, base.UserError("UNBOUND_SQL_PARAMETER", "42P02", "The parameter %s has no value.", p.first.SQL()).At(p.first.At).
				WithHint("bind one value for each parameter")
		}
		v, t, err := adopt.Value(params.Column(col), p.first.SQL(), maxWrittenOut)
		if err != nil {
			return nil, base.Wrap(err, "binding parameter %s", p.first.SQL())
		}
		out[i] = &expr.Literal{Value: cexpr.Value(v, 0), Typ: t}
	}
	return out, nil
}

// assigned is a value in the type of its place. One that no assignment converts is left
// as it is, for the analysis to refuse with the words of its place.
func (s *Session) assigned(p *parameter, v *expr.Literal) (*expr.Literal, error) {
	_, conf := s.snapshot()
	out, err := resolve.Assign(v, p.typ(), foldOf(conf))
	if err != nil {
		return nil, base.AsError(err).At(p.first.At).WithHint("the parameter %s takes %s", p.first.SQL(), p.typ().SQL())
	}
	return out, nil
}
