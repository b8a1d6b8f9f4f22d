package logical

import (
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/catalog"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
)

// Node is a relation: an operator over the relations below it.
type Node interface {
	// Pos is where it stands in the SQL text, or the zero Pos.
	Pos() base.Pos
	// Inputs are the relations below, left first.
	Inputs() []Node
	// With returns the node over other inputs, as many as Inputs returns.
	With(inputs []Node) Node
	// Output is the columns of a resolved node; nil before.
	Output() []*expr.Column
}

// Table is a table or view by name, as FROM names it. Unresolved.
type Table struct {
	At   base.Pos
	Name []string
	// From, if set, is a constant text that gives the name instead: IDENTIFIER(text).
	From expr.Expr
	// Stream is set by FROM STREAM t and by readStream.
	Stream  bool
	Options base.Options
}

// Function is a table-valued function in FROM: range(10). Unresolved.
type Function struct {
	At       base.Pos
	Name     []string
	Args     []expr.Expr
	ArgNames []string
	// From is as in Table.
	From expr.Expr
}

// Source is a connector named in the DataFrame API instead of a table. It
// becomes a Relation. Unresolved.
type Source struct {
	At      base.Pos
	Format  string
	Options base.Options
	// Schema is the declared schema, or nil.
	Schema expr.Schema
	Stream bool
}

// With is WITH name AS (…), … body. Unresolved.
type With struct {
	At        base.Pos
	Names     []string
	Columns   [][]string
	Queries   []Node
	Recursive bool
	// Levels are the MAX RECURSION LEVEL of each query, or -1.
	Levels []int64
	Body   Node
}

// Having filters the groups of the Aggregate below: its condition may hold
// aggregates. Unresolved.
type Having struct {
	At    base.Pos
	Cond  expr.Expr
	Input Node
}

// Qualify filters the rows of the Project, Aggregate or Having below by what their
// window functions are. Unresolved.
type Qualify struct {
	At    base.Pos
	Cond  expr.Expr
	Input Node
}

// Pivot is PIVOT (aggregates FOR columns IN (values)): it groups by the columns of
// its input that it does not name, and has a column for each value and aggregate.
// Unresolved.
type Pivot struct {
	At base.Pos
	// Aggs are aggregates, each maybe an Alias.
	Aggs []expr.Expr
	For  []expr.Expr
	// Values has, for each value, as many expressions as For; Names its alias, or "".
	Values [][]expr.Expr
	Names  []string
	Input  Node
}

// Unpivot is UNPIVOT (values FOR name IN (columns)): a row for each item, of the
// columns that no item names, the item's name, and its columns as values.
// Unresolved.
type Unpivot struct {
	At base.Pos
	// Nulls keeps rows whose values are all NULL.
	Nulls bool
	// Values and Name are the new columns.
	Values []string
	Name   string
	// Items are lists of columns, as many as Values; Names their aliases, or "".
	Items [][]expr.Expr
	Names []string
	Input Node
}

// Tagged gives the plan below a number that expr.Name.PlanID refers to.
// Unresolved.
type Tagged struct {
	PlanID int64
	Input  Node
}

// Relation is a table of the catalog, resolved.
type Relation struct {
	At      base.Pos
	Table   *catalog.Table
	Stream  bool
	Columns []*expr.Column
}

// Values is inline data: VALUES (…), (…), or rows given through the API. A
// SELECT without FROM stands over one row of no columns.
type Values struct {
	At      base.Pos
	Rows    [][]expr.Expr
	Columns []*expr.Column
}

// Range is the resolved table function range.
type Range struct {
	At               base.Pos
	Start, End, Step int64
	Column           *expr.Column
}

// Alias gives the relation below a name, and its columns new names if Columns
// is not nil.
type Alias struct {
	At      base.Pos
	Name    string
	Columns []string
	Input   Node
	// Out is set by the resolver.
	Out []*expr.Column
}

// Project is a select list. After resolution each item is a *expr.Column or
// *expr.Alias.
type Project struct {
	At    base.Pos
	List  []expr.Expr
	Input Node
	// Pipe is "EXTEND" or "SET" of the pipe syntax, in which no aggregate may stand; else
	// "".
	Pipe string
}

// Filter is WHERE.
type Filter struct {
	At    base.Pos
	Cond  expr.Expr
	Input Node
}

// GroupKind is the form of a GROUP BY.
type GroupKind uint8

// The forms: plain expressions, ALL, CUBE, ROLLUP, GROUPING SETS.
const (
	GroupPlain GroupKind = iota
	GroupAll
	GroupCube
	GroupRollup
	GroupSets
)

// Aggregate groups by Group and computes List. After resolution Kind is
// GroupPlain (the others have become an Expand below), each item of Group is a
// column or an expression without aggregates, and each item of List a
// *expr.Column or *expr.Alias whose leaves are grouping expressions and
// *expr.Agg.
type Aggregate struct {
	At    base.Pos
	Kind  GroupKind
	Group []expr.Expr
	// Sets are the sets of GroupSets, as lists of expressions; for CUBE and
	// ROLLUP the groups of Group in order.
	Sets  [][]expr.Expr
	List  []expr.Expr
	Input Node
	// Pipe marks |> AGGREGATE, whose list puts out the groups first; what follows them
	// must be aggregates.
	Pipe bool
}

// Expand puts out one row per list for each row of its input. Resolved only.
type Expand struct {
	At      base.Pos
	Lists   [][]expr.Expr
	Columns []*expr.Column
	Input   Node
}

// Window adds the column Column, a time window over Time, to the columns of its
// input; see physical.Window. Durations are microseconds. Resolved only.
type Window struct {
	At                     base.Pos
	Time                   expr.Expr
	Duration, Slide, Start int64
	Column                 *expr.Column
	Input                  Node
}

// Session adds a session_window column: struct<start, end> = [Time, Time+Gap).
// Gap is an interval or a STRING literal's interval. Resolved only.
type Session struct {
	At        base.Pos
	Time, Gap expr.Expr
	Column    *expr.Column
	Input     Node
}

// OverFunction is one function of an Over node.
type OverFunction struct {
	Call expr.Expr // *expr.Agg or *expr.Call of a window function
	// Frame is nil for the default of the function.
	Frame  *expr.Frame
	Column *expr.Column
	// IgnoreNulls of lag, lead and nth_value.
	IgnoreNulls bool
}

// Over adds the columns of window functions (OVER) with one partitioning and
// order. Resolved only.
type Over struct {
	At          base.Pos
	PartitionBy []expr.Expr
	OrderBy     []expr.SortTerm
	Functions   []OverFunction
	Input       Node
}

// Generate is LATERAL VIEW [OUTER] gen(…) name AS columns, or explode(…) of a
// select list.
type Generate struct {
	At    base.Pos
	Gen   expr.Expr
	Outer bool
	Name  string
	Names []string
	// View says that it was written as LATERAL VIEW.
	View bool
	// Columns is set by the resolver; the node puts out the input's columns and
	// then these.
	Columns []*expr.Column
	Input   Node
}

// Join joins two relations. Using and Natural are gone after resolution.
type Join struct {
	At          base.Pos
	Kind        physical.JoinKind
	Left, Right Node
	Cond        expr.Expr
	Using       []string
	Natural     bool
	Lateral     bool
	// Exists is the added column of an Existence join.
	Exists *expr.Column
	// Subquery says that the join stands for a subquery of an expression.
	Subquery bool
	// Single says of a LeftOuter join that a second match of a left row is an error.
	Single bool
}

// AsOfJoin pairs each left row with the one right row that is nearest to it by
// MATCH_CONDITION (Left Op Right): the greatest at or before it for >= and >, the
// least at or after it for <= and <. Using is gone after resolution.
type AsOfJoin struct {
	At base.Pos
	// Outer keeps left rows without a match.
	Outer       bool
	Left, Right Node
	// Match are the two operands, the left relation's first once resolved, and Op is
	// >=, >, <= or < between them.
	Match [2]expr.Expr
	Op    string
	Cond  expr.Expr
	Using []string
}

// Union is UNION ALL. ByName matches columns by name; AllowMissing fills the
// missing ones with NULL.
type Union struct {
	At                   base.Pos
	Children             []Node
	ByName, AllowMissing bool
	// Out is set by the resolver.
	Out []*expr.Column
}

// SetOp is INTERSECT or EXCEPT, with or without ALL.
type SetOp struct {
	At          base.Pos
	Except      bool
	All         bool
	Left, Right Node
}

// Distinct is SELECT DISTINCT and UNION.
type Distinct struct {
	At    base.Pos
	Input Node
}

// Sort is ORDER BY (Global) or SORT BY.
type Sort struct {
	At     base.Pos
	Keys   []expr.SortTerm
	All    bool // ORDER BY ALL; unresolved
	Global bool
	Input  Node
}

// Limit is LIMIT and OFFSET; either expression may be nil. Resolved: literals.
type Limit struct {
	At            base.Pos
	Count, Offset expr.Expr
	Input         Node
}

// Watermark declares the event time of a stream. Unresolved, Time is any
// expression, named Name if it is not a column; resolved, Column is the column
// of the input, and Time is nil.
type Watermark struct {
	At   base.Pos
	Time expr.Expr
	Name string
	// Delay is the interval as given: a STRING literal ("10 seconds") or an
	// interval literal. DelayMs is set by the resolver.
	Delay   expr.Expr
	DelayMs int64
	Column  *expr.Column
	Input   Node
	Out     []*expr.Column
}

// Deduplicate keeps the first row of each key: dropDuplicates and
// dropDuplicatesWithinWatermark. Columns nil means all.
type Deduplicate struct {
	At      base.Pos
	Columns []string
	Within  bool
	Keys    []*expr.Column
	Input   Node
}

// Sample is TABLESAMPLE (n PERCENT).
type Sample struct {
	At       base.Pos
	Fraction float64
	Input    Node
}

// Repartition is REPARTITION and its kin: a hint that changes no row.
type Repartition struct {
	At    base.Pos
	Input Node
}

// Store puts the columns of its input into the order and types of a table's
// Schema: by position, by the names of Columns, or by the input's own names
// (ByName). Columns that get nothing become NULL. Unresolved; it becomes a
// Project with store-assignment casts.
type Store struct {
	At      base.Pos
	Columns []string
	ByName  bool
	Schema  expr.Schema
	Input   Node
}
