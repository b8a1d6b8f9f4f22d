// Package rate makes rows at a steady rate: a timestamp and a counter from 0.
//
// The row with a number is the same in every run: an offset is the query's start
// and the seconds since then, {"start":1704110400000,"seconds":7}, so that a
// restart continues the sequence, and makes up for the time in which nothing ran.
// Rows appear when their second is over.
package rate
