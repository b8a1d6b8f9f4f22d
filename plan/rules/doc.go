// Package rules rewrites resolved logical plans, one rule per file.
//
// There are two sets. The rules of Meaning copy what Spark's optimizer does
// around watermarks, because it can be seen in the results: which rows reach a
// watermark node moves the watermark. That list is closed; a rule joins it only
// with a recording that shows it. Rules for speed must not change which rows
// reach a watermark or a stateful node.
package rules

import (
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
)

// Meaning applies the rules that a streaming result depends on. Batch plans may
// go through them as well: they keep every batch result. fold evaluates constants;
// it may be nil.
//
// Collations come first, as later rules compare and copy conditions.
// Filters are pushed before others are inferred: what a filter above a join says of
// one side may follow for the other, and joins may be written as filters.
func Meaning(n logical.Node, fold expr.Fold) (logical.Node, error) {
	n, err := CollationKeys(n)
	if err != nil {
		return nil, err
	}
	if n, err = OwnDigits(n); err != nil {
		return nil, err
	}
	if n, err = PushFilters(n, fold); err != nil {
		return nil, err
	}
	return PushFilters(InferNotNull(InferFilters(n)), fold)
}
