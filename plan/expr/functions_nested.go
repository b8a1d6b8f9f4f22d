package expr

// nestedRows are the functions of arrays, maps and structs, and those that take
// a lambda.
const nestedRows = `
array_append ([T], T) @array_with
array_prepend ([T], T) @array_with
array_insert (array, int, any) @array_insert
array_compact (array) @array_compact
array_contains ([T], T) boolean
array_distinct (array) $0
array_except ([T], [T]) $0
array_intersect ([T], [T]) $0
array_union ([T], [T]) @array_union
array_join (strings, string, string?) string
array_max (array) elem$0 nullable
array_min (array) elem$0 nullable
array_position ([T], T) bigint
array_remove ([T], T) $0
array_repeat (any, int) @array_repeat
array_size (array) int
array_sort (array, fn?) @lambda
sort_array (array, boolean?true) $0
arrays_overlap ([T], [T]) boolean
arrays_zip (array*) @arrays_zip
element_at (array|map, any) @element_at nullable
try_element_at (array|map, any) @element_at nullable
get (array, int) elem$0 nullable
flatten (array) flatten
sequence (any, any, any?) @sequence
shuffle (array, bigint?) $0 nondet
size cardinality (array|map) int
slice (array, int, int) $0
map_concat (map*) @map_concat
map_contains_key (map, any) @map_contains_key
map_entries (map) map_entries
map_from_arrays (array, array) map_from_arrays
map_from_entries (array) map_from_entries nullable
map_keys (map) keys$0
map_values (map) values$0
transform (array, fn) @lambda
filter (array, fn) @lambda
exists (array, fn) @lambda
forall (array, fn) @lambda
aggregate reduce (array, any, fn, fn?) @lambda
zip_with (array, array, fn) @lambda
map_filter (map, fn) @lambda
map_zip_with (map, map, fn) @lambda
transform_keys (map, fn) @lambda
transform_values (map, fn) @lambda
`

// generatorRows are the functions that make rows.
const generatorRows = `
explode (collection:array|map) @explode
explode_outer (collection:array|map) @explode
posexplode (collection:array|map) @explode
posexplode_outer (collection:array|map) @explode
inline (array) @inline
inline_outer (array) @inline
stack (int, any*) @stack
json_tuple (string, string*) @json_tuple
variant_explode (input:variant) @variant_explode
variant_explode_outer (input:variant) @variant_explode
`

// rankingRows are the functions that need OVER.
const rankingRows = `
row_number () int notnull
rank () int notnull as:RANK
dense_rank () int notnull as:DENSE_RANK
percent_rank () double notnull as:PERCENT_RANK
cume_dist () double notnull
ntile (int?) int notnull
lag (any, int?, any?) @offset nullable
lead (any, int?, any?) @offset nullable
nth_value (any, int) $0 nullable
counter_diff (value:numeric, start_time:timestamp|ntz?) $0 nullable exact
`
