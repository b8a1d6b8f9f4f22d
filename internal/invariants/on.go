//go:build invariants

package invariants

import "github.com/flightd/flightd/internal/base"

// Enabled reports whether the build checks invariants. It is a constant, so that
// a costly check behind it vanishes from other builds.
const Enabled = true

// AssertionFailedf reports a bug: it panics with the message in this build.
func AssertionFailedf(format string, args ...any) *base.Error {
	panic(assertion(format, args))
}
