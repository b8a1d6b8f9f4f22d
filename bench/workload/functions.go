package workload

import (
	"fmt"
	"slices"
	"time"

	"github.com/flightd/flightd/bench/gen"
)

// functionRows are the rows that each function of w16 sees.
const functionRows = 2_000_000

// A function is one of w16: our question and DuckDB's about table t, each one number
// that needs all values.
type function struct {
	name, ours, duck string
	target           float64
}

// sum, bytes, latest and where are questions about an expression: the sum of its values,
// of the bytes of its texts, its largest and smallest, and how often it holds. None of them costs much itself, so
// that the table is about functions and not about results.
func sum(name, ours, duck string) function {
	const text = "SELECT sum(%s) AS r FROM t"
	return function{name: name, ours: fmt.Sprintf(text, ours), duck: fmt.Sprintf(text, duck)}
}

func bytes(name, ours, duck string) function {
	return function{name: name, ours: fmt.Sprintf("SELECT sum(octet_length(%s)) AS r FROM t", ours), duck: fmt.Sprintf("SELECT sum(strlen(%s)) AS r FROM t", duck)}
}

func latest(name, ours, duck string) function {
	const text = "SELECT max(%[1]s) AS r, min(%[1]s) AS s FROM t"
	return function{name: name, ours: fmt.Sprintf(text, ours), duck: fmt.Sprintf(text, duck)}
}

func plain(name, ours, duck string) function { return function{name: name, ours: ours, duck: duck} }

func where(name, ours, duck string) function {
	const text = "SELECT count(*) AS r FROM t WHERE %s"
	return function{name: name, ours: fmt.Sprintf(text, ours), duck: fmt.Sprintf(text, duck)}
}

// held is the function with the target of those that were promised.
func (f function) held() function {
	f.target = 0.7
	return f
}

// same asks both engines the same.
func same(ask func(name, ours, duck string) function, name, expr string) function {
	return ask(name, expr, expr)
}

// functions are w16: one function each, over two million rows in memory. The idioms of
// Polars are those of the same names in peers/polars_runner.py.
func functions() []Workload {
	var out []Workload
	for _, family := range []struct {
		tables    []gen.Table
		functions []function
	}{
		{wordTable(), slices.Concat(textFunctions(), patternFunctions(), choiceFunctions())},
		{documentTable(), documentFunctions()},
		{timeTable(), timeFunctions()},
		{numberTable(), slices.Concat(castFunctions(), numberFunctions())},
	} {
		for _, f := range family.functions {
			w := Workload{Name: "w16_" + f.name, Title: "function " + f.name, SQL: f.ours, DuckDB: []string{f.duck}, Forms: []Form{Memory}, Rows: functionRows, Tables: family.tables}
			if f.target > 0 {
				w.Targets = map[Form]float64{Memory: f.target}
			}
			out = append(out, w)
		}
	}
	return out
}

// wordTable has three words in s, a padded word in p, a number as text in d and whole
// numbers in k and v.
func wordTable() []gen.Table {
	return functionTable(
		gen.Words("s", 3, "Alpha", "beta", "Gamma", "delta", "River", "silver", "Cover", "stone", "Tower", "paper", "Light", "over", "Winter", "sun", "Echo", "quartz"),
		gen.Choice("p", "  padded", "text  ", " both ", "none", "   wide   "), gen.Text("d", "", 6, 1_000_000), gen.Uniform("k", 1000), gen.Uniform("v", 1_000_000))
}

// documentTable has JSON documents in j.
func documentTable() []gen.Table {
	var docs []string
	for i := range 1000 {
		docs = append(docs, fmt.Sprintf(`{"id":%d,"user":{"name":"user-%d","tags":["a","b%d"]},"amount":%d.25,"ok":true}`, i, i%97, i%7, i*3))
	}
	return functionTable(gen.Choice("j", docs...))
}

// timeTable has dates and times as texts in dt and tt, times without and with a zone in
// ts and tz, and whole numbers in k.
func timeTable() []gen.Table {
	var dates, times []string
	for i := range 1000 {
		at := time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(i) * 97 * 3601 * time.Second)
		dates, times = append(dates, at.Format(time.DateOnly)), append(times, at.Format(time.DateTime))
	}
	const tenYears = 10 * 365 * 24 * 3600 * 1_000_000
	return functionTable(gen.Choice("dt", dates...), gen.Choice("tt", times...), gen.Moment("ts", tenYears, false), gen.Moment("tz", tenYears, true), gen.Uniform("k", 1000))
}

// numberTable has numbers as texts in d and f, whole numbers in k and v and real ones in x.
func numberTable() []gen.Table {
	return functionTable(gen.Text("d", "", 6, 1_000_000), gen.Text("f", "7.", 5, 100_000), gen.Uniform("k", 1000), gen.Uniform("v", 1_000_000), gen.Real("x", 1000))
}

func functionTable(cols ...gen.Column) []gen.Table {
	return []gen.Table{{Name: "t", Format: gen.Parquet, Columns: cols}}
}

func textFunctions() []function {
	return []function{
		same(bytes, "substring", "substring(s, 3, 8)").held(),
		same(bytes, "upper", "upper(s)").held(),
		same(bytes, "lower", "lower(s)"),
		same(sum, "length", "length(s)"),
		same(bytes, "concat", "concat(s, '-', d)"),
		same(bytes, "concat_ws", "concat_ws('/', s, d, p)"),
		same(bytes, "trim", "trim(p)"),
		same(bytes, "ltrim", "ltrim(p)"),
		same(sum, "instr", "instr(s, 'ver')"),
		sum("locate", "locate('ver', s)", "position('ver' IN s)"),
		same(bytes, "replace", "replace(s, 'er', 'xyz')"),
		same(bytes, "reverse", "reverse(s)"),
		same(bytes, "lpad", "lpad(d, 12, '*')"),
		same(bytes, "rpad", "rpad(d, 12, '*')"),
		same(bytes, "left", "left(s, 4)"),
		same(bytes, "right", "right(s, 4)"),
		same(bytes, "repeat", "repeat(d, 3)"),
		same(bytes, "translate", "translate(s, 'aeiou', '12345')"),
		same(sum, "ascii", "ascii(s)"),
		same(sum, "levenshtein", "levenshtein(s, 'silver River')"),
		same(bytes, "md5", "md5(s)"),
		bytes("sha256", "sha2(s, 256)", "sha256(s)"),
		bytes("base64", "base64(CAST(s AS BINARY))", "base64(s::BLOB)"),
		same(bytes, "hex", "hex(s)"),
		sum("split", "size(split(s, ' '))", "len(string_split(s, ' '))").held(),
		bytes("split_get", "split(s, ' ')[1]", "string_split(s, ' ')[2]").held(),
		same(bytes, "split_part", "split_part(s, ' ', 2)"),
	}
}

func patternFunctions() []function {
	return []function{
		same(where, "like_prefix", "s LIKE 'Al%'").held(),
		same(where, "like_contains", "s LIKE '%ver%'").held(),
		same(where, "like_suffix", "s LIKE '%er'").held(),
		same(where, "like_pieces", "s LIKE '%il%ow%'").held(),
		same(where, "like_any_char", "s LIKE '%R_ver%'").held(),
		where("ilike", "s ILIKE '%RIVER%'", "s ILIKE '%RIVER%'"),
		where("starts_with", "startswith(s, 'Al')", "starts_with(s, 'Al')"),
		same(where, "contains", "contains(s, 'ver')"),
		where("rlike", "s RLIKE '[A-Z][a-z]+ b'", "regexp_matches(s, '[A-Z][a-z]+ b')").held(),
		where("rlike_ends", "s RLIKE '^(Al|be).*er$'", "regexp_matches(s, '^(Al|be).*er$')").held(),
		same(bytes, "regexp_extract", "regexp_extract(s, '([a-z]+) ([A-Z][a-z]+)', 2)").held(),
		bytes("regexp_replace", "regexp_replace(s, '[aeiou]', '*')", "regexp_replace(s, '[aeiou]', '*', 'g')").held(),
		bytes("regexp_spaces", "regexp_replace(p, '^ +| +$', '')", "regexp_replace(p, '^ +| +$', '', 'g')").held(),
	}
}

func documentFunctions() []function {
	return []function{
		bytes("json_field", "get_json_object(j, '$.user.name')", "json_extract_string(j, '$.user.name')"),
		bytes("json_item", "get_json_object(j, '$.user.tags[1]')", "json_extract_string(j, '$.user.tags[1]')"),
		bytes("regexp_digits", "regexp_extract(j, '[0-9]+', 0)", "regexp_extract(j, '[0-9]+', 0)").held(),
	}
}

func timeFunctions() []function {
	return []function{
		same(latest, "trunc_hour", "date_trunc('HOUR', ts)").held(),
		same(latest, "trunc_day", "date_trunc('DAY', ts)").held(),
		same(latest, "trunc_month", "date_trunc('MONTH', ts)").held(),
		same(latest, "trunc_month_zone", "date_trunc('MONTH', tz)").held(),
		same(sum, "year", "year(ts)"),
		same(sum, "month", "month(ts)"),
		same(sum, "day", "day(ts)"),
		same(sum, "hour", "hour(ts)"),
		same(sum, "minute", "minute(ts)"),
		sum("dayofweek", "dayofweek(ts) - 1", "dayofweek(ts)"),
		same(sum, "dayofyear", "dayofyear(ts)"),
		same(sum, "quarter", "quarter(ts)"),
		same(sum, "weekofyear", "weekofyear(ts)"),
		sum("year_zone", "year(tz)", "year(tz)"),
		sum("datediff", "datediff(DATE '2026-01-01', CAST(ts AS DATE))", "date_diff('day', CAST(ts AS DATE), DATE '2026-01-01')"),
		sum("last_day", "day(last_day(ts))", "day(last_day(ts))"),
		sum("add_days", "unix_date(date_add(CAST(ts AS DATE), CAST(k AS INT)))", "(CAST(ts AS DATE) + CAST(k AS INT)) - DATE '1970-01-01'"),
		bytes("date_format", "date_format(ts, 'yyyy-MM-dd HH:mm:ss')", "strftime(ts, '%Y-%m-%d %H:%M:%S')"),
		sum("to_date_pattern", "unix_date(to_date(dt, 'yyyy-MM-dd'))", "strptime(dt, '%Y-%m-%d')::DATE - DATE '1970-01-01'"),
		sum("cast_text_date", "unix_date(CAST(dt AS DATE))", "CAST(dt AS DATE) - DATE '1970-01-01'"),
		bytes("cast_date_text", "CAST(CAST(ts AS DATE) AS STRING)", "CAST(CAST(ts AS DATE) AS VARCHAR)"),
		bytes("cast_timestamp_text", "CAST(date_trunc('HOUR', ts) AS STRING)", "CAST(date_trunc('hour', ts) AS VARCHAR)"),
		latest("cast_text_timestamp", "CAST(tt AS TIMESTAMP_NTZ)", "CAST(tt AS TIMESTAMP)"),
	}
}

func castFunctions() []function {
	return []function{
		same(sum, "cast_text_int", "CAST(d AS INT)"),
		same(sum, "cast_text_double", "CAST(f AS DOUBLE)"),
		same(sum, "cast_text_decimal", "CAST(f AS DECIMAL(10, 4))"),
		same(bytes, "cast_int_text", "CAST(v AS STRING)"),
		same(bytes, "cast_double_text", "CAST(x + 1 AS STRING)"),
		same(sum, "cast_double_int", "CAST(floor(x) AS INT)"),
		same(sum, "cast_int_double", "CAST(v AS DOUBLE)"),
	}
}

func numberFunctions() []function {
	return []function{
		same(sum, "add", "v + k"),
		same(sum, "multiply", "v * k"),
		same(sum, "divide", "v / (k + 1)"),
		same(sum, "modulo", "v % 97"),
		sum("pmod", "pmod(v, 97)", "((v % 97) + 97) % 97"),
		sum("div", "v DIV 97", "v // 97"),
		same(sum, "round", "round(x, 2)"),
		same(sum, "floor", "floor(x)"),
		same(sum, "abs", "abs(k - 500)"),
		same(sum, "sqrt", "sqrt(x)"),
		same(sum, "pow", "pow(x, 1.5)"),
		same(sum, "ln", "ln(x + 1)"),
		same(sum, "exp", "exp(x / 1000)"),
		same(sum, "sin", "sin(x)"),
		same(sum, "atan2", "atan2(x, k + 1)"),
		same(sum, "greatest", "greatest(k, v, 500)"),
		same(sum, "least", "least(k, v, 500)"),
		sum("bitwise", "(v & 255) | (k ^ 3)", "(v & 255) | xor(k, 3)"),
		same(sum, "bit_count", "bit_count(v)"),
		same(sum, "sign", "sign(k - 500)"),
		same(where, "between", "v BETWEEN 1000 AND 400000 AND x > 250"),
		same(plain, "stddev", "SELECT stddev_samp(x) AS r FROM t"),
		same(plain, "corr", "SELECT corr(x, v) AS r FROM t"),
		plain("count_distinct", "SELECT count(DISTINCT v) AS r FROM t", "SELECT count(DISTINCT v) AS r FROM t"),
		plain("percentile", "SELECT percentile(x, 0.5) AS r FROM t", "SELECT quantile_cont(x, 0.5) AS r FROM t"),
		plain("max_by", "SELECT sum(r) AS r FROM (SELECT max_by(v, x) AS r FROM t GROUP BY k)", "SELECT sum(r) AS r FROM (SELECT arg_max(v, x) AS r FROM t GROUP BY k)"),
	}
}

func choiceFunctions() []function {
	const chain = "CASE WHEN k < 100 THEN 1 WHEN k < 300 THEN v WHEN v < 500000 THEN k WHEN k < 600 THEN 7 ELSE 0 END"
	const words = "CASE WHEN s LIKE 'Al%' THEN 'first' WHEN k < 500 THEN s WHEN d < '3' THEN d ELSE 'other' END"
	const lookup = "CASE k % 7 WHEN 0 THEN 'zero' WHEN 1 THEN 'one' WHEN 2 THEN 'two' WHEN 3 THEN 'three' ELSE 'many' END"
	return []function{
		same(sum, "case_numbers", chain).held(),
		same(bytes, "case_texts", words).held(),
		same(bytes, "case_lookup", lookup).held(),
		same(sum, "if", "if(k < 500, k, v)"),
		same(sum, "coalesce", "coalesce(nullif(k, 3), nullif(v, 7), 1)"),
		same(where, "in_numbers", "k IN (1, 5, 17, 99, 500, 731)"),
		same(where, "in_texts", "p IN ('none', 'text  ', 'wide')"),
		same(where, "text_compare", "s < 'over'"),
		plain("max_text", "SELECT octet_length(max(s)) + octet_length(min(s)) AS r FROM t", "SELECT strlen(max(s)) + strlen(min(s)) AS r FROM t"),
	}
}
