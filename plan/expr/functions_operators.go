package expr

// operatorRows are the operators, by their canonical names, and the conditional
// functions. Rules with an @ are the resolver's own.
const operatorRows = `
+ (any, any) @arithmetic
- (any, any) @arithmetic
* (any, any) @arithmetic
/ (any, any) @arithmetic
% mod (any, any) @arithmetic
div (any, any) @arithmetic
pmod (any, any) @arithmetic
try_add (any, any) @try nullable
try_subtract (any, any) @try nullable
try_multiply (any, any) @try nullable
try_divide (any, any) @try nullable
try_mod (any, any) @try nullable
negative (any) @sign
positive (any) @sign
= == (any, any) @compare
<=> equal_null (any, any) @compare notnull
< (any, any) @compare
<= (any, any) @compare
> (any, any) @compare
>= (any, any) @compare
!= <> (any, any) @compare
and (any, any) @logic
or (any, any) @logic
not ! (any) @logic
& (any, any) @bits
| (any, any) @bits
^ (any, any) @bits
~ (any) @bits
shiftleft << (any, int) @shift
shiftright >> (any, int) @shift
shiftrightunsigned >>> (any, int) @shift
|| (any, any*) @concat
concat (any*) @concat
isunknown isnotunknown (any) @unknown notnull
likeany likeall notlikeany notlikeall (any, any*) @like_each
isnull (any) boolean notnull
isnotnull (any) boolean notnull
isnan (double|float) boolean notnull
nanvl (double|float, double|float) $0
case when (any, any, any*) @case
if (any, any, any) @if
coalesce (any*) @coalesce
nullif (any, any) @nullif nullable
nvl ifnull (any, any) @nvl
nvl2 (any, any, any) @nvl2
zeroifnull (any) @zeroifnull
nullifzero (any) @nullifzero nullable
greatest (any, any, any*) @extreme
least (any, any, any*) @extreme
in (any, any*) @in
between (any, any, any) @between
like (string, string, string?) boolean
ilike (string, string, string?) boolean
rlike regexp regexp_like (string, string) boolean as:RLIKE
getitem [] (any, any) @getitem nullable
getfield . (any, any) @getfield
: (any, any, any?) @variant_path
getmapvalue (map, any) @getitem nullable
array (any*) @array notnull
map (any*) @map notnull
named_struct (any*) @named_struct notnull
struct (any*) @struct notnull
`

// mathRows are the functions of numbers.
const mathRows = `
abs (numeric|ansiinterval) $0
acos (double) double as:ACOS
acosh (double) double as:ACOSH
asin (double) double as:ASIN
asinh (double) double as:ASINH
atan (double) double as:ATAN
atan2 (double, double) double as:ATAN2
atanh (double) double as:ATANH
bin (bigint) string
bit_count (integral|boolean) int exact
getbit bit_get (integral, int) tinyint
bitmap_bit_position (bigint) bigint
bitmap_bucket_number (bigint) bigint
bitmap_count (binary) bigint exact
bround (numeric, int?) @round
round (numeric, int?) @round
cbrt (double) double as:CBRT
ceil ceiling (decimal|double|bigint, int?) @ceil as:CEIL
floor (decimal|double|bigint, int?) @ceil as:FLOOR
conv (string, int, int) string nullable
cos (double) double as:COS
cosh (double) double as:COSH
cot (double) double as:COT
csc (double) double as:CSC
degrees (double) double as:DEGREES
e () double notnull as:E
pi () double notnull as:PI
exp (double) double as:EXP
expm1 (double) double as:EXPM1
factorial (int) bigint nullable
hex (bigint|binary|string) string
hypot (double, double) double as:HYPOT
ln (double) double nullable
log (double, double?) double nullable as:LOG
log10 (double) double nullable as:LOG10
log1p (double) double nullable as:LOG1P
log2 (double) double nullable as:LOG2
power pow (double, double) double as:POWER
radians (double) double as:RADIANS
rand random (int|bigint?) @random notnull nondet
randn (int|bigint?) @random notnull nondet
rint (double) double
sec (double) double as:SEC
signum sign (double|ansiinterval) double as:SIGNUM
sin (double) double as:SIN
sinh (double) double as:SINH
sqrt (double) double as:SQRT
tan (double) double as:TAN
tanh (double) double as:TANH
unhex (string) binary nullable
uniform (numeric, numeric, int|bigint?) @uniform nondet exact
width_bucket (double|ansiinterval, double|ansiinterval, double|ansiinterval, bigint) bigint nullable
`
