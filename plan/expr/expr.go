package expr

import (
	"sync/atomic"

	"github.com/flightd/flightd/internal/base"
)

// Expr is a node of an expression tree. Nodes are immutable: a rewrite makes
// new ones. A node is resolved if it and everything below it has a type.
type Expr interface {
	// Pos is where the expression stands in the SQL text, or the zero Pos.
	Pos() base.Pos
	// Children are the operands, in order.
	Children() []Expr
	// With returns the node with other children, as many as Children returns.
	With(children []Expr) Expr
	// Type is the type of the value; nil while unresolved.
	Type() *Type
	// Nullable reports whether the value may be NULL.
	Nullable() bool
	// SQL is Spark's text of the expression: what an unnamed column is called.
	SQL() string
}

// ID identifies a column of a resolved plan, whatever its name.
type ID int64

var lastID atomic.Int64

// NewID returns an ID that no other column of this process has. IDs are never
// stored.
func NewID() ID { return ID(lastID.Add(1)) }

// Mode says what an operation does with a value that does not fit.
type Mode uint8

// The modes: raise an error (ANSI), give NULL or wrap around as Spark does with
// spark.sql.ansi.enabled=false (Legacy), or give NULL (Try).
const (
	ANSI Mode = iota
	Legacy
	Try
)

// Meta is what travels with a column besides its type.
type Meta struct {
	// EventTime marks the column of a watermark (Spark's eventTime metadata),
	// also after it went through window(), an alias or a grouping.
	EventTime bool
	// Delay is the watermark's delay in milliseconds, if EventTime.
	Delay int64
	// Session marks a session_window column.
	Session bool
}

// Column is a resolved reference to a column of the plan below.
type Column struct {
	At        base.Pos
	ID        ID
	Name      string
	Qualifier []string
	Typ       *Type
	Null      bool
	Meta      Meta
	// Hidden says that a table has the column only for who names it.
	Hidden bool
}

// Literal is a constant. Value is nil for NULL; bool; int64 for every integer,
// date (days), timestamp (µs), year-month (months), day-time (µs) and time type;
// float32; float64; decimal128.Num for DECIMAL; string; []byte;
// CalendarInterval; []any for ARRAY and STRUCT; []MapEntry for MAP, members in
// the same form.
type Literal struct {
	At    base.Pos
	Value any
	Typ   *Type
	// Text is the literal as it was written, if it was; used by SQL.
	Text string
	// Place is that of the parameter that the literal stands for; nil for others.
	Place *Place
}

// CalendarInterval is the value of an INTERVAL literal of mixed units.
type CalendarInterval struct {
	Months, Days int32
	Micros       int64
}

// MapEntry is an entry of a MAP literal.
type MapEntry struct{ Key, Value any }

// Alias names the value of Child.
type Alias struct {
	At    base.Pos
	Child Expr
	Name  string
	ID    ID
	// Meta, if not nil, replaces what the child would pass on.
	Meta *Meta
}

// Cast converts Child to To.
type Cast struct {
	At    base.Pos
	Child Expr
	To    *Type
	Mode  Mode
	// Implicit casts were put in by coercion and do not show in SQL().
	Implicit bool
}

// Call is a resolved scalar function or operator: "+", "upper", "and", "case"
// and so on, by its name in Functions. Args have the types of its signature.
// "case" has args cond1, value1, cond2, value2, …[, else]; a field of a struct
// is the call "getfield" with a literal INT ordinal.
type Call struct {
	At   base.Pos
	Fn   string
	Args []Expr
	Typ  *Type
	Null bool
	Mode Mode
	// Text overrides SQL() where the user wrote the call in another way.
	Text string
	// User is the signature of a function that a user registered; nil for the others.
	User *Function
}

// Lambda is an argument of a higher-order function: Body over Params.
type Lambda struct {
	At     base.Pos
	Params []*LambdaVar
	Body   Expr
}

// LambdaVar is a parameter of a Lambda, and every use of it in the body.
type LambdaVar struct {
	At   base.Pos
	ID   ID
	Name string
	Typ  *Type
	Null bool
}

// Agg is a resolved aggregate function. It stands only in the aggregate list of
// an Aggregate node (or under Over).
type Agg struct {
	At       base.Pos
	Fn       string
	Args     []Expr
	Distinct bool
	// Filter is the FILTER (WHERE …) condition, or nil.
	Filter Expr
	// IgnoreNulls of first, last, any_value.
	IgnoreNulls bool
	// Order is how listagg orders its values: the last so many Args are sort keys.
	Order []Direction
	Typ   *Type
	Null  bool
	Mode  Mode
	Text  string
	// User is the signature of a function that a user registered; nil for the others.
	User *Function
}

// Direction is how one sort key orders.
type Direction struct{ Descending, NullsFirst bool }

// Ref is a column of the input by its position: what Column becomes in a
// physical plan.
type Ref struct {
	Index int
	Name  string
	Typ   *Type
	Null  bool
}
