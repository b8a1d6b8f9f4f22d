package expr

// aggregateRows are the aggregate functions.
const aggregateRows = `
count (any*) bigint notnull
count_if (boolean) bigint notnull
sum (numeric|ansiinterval) sum nullable
try_sum (numeric|ansiinterval) sum nullable
avg mean (numeric|ansiinterval) avg nullable
try_avg (numeric|ansiinterval) avg nullable
min (ordered) $0 nullable
max (ordered) $0 nullable
first first_value (any, boolean?) $0 nullable
last last_value (any, boolean?) $0 nullable
any_value (any, boolean?) $0 nullable
min_by (any, ordered, int?) firstk nullable
max_by (any, ordered, int?) firstk nullable
bool_and every (boolean) boolean nullable
bool_or any some (boolean) boolean nullable
bit_and (integral) $0 nullable
bit_or (integral) $0 nullable
bit_xor (integral) $0 nullable
collect_list array_agg (any) array$0 notnull as:collect_list
collect_set (any) array$0 notnull
collect_union (array) unionof notnull exact
listagg string_agg (string|binary, string|binary?NULL) $0 nullable
stddev stddev_samp std (double) double nullable
stddev_pop (double) double nullable
variance var_samp (double) double nullable
var_pop (double) double nullable
skewness (double) double nullable
kurtosis (double) double nullable
corr (double, double) double nullable
covar_pop (double, double) double nullable
covar_samp (double, double) double nullable
regr_count (numeric, numeric) bigint notnull
regr_avgx (numeric, numeric) @regr_avg nullable
regr_avgy (numeric, numeric) @regr_avg nullable
regr_slope (double, double) double nullable
regr_intercept (double, double) double nullable
regr_r2 (double, double) double nullable
regr_sxx (double, double) double nullable
regr_sxy (double, double) double nullable
regr_syy (double, double) double nullable
approx_count_distinct (any, double?) bigint notnull
percentile_approx approx_percentile (numeric|date|timestamp|ntz|ansiinterval, double|array, integral?10000) percentile_approx nullable
percentile (numeric|ansiinterval, double|array, bigint?1) percentile nullable
percentile_cont (numeric|ansiinterval, double|array, boolean?) percentile nullable
percentile_disc (numeric|ansiinterval, double|array, boolean?) percentile nullable
median (numeric|ansiinterval) median nullable
mode (any, boolean?) $0 nullable
histogram_numeric (numeric|date|timestamp|ntz|ansiinterval, int) histogram nullable
grouping (any) @grouping notnull
grouping_id (any*) @grouping notnull
bitmap_construct_agg (bigint) binary notnull
bitmap_or_agg (binary) binary notnull
bitmap_and_agg (binary) binary notnull
schema_of_variant_agg (variant) string notnull
`
