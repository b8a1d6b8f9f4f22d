// Package lint holds the rules of this code base that a compiler does not know,
// as tests: which room may import which, where text belongs, how long a file
// may grow, and that links in the documents lead somewhere.
//
// An exception to a rule stands in the list beside the rule, with its reason.
package lint
