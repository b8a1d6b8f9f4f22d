package expr

import "strings"

// SQL is the column's name.
func (e *Column) SQL() string { return e.Name }

// SQL is Spark's text of a parameter, which does not say its name.
func (e *LambdaVar) SQL() string { return "namedlambdavariable()" }

// SQL is the column's name.
func (e *Ref) SQL() string { return e.Name }

// SQL is the child's text with its name.
func (e *Alias) SQL() string { return e.Child.SQL() + " AS " + QuoteIfNeeded(e.Name) }

// SQL is CAST(child AS type), or the child's text for an implicit cast.
func (e *Cast) SQL() string {
	if e.Implicit || e.To.IsNested() {
		return e.Child.SQL()
	}
	fn := "CAST"
	if e.Mode == Try {
		fn = "TRY_CAST"
	}
	return fn + "(" + e.Child.SQL() + " AS " + e.To.SQL() + ")"
}

// SQL is the function's name and arguments, or the operator's form.
func (e *Call) SQL() string {
	if e.Text != "" {
		return e.Text
	}
	return callText(e.Fn, e.Args)
}

// SQL is the lambda in SQL's arrow form.
func (e *Lambda) SQL() string {
	text := "lambdafunction(" + e.Body.SQL()
	for _, p := range e.Params {
		text += ", " + p.SQL()
	}
	return text + ")"
}

// SQL is the function's name and arguments.
func (e *Agg) SQL() string {
	text := e.Text
	if text == "" {
		args := texts(e.Args)
		if e.Distinct {
			args = "DISTINCT " + args
		}
		text = e.Fn + "(" + args + ")"
	}
	if e.Filter != nil {
		text += " FILTER (WHERE " + e.Filter.SQL() + ")"
	}
	return text
}

func texts(args []Expr) string {
	parts := make([]string, len(args))
	for i, a := range args {
		parts[i] = a.SQL()
	}
	return strings.Join(parts, ", ")
}

func callText(fn string, args []Expr) string {
	if len(args) == 2 && strings.ContainsAny(fn[:1], "+-*/%<>=!&|^") {
		return "(" + args[0].SQL() + " " + fn + " " + args[1].SQL() + ")"
	}
	switch fn {
	case "and", "or":
		return "(" + args[0].SQL() + " " + strings.ToUpper(fn) + " " + args[1].SQL() + ")"
	case "not":
		return "(NOT " + args[0].SQL() + ")"
	case "isnull", "isnotnull":
		return "(" + args[0].SQL() + map[string]string{"isnull": " IS NULL)", "isnotnull": " IS NOT NULL)"}[fn]
	}
	return fn + "(" + texts(args) + ")"
}
