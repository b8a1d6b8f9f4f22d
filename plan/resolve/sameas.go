package resolve

import "github.com/flightd/flightd/plan/expr"

// sameAs is equal for expressions that Spark takes for the same: the operands of + and *
// and of conditions may change places.
func sameAs(e expr.Expr) string {
	out, err := expr.Rewrite(e, func(e expr.Expr) (expr.Expr, error) {
		c, ok := e.(*expr.Call)
		if !ok || len(c.Args) != 2 {
			return e, nil
		}
		fn, turned := c.Fn, false
		switch c.Fn {
		case "+", "*", "and", "or", "=", "<=>", "&", "|", "^":
			turned = expr.Fingerprint(c.Args[1]) < expr.Fingerprint(c.Args[0])
		case ">":
			fn, turned = "<", true
		case ">=":
			fn, turned = "<=", true
		}
		if !turned {
			return e, nil
		}
		d := *c
		d.Fn, d.Args = fn, []expr.Expr{c.Args[1], c.Args[0]}
		return &d, nil
	})
	if err != nil {
		return expr.Fingerprint(e)
	}
	return expr.Fingerprint(out)
}
