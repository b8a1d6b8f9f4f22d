// Package sourcetest is the contract of package sources as code: every
// connector's tests run it (invariants S1 to S5), whatever else they test.
package sourcetest
