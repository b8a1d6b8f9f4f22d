package expr

// stringRows are the functions of text and bytes.
const stringRows = `
ascii (string) int
base64 (binary) string
unbase64 (string) binary
to_base32 (binary) string
from_base32 (string) binary
bit_length (string|binary) int
octet_length (string|binary) int
length len char_length character_length (string|binary) int
chr char (bigint) string
concat_ws (string, string|strings*) @concat_ws
contains (string|binary, string|binary) boolean
startswith (string|binary, string|binary) boolean
endswith (string|binary, string|binary) boolean
decode (any, any*) @decode
encode (string|binary, string) binary
elt (int, string|binary*) @elt nullable
find_in_set (string, string) int
format_number (numeric, int|string) string nullable exact
format_string printf (string, any*) string
initcap (string) string
instr (string, string) int
levenshtein (string, string, int?) int
jaro_winkler_similarity (string, string) double
locate position (string, string, int?1) int
lower lcase (string) $0
upper ucase (string) $0
left (string|binary, int) $0
right (string, int) string
lpad (string|binary, int, string|binary?) @pad
rpad (string|binary, int, string|binary?) @pad
trim (string, string?) string
ltrim (string, string?) string
rtrim (string, string?) string
btrim (string, string?) string
luhn_check (string) boolean
mask (str:string, upperChar:string?X, lowerChar:string?x, digitChar:string?n, otherChar:string?NULL) string
overlay (string|binary, string|binary, int, int?-1) $0
quote (string) string
regexp_count (string, string) int
regexp_extract (string, string, int?1) string
regexp_extract_all (string, string, int?1) strings
regexp_instr (string, string, int?0) int
regexp_replace (string, string, string, int?1) string
regexp_substr (string, string) string nullable
repeat (string, int) string
replace (string, string, string?'') string
reverse (string|binary|array) $0
sentences (string, string?'', string?'') words
soundex (string) string exact
space (int) string
split (string, string, int?-1) strings
split_part (string, string, int) string nullable
str_to_map (string, string?COMMA, string?':') strmap
substring substr (string|binary, int, int?2147483647) $0
substring_index (string, string, int) string
translate (string, string, string) string
to_char to_varchar (any, string) @to_char nullable
to_number (string, string) @to_number nullable
try_to_number (string, string) @to_number nullable
to_binary (string, string?) binary nullable
try_to_binary (string, string?) binary nullable
is_valid_utf8 (string) boolean
make_valid_utf8 (string) string
validate_utf8 (string) string
try_validate_utf8 (string) string nullable
url_decode (string) string
try_url_decode (string) string nullable
url_encode (string) string
parse_url (string, string, string?) string nullable exact
try_parse_url (string, string, string?) string nullable exact exact
crc32 (binary) bigint
md5 (binary) string
sha1 sha (binary) string
sha2 (binary, int) string nullable
hash (any, any*) int notnull
xxhash64 (any, any*) bigint notnull
aes_encrypt (binary, binary, string?GCM, string?DEFAULT, binary?'', binary?'') binary
aes_decrypt (binary, binary, string?GCM, string?DEFAULT, binary?'') binary
try_aes_decrypt (binary, binary, string?GCM, string?DEFAULT, binary?'') binary nullable
hmac (binary, binary, string?SHA-256) binary
collate (string, string) @collate
collation (any) @collation notnull
st_asbinary (any, string?NDR) @geo
st_geogfromwkb (binary) @geo
st_geomfromwkb (binary, int?0) @geo
st_setsrid (any, int) @geo
st_srid (any) @geo
randstr (int, int|bigint?) @randstr notnull nondet
`

// miscRows are JSON and its kin, and what asks about the session.
const miscRows = `
get_json_object (string, string) string nullable exact
json_array_length (string) int nullable exact
json_object_keys (string) strings nullable exact
to_json (any, any?) @to_text nullable
from_json (string, any, any?) @from_schema nullable exact
from_csv (string, any, any?) @from_schema nullable exact
from_xml (string, any, any?) @from_schema nullable exact
to_csv (any, any?) @to_text nullable
to_xml (any, any?) @to_text nullable
schema_of_json (string, any?) @schema_of notnull exact
schema_of_csv (string, any?) @schema_of notnull exact
schema_of_xml (string, any?) @schema_of notnull exact
parse_json (string) variant exact
try_parse_json (string) variant nullable exact
is_variant_null (variant) boolean notnull exact
is_valid_variant (variant) boolean
schema_of_variant (variant) string
to_variant_object (any) @to_variant
variant_get (variant, string, any?) @variant_get nullable exact
try_variant_get (variant, string, any?) @variant_get nullable exact
variant_delete (variant, string*) @variant_edit nullable exact
variant_insert (variant, string, any) @variant_edit nullable exact
variant_set (v:variant, path:string, val:any, create_if_missing:boolean?true) @variant_edit nullable exact
try_variant_insert (variant, string, any) @variant_edit nullable exact
try_variant_set (v:variant, path:string, val:any, create_if_missing:boolean?true) @variant_edit nullable exact
variant_array_append (variant, string, any) @variant_edit nullable exact
try_variant_array_append (variant, string, any) @variant_edit nullable exact
variant_strip_nulls (child:variant, boolean?true) @variant_edit nullable exact
xpath (string, string) strings nullable exact
xpath_boolean (string, string) boolean nullable exact
xpath_double xpath_number (string, string) double nullable exact
xpath_float (string, string) float nullable exact
xpath_int (string, string) int nullable exact
xpath_long (string, string) bigint nullable exact
xpath_short (string, string) smallint nullable exact
xpath_string (string, string) string nullable exact
from_avro (any, any, any?) @foreign nullable
to_avro (any, any?) @foreign nullable
schema_of_avro (any, any?) @foreign nullable
from_protobuf (any, any, any?, any?) @foreign nullable
to_protobuf (any, any, any?, any?) @foreign nullable
typeof (any) string notnull
version () string notnull
uuid (bigint?) string notnull nondet
monotonically_increasing_id () bigint notnull nondet
spark_partition_id () int notnull nondet as:SPARK_PARTITION_ID
input_file_name () string notnull nondet
input_file_block_start () bigint notnull nondet
input_file_block_length () bigint notnull nondet
current_user () string notnull
user () string notnull
session_user () string notnull
current_catalog () string notnull
current_schema current_database () string notnull
current_path () string notnull
current_timezone () string notnull
assert_true (boolean, string?) void nullable
raise_error (string) void nullable
reflect java_method try_reflect (any*) @reflect nullable
`
