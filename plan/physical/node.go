package physical

import (
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

// Node is an operator of a physical plan. Its expressions refer to the columns
// of its input by position; those of a Join to the left's columns followed by
// the right's.
type Node interface {
	// Schema is the columns the node puts out.
	Schema() expr.Schema
	// Inputs are the nodes below, left first.
	Inputs() []Node
}

// Scan reads an input of the query: a stream or a static table.
type Scan struct {
	// Input is the index of the input among the query's Inputs; the same input
	// may be scanned more than once.
	Input int
	// Columns are the wanted columns of the input, ascending.
	Columns []int
	// Again is how many more scans this one stands for, because what is above it is used
	// again (Reuse): its rows count for them too.
	Again int
	// Where are conditions that the filter above applies, in a form that a source may use
	// to leave rows out: of a batch, and in the order of the filter, none of them behind a
	// condition that can fail.
	Where []Pushed
	Out   expr.Schema
}

// Pushed is a condition about one column of a scan and constants.
type Pushed struct {
	// Column is the index in Out.
	Column int
	// Test is isnull, isnotnull, in (also for one value), <, <=, >, >= or prefix.
	Test string
	// Values are literals of the column's type.
	Values []*expr.Literal
	// Cond is the condition as the filter has it.
	Cond expr.Expr
}

// Values is a table written in the query. Rows hold literals.
type Values struct {
	Rows [][]expr.Expr
	Out  expr.Schema
}

// Range is the table function range(start, end, step): BIGINT id.
type Range struct {
	Start, End, Step int64
	Out              expr.Schema
}

// Filter passes on the rows for which Cond is true.
type Filter struct {
	Input Node
	Cond  expr.Expr
}

// Project computes the columns of Out from each row.
type Project struct {
	Input Node
	Exprs []expr.Expr
	Out   expr.Schema
}

// Expand puts out, for each row, one row per list of expressions (grouping sets).
type Expand struct {
	Input Node
	Lists [][]expr.Expr
	Out   expr.Schema
}

// Generate puts out, for each row, the input's columns Keep followed by the
// generator's columns, once per row the generator makes; Outer: at least once.
type Generate struct {
	Input Node
	// Gen is a Call of a generator: explode, posexplode, stack, inline.
	Gen   *expr.Call
	Outer bool
	Keep  []int
	Out   expr.Schema
}

// Watermark observes the event time of the rows that pass. It changes nothing.
type Watermark struct {
	Input  Node
	Column int
	// Delay is in milliseconds.
	Delay int64
	// Index numbers the watermark nodes of a query in plan order.
	Index int
}

// Window assigns time windows: the input's columns followed by one struct
// <start, end>, one row per window that holds the row; rows whose time is NULL
// are left out. Durations are microseconds.
type Window struct {
	Input Node
	// Time is a TIMESTAMP or TIMESTAMP_NTZ.
	Time                   expr.Expr
	Duration, Slide, Start int64
	Out                    expr.Schema
}

// Aggregate groups by Keys and computes Aggs: the columns of Out are the keys
// and then the aggregates.
type Aggregate struct {
	Input Node
	Keys  []expr.Expr
	// Session, if set, fuses groups whose windows touch.
	Session *SessionKey
	Aggs    []*expr.Agg
	Out     expr.Schema
	// State is nil in a batch; in a stream it says where the groups are kept.
	State *State
}

// State is what a stateful operator needs besides its algorithm.
type State struct {
	// Operator numbers the stateful operators of a query in Spark's order of
	// the progress report: from the sink down, left before right.
	Operator int
	// Name is the operator's name in the progress report: stateStoreSave …
	Name string
	Mode base.OutputMode
	// EventKey is the index of the key column that carries the watermark, or −1.
	// A struct is compared by its end.
	EventKey int
	// Idle says that a new watermark alone gives the operator nothing to do: no epoch
	// without data runs for it.
	Idle bool
	// Refused, if set, is why the operator cannot run. Building an epoch returns it,
	// which is when Spark finds it.
	Refused error
}

// JoinKind is the kind of a join.
type JoinKind uint8

// The kinds of join. NullAwareAnti is NOT IN: a NULL key on the right refuses
// every row, a NULL key on the left its row.
const (
	Inner JoinKind = iota
	LeftOuter
	RightOuter
	FullOuter
	LeftSemi
	LeftAnti
	NullAwareAnti
	// Existence puts out every left row and a BOOLEAN: whether it has a match.
	Existence
)

var joinNames = [...]string{"Inner", "LeftOuter", "RightOuter", "FullOuter", "LeftSemi", "LeftAnti", "LeftAnti", "ExistenceJoin"}

// String is the kind as Spark's messages spell it.
func (k JoinKind) String() string { return joinNames[k] }

// Join joins two inputs within an epoch: batch joins, and a stream with a
// static side. Build says which side is read whole into a hash table.
type Join struct {
	Left, Right Node
	Kind        JoinKind
	// LeftKeys and RightKeys are the equality keys, pairwise of one type, over
	// the columns of their own side; both empty: nested loop.
	LeftKeys, RightKeys []expr.Expr
	// NullSafe[i] says that key i is compared with <=>.
	NullSafe []bool
	// Cond is what else must hold, over left then right columns; nil: nothing.
	Cond       expr.Expr
	BuildRight bool
	// Single says of a LeftOuter join with BuildRight that a second match of a left row
	// is an error: the right side is a scalar subquery.
	Single bool
	Out    expr.Schema
}

// Union puts out the rows of its inputs one after another.
type Union struct {
	Children []Node
	Out      expr.Schema
}

// SortKey is one term of ORDER BY.
type SortKey struct {
	Expr       expr.Expr
	Descending bool
	NullsFirst bool
}

// Sort orders the rows of the epoch. Equal rows keep their order.
type Sort struct {
	Input Node
	Keys  []SortKey
}

// Limit passes on Count rows after the first Offset; Count < 0: all.
type Limit struct {
	Input         Node
	Count, Offset int64
	// State, if set, makes Count the total of the query's life.
	State *State
}

// Dedup passes on the first row of each key.
type Dedup struct {
	Input Node
	Keys  []int
	State *State
	// EventColumn is the index of the watermark's column in the input, or −1:
	// rows at or before the watermark are late.
	EventColumn int
	// Within, if set, is dropDuplicatesWithinWatermark with its delay in
	// milliseconds.
	Within bool
	Delay  int64
}

// ScalarSubquery stands in an expression for the one value of Plan, a batch
// plan: it runs before the epoch's rows and becomes a literal.
type ScalarSubquery struct {
	expr.Ref
	At   base.Pos
	Plan Node
}

// Pos is where the subquery was written.
func (s *ScalarSubquery) Pos() base.Pos { return s.At }
