// Package javamath computes the functions of java.lang.Math to the bit, which
// Spark's mathematical functions are.
//
// What Java defines by fdlibm (exp, log, atan, cbrt, pow and their kin) follows
// fdlibm's approximations, step by step in the same order. Sine, cosine and tangent
// come from the processor's library in Java, whose error is hardly above half a unit
// in the last place; here they are rounded from twice the precision.
//
// Products are converted to float64 before they are added, so that no compiler fuses
// the two into one rounding.
package javamath
