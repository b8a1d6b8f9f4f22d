package resolve

import (
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

// higherOrder resolves a function that takes lambdas: the arguments before them
// give the types of their parameters.
func (x *exprs) higherOrder(c *call) (expr.Expr, error) {
	raw, err := x.positional(c)
	if err != nil {
		return nil, err
	}
	if err := checkCount(c, len(raw)); err != nil {
		return nil, err
	}
	var fns []*expr.Lambda
	for i, a := range raw {
		if l, ok := a.(*expr.Lambda); ok {
			fns = append(fns, l)
			continue
		}
		if len(fns) > 0 || c.f.Parameter(i).Wants[0].Family == expr.Func {
			e, err := x.expr(a, c.s)
			if err != nil {
				return nil, err
			}
			fns = append(fns, &expr.Lambda{At: a.Pos(), Body: e})
			continue
		}
		e, err := x.expr(a, c.s)
		if err != nil {
			return nil, err
		}
		c.args = append(c.args, e)
	}
	for _, a := range c.args {
		if holdsSubquery(a) {
			return nil, noSubqueryInLambda(c.at)
		}
	}
	for i := range c.args {
		p := c.f.Parameter(i)
		t := x.wanted(c.args[i].Type(), p.Wants)
		if t == nil || c.args[i].Type().Kind == expr.KindNull && p.Wants[0].Family != expr.AnyType {
			return nil, unexpectedInput(c.at, c.text(), i, wantText(p.Wants), c.args[i])
		}
		c.args[i] = x.cast(c.args[i], t)
	}
	switch c.f.Name {
	case "aggregate":
		return x.fold(c, fns)
	case "array_sort":
		return x.arraySort(c, fns)
	}
	params, err := x.lambdaParams(c)
	if err != nil {
		return nil, err
	}
	body, err := x.lambda(c, fns[0], params)
	if err != nil {
		return nil, err
	}
	args := append(append([]expr.Expr(nil), c.args...), body)
	in := c.args[0].Type()
	if k := c.f.Name; k == "filter" || k == "exists" || k == "forall" || k == "map_filter" {
		if body.Body.Type().Kind == expr.KindNull {
			body.Body = &expr.Literal{At: body.Body.Pos(), Typ: expr.Bool}
		}
		if body.Body.Type().Kind != expr.KindBool {
			c.args = args
			return nil, unexpectedInput(c.at, c.text(), 1, `"BOOLEAN"`, body)
		}
	}
	if c.f.Name == "exists" && !x.r.env.Conf.Bool("spark.sql.legacy.followThreeValuedLogicInArrayExists", true) {
		body.Body = &expr.Call{At: body.At, Fn: "coalesce", Typ: expr.Bool, Text: body.Body.SQL(),
			Args: []expr.Expr{body.Body, &expr.Literal{At: body.At, Value: false, Typ: expr.Bool}}}
		args[len(args)-1] = body
	}
	t := in
	switch c.f.Name {
	case "transform", "zip_with":
		t = expr.ArrayOf(body.Type(), body.Nullable())
	case "exists", "forall":
		t = expr.Bool
	case "transform_keys":
		c.args = args
		if err := mapKey(c, c.text(), body.Type()); err != nil {
			return nil, err
		}
		t = expr.MapOf(body.Type(), in.Elem, in.ElemNullable)
	case "transform_values":
		t = expr.MapOf(in.Key, body.Type(), body.Nullable())
	case "map_zip_with":
		t = expr.MapOf(in.Key, body.Type(), body.Nullable())
	}
	c.args = args
	out, err := x.result(c, t)
	if k, ok := out.(*expr.Call); ok {
		k.Null = anyNullable(args[:len(args)-1]) || c.f.Name == "exists" || c.f.Name == "forall"
	}
	return out, err
}

// param is the type of a lambda's parameter.
type param struct {
	t    *expr.Type
	null bool
}

func (x *exprs) lambdaParams(c *call) ([]param, error) {
	in := c.args[0].Type()
	switch c.f.Name {
	case "transform", "filter":
		return []param{{in.Elem, in.ElemNullable}, {expr.Int32, false}}, nil
	case "exists", "forall":
		return []param{{in.Elem, in.ElemNullable}}, nil
	case "zip_with":
		return []param{{in.Elem, true}, {c.args[1].Type().Elem, true}}, nil
	case "map_zip_with":
		other := c.args[1].Type()
		k := x.r.co.WiderNoString(in.Key, other.Key)
		if k == nil {
			return nil, mismatch("MAP_ZIP_WITH_DIFF_TYPES", c.at, c.text(), "Input to the `map_zip_with` should have been two \"MAP\"s with compatible key types, but it's [%q, %q].", in.Key.SQL(), other.Key.SQL())
		}
		c.args[0], c.args[1] = x.cast(c.args[0], expr.MapOf(k, in.Elem, in.ElemNullable)), x.cast(c.args[1], expr.MapOf(k, other.Elem, other.ElemNullable))
		return []param{{k, false}, {in.Elem, true}, {other.Elem, true}}, nil
	}
	return []param{{in.Key, false}, {in.Elem, in.ElemNullable}}, nil
}

// lambda resolves a lambda with parameters of the given types; it may name fewer.
func (x *exprs) lambda(c *call, l *expr.Lambda, params []param) (*expr.Lambda, error) {
	if l.Params == nil { // a constant in place of a lambda
		for _, p := range params[:lambdaSize(c.f.Name, len(params))] {
			l.Params = append(l.Params, &expr.LambdaVar{At: l.At, Name: "", Typ: p.t, Null: p.null})
		}
		d := *l
		for i := range d.Params {
			d.Params[i].ID = expr.NewID()
		}
		return &d, nil
	}
	if want := lambdaSize(c.f.Name, len(params)); len(l.Params) < want || len(l.Params) > len(params) {
		return nil, base.UserError("INVALID_LAMBDA_FUNCTION_CALL.NUM_ARGS_MISMATCH", "42K0D",
			"Invalid lambda function call. A higher order function expects %d arguments, but got %d.", len(l.Params), len(params)).At(l.At)
	}
	seen := map[string]bool{}
	vars := make([]*expr.LambdaVar, len(l.Params))
	for i, v := range l.Params {
		if seen[v.Name] {
			return nil, base.UserError("INVALID_LAMBDA_FUNCTION_CALL.DUPLICATE_ARG_NAMES", "42K0D",
				"Invalid lambda function call. The lambda function has duplicate arguments %s. Please, consider to rename the argument names or set \"spark.sql.caseSensitive\" to \"true\".", quoteName([]string{v.Name})).At(l.At)
		}
		seen[v.Name] = true
		vars[i] = &expr.LambdaVar{At: v.At, ID: expr.NewID(), Name: v.Name, Typ: params[i].t, Null: params[i].null}
	}
	body, err := x.expr(l.Body, c.s.withLambda(vars))
	if err != nil {
		return nil, err
	}
	return &expr.Lambda{At: l.At, Params: vars, Body: body}, nil
}

// lambdaSize is how many parameters a lambda must name at least: an index may be
// left out.
func lambdaSize(fn string, n int) int {
	if fn == "transform" || fn == "filter" {
		return 1
	}
	return n
}

// fold resolves aggregate(array, zero, merge[, finish]).
func (x *exprs) fold(c *call, fns []*expr.Lambda) (expr.Expr, error) {
	in, zero := c.args[0].Type(), c.args[1]
	acc := zero.Type()
	merge, err := x.lambda(c, fns[0], []param{{acc, true}, {in.Elem, in.ElemNullable}})
	if err != nil {
		return nil, err
	}
	if t := merge.Body.Type(); t.Kind == expr.KindNull {
		merge.Body = x.cast(merge.Body, acc)
	} else if !t.Equal(acc) {
		return nil, unexpectedInput(c.at, c.text(), 2, `"`+acc.SQL()+`"`, merge)
	}
	args := append(append([]expr.Expr(nil), c.args...), merge)
	t := acc
	if len(fns) > 1 {
		finish, err := x.lambda(c, fns[1], []param{{acc, true}})
		if err != nil {
			return nil, err
		}
		args = append(args, finish)
		t = finish.Type()
	} else {
		v := &expr.LambdaVar{At: c.at, ID: expr.NewID(), Name: "id", Typ: acc, Null: true}
		args = append(args, &expr.Lambda{At: c.at, Params: []*expr.LambdaVar{v}, Body: v})
	}
	c.args = args
	out, err := x.result(c, t)
	if k, ok := out.(*expr.Call); ok {
		k.Null = true
	}
	return out, err
}

// defaultOrder is what a column name shows of the comparator that array_sort has
// if none is given.
const defaultOrder = "lambdafunction((IF(((namedlambdavariable() IS NULL) AND (namedlambdavariable() IS NULL)), 0, " +
	"(IF((namedlambdavariable() IS NULL), 1, (IF((namedlambdavariable() IS NULL), -1, " +
	"(IF((namedlambdavariable() < namedlambdavariable()), -1, (IF((namedlambdavariable() > namedlambdavariable()), 1, 0)))))))))), " +
	"namedlambdavariable(), namedlambdavariable())"

// arraySort resolves array_sort with and without a comparator.
func (x *exprs) arraySort(c *call, fns []*expr.Lambda) (expr.Expr, error) {
	in := c.args[0].Type()
	if len(fns) == 0 {
		if !in.Elem.Orderable() {
			return nil, mismatch("INVALID_ORDERING_TYPE", c.at, c.text(), "The `array_sort` does not support ordering on type %q.", in.SQL())
		}
		out, err := x.result(c, in)
		if k, ok := out.(*expr.Call); ok {
			k.Text = "array_sort(" + c.args[0].SQL() + ", " + defaultOrder + ")"
		}
		return out, err
	}
	less, err := x.lambda(c, fns[0], []param{{in.Elem, in.ElemNullable}, {in.Elem, in.ElemNullable}})
	if err != nil {
		return nil, err
	}
	c.args = append(c.args, less)
	if less.Body.Type().Kind != expr.KindInt32 {
		return nil, mismatch("UNEXPECTED_RETURN_TYPE", c.at, c.text(), "The `array_sort` requires return \"INT\" type, but the actual is %q type.", less.Body.Type().SQL())
	}
	out, err := x.result(c, in)
	if k, ok := out.(*expr.Call); ok {
		k.Null = c.args[0].Nullable()
	}
	return out, err
}
