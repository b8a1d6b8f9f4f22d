// Package report turns what the engines did into figures: medians, ratios of
// pairs, and the tables of docs/performance.md in Markdown and JSON.
//
// A ratio is the peer's time divided by ours in the same round, so over 1 we are
// faster. Rounds alternate the engines, so that what disturbs the machine
// disturbs both.
package report
