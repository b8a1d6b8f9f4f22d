package expr

import (
	"strconv"
	"strings"
)

// Class is where a function may stand and how it runs.
type Class uint8

// The classes. A Generator makes rows (explode); a Ranking function needs OVER.
const (
	Scalar Class = iota
	Aggregating
	Generator
	Ranking
)

// Function is the signature of a function.
type Function struct {
	// Name is the canonical name: what Call.Fn and Agg.Fn hold and under which
	// the evaluator is registered.
	Name string
	// Aliases are the function's other names.
	Aliases []string
	Class   Class
	// Params are the wanted argument types in order; the last one repeats if
	// Max < 0.
	Params []Parameter
	// Min and Max bound the number of arguments; Max −1: no bound.
	Min, Max int
	// Rule names the way that the result type is found, see Result; rules that
	// only the resolver knows have no result function.
	Rule string
	// Null says when the result may be NULL.
	Null Nullability
	// Exact parameters take an argument as it is or NULL; nothing is cast to them.
	Exact bool
	// Nondeterministic functions give another value at each call.
	Nondeterministic bool
	// Shown is the name that Spark shows in column names; "" means as typed.
	Shown string
	// User is what runs a function that a user registered: a *UserScalar of
	// compute/expr or a *UserAggregate of compute/agg, which this package cannot name.
	// nil for built-in functions.
	User any
	// Returns is the result type of a user's function, which has no Rule.
	Returns *Type
	// Comment is what a user's function says about itself.
	Comment string
}

// Nullability says when the result of a function may be NULL.
type Nullability uint8

// NullIfAny: if an argument may be; Nullable: always; NotNull: never.
const (
	NullIfAny Nullability = iota
	Nullable
	NotNull
)

// Parameter is what one parameter takes: the first of Wants that accepts the
// argument as it is, else the first that it can be cast to.
type Parameter struct {
	Wants []Want
	// Name is the parameter's name, for named arguments; may be "".
	Name string
	// Shown is what a column name shows for an optional argument that is left
	// out, if HasShown. The argument itself is not filled in.
	Shown    string
	HasShown bool
}

// Family is a set of types that a parameter accepts.
type Family uint8

// The families. OneType is the one type Want.Type. Shared is the type that all
// Shared arguments of a call have in common; SharedArray an array of it. Func is
// a lambda.
const (
	OneType Family = iota
	AnyType
	NumericType
	IntegralType
	DecimalType
	ArrayType
	MapType
	StructType
	StringType
	OrderedType
	AnsiIntervalType
	AnyTimestampType
	Shared
	SharedArray
	Func
)

// Want is one type or family that a parameter takes.
type Want struct {
	Family Family
	Type   *Type
}

// FunctionTable finds functions by name.
type FunctionTable struct {
	byName map[string]*Function
	list   []*Function
}

// Functions is the signature of every function that the resolver knows.
var Functions = newFunctionTable()

// Lookup returns the function of a name or alias, ignoring case, or nil.
func (t *FunctionTable) Lookup(name string) *Function { return t.byName[strings.ToLower(name)] }

// All returns every function, in the order of the table. The caller must not
// change it.
func (t *FunctionTable) All() []*Function { return t.list }

func newFunctionTable() *FunctionTable {
	t := &FunctionTable{byName: map[string]*Function{}}
	for _, part := range []struct {
		class Class
		rows  string
	}{
		{Scalar, operatorRows}, {Scalar, mathRows}, {Scalar, stringRows}, {Scalar, timeRows}, {Scalar, nestedRows},
		{Scalar, miscRows}, {Scalar, sketchRows()}, {Aggregating, aggregateRows}, {Aggregating, sketchAggregateRows()}, {Generator, generatorRows}, {Ranking, rankingRows},
	} {
		for _, row := range strings.Split(part.rows, "\n") {
			if row = strings.TrimSpace(row); row == "" || strings.HasPrefix(row, "//") {
				continue
			}
			f := parseRow(row)
			f.Class = part.class
			t.list = append(t.list, f)
			for _, n := range append([]string{f.Name}, f.Aliases...) {
				t.byName[n] = f
			}
		}
	}
	return t
}

// parseRow reads one row of the table:
//
//	name alias… (param, param?, param?shown, param*) result [nullable|notnull] [nondet] [exact] [as:SHOWN]
//
// A param is types joined by |, perhaps with its name and a colon before; shown
// is what column names have for an optional argument that is not given.
func parseRow(row string) *Function {
	open := strings.IndexByte(row, '(')
	end := strings.IndexByte(row, ')')
	names := strings.Fields(row[:open])
	f := &Function{Name: names[0], Aliases: names[1:]}
	for _, p := range strings.Split(row[open+1:end], ",") {
		if p = strings.TrimSpace(p); p == "" {
			continue
		}
		var last byte
		param := Parameter{}
		if i := strings.IndexAny(p, "?*"); i >= 0 {
			last = p[i]
			param.Shown, param.HasShown = strings.Trim(p[i+1:], "'"), i+1 < len(p)
			p = p[:i]
		}
		if i := strings.IndexByte(p, ':'); i >= 0 {
			param.Name, p = p[:i], p[i+1:]
		}
		param.Wants = parseWants(p)
		f.Params = append(f.Params, param)
		switch last {
		case '*':
			f.Max = -1
		case '?':
			f.Max++
		default:
			f.Min++
			f.Max++
		}
	}
	rest := strings.Fields(row[end+1:])
	f.Rule = rest[0]
	for _, flag := range rest[1:] {
		switch {
		case flag == "nullable":
			f.Null = Nullable
		case flag == "notnull":
			f.Null = NotNull
		case flag == "exact":
			f.Exact = true
		case flag == "nondet":
			f.Nondeterministic = true
		case strings.HasPrefix(flag, "as:"):
			f.Shown = flag[3:]
		default:
			panic("expr: function row " + strconv.Quote(row) + ": flag " + flag)
		}
	}
	if f.Max < 0 {
		f.Max = -1
	}
	return f
}

var families = map[string]Family{
	"any": AnyType, "numeric": NumericType, "integral": IntegralType, "decimal": DecimalType, "array": ArrayType, "map": MapType,
	"struct": StructType, "string": StringType, "ordered": OrderedType, "ansiinterval": AnsiIntervalType,
	"anytimestamp": AnyTimestampType, "T": Shared, "[T]": SharedArray, "fn": Func,
}

var typeNames = map[string]*Type{
	"void": Null, "boolean": Bool, "tinyint": Int8, "smallint": Int16, "int": Int32, "bigint": Int64, "float": Float32, "double": Float64,
	"binary": Binary, "date": Date, "timestamp": Timestamp, "ntz": TimestampNTZ, "interval": Calendar, "ym": YearMonth, "dt": DayTime,
	"variant": Variant, "string": String, "strings": ArrayOf(String, true), "floats": ArrayOf(Float32, true), "bool": Bool,
	"dec18": Decimal(18, 6), "dec16": Decimal(16, 6), "entries": ArrayOf(StructOf(), true), "time": Time(DefaultTimePrecision), "dec14": Decimal(14, 6), "dec21": Decimal(21, 0),
	"ints": ArrayOf(Int32, true), "bigints": ArrayOf(Int64, true), "doubles": ArrayOf(Float64, true),
	"words": ArrayOf(ArrayOf(String, false), false), "strmap": MapOf(String, String, true), "dec8": Decimal(8, 6),
}

func parseWants(text string) []Want {
	var out []Want
	for _, w := range strings.Split(text, "|") {
		if f, ok := families[w]; ok {
			out = append(out, Want{Family: f})
		} else if t, ok := typeNames[w]; ok {
			out = append(out, Want{Type: t})
		} else {
			panic("expr: parameter type " + strconv.Quote(w))
		}
	}
	return out
}

// Parameter returns the parameter that argument i stands for.
func (f *Function) Parameter(i int) Parameter {
	if i >= len(f.Params) {
		return f.Params[len(f.Params)-1]
	}
	return f.Params[i]
}

// Fixed returns the type of the result if it is the same for all arguments, else
// nil.
func (f *Function) Fixed() *Type {
	if f.Returns != nil {
		return f.Returns
	}
	return typeNames[f.Rule]
}

// Result returns the type of the function over arguments of types in, which are
// already coerced; nil if the rule needs more than types to know.
func (f *Function) Result(in []*Type) *Type {
	if f.Returns != nil {
		return f.Returns
	}
	if t, ok := typeNames[f.Rule]; ok {
		return t
	}
	if rule, ok := resultRules[f.Rule]; ok {
		return rule(in)
	}
	return nil
}
