//go:build !invariants

package invariants

import "github.com/flightd/flightd/internal/base"

// Enabled reports whether the build checks invariants. It is a constant, so that
// a costly check behind it vanishes from other builds.
const Enabled = false

// AssertionFailedf reports a bug: it returns an error with the code Internal.
func AssertionFailedf(format string, args ...any) *base.Error {
	return assertion(format, args)
}
