package expr

import (
	"fmt"
	"strings"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/arrowtext"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

const ansiAdvice = `If necessary set "spark.sql.ansi.enabled" to "false" to bypass this error`

func divideByZero() *base.Error {
	return base.UserError("DIVIDE_BY_ZERO", "22012",
		"Division by zero. Use `try_divide` to tolerate divisor being 0 and return NULL instead. %s.", ansiAdvice)
}

func remainderByZero() *base.Error {
	return base.UserError("REMAINDER_BY_ZERO", "22012",
		"Remainder by zero. Use `try_mod` to tolerate divisor being 0 and return NULL instead. %s.", ansiAdvice)
}

func intervalByZero() *base.Error {
	return base.UserError("INTERVAL_DIVIDED_BY_ZERO", "22012",
		"Division by zero. Use `try_divide` to tolerate divisor being 0 and return NULL instead.")
}

// overflow is ARITHMETIC_OVERFLOW; what begins the message and try, if any, names
// the tolerant function.
func overflow(what, try string) *base.Error {
	if try != "" {
		what += fmt.Sprintf(". Use '%s' to tolerate overflow and return NULL instead", try)
	}
	return base.UserError("ARITHMETIC_OVERFLOW", "22003", "%s. %s.", what, ansiAdvice)
}

func intervalOverflow(try string) *base.Error {
	if try != "" {
		return base.UserError("INTERVAL_ARITHMETIC_OVERFLOW.WITH_SUGGESTION", "22015",
			"Integer overflow while operating with intervals. Use `%s` to tolerate overflow and return NULL instead.", try)
	}
	return base.UserError("INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION", "22015",
		"Integer overflow while operating with intervals. Try devising appropriate values for the interval parameters.")
}

// datetimeOverflow stands for the plain ArithmeticException that Spark throws
// when a time leaves the range of 64-bit microseconds.
func datetimeOverflow(operation string, args ...any) *base.Error {
	return base.UserError("DATETIME_OVERFLOW", "22008", "Datetime operation overflow: %s.", fmt.Sprintf(operation, args...))
}

func outOfRange(value string, t *expr.Type) *base.Error {
	return base.UserError("NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION", "22003",
		" %s cannot be represented as Decimal(%d, %d). %s, and return NULL instead.", value, t.Precision, t.Scale, ansiAdvice)
}

func castInvalid(value string, from, to *expr.Type) *base.Error {
	return base.UserError("CAST_INVALID_INPUT", "22018",
		"The value %s of the type %q cannot be cast to %q because it is malformed. Correct the value as per the syntax, or change its target type. "+
			"Use `try_cast` to tolerate malformed input and return NULL instead.", value, from.SQL(), to.SQL())
}

func castOverflow(value string, from, to *expr.Type) *base.Error {
	return base.UserError("CAST_OVERFLOW", "22003",
		"The value %s of the type %q cannot be cast to %q due to an overflow. "+
			"Use `try_cast` to tolerate overflow and return NULL instead.", value, from.SQL(), to.SQL())
}

// badParameter is INVALID_PARAMETER_VALUE.kind.
func badParameter(kind, parameter, fn, format string, args ...any) *base.Error {
	return base.UserError("INVALID_PARAMETER_VALUE."+kind, "22023",
		"The value of parameter(s) `%s` in `%s` is invalid: %s", parameter, fn, fmt.Sprintf(format, args...))
}

// unsupported refuses a function that has a signature but no evaluator.
func unsupported(call *expr.Call) error {
	return base.UserError("UNSUPPORTED_FEATURE", "0A000", "The function `%s` is not supported yet.", call.Fn).At(call.At)
}

// quoted returns a text as SQL shows it in messages.
func quoted(s []byte) string { return "'" + strings.ToValidUTF8(string(s), "\uFFFD") + "'" }

// shown returns row i of v as a literal of SQL, for messages: 127S, 1.5BD, 'a'.
func shown(v *vec.Vec, i int) string {
	if v.Null(i) {
		return "NULL"
	}
	text := string(appendText(nil, v, i, nil))
	switch v.Type.Kind {
	case expr.KindInt8:
		return text + "Y"
	case expr.KindInt16:
		return text + "S"
	case expr.KindInt64:
		return text + "L"
	case expr.KindDecimal:
		return text + "BD"
	case expr.KindFloat64:
		if !strings.ContainsAny(text, "NI") {
			return text + "D"
		}
	case expr.KindString:
		return quoted(v.Str(i))
	case expr.KindBinary:
		return "X'" + string(arrowtext.AppendHex(nil, v.Str(i))) + "'"
	case expr.KindDate:
		return "DATE '" + text + "'"
	case expr.KindTimestamp:
		return "TIMESTAMP '" + text + "'"
	case expr.KindTimestampNTZ:
		return "TIMESTAMP_NTZ '" + text + "'"
	case expr.KindTime:
		return "TIME '" + text + "'"
	}
	return text
}
