package expr

import (
	"testing"

	"github.com/flightd/flightd/plan/expr"
)

func TestText(t *testing.T) {
	s := cols(expr.String)[0]
	type m map[string]string
	for fn, cases := range map[string]m{
		"upper": {"aé": "AÉ", "ß": "SS", "x1": "X1"}, "lower": {"AÉ": "aé", "ΑΣ": "ας"}, "initcap": {"hello wORLD": "Hello World"},
		"reverse": {"aé日": "日éa"}, "trim": {"  a b ": "a b"}, "md5": {"abc": "900150983cd24fb0d6963f7d28e17f72"}, "soundex": {"Robert": "R163"},
		"url_encode": {"a b&ü": "a+b%26%C3%BC"},
	} {
		for in0, want := range cases {
			check(t, call(fn, expr.String, s), []testCase{{in(in0), want}, {in(nil), "NULL"}})
		}
	}
	check(t, call("length", expr.Int32, s), []testCase{{in("aé日"), "3"}, {in(""), "0"}})
	check(t, call("octet_length", expr.Int32, s), []testCase{{in("aé日"), "6"}})
	check(t, call("concat", expr.String, cols(expr.String, expr.String)...), []testCase{{in("a", "b"), "ab"}, {in("a", nil), "NULL"}})
	check(t, call("concat_ws", expr.String, str("-"), s, cols(nil, expr.ArrayOf(expr.String, true))[1]), []testCase{{in("a", []any{"b", nil, "c"}), "a-b-c"}, {in(nil, nil), ""}})
	n := cols(expr.String, expr.Int32, expr.Int32)
	check(t, call("substring", expr.String, n...), []testCase{{in("abc", -5, 3), "a"}, {in("abc", 0, 2), "ab"}, {in("héllo", 2, 3), "éll"}, {in("abc", 2, -1), ""}})
	check(t, call("lpad", expr.String, n[0], n[1], str("xy")), []testCase{{in("abc", 6), "xyxabc"}, {in("abc", 2), "ab"}, {in("abc", -1), ""}})
	check(t, call("rpad", expr.String, n[0], n[1]), []testCase{{in("é", 3), "é  "}})
	check(t, call("repeat", expr.String, n[0], n[1]), []testCase{{in("ab", 3), "ababab"}, {in("ab", -1), ""}})
	check(t, call("left", expr.String, n[0], n[1]), []testCase{{in("日本語", 2), "日本"}})
	check(t, call("right", expr.String, n[0], n[1]), []testCase{{in("日本語", 2), "本語"}})
	check(t, call("replace", expr.String, s, str("a"), str("xx")), []testCase{{in("banana"), "bxxnxxnxx"}})
	check(t, call("translate", expr.String, s, str("abc"), str("12")), []testCase{{in("aabbcc"), "1122"}})
	check(t, call("split_part", expr.String, n[0], str("."), n[1]), []testCase{{in("a.b.c", -1), "c"}, {in("a.b.c", 9), ""}, {in("a", 0), "!INVALID_INDEX_OF_ZERO"}})
	check(t, call("instr", expr.Int32, s, str("本")), []testCase{{in("日本"), "2"}, {in("x"), "0"}})
	check(t, call("contains", expr.Bool, s, str("an")), []testCase{{in("banana"), "true"}, {in(""), "false"}, {in(nil), "NULL"}})
	check(t, call("levenshtein", expr.Int32, cols(expr.String, expr.String)...), []testCase{{in("kitten", "sitting"), "3"}, {in("", "ab"), "2"}})
	check(t, call("split", expr.ArrayOf(expr.String, false), s, str(",")), []testCase{{in("a,,b,"), "[a, , b, ]"}, {in(nil), "NULL"}})
	check(t, call("split", expr.ArrayOf(expr.String, false), s, str("[ab]")), []testCase{{in("1a2b3"), "[1, 2, 3]"}})
	check(t, call("hex", expr.String, s), []testCase{{in("az"), "617A"}})
	check(t, call("unhex", expr.Binary, s), []testCase{{in("617A"), "az"}, {in("zz"), "NULL"}})
	check(t, call("hash", expr.Int32, cols(expr.String, expr.Int32)...), []testCase{{in("Spark", 123), "1262264271"}, {in(nil, nil), "42"}})
	check(t, call("format_number", expr.String, cols(expr.Float64)[0], num(2)), []testCase{{in(12345.675), "12,345.68"}, {in(-0.5), "-0.50"}})
	check(t, call("format_string", expr.String, str("%05d|%-4s|%.1f"), cols(expr.Int32)[0], cols(nil, expr.String)[1], cols(nil, nil, expr.Float64)[2]), []testCase{{in(42, "ab", 0.25), "00042|ab  |0.3"}})
}

func TestPatterns(t *testing.T) {
	s := cols(expr.String, expr.String)
	check(t, call("like", expr.Bool, s...), []testCase{
		{in("abc", "a%"), "true"}, {in("abc", "_b_"), "true"}, {in("abc", "%c"), "true"}, {in("abc", "%b%"), "true"}, {in("abc", "abc"), "true"}, {in("abc", "ab"), "false"},
		{in("日本", "_本"), "true"}, {in("a%c", `a\%c`), "true"}, {in("abc", `a\%c`), "false"}, {in("x", `\x`), "!INVALID_FORMAT.ESC_IN_THE_MIDDLE"}, {in("x", `x\`), "!INVALID_FORMAT.ESC_AT_THE_END"},
		{in("aXbXc", "a%b%c"), "true"}, {in("ab", "a%b%b"), "false"}, {in(nil, "a"), "NULL"}, {in("", "%"), "true"}, {in("", "_"), "false"},
	})
	check(t, call("ilike", expr.Bool, s...), []testCase{{in("ABC", "a%C"), "true"}})
	check(t, call("rlike", expr.Bool, s...), []testCase{{in("a1", "[0-9]"), "true"}, {in("a", "("), "!INVALID_PARAMETER_VALUE.PATTERN"}, {in("a", "^b"), "false"}})
	check(t, call("regexp_replace", expr.String, s[0], s[1], str("<$1>")), []testCase{{in("a1b22", "([0-9]+)"), "a<1>b<22>"}})
	check(t, call("regexp_extract", expr.String, s[0], s[1], num(2)), []testCase{{in("100-200", `(\d+)-(\d+)`), "200"}, {in("x", `(\d+)-(\d+)`), ""}, {in("1", `(\d)`), "!INVALID_PARAMETER_VALUE.REGEX_GROUP_INDEX"}})
}

func TestNumbers(t *testing.T) {
	d := cols(expr.Float64)[0]
	check(t, call("round", expr.Float64, d, num(2)), []testCase{{in(1.005), "1.01"}, {in(2.675), "2.68"}, {in(-2.5), "-2.5"}})
	check(t, call("bround", expr.Float64, d, num(0)), []testCase{{in(2.5), "2.0"}, {in(3.5), "4.0"}})
	check(t, call("ceil", expr.Int64, d), []testCase{{in(1.2), "2"}, {in(-1.2), "-1"}, {in("Infinity"), "!ARITHMETIC_OVERFLOW"}})
	check(t, call("sqrt", expr.Float64, d), []testCase{{in(4.0), "2.0"}, {in(-1.0), "NaN"}})
	check(t, call("ln", expr.Float64, d), []testCase{{in(0.0), "NULL"}, {in(1.0), "0.0"}})
	check(t, call("round", expr.Int32, cols(expr.Int32)[0], num(-1)), []testCase{{in(15), "20"}, {in(-15), "-20"}, {in(2147483647), "!ARITHMETIC_OVERFLOW"}})
	check(t, call("&", expr.Int32, cols(expr.Int32, expr.Int32)...), []testCase{{in(12, 10), "8"}, {in(nil, 1), "NULL"}})
	check(t, call("shiftrightunsigned", expr.Int32, cols(expr.Int32, expr.Int32)...), []testCase{{in(-1, 28), "15"}})
	check(t, call("conv", expr.String, cols(expr.String)[0], num(10), num(16)), []testCase{{in("255"), "FF"}, {in("-1"), "FFFFFFFFFFFFFFFF"}})
	check(t, call("factorial", expr.Int64, cols(expr.Int32)[0]), []testCase{{in(20), "2432902008176640000"}, {in(21), "NULL"}})
}
