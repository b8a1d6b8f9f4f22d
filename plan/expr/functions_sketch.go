package expr

import "strings"

// sketchKinds are the suffixes of functions of quantile sketches, with the types
// that they take in, and of tuple sketches.
const (
	kllRows = `
kll_sketch_get_n_T (binary) bigint
kll_sketch_to_string_T (binary) string
kll_sketch_merge_T (binary, binary) binary
kll_sketch_get_quantile_T (binary, double|doubles) quantile_T
kll_sketch_get_rank_T (binary, T|Ts) quantile_double
`
	kllAggregateRows = `
kll_sketch_agg_T (IN, int?) binary notnull exact
kll_merge_agg_T (binary, int?) binary notnull exact
`
	tupleRows = `
tuple_sketch_estimate_T (binary) double exact
tuple_sketch_summary_T (binary, mode:string?sum) OUT exact
tuple_sketch_theta_T (binary) double exact
tuple_union_T (first:binary, second:binary, lgNomEntries:int?12, mode:string?sum) binary exact
tuple_intersection_T (binary, binary, mode:string?sum) binary exact
tuple_difference_T (binary, binary) binary exact
tuple_union_theta_T (first:binary, second:binary, lgNomEntries:int?12, mode:string?sum) binary exact
tuple_intersection_theta_T (binary, binary, mode:string?sum) binary exact
tuple_difference_theta_T (binary, binary) binary exact
`
	tupleAggregateRows = `
tuple_sketch_agg_T (key:KEY, summary:IN, lgNomEntries:int?12, mode:string?sum) binary notnull
tuple_union_agg_T (child:binary, lgNomEntries:int?12, mode:string?sum) binary notnull
tuple_intersection_agg_T (child:binary, mode:string?sum) binary notnull
`
	sketchKey = "ints|bigints|binary|double|float|int|bigint|string"
)

// sketchRows are the scalar functions of sketches, and of vectors.
func sketchRows() string {
	return `
hll_sketch_estimate (binary) bigint exact
hll_union (binary, binary, boolean?false) binary exact
theta_sketch_estimate (binary) bigint exact
theta_union (binary, binary, int?12) binary exact
theta_intersection (binary, binary) binary exact
theta_difference (binary, binary) binary exact
approx_top_k_estimate (struct, int?5) topkestimate
vector_norm (floats, float?2.0) float
vector_normalize (floats, float?2.0) floats nullable
vector_cosine_similarity (floats, floats) float nullable
vector_inner_product (floats, floats) float nullable
vector_l2_distance (floats, floats) float nullable
` + ofKinds(kllRows, tupleRows)
}

// sketchAggregateRows are the aggregate functions that make and unite sketches, and
// those of vectors.
func sketchAggregateRows() string {
	return `
count_min_sketch (column:integral|string|binary, epsilon:double, confidence:double, seed:int|bigint) binary notnull exact
hll_sketch_agg (int|bigint|string|binary, int?12) binary notnull exact
hll_union_agg (binary, boolean?false) binary notnull exact
theta_sketch_agg (` + sketchKey + `, int?12) binary notnull exact
theta_union_agg (binary, int?12) binary notnull exact
theta_intersection_agg (binary) binary notnull exact
vector_avg (floats) floats nullable
vector_sum (floats) floats nullable
approx_top_k (any, int?5, int?10000) topk notnull
approx_top_k_accumulate (any, int?10000) topkstate notnull
approx_top_k_combine (struct, int?-1) topkcombined notnull
` + ofKinds(kllAggregateRows, tupleAggregateRows)
}

// ofKinds writes the rows of quantile and tuple sketches out for each item type.
func ofKinds(kll, tuple string) string {
	var b strings.Builder
	for _, k := range []struct{ name, in string }{{"bigint", "tinyint|int|bigint|smallint"}, {"float", "float"}, {"double", "float|double"}} {
		b.WriteString(strings.NewReplacer("_T", "_"+k.name, "T|Ts", k.name+"|"+k.name+"s", "IN", k.in).Replace(kll))
	}
	for _, k := range []struct{ name, in, out string }{{"double", "double", "double"}, {"integer", "int", "bigint"}} {
		b.WriteString(strings.NewReplacer("_T", "_"+k.name, "IN", k.in, "OUT", k.out, "KEY", sketchKey).Replace(tuple))
	}
	return b.String()
}

// topKState is what approx_top_k_accumulate makes of items of type t: the sketch,
// how many items it keeps, a NULL of their type, and the type as text.
func topKState(t *Type) *Type {
	return StructOf(Field{"sketch", Binary, false}, Field{"maxItemsTracked", Int32, false}, Field{"itemDataType", t, true},
		Field{"itemDataTypeDDL", String, false})
}

func isTopKState(t *Type) bool {
	return t.Kind == KindStruct && len(t.Fields) == 4 && t.Fields[0].Type.Kind == KindBinary && t.Fields[1].Type.Kind == KindInt32 &&
		TopKItem(t.Fields[2].Type) && t.Fields[3].Type.Kind == KindString
}

// TopKItem reports whether approx_top_k counts items of type t.
func TopKItem(t *Type) bool {
	switch t.Kind {
	case KindBool, KindInt8, KindInt16, KindInt32, KindInt64, KindFloat32, KindFloat64, KindDate, KindTimestamp, KindTimestampNTZ,
		KindString, KindDecimal:
		return true
	}
	return false
}
