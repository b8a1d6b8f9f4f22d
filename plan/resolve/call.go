package resolve

import (
	"fmt"
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

// castNames are the functions that are casts.
var castNames = map[string]*expr.Type{
	"boolean": expr.Bool, "tinyint": expr.Int8, "smallint": expr.Int16, "int": expr.Int32, "bigint": expr.Int64,
	"float": expr.Float32, "double": expr.Float64, "string": expr.String, "binary": expr.Binary, "date": expr.Date,
	"timestamp": expr.Timestamp, "decimal": expr.Decimal(10, 0), "time": expr.Time(expr.DefaultTimePrecision),
}

// call is one call under resolution.
type call struct {
	at    base.Pos
	name  string // as typed, lower case
	f     *expr.Function
	apply *expr.Apply
	s     *scope
	args  []expr.Expr
	// unshown is how many of the last arguments column names leave out.
	unshown int
	// given are the arguments before they were cast to what the parameters want.
	given []expr.Expr
	// within is the ORDER BY of listagg's WITHIN GROUP, withinText how Spark shows it.
	within     []expr.SortTerm
	withinText string
}

// apply resolves a function call or operator.
func (x *exprs) apply(e *expr.Apply, s *scope) (expr.Expr, error) {
	name := strings.ToLower(e.Name[len(e.Name)-1])
	of := ""
	if len(e.Name) > 1 {
		of = strings.ToLower(e.Name[len(e.Name)-2])
	}
	if of != "" && of != "builtin" && of != "system" && of != "session" {
		if len(e.Name) > 2 {
			return nil, severalSchemas(e.Name)
		}
		return nil, x.unresolvedRoutine(e)
	}
	if of == "session" && x.r.users()[name] == nil {
		return nil, x.unresolvedRoutine(e)
	}
	if t, ok := castNames[name]; ok && !e.Operator {
		args, err := x.all(e.Args, s)
		if err != nil {
			return nil, err
		}
		if len(args) != 1 {
			return nil, wrongArgs(e.At, name, "1", len(args))
		}
		out, err := x.explicitCast(args[0], &expr.Cast{At: e.At, To: t})
		if c, ok := out.(*expr.Cast); ok {
			c.Implicit = true
		}
		return out, err
	}
	if name == "cast" && !e.Operator { // without AS: in Spark, a function that takes nothing
		if e.ArgNames != nil {
			return nil, base.UserError("NAMED_PARAMETERS_NOT_SUPPORTED", "4274K",
				"The function `%s` takes no named arguments; give them in their order.", name).At(e.At)
		}
		for _, a := range e.Args {
			if _, star := a.(*expr.Star); star {
				continue
			}
			if _, err := x.expr(a, s); err != nil {
				return nil, err
			}
		}
		return nil, wrongArgs(e.At, name, "0", len(e.Args)).WithHint("write CAST(value AS type)")
	}
	if tableOnly(name) && !x.inFrom && !e.Operator {
		return nil, base.UserError("NOT_A_SCALAR_FUNCTION", "42887",
			"%s makes a table, so it stands in FROM, not in an expression.", quoteName(e.Name)).At(e.At)
	}
	x.inFrom = false
	f := expr.Functions.Lookup(name)
	if name == "measure" && !e.Operator {
		if len(e.Args) != 1 {
			return nil, wrongArgs(e.At, name, "1", len(e.Args))
		}
		return nil, base.UserError("UNSUPPORTED_FEATURE.METRIC_VIEW", "0A000", "measure() is of metric views, which there are none of here.").At(e.At)
	}
	if (unitForms[name] || syntaxOnly[name]) && !e.Operator { // no names of functions
		f = nil
	}
	if f == nil && of != "builtin" && !e.Operator {
		f = x.r.users()[name]
	}
	if f == nil || (f.Class == expr.Scalar && !e.Operator && isSymbol(name)) {
		return nil, x.unresolvedRoutine(e)
	}
	c := &call{at: e.At, name: name, f: f, apply: e, s: s}
	switch {
	case e.Over != nil:
		return x.over(c)
	case f.Class == expr.Aggregating:
		return x.aggregate(c)
	case f.Class == expr.Ranking:
		if err := x.rankingArguments(c); err != nil {
			return nil, err
		}
		return nil, base.UserError("WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE", "42601", "Window function %s requires an OVER clause.", e.SQL()).At(e.At)
	case e.Distinct:
		return nil, base.UserError("INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX", "42000",
			"Invalid SQL syntax: The function `%s` does not support DISTINCT.", name).At(e.At)
	case e.Filter != nil:
		return nil, base.UserError("INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX", "42000",
			"Invalid SQL syntax: The function `%s` does not support FILTER.", name).At(e.At)
	case e.IgnoreNulls || e.RespectNulls:
		clause := "IGNORE NULLS"
		if e.RespectNulls {
			clause = "RESPECT NULLS"
		}
		return nil, base.UserError("INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX", "42000",
			"Invalid SQL syntax: The function `%s` does not support %s.", name, clause).At(e.At)
	case e.WithinGroup != nil:
		return nil, base.UserError("INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX", "42000",
			"Invalid SQL syntax: The function `%s` does not support WITHIN GROUP.", name).At(e.At)
	case f.Rule == "@lambda":
		return x.higherOrder(c)
	}
	if err := x.arguments(c); err != nil {
		return nil, err
	}
	return x.scalar(c)
}

// unitForms are the functions that exist only as syntax: TIMESTAMPADD(unit, …),
// x LIKE ANY (…), x IS UNKNOWN.
var unitForms = map[string]bool{
	"timestampadd": true, "timestampdiff": true, "isunknown": true, "isnotunknown": true,
	"likeany": true, "likeall": true, "notlikeany": true, "notlikeall": true,
}

func isSymbol(name string) bool { return !(name[0] >= 'a' && name[0] <= 'z') }

func (x *exprs) unresolvedRoutine(e *expr.Apply) error {
	name := strings.ToLower(e.Name[len(e.Name)-1])
	err := base.UserError("UNRESOLVED_ROUTINE", "42883",
		"Cannot resolve routine %s on search path [`system`.`builtin`, `system`.`session`, `spark_catalog`.`default`].", quoteName(e.Name)).At(e.At)
	best, far := "", 3
	consider := func(n string) {
		if d := distance(name, n); !isSymbol(n) && len(name) > 2 && (d < far || d == far && n < best) {
			best, far = n, d
		}
	}
	for _, f := range expr.Functions.All() {
		for _, n := range append([]string{f.Name}, f.Aliases...) {
			consider(n)
		}
	}
	for n := range x.r.users() {
		consider(n)
	}
	if best != "" {
		return err.WithHint("the nearest function is %s", best)
	}
	return err.WithHint("SHOW FUNCTIONS lists all; those of users are registered with a session or an engine")
}

// arguments resolves the arguments of c into c.args, puts named ones into their
// place, and checks how many there are.
func (x *exprs) arguments(c *call) error {
	e := c.apply
	list, err := x.positional(c)
	if err != nil {
		return err
	}
	for _, a := range list {
		if star, ok := a.(*expr.Star); ok && e.Operator && !strings.EqualFold(e.Name[0], "in") {
			return base.UserError("INVALID_USAGE_OF_STAR_OR_REGEX", "42000", "Invalid usage of '*' in expression %s.", e.SQL()).At(star.At)
		}
	}
	for _, a := range list {
		if star, ok := a.(*expr.Star); ok {
			cols, err := x.expandStar(star, c.s)
			if err != nil {
				return err
			}
			for _, item := range cols {
				if col, ok := item.e.(*expr.Column); ok { // it stands where the star does
					d := *col
					d.At = star.At
					item.e = &d
				}
				c.args = append(c.args, item.e)
			}
			continue
		}
		if l, ok := a.(*expr.Lambda); ok && c.f.Rule != "@lambda" {
			return base.UserError("INVALID_LAMBDA_FUNCTION_CALL.NON_HIGHER_ORDER_FUNCTION", "42K0D",
				"Invalid lambda function call. A lambda function should only be used in a higher order function. However, its class is %s, which is not a higher order function.", c.name).At(l.At)
		}
		d, err := x.expr(a, c.s)
		if err != nil {
			return err
		}
		if g := generatorOf(d); g != nil && !(c.f.Rule == "@stack") {
			return base.UserError("UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS", "42K0E",
				"The generator is not supported: nested in expressions %q.", e.SQL()).At(g.At)
		}
		c.args = append(c.args, d)
	}
	switch c.f.Name {
	case "hour", "minute", "second": // Spark looks at no further argument
		c.args = c.args[:min(len(c.args), 1)]
	}
	if n := len(c.args); n < c.f.Min && c.f.Params[n].Name != "" {
		return base.UserError("REQUIRED_PARAMETER_NOT_FOUND", "4274K",
			"Cannot invoke routine `%s` because the parameter named `%s` is required, but the routine call did not supply a value. Please update the routine call to supply an argument value (either positionally at index %d or by name) and retry the query again.",
			c.name, c.f.Params[n].Name, n).At(c.at)
	}
	if err := checkCount(c, len(c.args)); err != nil {
		return err
	}
	return x.checkTimeType(c)
}

func checkCount(c *call, n int) error {
	f := c.f
	if n >= f.Min && (f.Max < 0 || n <= f.Max) {
		return nil
	}
	wanted := itoa(f.Min)
	switch {
	case f.Max < 0:
		wanted = "> " + itoa(f.Min-1)
	case f.Max == f.Min+1:
		wanted = "[" + itoa(f.Min) + ", " + itoa(f.Max) + "]"
	case f.Max > f.Min:
		parts := make([]string, 0, f.Max-f.Min+1)
		for i := f.Min; i <= f.Max; i++ {
			parts = append(parts, itoa(i))
		}
		wanted = "[" + strings.Join(parts, ", ") + "]"
	}
	return wrongArgs(c.at, c.name, wanted, n)
}

func itoa(n int) string { return fmt.Sprint(n) }

// scalar resolves a call of a scalar function or generator whose arguments are.
func (x *exprs) scalar(c *call) (expr.Expr, error) {
	if err := x.meet(c); err != nil {
		return nil, err
	}
	if c.f.User == nil && c.f.Rule[0] == '@' {
		return x.special(c)
	}
	text := c.text()
	if c.f.Name == "bitmap_count" && c.args[0].Type().Kind == expr.KindNull { // it takes nothing but BINARY
		return nil, unexpectedInput(c.at, text, 0, `"BINARY"`, c.args[0])
	}
	if err := x.coerce(c); err != nil {
		return nil, err
	}
	if err := checkElements(c, text); err != nil {
		return nil, err
	}
	if err := x.checkConstants(c, text); err != nil {
		return nil, err
	}
	switch c.f.Name {
	case "nanvl": // the result is of the first argument's type
		c.args[1] = x.cast(c.args[1], c.args[0].Type())
	case "map_from_arrays":
		if err := mapKey(c, text, c.args[0].Type().Elem); err != nil {
			return nil, err
		}
	case "map_from_entries":
		if e := c.args[0].Type().Elem; e.Kind == expr.KindStruct && len(e.Fields) == 2 {
			if err := mapKey(c, text, e.Fields[0].Type); err != nil {
				return nil, err
			}
		}
	}
	if c.f.Name == "hash" || c.f.Name == "xxhash64" {
		if err := hashable(c); err != nil {
			return nil, err
		}
	}
	if err := c.checkSketch(text); err != nil {
		return nil, err
	}
	return x.result(c, nil)
}

// result makes the Call of c, of type t or, if that is nil, of the table's.
func (x *exprs) result(c *call, t *expr.Type) (expr.Expr, error) {
	if t == nil {
		if t = c.f.Result(types(c.args)); t == nil {
			return nil, unexpectedInput(c.at, c.text(), 0, `"ARRAY"`, c.args[0])
		}
	}
	t = collatedResult(c, t)
	mode := x.mode()
	if strings.HasPrefix(c.name, "try_") {
		mode = expr.Try
	}
	out := &expr.Call{At: c.at, Fn: c.f.Name, Args: c.args, Typ: t, Null: c.nullable(), Mode: mode, User: c.user()}
	// A long text is kept: to write it anew for every call around it would take the
	// square of its length.
	if text := c.text(); len(text) > 1000 || text != out.SQL() {
		out.Text = text
	}
	return out, nil
}

// user is the signature of a user's function, else nil.
func (c *call) user() *expr.Function {
	if c.f.User != nil {
		return c.f
	}
	return nil
}

func (c *call) nullable() bool {
	switch c.f.Null {
	case expr.Nullable:
		return true
	case expr.NotNull:
		return false
	}
	return anyNullable(c.args)
}

func anyNullable(args []expr.Expr) bool {
	for _, a := range args {
		if a.Nullable() {
			return true
		}
	}
	return false
}

func types(args []expr.Expr) []*expr.Type {
	out := make([]*expr.Type, len(args))
	for i, a := range args {
		out[i] = a.Type()
	}
	return out
}

// text is how Spark shows the call.
func (c *call) text() string {
	name := c.name
	switch {
	case c.f.Name == "rlike":
		name = strings.ToUpper(name)
	case c.f.Shown != "" && (c.f.Name == c.name || strings.EqualFold(c.f.Shown, c.name) || c.f.Shown == "collect_list"):
		name = c.f.Shown
	}
	args := shownArgs(c.f.Name, c.args[:len(c.args)-c.unshown])
	switch c.name {
	case "curdate":
		name = "current_date"
	case "dateadd":
		name = "date_add"
	case "current_database":
		name = "current_schema"
	case "raise_error":
		return "raise_error(USER_RAISED_EXCEPTION, map(errorMessage, " + args[0].SQL() + "))"
	case "assert_true":
		if len(args) == 1 {
			args = append(args, &expr.Column{Name: "'" + args[0].SQL() + "' is not true!"})
		}
	}
	if side := trimSides[c.f.Name]; side != "" && len(args) == 2 {
		return "TRIM(" + side + " " + args[0].SQL() + " FROM " + args[1].SQL() + ")"
	}
	if inner := replacedBy(c); inner != "" {
		text := showCall(inner, inner, args, false)
		if strings.HasPrefix(name, "try_") && !strings.HasSuffix(name, "_ltz") {
			return name + "(" + text + ")"
		}
		return text
	}
	for i := len(args); i < len(c.f.Params) && c.f.Params[i].HasShown && len(args) == i; i++ {
		text := c.f.Params[i].Shown
		switch text {
		case "COMMA":
			text = collatedDefault(c, ",")
		case "NOW":
			text = "current_timestamp()"
		default:
			text = collatedDefault(c, text)
		}
		args = append(args[:i:i], &expr.Column{Name: text})
	}
	return showCall(name, c.f.Name, args, c.apply.Operator)
}

// trimSides are the sides that TRIM(side chars FROM text) names.
var trimSides = map[string]string{"trim": "BOTH", "ltrim": "LEADING", "rtrim": "TRAILING"}

// replacedBy is the function that Spark shows in a call's place, or around whose
// call it shows this one; "" for most.
func replacedBy(c *call) string {
	switch c.f.Name {
	case "try_to_time":
		return "to_time"
	case "try_make_timestamp_ntz":
		if len(c.args) == 2 {
			return "make_timestamp_ntz"
		}
	case "make_timestamp_ltz", "try_make_timestamp_ltz":
		if len(c.args) <= 3 {
			return "make_timestamp"
		}
	}
	return ""
}

// shownArgs leaves out the arguments that Spark's names of some functions lack.
func shownArgs(fn string, args []expr.Expr) []expr.Expr {
	switch fn {
	case "shuffle":
		return args[:1]
	case "uuid": // the seed
		return nil
	case "variant_get", "try_variant_get":
		return args[:min(2, len(args))]
	case "from_json", "from_csv", "from_xml", "to_json", "to_csv", "to_xml", "approx_count_distinct":
		return args[:min(1, len(args))]
	case "log":
		if len(args) == 1 {
			return []expr.Expr{&expr.Column{Name: "E()"}, args[0]}
		}
	case "convert_timezone":
		if len(args) == 2 {
			return append([]expr.Expr{&expr.Column{Name: "current_timezone()"}}, args...)
		}
	}
	return args
}

func showCall(name, canonical string, args []expr.Expr, operator bool) string {
	parts := make([]string, len(args))
	for i, a := range args {
		parts[i] = a.SQL()
	}
	if len(parts) == 2 && (isSymbol(canonical) || canonical == "div" && operator) && (operator || isSymbol(name)) {
		return "(" + parts[0] + " " + canonical + " " + parts[1] + ")"
	}
	switch canonical {
	case "and", "or":
		return "(" + parts[0] + " " + strings.ToUpper(canonical) + " " + parts[1] + ")"
	case "not":
		return "(NOT " + parts[0] + ")"
	case "isnull":
		return "(" + parts[0] + " IS NULL)"
	case "isnotnull":
		return "(" + parts[0] + " IS NOT NULL)"
	case "positive":
		return "(+ " + parts[0] + ")"
	case "negative":
		if operator {
			return "(- " + parts[0] + ")"
		}
	case "~":
		return "~" + parts[0]
	case "like", "ilike":
		if len(parts) == 3 {
			return parts[0] + " " + strings.ToUpper(canonical) + " " + parts[1] + " ESCAPE '" + parts[2] + "'"
		}
		if canonical == "ilike" {
			return "ilike(" + parts[0] + ", " + parts[1] + ")"
		}
		return parts[0] + " LIKE " + parts[1]
	case "shiftleft":
		if operator {
			return "(" + parts[0] + " << " + parts[1] + ")"
		}
	case "shiftright":
		if operator {
			return "(" + parts[0] + " >> " + parts[1] + ")"
		}
	case "shiftrightunsigned":
		if operator {
			return "(" + parts[0] + " >>> " + parts[1] + ")"
		}
	}
	return name + "(" + strings.Join(parts, ", ") + ")"
}
