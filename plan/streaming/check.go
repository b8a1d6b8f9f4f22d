package streaming

import (
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/physical"
	"github.com/flightd/flightd/plan/planner"
)

// Check refuses a resolved plan that cannot run as a stream in mode, with
// Spark's condition and a hint.
func Check(root logical.Node, mode base.OutputMode) error {
	if !logical.Streaming(root) {
		return base.UserError("WRITE_STREAM_NOT_ALLOWED", "42601", "A streaming query must read a stream; this one reads tables only.").
			At(root.Pos()).WithHint("write FROM STREAM t, or run it as a plain SELECT or INSERT")
	}
	aggs := aggregates(root)
	if err := checkMode(root, mode, aggs); err != nil {
		return err
	}
	if err := checkChain(root, mode); err != nil {
		return err
	}
	c := checker{mode: mode, aggregated: len(aggs) > 0}
	return c.node(root)
}

// refuse is Spark's unnamed condition for unsupported operations.
func refuse(at base.Pos, format string, args ...any) *base.Error {
	return base.UserError("_LEGACY_ERROR_TEMP_3102", "", format, args...).At(at)
}

func wrongMode(at base.Pos, mode base.OutputMode, what string) *base.Error {
	return base.UserError("STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION", "42KDE",
		"Output mode %s does not go with %s.", mode, what).At(at)
}

// aggregates lists the streaming aggregations, topmost first. DISTINCT is one.
func aggregates(n logical.Node) []logical.Node {
	var out []logical.Node
	walk(n, func(n logical.Node) {
		switch n.(type) {
		case *logical.Aggregate, *logical.Distinct:
			if logical.Streaming(n) {
				out = append(out, n)
			}
		}
	})
	return out
}

func walk(n logical.Node, f func(logical.Node)) {
	f(n)
	for _, in := range n.Inputs() {
		walk(in, f)
	}
}

// grouping returns the columns that an aggregation groups by.
func grouping(n logical.Node) []expr.Expr {
	if a, ok := n.(*logical.Aggregate); ok {
		return a.Group
	}
	var out []expr.Expr
	for _, c := range n.Output() {
		out = append(out, c)
	}
	return out
}

func checkMode(root logical.Node, mode base.OutputMode, aggs []logical.Node) error {
	switch mode {
	case base.Append:
		for _, a := range aggs {
			found := false
			for _, g := range grouping(a) {
				found = found || logical.MetaOf(g).EventTime
			}
			if !found {
				return wrongMode(a.Pos(), mode, "a streaming aggregation without a watermark among its grouping columns").
					WithHint("declare a watermark (FROM STREAM t WATERMARK ts DELAY OF INTERVAL …) and group by that column or a window over it, or use OUTPUT MODE update or complete")
			}
		}
	case base.Update:
		for _, a := range aggs {
			for _, g := range grouping(a) {
				if logical.MetaOf(g).Session {
					return wrongMode(a.Pos(), mode, "session windows").WithHint("use OUTPUT MODE append or complete")
				}
			}
		}
	case base.Complete:
		if len(aggs) == 0 {
			return wrongMode(root.Pos(), mode, "a query without a streaming aggregation").WithHint("use OUTPUT MODE append")
		}
	}
	return nil
}

// checkChain refuses stateful operators above one that may emit rows older than
// the watermark: an aggregation that does not run in append mode.
func checkChain(root logical.Node, mode base.OutputMode) error {
	if mode == base.Append {
		return nil
	}
	var err error
	walk(root, func(n logical.Node) {
		if err != nil || !stateful(n) {
			return
		}
		for _, in := range n.Inputs() {
			if len(aggregates(in)) > 0 {
				err = refuse(n.Pos(), "In output mode %s an aggregation may emit rows older than the watermark, which the stateful operator above it would take for late rows.", mode).
					WithHint("use OUTPUT MODE append, or split the query in two")
			}
		}
	})
	return err
}

// stateful reports whether n keeps state that a watermark may make wrong.
func stateful(n logical.Node) bool {
	if !logical.Streaming(n) {
		return false
	}
	switch n := n.(type) {
	case *logical.Aggregate, *logical.Distinct:
		return true
	case *logical.Deduplicate:
		for _, k := range n.Keys {
			if k.Meta.EventTime {
				return true
			}
		}
	case *logical.Join:
		return logical.Streaming(n.Left) && logical.Streaming(n.Right)
	case *logical.AsOfJoin:
		return logical.Streaming(n.Left) && logical.Streaming(n.Right)
	}
	return false
}

type checker struct {
	mode       base.OutputMode
	aggregated bool
}

func (c *checker) node(n logical.Node) error {
	if logical.Streaming(n) {
		if err := c.one(n); err != nil {
			return err
		}
	}
	for _, in := range n.Inputs() {
		if err := c.node(in); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) one(n logical.Node) error {
	switch n := n.(type) {
	case *logical.Aggregate:
		return c.aggregate(n)
	case *logical.Project:
		return c.list(n.List)
	case *logical.Over:
		return base.UserError("NON_TIME_WINDOW_NOT_SUPPORTED_IN_STREAMING", "42KDE", "A function with OVER cannot run on a stream.").
			At(n.At).WithHint("group by window(ts, '…') instead")
	case *logical.Sort:
		if c.mode != base.Complete || len(aggregates(n.Input)) == 0 {
			return refuse(n.At, "A stream can be sorted only after an aggregation in output mode complete.")
		}
	case *logical.Limit:
		if n.Offset != nil {
			return refuse(n.At, "OFFSET does not work on a stream.")
		}
		if c.mode == base.Update {
			return refuse(n.At, "LIMIT does not work on a stream in output mode update.").WithHint("use OUTPUT MODE append")
		}
	case *logical.Sample:
		return refuse(n.At, "TABLESAMPLE does not work on a stream.")
	case *logical.Union:
		for _, child := range n.Children {
			if !logical.Streaming(child) {
				return refuse(n.At, "A stream and a table cannot be united.")
			}
		}
	case *logical.SetOp:
		if !n.Except {
			return refuse(n.At, "INTERSECT does not work on streams.")
		}
		if logical.Streaming(n.Right) {
			return refuse(n.At, "The right side of EXCEPT cannot be a stream.")
		}
	case *logical.Deduplicate:
		return c.dedup(n)
	case *logical.Join:
		return c.join(n)
	case *logical.AsOfJoin:
		if !logical.Streaming(n.Left) {
			return refuse(n.At, "ASOF JOIN cannot have a stream on its right side and a table on the left.")
		}
	}
	return nil
}

func (c *checker) aggregate(n *logical.Aggregate) error {
	var err error
	for _, e := range n.List {
		expr.Walk(e, func(e expr.Expr) bool {
			if a, ok := e.(*expr.Agg); ok && a.Distinct && err == nil {
				err = refuse(a.At, "Aggregates of DISTINCT values do not run on a stream.").
					WithHint("approx_count_distinct counts them approximately")
			}
			return err == nil
		})
	}
	if err != nil {
		return err
	}
	return c.list(n.List)
}

func (c *checker) list(list []expr.Expr) error {
	var err error
	for _, e := range list {
		expr.Walk(e, func(e expr.Expr) bool {
			if call, ok := e.(*expr.Call); ok && call.Fn == "monotonically_increasing_id" && err == nil {
				err = refuse(call.At, "monotonically_increasing_id() does not run on a stream.")
			}
			return err == nil
		})
	}
	return err
}

func (c *checker) dedup(n *logical.Deduplicate) error {
	if len(aggregates(n.Input)) > 0 && c.mode != base.Append && c.mode != base.Update {
		return refuse(n.At, "Duplicates cannot be dropped after an aggregation in output mode %s.", c.mode)
	}
	if !n.Within {
		return nil
	}
	for _, col := range n.Input.Output() {
		if col.Meta.EventTime {
			return nil
		}
	}
	return refuse(n.At, "DEDUPLICATE WITHIN WATERMARK needs a stream with a watermark.").
		WithHint("declare one: FROM STREAM t WATERMARK ts DELAY OF INTERVAL …")
}

func (c *checker) join(n *logical.Join) error {
	left, right := logical.Streaming(n.Left), logical.Streaming(n.Right)
	if left && right {
		return c.streams(n)
	}
	refused := false
	switch n.Kind {
	case physical.FullOuter:
		refused = true
	case physical.LeftOuter, physical.LeftSemi, physical.LeftAnti, physical.NullAwareAnti:
		refused = right
	case physical.RightOuter:
		refused = left
	}
	if !refused {
		return nil
	}
	if n.Kind == physical.LeftAnti || n.Kind == physical.NullAwareAnti {
		return refuse(n.At, "A %s join cannot have a stream on its right side.", n.Kind)
	}
	side := "left"
	if right {
		side = "right"
	}
	return refuse(n.At, "A %s join cannot have a stream on its %s side and a table on the other.", n.Kind, side)
}

// streams checks a join of two streams.
func (c *checker) streams(n *logical.Join) error {
	switch n.Kind {
	case physical.LeftAnti, physical.NullAwareAnti, physical.Existence:
		return refuse(n.At, "A %s join cannot have a stream on its right side.", n.Kind)
	case physical.LeftOuter, physical.RightOuter, physical.FullOuter:
		if c.mode != base.Append {
			return refuse(n.At, "A %s join of two streams runs in output mode append only.", n.Kind).WithHint("use OUTPUT MODE append")
		}
	default:
		if c.mode == base.Complete {
			return refuse(n.At, "A join of two streams does not run in output mode complete.").WithHint("use OUTPUT MODE append or update")
		}
	}
	if n.Kind == physical.Inner || bounded(n) {
		return nil
	}
	return refuse(n.At, "A %s join of two streams needs to know when a row has met its last partner.", n.Kind).
		WithHint("compare two event times with a watermark for equality, or declare a watermark on both streams and bound one event time by the other: r.ts BETWEEN l.ts AND l.ts + INTERVAL 1 HOUR")
}

// bounded reports whether the condition of an outer or semi join bounds how long a
// row that it may have to put out without a partner, or only once, is kept.
func bounded(n *logical.Join) bool {
	left, right := n.Left.Output(), n.Right.Output()
	keys := planner.EquiKeys(n.Cond, left, right)
	if keys.EventKey() >= 0 {
		return true
	}
	ofLeft := len(planner.RangeBounds(keys.Rest, left, right, nil)) > 0
	ofRight := len(planner.RangeBounds(keys.Rest, right, left, nil)) > 0
	switch n.Kind {
	case physical.RightOuter:
		return ofRight
	case physical.FullOuter:
		return ofLeft || ofRight
	}
	return ofLeft
}
