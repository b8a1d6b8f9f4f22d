package flight

import (
	"context"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql/schema_ref"
	pb "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
)

// sqlInfo answers GetSqlInfo. A driver that misses a code may crash, so all that
// the protocol names are there, with the type that the protocol wants.
type sqlInfo struct {
	// base makes the dense union; it is asked for known codes only.
	base  *flightsql.BaseServer
	codes []uint32
}

// record returns the values of the codes that are known, or all.
func (i sqlInfo) record(codes []uint32) (arrow.RecordBatch, error) {
	asked := &pb.CommandGetSqlInfo{Info: i.codes}
	if len(codes) > 0 {
		asked.Info = slices.DeleteFunc(slices.Clone(codes), func(c uint32) bool {
			_, ok := slices.BinarySearch(i.codes, c)
			return !ok
		})
	}
	if len(asked.Info) == 0 {
		return empty(schema_ref.SqlInfo), nil
	}
	_, chunks, err := i.base.DoGetSqlInfo(context.Background(), asked)
	if err != nil {
		return nil, err
	}
	var rec arrow.RecordBatch
	for c := range chunks {
		if c.Err != nil {
			err = c.Err
		} else if rec == nil {
			rec = c.Data
		}
	}
	return rec, err
}

func newSQLInfo(o Options) sqlInfo {
	i := sqlInfo{base: &flightsql.BaseServer{}}
	set := func(code pb.SqlInfo, v any) {
		if err := i.base.RegisterSqlInfo(flightsql.SqlInfo(code), v); err != nil {
			panic(err) // a value of a type that the protocol does not have
		}
		i.codes = append(i.codes, uint32(code))
	}
	serverInfo(set, o)
	languageInfo(set)
	for _, c := range limitCodes {
		set(c, int64(0)) // no limit, or none known
	}
	set(pb.SqlInfo_SQL_MAX_STATEMENT_LENGTH, int64(o.MaxStatement))
	for _, c := range unsupportedCodes {
		set(c, false)
	}
	for _, c := range supportedCodes {
		set(c, true)
	}
	slices.Sort(i.codes)
	return i
}

func serverInfo(set func(pb.SqlInfo, any), o Options) {
	set(pb.SqlInfo_FLIGHT_SQL_SERVER_NAME, "flightd")
	set(pb.SqlInfo_FLIGHT_SQL_SERVER_VERSION, o.Version)
	set(pb.SqlInfo_FLIGHT_SQL_SERVER_ARROW_VERSION, "18.8.0")
	set(pb.SqlInfo_FLIGHT_SQL_SERVER_READ_ONLY, false)
	set(pb.SqlInfo_FLIGHT_SQL_SERVER_SQL, true)
	set(pb.SqlInfo_FLIGHT_SQL_SERVER_SUBSTRAIT, false)
	set(pb.SqlInfo_FLIGHT_SQL_SERVER_SUBSTRAIT_MIN_VERSION, "")
	set(pb.SqlInfo_FLIGHT_SQL_SERVER_SUBSTRAIT_MAX_VERSION, "")
	set(pb.SqlInfo_FLIGHT_SQL_SERVER_TRANSACTION, int32(pb.SqlSupportedTransaction_SQL_SUPPORTED_TRANSACTION_NONE))
	set(pb.SqlInfo_FLIGHT_SQL_SERVER_CANCEL, true)
	set(pb.SqlInfo_FLIGHT_SQL_SERVER_BULK_INGESTION, true)
	set(pb.SqlInfo_FLIGHT_SQL_SERVER_INGEST_TRANSACTIONS_SUPPORTED, false)
	set(pb.SqlInfo_FLIGHT_SQL_SERVER_STATEMENT_TIMEOUT, int32(0))
	set(pb.SqlInfo_FLIGHT_SQL_SERVER_TRANSACTION_TIMEOUT, int32(0))
	set(pb.SqlInfo_SQL_DDL_CATALOG, false)
	set(pb.SqlInfo_SQL_DDL_SCHEMA, false)
	set(pb.SqlInfo_SQL_DDL_TABLE, true)
	set(pb.SqlInfo_SQL_IDENTIFIER_CASE, int32(pb.SqlSupportedCaseSensitivity_SQL_CASE_SENSITIVITY_CASE_INSENSITIVE))
	set(pb.SqlInfo_SQL_IDENTIFIER_QUOTE_CHAR, "`")
	set(pb.SqlInfo_SQL_QUOTED_IDENTIFIER_CASE, int32(pb.SqlSupportedCaseSensitivity_SQL_CASE_SENSITIVITY_CASE_INSENSITIVE))
	set(pb.SqlInfo_SQL_ALL_TABLES_ARE_SELECTABLE, true)
	set(pb.SqlInfo_SQL_NULL_ORDERING, int32(pb.SqlNullOrdering_SQL_NULLS_SORTED_LOW))
}

func languageInfo(set func(pb.SqlInfo, any)) {
	bits := func(bs ...int32) (mask int32) {
		for _, b := range bs {
			mask |= 1 << b
		}
		return mask
	}
	set(pb.SqlInfo_SQL_KEYWORDS, []string{"ANTI", "DEDUPLICATE", "DELAY", "EXPLAIN", "FORMAT", "LATERAL", "LATE", "MINUS", "OUTPUT",
		"REFRESH", "SEMI", "STREAM", "STREAMING", "SUBSCRIBE", "TRIGGER", "USING", "WATERMARK"})
	set(pb.SqlInfo_SQL_NUMERIC_FUNCTIONS, []string{"abs", "ceil", "exp", "floor", "greatest", "least", "ln", "log10", "mod", "pow", "round", "sign", "sqrt"})
	set(pb.SqlInfo_SQL_STRING_FUNCTIONS, []string{"concat", "length", "lower", "ltrim", "replace", "rtrim", "substring", "trim", "upper"})
	set(pb.SqlInfo_SQL_SYSTEM_FUNCTIONS, []string{"coalesce", "if", "ifnull", "nullif"})
	set(pb.SqlInfo_SQL_DATETIME_FUNCTIONS, []string{"current_date", "current_timestamp", "date_trunc", "day", "hour", "minute", "month", "second", "window", "year"})
	set(pb.SqlInfo_SQL_SEARCH_STRING_ESCAPE, `\`)
	set(pb.SqlInfo_SQL_EXTRA_NAME_CHARACTERS, "")
	set(pb.SqlInfo_SQL_SUPPORTS_CONVERT, conversions())
	set(pb.SqlInfo_SQL_SUPPORTED_GROUP_BY, bits(int32(pb.SqlSupportedGroupBy_SQL_GROUP_BY_UNRELATED), int32(pb.SqlSupportedGroupBy_SQL_GROUP_BY_BEYOND_SELECT)))
	set(pb.SqlInfo_SQL_SUPPORTED_GRAMMAR, bits(int32(pb.SupportedSqlGrammar_SQL_MINIMUM_GRAMMAR), int32(pb.SupportedSqlGrammar_SQL_CORE_GRAMMAR)))
	set(pb.SqlInfo_SQL_ANSI92_SUPPORTED_LEVEL, bits(0))
	set(pb.SqlInfo_SQL_OUTER_JOINS_SUPPORT_LEVEL, int32(pb.SqlOuterJoinsSupportLevel_SQL_LIMITED_OUTER_JOINS))
	set(pb.SqlInfo_SQL_SCHEMA_TERM, "schema")
	set(pb.SqlInfo_SQL_PROCEDURE_TERM, "procedure")
	set(pb.SqlInfo_SQL_CATALOG_TERM, "catalog")
	set(pb.SqlInfo_SQL_CATALOG_AT_START, true)
	set(pb.SqlInfo_SQL_SCHEMAS_SUPPORTED_ACTIONS, int32(0))
	set(pb.SqlInfo_SQL_CATALOGS_SUPPORTED_ACTIONS, int32(0))
	set(pb.SqlInfo_SQL_SUPPORTED_POSITIONED_COMMANDS, int32(0))
	set(pb.SqlInfo_SQL_SUPPORTED_SUBQUERIES, int32(0))
	set(pb.SqlInfo_SQL_SUPPORTED_UNIONS, bits(int32(pb.SqlSupportedUnions_SQL_UNION_ALL)))
	// The protocol says int32, but those who read it want a long: the JDBC driver
	// (getDefaultTransactionIsolation throws otherwise) and the ODBC driver.
	set(pb.SqlInfo_SQL_DEFAULT_TRANSACTION_ISOLATION, int64(pb.SqlTransactionIsolationLevel_SQL_TRANSACTION_NONE))
	set(pb.SqlInfo_SQL_SUPPORTED_TRANSACTIONS_ISOLATION_LEVELS, bits(int32(pb.SqlTransactionIsolationLevel_SQL_TRANSACTION_NONE)))
	set(pb.SqlInfo_SQL_SUPPORTED_RESULT_SET_TYPES, bits(int32(pb.SqlSupportedResultSetType_SQL_RESULT_SET_TYPE_FORWARD_ONLY)))
	readOnly := bits(int32(pb.SqlSupportedResultSetConcurrency_SQL_RESULT_SET_CONCURRENCY_READ_ONLY))
	set(pb.SqlInfo_SQL_SUPPORTED_CONCURRENCIES_FOR_RESULT_SET_FORWARD_ONLY, readOnly)
	set(pb.SqlInfo_SQL_SUPPORTED_CONCURRENCIES_FOR_RESULT_SET_UNSPECIFIED, int32(0))
	set(pb.SqlInfo_SQL_SUPPORTED_CONCURRENCIES_FOR_RESULT_SET_SCROLL_SENSITIVE, int32(0))
	set(pb.SqlInfo_SQL_SUPPORTED_CONCURRENCIES_FOR_RESULT_SET_SCROLL_INSENSITIVE, int32(0))
}

// conversions are the casts between the types of SQL-92.
func conversions() map[int32][]int32 {
	c := func(vs ...pb.SqlSupportsConvert) []int32 {
		out := make([]int32, len(vs))
		for i, v := range vs {
			out[i] = int32(v)
		}
		return out
	}
	numbers := c(pb.SqlSupportsConvert_SQL_CONVERT_BIGINT, pb.SqlSupportsConvert_SQL_CONVERT_DECIMAL, pb.SqlSupportsConvert_SQL_CONVERT_FLOAT,
		pb.SqlSupportsConvert_SQL_CONVERT_INTEGER, pb.SqlSupportsConvert_SQL_CONVERT_REAL, pb.SqlSupportsConvert_SQL_CONVERT_SMALLINT, pb.SqlSupportsConvert_SQL_CONVERT_TINYINT)
	text := int32(pb.SqlSupportsConvert_SQL_CONVERT_VARCHAR)
	times := c(pb.SqlSupportsConvert_SQL_CONVERT_DATE, pb.SqlSupportsConvert_SQL_CONVERT_TIMESTAMP)
	out := map[int32][]int32{text: append(append([]int32{text}, numbers...), times...)}
	for _, n := range numbers {
		out[n] = append([]int32{text}, numbers...)
	}
	for _, t := range times {
		out[t] = append([]int32{text}, times...)
	}
	return out
}

var limitCodes = []pb.SqlInfo{
	pb.SqlInfo_SQL_MAX_BINARY_LITERAL_LENGTH, pb.SqlInfo_SQL_MAX_CHAR_LITERAL_LENGTH, pb.SqlInfo_SQL_MAX_COLUMN_NAME_LENGTH,
	pb.SqlInfo_SQL_MAX_COLUMNS_IN_GROUP_BY, pb.SqlInfo_SQL_MAX_COLUMNS_IN_INDEX, pb.SqlInfo_SQL_MAX_COLUMNS_IN_ORDER_BY,
	pb.SqlInfo_SQL_MAX_COLUMNS_IN_SELECT, pb.SqlInfo_SQL_MAX_COLUMNS_IN_TABLE, pb.SqlInfo_SQL_MAX_CONNECTIONS,
	pb.SqlInfo_SQL_MAX_CURSOR_NAME_LENGTH, pb.SqlInfo_SQL_MAX_INDEX_LENGTH, pb.SqlInfo_SQL_DB_SCHEMA_NAME_LENGTH,
	pb.SqlInfo_SQL_MAX_PROCEDURE_NAME_LENGTH, pb.SqlInfo_SQL_MAX_CATALOG_NAME_LENGTH, pb.SqlInfo_SQL_MAX_ROW_SIZE,
	pb.SqlInfo_SQL_MAX_STATEMENTS, pb.SqlInfo_SQL_MAX_TABLE_NAME_LENGTH, pb.SqlInfo_SQL_MAX_TABLES_IN_SELECT, pb.SqlInfo_SQL_MAX_USERNAME_LENGTH,
}

var supportedCodes = []pb.SqlInfo{
	pb.SqlInfo_SQL_SUPPORTS_COLUMN_ALIASING, pb.SqlInfo_SQL_NULL_PLUS_NULL_IS_NULL, pb.SqlInfo_SQL_SUPPORTS_TABLE_CORRELATION_NAMES,
	pb.SqlInfo_SQL_SUPPORTS_EXPRESSIONS_IN_ORDER_BY, pb.SqlInfo_SQL_SUPPORTS_ORDER_BY_UNRELATED, pb.SqlInfo_SQL_SUPPORTS_LIKE_ESCAPE_CLAUSE,
	pb.SqlInfo_SQL_SUPPORTS_NON_NULLABLE_COLUMNS, pb.SqlInfo_SQL_MAX_ROW_SIZE_INCLUDES_BLOBS, pb.SqlInfo_SQL_BATCH_UPDATES_SUPPORTED,
}

var unsupportedCodes = []pb.SqlInfo{
	pb.SqlInfo_SQL_SUPPORTS_DIFFERENT_TABLE_CORRELATION_NAMES, pb.SqlInfo_SQL_SUPPORTS_INTEGRITY_ENHANCEMENT_FACILITY,
	pb.SqlInfo_SQL_SELECT_FOR_UPDATE_SUPPORTED, pb.SqlInfo_SQL_STORED_PROCEDURES_SUPPORTED, pb.SqlInfo_SQL_CORRELATED_SUBQUERIES_SUPPORTED,
	pb.SqlInfo_SQL_TRANSACTIONS_SUPPORTED, pb.SqlInfo_SQL_DATA_DEFINITION_CAUSES_TRANSACTION_COMMIT,
	pb.SqlInfo_SQL_DATA_DEFINITIONS_IN_TRANSACTIONS_IGNORED, pb.SqlInfo_SQL_SAVEPOINTS_SUPPORTED, pb.SqlInfo_SQL_NAMED_PARAMETERS_SUPPORTED,
	pb.SqlInfo_SQL_LOCATORS_UPDATE_COPY, pb.SqlInfo_SQL_STORED_FUNCTIONS_USING_CALL_SYNTAX_SUPPORTED,
}
