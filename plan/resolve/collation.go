package resolve

import (
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

// How much a text's collation counts where it meets another: a literal's gives way to
// a column's, and both to COLLATE.
const (
	noText = iota
	byDefault
	implicit
	explicit
)

// meetsCollations are the functions whose texts all get one collation.
func meetsCollations(fn string) bool {
	switch fn {
	case "=", "!=", "<=>", "<", "<=", ">", ">=", "in", "case", "if", "coalesce", "greatest", "least", "map", "concat", "||", "concat_ws", "elt",
		"array", "trim", "ltrim", "rtrim", "btrim", "replace", "translate", "split_part", "substring_index", "find_in_set", "locate", "instr",
		"contains", "startswith", "endswith", "regexp_replace", "levenshtein", "lpad", "rpad", "overlay", "array_contains", "array_position",
		"array_remove", "array_append", "array_join", "array_union", "array_intersect", "array_except", "arrays_overlap", "str_to_map", "mask",
		"to_number", "try_to_number":
		return true
	}
	return false
}

// mixesCollations are those of them that no collation is needed for: their result may
// be indeterminate.
func mixesCollations(fn string) bool {
	switch fn {
	case "case", "if", "map", "coalesce", "concat", "||", "concat_ws", "elt", "array", "lpad", "rpad", "overlay", "array_append", "array_join", "levenshtein":
		return true
	}
	return false
}

// keepsCollation are the functions to STRING, or to arrays and maps of it, whose result
// has the collation of their texts.
func keepsCollation(fn string) bool {
	switch fn {
	case "concat", "concat_ws", "elt", "initcap", "trim", "ltrim", "rtrim", "btrim", "lpad", "rpad", "regexp_extract", "regexp_extract_all",
		"regexp_replace", "regexp_substr", "repeat", "replace", "right", "split", "split_part", "substring_index", "translate", "hex", "array_join",
		"make_valid_utf8", "validate_utf8", "try_validate_utf8", "str_to_map", "sentences", "mask", "overlay":
		return true
	}
	return false
}

// searches reports whether a function looks for one text in another by its collation:
// not where accents are ignored and case is not.
func searches(fn string) bool {
	switch fn {
	case "contains", "startswith", "endswith", "instr", "locate", "find_in_set", "replace", "translate", "split_part", "substring_index",
		"trim", "ltrim", "rtrim", "btrim":
		return true
	}
	return false
}

// matchesPattern reports whether a function takes only texts that compare by bytes or
// in lower case.
func matchesPattern(fn string) bool {
	return fn == "like" || fn == "ilike" || fn == "rlike" || fn == "split" || fn == "str_to_map" || strings.HasPrefix(fn, "regexp_")
}

// textIn returns the STRING that t is or holds, a collated one if there is one, or nil.
func textIn(t *expr.Type) *expr.Type {
	if t.Kind == expr.KindString {
		return t
	}
	var found *expr.Type
	look := func(u *expr.Type) {
		if u != nil && (found == nil || !found.Collated()) {
			if f := textIn(u); f != nil {
				found = f
			}
		}
	}
	look(t.Elem)
	for _, f := range t.Fields {
		look(f.Type)
	}
	return found
}

// withCollation is t with every STRING in it of a collation.
func withCollation(t *expr.Type, name string) *expr.Type {
	switch t.Kind {
	case expr.KindString:
		if name == "" {
			return expr.String
		}
		return &expr.Type{Kind: expr.KindString, Collation: name}
	case expr.KindArray:
		return expr.ArrayOf(withCollation(t.Elem, name), t.ElemNullable)
	case expr.KindMap:
		return expr.MapOf(withCollation(t.Key, name), withCollation(t.Elem, name), t.ElemNullable)
	case expr.KindStruct:
		fields := append([]expr.Field(nil), t.Fields...)
		for i := range fields {
			fields[i].Type = withCollation(fields[i].Type, name)
		}
		return expr.StructOf(fields...)
	}
	return t
}

// collationStrength returns the collation of e's texts and how much it counts.
func collationStrength(e expr.Expr) (*expr.Type, int) {
	t := textIn(e.Type())
	if t == nil {
		return nil, noText
	}
	switch e := e.(type) {
	case *expr.Literal:
		return t, byDefault
	case *expr.Alias:
		return collationStrength(e.Child)
	case *expr.Cast:
		if e.Child.Type().Kind != expr.KindString && !t.Collated() {
			return t, byDefault
		}
		return t, implicit
	case *expr.Call, *expr.Agg:
		if c, ok := e.(*expr.Call); ok && c.Fn == "collate" {
			return t, explicit
		}
		most := byDefault
		for _, a := range e.Children() {
			if _, s := collationStrength(a); s > most {
				most = s
			}
		}
		return t, most
	}
	return t, implicit
}

// meet gives the texts among the arguments of c one collation.
func (x *exprs) meet(c *call) error {
	any := false
	for _, a := range c.args {
		t := textIn(a.Type())
		any = any || t != nil && t.Collated()
	}
	if !any {
		return nil
	}
	if err := refuseCollation(c); err != nil {
		return err
	}
	if !meetsCollations(c.f.Name) {
		return nil
	}
	var winner *expr.Type
	most := noText
	args := shared(c)
	for _, i := range args {
		t, s := collationStrength(c.args[i])
		switch {
		case s == noText:
		case s > most && !(s < explicit && most == implicit):
			if !(most == implicit && winner.Collation == expr.Indeterminate && s < explicit) {
				winner, most = t, s
			}
		case s < most || t.Collation == winner.Collation:
		case s == explicit:
			return base.UserError("COLLATION_MISMATCH.EXPLICIT", "42P21",
				"The texts of `%s` have two collations by COLLATE, %q and %q; give them one.", c.name, winner.SQL(), t.SQL())
		case s == implicit:
			winner = &expr.Type{Kind: expr.KindString, Collation: expr.Indeterminate}
		}
	}
	if winner.Collation == expr.Indeterminate {
		switch {
		case c.f.Name == "greatest" || c.f.Name == "least":
			return base.UserError("INDETERMINATE_COLLATION", "42P22", "The texts of `%s` have several collations; say which one counts with COLLATE.", c.name)
		case !mixesCollations(c.f.Name):
			return indeterminate(c)
		}
	}
	for _, i := range args {
		a := c.args[i]
		t := a.Type()
		if textIn(t) == nil {
			continue
		}
		want := withCollation(t, winner.Collation)
		if sameType(t, want) {
			continue
		}
		if l, ok := a.(*expr.Literal); ok && l.Value != nil {
			c.args[i] = &expr.Literal{At: l.At, Value: l.Value, Typ: want, Text: collatedText(c, l, winner.Collation)}
			continue
		}
		c.args[i] = x.cast(a, want)
	}
	return nil
}

// collatedText is how column names show a literal that gets a collation.
func collatedText(c *call, l *expr.Literal, name string) string {
	text, ok := l.Value.(string)
	if !ok || c.f.Name == "btrim" || c.f.Name == "map" {
		return l.SQL()
	}
	return "'" + strings.ReplaceAll(strings.ReplaceAll(text, `\`, `\\`), "'", `\'`) + "' collate " + name
}

// shared returns the arguments of c whose texts meet: of CASE and if the values.
func shared(c *call) []int {
	switch c.f.Name {
	case "case":
		var out []int
		for i := range c.args {
			if i%2 == 1 || i == len(c.args)-1 {
				out = append(out, i)
			}
		}
		return out
	case "if":
		return []int{1, 2}
	case "map": // the keys
		var out []int
		for i := 0; i < len(c.args); i += 2 {
			out = append(out, i)
		}
		return out
	}
	return indices(0, len(c.args))
}

// refuseCollation is the error of a text whose collation a function does not know.
func refuseCollation(c *call) error {
	if len(c.args) == 0 {
		return nil
	}
	for i, a := range c.args {
		t := a.Type()
		if !t.Collated() {
			continue
		}
		if t.Collation == expr.Indeterminate {
			f := c.f.Name
			if meetsCollations(f) && !mixesCollations(f) || keepsCollation(f) && !mixesCollations(f) || f == "upper" || f == "lower" {
				return indeterminate(c)
			}
			continue
		}
		known, _ := expr.ParseCollation(t.Collation)
		if searches(c.f.Name) && known.IgnoreAccents && !known.IgnoreCase || i == 0 && matchesPattern(c.f.Name) && c.f.Name != "regexp_replace" && t.Collation != "UTF8_LCASE" {
			return unexpectedInput(c.at, c.text(), i, `"STRING"`, a)
		}
	}
	return nil
}

func indeterminate(c *call) error {
	return base.UserError("INDETERMINATE_COLLATION_IN_EXPRESSION", "42P22",
		"The texts of %q have several collations; say which one counts with COLLATE.", c.text()).At(c.at)
}

// collatedResult is the type t of c's result with the collation of its texts, where it
// keeps it.
func collatedResult(c *call, t *expr.Type) *expr.Type {
	if !keepsCollation(c.f.Name) {
		return t
	}
	for _, a := range c.args {
		if u := textIn(a.Type()); u != nil && u.Collated() {
			return withCollation(t, u.Collation)
		}
	}
	return t
}

// collatedDefault is how column names show an argument that is left out beside texts
// with a collation.
func collatedDefault(c *call, text string) string {
	if f := c.f.Name; f != "str_to_map" && f != "mask" || text == "NULL" {
		return text
	}
	if t := c.args[0].Type(); t.Collated() {
		return "'" + text + "' collate " + t.Collation
	}
	return text
}

// collate resolves collate(text, name) and text COLLATE name.
func (x *exprs) collate(c *call) (expr.Expr, error) {
	if !foldable(c.args[1]) {
		return nil, base.UserError("NON_FOLDABLE_ARGUMENT", "42K08",
			"The function `collate` requires the parameter `collationName` to be a constant STRING.").At(c.at)
	}
	var name string
	lit, ok := c.args[1].(*expr.Literal)
	if !ok && x.r.env.Fold != nil {
		lit, ok = x.r.env.Fold(c.args[1])
	}
	if ok {
		name, ok = lit.Value.(string)
	}
	if !ok || c.args[1].Type().Kind != expr.KindString {
		return nil, base.UserError("UNEXPECTED_INPUT_TYPE", "42K09", "The collation of `collate` must be a STRING, however %q has the type %q.",
			c.args[1].SQL(), c.args[1].Type().SQL()).At(c.at)
	}
	known, ok := expr.ParseCollation(name)
	if !ok {
		return nil, base.UserError("COLLATION_INVALID_NAME", "42704", "There is no collation %s.", name)
	}
	text := "collate(" + c.args[0].SQL() + ", " + name + ")"
	switch t := c.args[0].Type(); t.Kind {
	case expr.KindString:
	case expr.KindNull:
		c.args[0] = x.cast(c.args[0], expr.String)
	default:
		return nil, unexpectedInput(c.at, text, 0, `"STRING"`, c.args[0])
	}
	return &expr.Call{At: c.at, Fn: "collate", Args: c.args[:1], Typ: expr.StringOf(known), Null: c.args[0].Nullable(), Mode: x.mode(), Text: text}, nil
}

// collationName resolves collation(text), which the type answers.
func (x *exprs) collationName(c *call) (expr.Expr, error) {
	t := c.args[0].Type()
	if t.Kind != expr.KindString && t.Kind != expr.KindNull {
		return nil, unexpectedInput(c.at, c.text(), 0, `"STRING"`, c.args[0])
	}
	name := "SYSTEM.BUILTIN." + t.Collation
	switch t.Collation {
	case "":
		name += "UTF8_BINARY"
	case expr.Indeterminate:
		name = expr.Indeterminate
	}
	return &expr.Literal{At: c.at, Value: name, Typ: expr.String, Text: c.text()}, nil
}
