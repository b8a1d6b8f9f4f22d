package invariants

import "github.com/flightd/flightd/internal/base"

func assertion(format string, args []any) *base.Error {
	return base.Errorf(base.CodeInternal, "assertion failed: "+format, args...).
		WithHint("this is a bug of flightd; please report it with the server's log")
}
