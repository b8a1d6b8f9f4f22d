// Package conf knows the settings that SET takes: Spark's SQL settings and
// flightd's own, each with its default, the form of its values, and whether
// flightd heeds it.
//
// It promises that
//
//  1. an unknown setting is an error that names the nearest known one;
//  2. a value of the wrong form is an error that says what form it has;
//  3. a setting that changes what a query means is either heeded or refused,
//     never taken and ignored; one that only tunes Spark's machinery is taken,
//     with a notice that says why it does nothing here.
//
// It does not hold values; a session does (catalog.Conf).
package conf
