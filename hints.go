package flightd

import (
	"strings"

	"github.com/flightd/flightd/internal/base"
)

// hinted gives an error without a hint the one of its class: what its author can do
// where the place that raised it knew nothing better.
func hinted(e *base.Error) {
	if e.Hint != "" || e.Condition == "" {
		return
	}
	class, _, _ := strings.Cut(e.Condition, ".")
	for _, key := range []string{e.Condition, class} {
		if text := classHint(key); text != "" {
			e.Hint = text
			return
		}
	}
}

// classHint is the hint of an error class, with its sub-class or without.
func classHint(class string) string {
	for _, table := range [][][2]string{nameHints(), typeHints(), valueHints()} {
		for _, row := range table {
			if row[0] == class {
				return row[1]
			}
		}
	}
	return ""
}

// nameHints are those of names and of how a query is put together.
func nameHints() [][2]string {
	return [][2]string{
		{"UNCLOSED_BRACKETED_COMMENT", "close the comment with */"},
		{"INVALID_IDENTIFIER", "put names with other characters than letters, digits and _ between backquotes"},
		{"UNBOUND_SQL_PARAMETER", "give the parameter a value when the statement is run, or write the value in its place"},
		{"TABLE_OR_VIEW_NOT_FOUND", "SHOW TABLES lists what there is; CREATE TEMPORARY VIEW names a query"},
		{"UNRESOLVED_COLUMN", "DESCRIBE shows the columns of a table; an alias of the same SELECT is not known in its WHERE"},
		{"UNRESOLVED_USING_COLUMN_FOR_JOIN", "both sides of the join must have the column: write ON with a condition where they differ"},
		{"CANNOT_RESOLVE_STAR_EXPAND", "write the name or alias of a table in FROM before .*"},
		{"INVALID_USAGE_OF_STAR_OR_REGEX", "name the columns, or write count(*)"},
		{"AMBIGUOUS_REFERENCE", "write the alias of its table before the column, as in t.a"},
		{"FIELD_NOT_FOUND", "DESCRIBE shows the fields of the struct"},
		{"INVALID_EXTRACT_BASE_FIELD_TYPE", "only structs, arrays, maps and variants have parts"},
		{"INVALID_EXTRACT_FIELD_TYPE", "a field of a struct is named by a constant text"},
		{"DUPLICATED_CTE_NAMES", "give each query of WITH a name of its own"},
		{"GROUP_BY_POS_OUT_OF_RANGE", "the number counts the columns of SELECT, from 1"},
		{"ORDER_BY_POS_OUT_OF_RANGE", "the number counts the columns of SELECT, from 1"},
		{"GROUP_BY_AGGREGATE", "group by what the aggregate is computed over, or aggregate in a subquery"},
		{"MISSING_AGGREGATION", "add the column to GROUP BY, or take any_value(column)"},
		{"MISSING_GROUP_BY", "add GROUP BY, or take any_value(column)"},
		{"NESTED_AGGREGATE_FUNCTION", "compute the inner aggregate in a subquery in FROM"},
		{"UNSUPPORTED_EXPR_FOR_OPERATOR", "compute it in a subquery in FROM and use its column here"},
		{"UNSUPPORTED_GROUPING_EXPRESSION", "grouping and grouping_id go with GROUPING SETS, CUBE or ROLLUP"},
		{"UNSUPPORTED_GENERATOR", "let the generator stand alone in SELECT, or use LATERAL VIEW"},
		{"WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE", "add OVER (PARTITION BY … ORDER BY …)"},
		{"WINDOW_FUNCTION_FRAME_NOT_ORDERED", "add ORDER BY to the window"},
		{"WINDOW_FUNCTION_NOT_ALLOWED_IN_CLAUSE", "compute the window function in a subquery in FROM, or filter with QUALIFY"},
		{"MISSING_WINDOW_SPECIFICATION", "define the window with WINDOW name AS (…)"},
		{"NOT_A_TABLE_FUNCTION", "call it in SELECT: only range and the generators stand in FROM"},
		{"NOT_A_SCALAR_FUNCTION", "write it in FROM, as in SELECT * FROM range(10)"},
		{"UNRESOLVABLE_TABLE_VALUED_FUNCTION", "range, explode and the other generators stand in FROM; SHOW FUNCTIONS lists all"},
		{"INVALID_SUBQUERY_EXPRESSION", "select one column, or make a struct of several"},
		{"SCALAR_SUBQUERY_TOO_MANY_ROWS", "take one row with LIMIT 1 or an aggregate, or write IN instead of ="},
		{"NUM_COLUMNS_MISMATCH", "both sides need the same number of columns: fill up with NULL AS name"},
		{"INVALID_INLINE_TABLE", "every row of VALUES needs the same number of values, of types that go together"},
		{"ASSIGNMENT_ARITY_MISMATCH", "name as many columns as the query has"},
		{"NUM_TABLE_VALUE_ALIASES_MISMATCH", "name as many columns as the rows have values"},
		{"UNRECOGNIZED_PARAMETER_NAME", "DESCRIBE FUNCTION shows the names of the parameters"},
		{"DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT", "name each parameter once"},
		{"REQUIRED_PARAMETER_NOT_FOUND", "DESCRIBE FUNCTION shows which parameters there are"},
		{"WRONG_NUM_ARGS", "DESCRIBE FUNCTION shows the parameters; those in brackets may be left out"},
		{"INVALID_SQL_SYNTAX", "DESCRIBE FUNCTION shows how the function is called"},
		{"STAR_GROUP_BY_POS", "name the columns to group by"},
		{"INVALID_LIMIT_LIKE_EXPRESSION", "write a whole number that is not negative"},
		{"MULTI_ALIAS_WITHOUT_GENERATOR", "give the column one name"},
		{"SPECIFY_WINDOW_FRAME_IS_NOT_ALLOWED", "leave the frame out"},
	}
}

// typeHints are those of types that do not go together.
func typeHints() [][2]string {
	return [][2]string{
		{"DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", "no cast leads from one type to the other: take a part of the value, or to_json for text"},
		{"DATATYPE_MISMATCH.CAST_WITH_CONF_SUGGESTION", "try a cast by way of STRING, or set spark.sql.ansi.enabled to false"},
		{"DATATYPE_MISMATCH.CAST_WITH_FUNC_SUGGESTION", "the function named above converts such values"},
		{"DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "convert the argument with CAST; DESCRIBE FUNCTION shows what the function takes"},
		{"DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES", "convert one side with CAST so that both have the same type"},
		{"DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE", "the operator does not take such values: convert them with CAST"},
		{"DATATYPE_MISMATCH.DATA_DIFF_TYPES", "convert the values with CAST so that all have one type"},
		{"DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN", "write a condition, as in a <> 0"},
		{"DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", "maps and variants have no order: take map_entries or a part"},
		{"DATATYPE_MISMATCH.IN_SUBQUERY_LENGTH_MISMATCH", "select as many columns as stand before IN"},
		{"DATATYPE_MISMATCH.INVALID_MAP_KEY_TYPE", "take a key that is no map, such as to_json of it"},
		{"DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "write a constant there"},
		{"DATATYPE_MISMATCH.CREATE_NAMED_STRUCT_WITHOUT_FOLDABLE_STRING", "names of fields are constant texts: named_struct('a', 1)"},
		{"DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_WRONG_COMPARISON", "the lower bound comes first: BETWEEN 1 PRECEDING AND 1 FOLLOWING"},
		{"DATATYPE_MISMATCH", "convert the value with CAST; DESCRIBE FUNCTION shows what a function takes"},
		{"JOIN_CONDITION_IS_NOT_BOOLEAN_TYPE", "write a condition, as in t.a = u.a"},
		{"INCOMPATIBLE_COLUMN_TYPE", "convert the column of one side with CAST"},
		{"UNSUPPORTED_DATATYPE", "INT, BIGINT, DOUBLE, DECIMAL(p, s), STRING, DATE, TIMESTAMP, ARRAY<…>, MAP<…, …> and STRUCT<…> are types"},
		{"INCOMPLETE_TYPE_DEFINITION", "write the types of the members, as in ARRAY<INT>, MAP<STRING, INT>, STRUCT<a: INT>"},
		{"DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION", "a DECIMAL has at most 38 digits"},
		{"DECIMAL_SCALE_EXCEEDS_PRECISION", "the second number counts digits of the first: DECIMAL(5, 2) has three before the point"},
		{"INVALID_LAMBDA_FUNCTION_CALL", "functions such as transform, filter and aggregate take a lambda; it has as many parameters as they give it"},
		{"INVALID_SCHEMA", "write columns and types, as in 'a INT, b STRING'"},
		{"UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY", "write the subquery as a join"},
		{"GROUP_EXPRESSION_TYPE_IS_NOT_ORDERABLE", "group by a part of the value"},
		{"UNSUPPORTED_FEATURE", "docs/design.md lists what is there"},
	}
}

// valueHints are those of values that come up while a query runs.
func valueHints() [][2]string {
	return [][2]string{
		{"DIVIDE_BY_ZERO", "try_divide gives NULL instead, and so does a divisor of nullif(x, 0)"},
		{"REMAINDER_BY_ZERO", "try_mod gives NULL instead, and so does a divisor of nullif(x, 0)"},
		{"INTERVAL_DIVIDED_BY_ZERO", "try_divide gives NULL instead"},
		{"ARITHMETIC_OVERFLOW", "compute in a wider type with CAST, or take try_add, try_subtract, try_multiply or try_sum, which give NULL"},
		{"BINARY_ARITHMETIC_OVERFLOW", "compute in a wider type with CAST, or take try_add, try_subtract or try_multiply, which give NULL"},
		{"INTERVAL_ARITHMETIC_OVERFLOW", "try_add and its kin give NULL instead"},
		{"DATETIME_OVERFLOW", "dates and times lie between the years 1 and 9999"},
		{"NUMERIC_VALUE_OUT_OF_RANGE", "take a DECIMAL with more digits, or try_cast, which gives NULL"},
		{"NUMERIC_OUT_OF_SUPPORTED_RANGE", "a DECIMAL has at most 38 digits: take DOUBLE"},
		{"CAST_INVALID_INPUT", "try_cast gives NULL for what is no value of the type"},
		{"CAST_OVERFLOW", "cast to a wider type, or take try_cast, which gives NULL"},
		{"INVALID_TYPED_LITERAL", "write a date as DATE'2024-01-31', a time as TIMESTAMP'2024-01-31 12:30:00'"},
		{"INVALID_NUMERIC_LITERAL_RANGE", "leave the suffix out, or take the suffix of a wider type: Y, S, L, BD"},
		{"INVALID_INTERVAL_FORMAT", "write an interval as INTERVAL '1' DAY or INTERVAL '1 02:03:04' DAY TO SECOND"},
		{"INVALID_ARRAY_INDEX", "get gives NULL beyond the ends; arrays count from 0 in brackets, from 1 with element_at"},
		{"INVALID_ARRAY_INDEX_IN_ELEMENT_AT", "try_element_at gives NULL beyond the ends; it counts from 1"},
		{"INVALID_INDEX_OF_ZERO", "element_at counts from 1, or from −1 at the end"},
		{"CANNOT_PARSE_TIMESTAMP", "try_to_timestamp gives NULL for text that does not match the pattern"},
		{"INVALID_DATETIME_PATTERN", "letters such as yyyy, MM, dd, HH, mm, ss make a pattern; other text stands between quotes"},
		{"INCONSISTENT_BEHAVIOR_CROSS_VERSION", "letters such as yyyy, MM, dd, HH, mm, ss make a pattern; other text stands between quotes"},
		{"DATETIME_FIELD_OUT_OF_BOUNDS", "the try_ form of the function gives NULL instead"},
		{"INVALID_TIMEZONE", "write a zone as Europe/Berlin, UTC or +02:00"},
		{"INVALID_PARAMETER_VALUE.PATTERN", "the pattern is a regular expression: put a backslash before characters that are meant as they are"},
		{"INVALID_PARAMETER_VALUE.REGEX_GROUP_INDEX", "0 is the whole match, 1 the first group in parentheses"},
		{"INVALID_PARAMETER_VALUE", "DESCRIBE FUNCTION shows what the function takes"},
		{"INVALID_FORMAT", "write % or _ after the escape character, or the escape character twice"},
		{"MALFORMED_RECORD_IN_PARSING", "mode PERMISSIVE gives NULL for what cannot be read"},
		{"CONVERSION_INVALID_INPUT", "the try_ form of the function gives NULL instead"},
		{"CANNOT_DECODE_URL", "try_url_decode gives NULL instead"},
		{"INVALID_URL", "try_parse_url gives NULL instead"},
		{"DUPLICATED_MAP_KEY", "set spark.sql.mapKeyDedupPolicy to LAST_WIN to keep the last value of a key"},
		{"NULL_MAP_KEY", "leave such entries out, or give the key a value with coalesce"},
		{"COLLECTION_SIZE_LIMIT_EXCEEDED", "make a shorter array"},
		{"USER_RAISED_EXCEPTION", "the query itself raises this error with raise_error or assert_true"},
		{"FAILED_EXECUTE_UDF", "the function is one that the program registered with the engine"},
	}
}
