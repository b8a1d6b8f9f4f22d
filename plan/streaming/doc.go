// Package streaming knows what a streaming query may be: which operators and
// output modes go together (Check), and which watermark each stateful operator
// works with (Propagate). Data only; the rules are Spark's
// (UnsupportedOperationChecker, WatermarkPropagator), the words our own.
package streaming
