package resolve

import (
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/sql"
)

// numberFormat reads the format of to_number and to_char, argument 1 of c; nil if
// it is NULL.
func (x *exprs) numberFormat(c *call) (*expr.NumberFormat, error) {
	if !foldable(c.args[1]) {
		return nil, mismatch("NON_FOLDABLE_INPUT", c.at, c.text(), "the input `format` should be a foldable \"STRING\" expression; however, got %q.", c.args[1].SQL())
	}
	text, ok := stringLiteral(c.args[1])
	if !ok {
		return nil, nil
	}
	f, err := expr.ParseNumberFormat(text)
	if err != nil {
		return nil, err.At(c.at)
	}
	return f, nil
}

// toNumber reads the precision and scale of the result off the format.
func (x *exprs) toNumber(c *call) (expr.Expr, error) {
	if err := x.coerce(c); err != nil {
		return nil, err
	}
	f, err := x.numberFormat(c)
	if err != nil {
		return nil, err
	}
	t := expr.Decimal(10, 0)
	if f != nil {
		if f.Whole+f.Scale > expr.MaxPrecision {
			return nil, base.UserError("DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION", "22003",
				"The format has %d digits; a decimal has at most %d.", f.Whole+f.Scale, expr.MaxPrecision).At(c.at)
		}
		t = expr.Decimal(f.Whole+f.Scale, f.Scale)
	}
	return x.result(c, t)
}

// toChar resolves to_char, which is another function for each kind of value.
func (x *exprs) toChar(c *call) (expr.Expr, error) {
	switch t := c.args[0].Type(); {
	case isTime(t):
		return x.callOf(c, "date_format", "", c.args...)
	case t.Kind == expr.KindBinary:
		return x.binaryToChar(c)
	case t.IsNumeric() || t.Kind == expr.KindString || t.Kind == expr.KindNull:
		if t.Kind != expr.KindDecimal {
			d := expr.DecimalOf(t)
			if d == nil {
				d = expr.Decimal(38, 18)
			}
			c.args[0] = x.cast(c.args[0], d)
		}
	default:
		return nil, unexpectedInput(c.at, c.text(), 0, `"DECIMAL"`, c.args[0])
	}
	t := x.wanted(c.args[1].Type(), []expr.Want{{Type: expr.String}})
	if t == nil {
		return nil, unexpectedInput(c.at, c.text(), 1, `"STRING"`, c.args[1])
	}
	c.args[1] = x.cast(c.args[1], t)
	if _, err := x.numberFormat(c); err != nil {
		return nil, err
	}
	return &expr.Call{At: c.at, Fn: "to_char", Args: c.args, Typ: expr.String, Null: true, Mode: x.mode(), Text: "to_char(" + c.args[0].SQL() + ", " + c.args[1].SQL() + ")"}, nil
}

// binaryToChar is to_char of bytes. Under the name to_varchar it is shown by that.
func (x *exprs) binaryToChar(c *call) (expr.Expr, error) {
	format, ok := stringLiteral(c.args[1])
	if !foldable(c.args[1]) || !ok {
		return nil, base.UserError("NON_FOLDABLE_ARGUMENT", "42K08",
			"The function `%s` requires the parameter `format` to be a foldable expression of the type \"STRING\", but the actual argument is none, or NULL.", c.name).At(c.at)
	}
	shown := func(args ...expr.Expr) string {
		if c.name != "to_varchar" {
			return ""
		}
		return showCall(c.name, c.name, args, false)
	}
	switch strings.ToLower(format) {
	case "base64", "hex":
		return x.callOf(c, strings.ToLower(format), shown(c.args[0]), c.args[0])
	case "utf-8":
		return x.callOf(c, "decode", shown(c.args...), c.args...)
	}
	return nil, base.UserError("INVALID_PARAMETER_VALUE.BINARY_FORMAT", "22023",
		"The value of parameter(s) `format` in `%s` is invalid: expects one of binary formats 'base64', 'hex', 'utf-8', but got '%s'.", c.name, format).At(c.at)
}

// options checks that argument i, if there is one, is map() over texts.
func (c *call) options(i int) error {
	if i >= len(c.args) {
		return nil
	}
	k, ok := c.args[i].(*expr.Call)
	if !ok || k.Fn != "map" {
		return base.UserError("INVALID_OPTIONS.NON_MAP_FUNCTION", "42K06", "Invalid options: Must use the `map()` function for options.").At(c.at)
	}
	if t := k.Type(); t.Key.Kind != expr.KindString || t.Elem.Kind != expr.KindString {
		return base.UserError("INVALID_OPTIONS.NON_STRING_TYPE", "42K06",
			"Invalid options: A type of keys and values in `map()` must be string, but got %q.", t.SQL()).At(c.at)
	}
	return nil
}

// schemaOf resolves schema_of_json and schema_of_csv, whose text is a constant.
func (x *exprs) schemaOf(c *call) (expr.Expr, error) {
	text := showCall(c.name, c.name, c.args[:1], false)
	kind := strings.TrimPrefix(c.f.Name, "schema_of_")
	if err := c.options(1); err != nil {
		return nil, err
	}
	a := c.args[0]
	null := a.Type().Kind == expr.KindNull
	if !null && x.r.env.Fold != nil && foldable(a) {
		lit, ok := x.r.env.Fold(a)
		null = ok && lit.Value == nil
	}
	switch {
	case null:
		return nil, mismatch("UNEXPECTED_NULL", c.at, text, "The %s must not be null.", kind)
	case !foldable(a): // as in Spark, before the type is looked at
		return nil, mismatch("NON_FOLDABLE_INPUT", c.at, text, "the input `%s` should be a foldable %q expression; however, got %q.", kind, a.Type().SQL(), a.SQL())
	case a.Type().Kind != expr.KindString:
		return nil, unexpectedInput(c.at, text, 0, `"STRING"`, a)
	}
	out, err := x.result(c, expr.String)
	if k, ok := out.(*expr.Call); ok {
		k.Text = text
	}
	return out, err
}

// toText resolves to_json and to_csv.
func (x *exprs) toText(c *call) (expr.Expr, error) {
	if err := c.options(1); err != nil {
		return nil, err
	}
	if t := c.args[0].Type(); c.f.Name == "to_csv" && t.Kind != expr.KindNull {
		bad := t.Kind != expr.KindStruct
		for _, f := range t.Fields {
			bad = bad || f.Type.Kind == expr.KindVariant
		}
		if bad {
			return nil, mismatch("UNSUPPORTED_INPUT_TYPE", c.at, c.text(), "The input of `to_csv` can't be %q type data.", t.SQL())
		}
	}
	if t := c.args[0].Type(); c.f.Name == "to_json" && !t.IsNested() && t.Kind != expr.KindVariant && t.Kind != expr.KindNull {
		return nil, mismatch("INVALID_JSON_SCHEMA", c.at, c.text(), "Input schema %q must be a struct, an array, a map or a variant.", t.SQL())
	}
	if t := c.args[0].Type(); c.f.Name == "to_xml" && t.Kind != expr.KindStruct && t.Kind != expr.KindVariant && t.Kind != expr.KindNull {
		return nil, unexpectedInput(c.at, c.text(), 0, `"STRUCT"`, c.args[0])
	}
	return x.result(c, expr.String)
}

// fromSchema resolves the functions that take the type of their result as text.
func (x *exprs) fromSchema(c *call) (expr.Expr, error) {
	if t := c.args[0].Type(); t.Kind != expr.KindString && t.Kind != expr.KindNull {
		return nil, unexpectedInput(c.at, c.text(), 0, `"STRING"`, c.args[0])
	} else if err := c.options(2); err != nil {
		return nil, err
	}
	t, err := x.schemaArgument(c, 1)
	if err != nil {
		return nil, err
	}
	if c.f.Name == "from_xml" && t.Kind != expr.KindStruct && t.Kind != expr.KindVariant {
		return nil, mismatch("INVALID_XML_SCHEMA", c.at, c.text(), "Input schema %q must be a struct or a variant.", t.SQL())
	}
	if c.f.Name == "from_csv" {
		if t.Kind != expr.KindStruct {
			return nil, base.UserError("INVALID_SCHEMA.NON_STRUCT_TYPE", "42K07",
				"The input expression should be evaluated to struct type, but got %q.", t.SQL()).At(c.at)
		}
		for _, f := range t.Fields {
			if f.Type.IsNested() {
				return nil, base.UserError("UNSUPPORTED_DATATYPE", "0A000", "Unsupported data type %q.", f.Type.SQL()).At(c.at)
			}
		}
	}
	out, err := x.result(c, t)
	if k, ok := out.(*expr.Call); ok && c.f.Name == "from_json" && t.Kind == expr.KindMap {
		k.Text = "entries"
	}
	return out, err
}

// constantText returns the text that a STRING expression without columns has.
func (x *exprs) constantText(e expr.Expr) (string, bool) {
	if s, ok := stringLiteral(e); ok {
		return s, true
	}
	if x.r.env.Fold == nil || e.Type().Kind != expr.KindString || !foldable(e) {
		return "", false
	}
	lit, ok := x.r.env.Fold(e)
	if !ok {
		return "", false
	}
	return stringLiteral(lit)
}

// schemaArgument reads the type that an argument names.
func (x *exprs) schemaArgument(c *call, i int) (*expr.Type, error) {
	text, ok := x.constantText(c.args[i])
	if !ok {
		return nil, base.UserError("INVALID_SCHEMA.NON_STRING_LITERAL", "42K07",
			"The input expression must be string literal and not null.").At(c.at)
	}
	t, err := schemaType(text)
	if err != nil {
		e := *base.AsError(err)
		e.Pos, e.Query = c.at, "" // the schema is no part of the statement's text
		return nil, &e
	}
	return t, nil
}

// schemaType reads a type, or the columns of a struct. Of a text that is neither,
// a single word is a type that does not exist.
func schemaType(text string) (*expr.Type, error) {
	d := sql.Dialect{NoChar: true}
	t, bad := d.ParseType(text)
	if bad == nil {
		return t, nil
	}
	schema, err := d.ParseSchema(text)
	if err == nil {
		return expr.StructOf(schema...), nil
	}
	if len(strings.Fields(text)) <= 1 {
		return nil, bad
	}
	if e := base.AsError(err); e.Condition == "UNSUPPORTED_DATATYPE" {
		// Spark tells what the text is as a type, which is no type's name.
		e := *e
		e.Condition, e.SQLState = "PARSE_SYNTAX_ERROR", "42601"
		return nil, &e
	}
	return nil, err
}

// foreign refuses the functions of formats that are not built in.
func (x *exprs) foreign(c *call) (expr.Expr, error) {
	format := "AVRO"
	if strings.HasSuffix(c.f.Name, "protobuf") {
		format = "PROTOBUF"
	}
	schema := map[string]int{"schema_of_avro": 0, "from_avro": 1, "to_avro": 1}
	if i, ok := schema[c.f.Name]; ok && i < len(c.args) {
		if t := c.args[i].Type(); t.Kind != expr.KindNull && (t.Kind != expr.KindString || !foldable(c.args[i])) {
			return nil, mismatch("TYPE_CHECK_FAILURE_WITH_HINT", c.at, c.text(), "The schema that `%s` takes must be a constant STRING.", c.f.Name)
		}
	}
	return nil, base.UserError(format+"_NOT_LOADED_SQL_FUNCTIONS_UNUSABLE", "22KD3", "The function `%s` cannot be called: %s is not built in.", c.f.Name, format).At(c.at)
}
