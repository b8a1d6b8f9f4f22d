package expr

// timeRows are the functions of dates, timestamps and intervals.
const timeRows = `
add_months (date, int) date
current_date curdate () date notnull
current_timestamp (any?) @now notnull
now (any?) @now notnull
localtimestamp (any?) @now notnull
current_time localtime (any?) @current_time notnull
date_add dateadd (date, int|smallint|tinyint) date
date_sub (date, int|smallint|tinyint) date
datediff date_diff (date, date) int
timestampadd (string, bigint, anytimestamp) $n
timestampdiff (string, timestamp, timestamp) bigint
date_format (timestamp|time, string) string
date_from_unix_date (int) date
date_part datepart (string, any) @extract
extract (string, any) @extract
date_trunc (string, timestamp) timestamp nullable
trunc (date, string) date nullable
dayname (date) string
monthname (date) string
dayofmonth day (date) int
dayofweek (date) int
dayofyear (date) int
weekday (date) int
weekofyear (date) int
month (date) int
quarter (date) int
year (date) int
hour (anytimestamp|time) int
minute (anytimestamp|time) int
second (anytimestamp|time) int
from_unixtime (bigint, string?yyyy-MM-dd HH:mm:ss) string
from_utc_timestamp (timestamp, string) timestamp
to_utc_timestamp (timestamp, string) timestamp
convert_timezone (string, any, any?) @convert_timezone
last_day (date) date
next_day (date, string) date nullable
make_date (int, int, int) date
make_dt_interval (int?0, int?0, int?0, dec18?0.000000) dt
make_ym_interval (int?0, int?0) ym
make_interval (int?0, int?0, int?0, int?0, int?0, int?0, dec18?0.000000) interval
try_make_interval (int, int?0, int?0, int?0, int?0, int?0, dec18?0.000000) interval nullable
make_timestamp (any, any?, any?, int?, int?, dec16?, string?) @make_timestamp
try_make_timestamp (any, any?, any?, int?, int?, dec16?, string?) @make_timestamp nullable
make_timestamp_ltz (any, any, any?, int?, int?, dec16?, string?) @make_timestamp
try_make_timestamp_ltz (any, any, any?, int?, int?, dec16?, string?) @make_timestamp nullable
make_timestamp_ntz (any, any, int?, int?, int?, dec16?) @make_timestamp
try_make_timestamp_ntz (any, any, int?, int?, int?, dec16?) @make_timestamp nullable
months_between (timestamp, timestamp, boolean?true) double
timestamp_micros (integral) timestamp
timestamp_millis (integral) timestamp
timestamp_seconds (numeric) timestamp exact
timestamp_nanos (integral|decimal) @timestamp_nanos exact
unix_nanos (any) @unix_nanos
to_date (any, string?) @to_date
try_to_date (any, string?) @to_date nullable
to_timestamp (any, string?) @to_timestamp
try_to_timestamp (any, string?) @to_timestamp nullable
to_timestamp_ltz (any, string?) @to_timestamp
to_timestamp_ntz (any, string?) @to_timestamp
to_unix_timestamp (string|date|timestamp|ntz, string?yyyy-MM-dd HH:mm:ss) bigint exact
unix_timestamp (string|date|timestamp|ntz?NOW, string?yyyy-MM-dd HH:mm:ss) bigint exact
to_time (string, string?) time exact
try_to_time (string, string?) time exact nullable
make_time (int, int, dec16) time
time_trunc (string, time) $1
time_diff (string, time, time) bigint
time_from_seconds (numeric) time exact
time_from_millis (integral) time exact
time_from_micros (integral) time exact
time_to_seconds (time) dec14 exact
time_to_millis (time) bigint exact
time_to_micros (time) bigint exact
unix_date (date) int exact
unix_micros (anytimestamp) bigint exact
unix_millis (anytimestamp) bigint exact
unix_seconds (anytimestamp) bigint exact
window (any, any, any?, any?) @window
session_window (any, any) @session_window
window_time (any) @window_time
// date_bin is not Spark's: other engines call time_bucket so, and what Grafana sends has it.
time_bucket date_bin (any, any, any?) @time_bucket
`
