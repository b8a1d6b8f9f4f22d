package expr

import (
	"encoding/binary"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/sketch/frequent"
)

// MaxTopK is how many items a sketch of the most frequent ones keeps at most.
const MaxTopK = 1_000_000

// A TopK is the state of approx_top_k and its kin: a sketch of the most frequent
// items of a type, and how many NULLs came.
type TopK struct {
	Sketch *frequent.Sketch
	Nulls  int64
	// Max is how many items were asked for; DDL the type of items as Spark writes it.
	Max int32
	DDL string
}

// NewTopK returns the state that has seen nothing.
func NewTopK(t *expr.Type, max int32) *TopK {
	kind, scale := topKKind(t)
	return &TopK{Sketch: frequent.New(kind, scale, frequent.TableSize(int(max))), Max: max, DDL: topKDDL(t)}
}

func topKKind(t *expr.Type) (frequent.Kind, int) {
	switch t.Kind {
	case expr.KindBool:
		return frequent.Bool, 0
	case expr.KindInt8:
		return frequent.Byte, 0
	case expr.KindInt16:
		return frequent.Short, 0
	case expr.KindInt32, expr.KindDate:
		return frequent.Int, 0
	case expr.KindFloat32:
		return frequent.Float, 0
	case expr.KindFloat64:
		return frequent.Double, 0
	case expr.KindString:
		return frequent.Text, 0
	case expr.KindDecimal:
		switch {
		case t.Precision <= 9:
			return frequent.Decimal32, t.Scale
		case t.Precision <= 18:
			return frequent.Decimal64, t.Scale
		}
		return frequent.Decimal, t.Scale
	}
	return frequent.Long, 0
}

func topKDDL(t *expr.Type) string {
	if t.Kind == expr.KindString {
		return "item string not null"
	}
	return "item " + t.SQL() + " NOT NULL"
}

// topKType returns the type that a DDL of topKDDL names; nil if it names none.
func topKType(ddl string) *expr.Type {
	words := strings.Fields(strings.ToUpper(ddl))
	if len(words) != 4 || words[0] != "ITEM" {
		return nil
	}
	if args, ok := strings.CutPrefix(words[1], "DECIMAL("); ok {
		p, s, _ := strings.Cut(strings.TrimSuffix(args, ")"), ",")
		precision, err := strconv.Atoi(p)
		scale, err2 := strconv.Atoi(s)
		if err != nil || err2 != nil || precision < 1 || precision > expr.MaxPrecision || scale < 0 || scale > precision {
			return nil
		}
		return expr.Decimal(precision, scale)
	}
	for _, t := range []*expr.Type{expr.Bool, expr.Int8, expr.Int16, expr.Int32, expr.Int64, expr.Float32, expr.Float64, expr.Date, expr.Timestamp,
		expr.TimestampNTZ, expr.String} {
		if t.SQL() == words[1] {
			return t
		}
	}
	return nil
}

// Add counts row i of v, which is flat.
func (k *TopK) Add(v *vec.Vec, i int) {
	if v.Null(i) {
		k.Nulls++
		return
	}
	k.Sketch.Update(string(topKBytes(v, i)), 1)
}

// topKBytes returns the bytes that stand for a value in a sketch.
func topKBytes(v *vec.Vec, i int) []byte {
	switch v.Type.Kind {
	case expr.KindBool:
		return []byte{v.Data[i>>3] >> (i & 7) & 1}
	case expr.KindString:
		return v.Str(i)
	case expr.KindFloat32:
		x := vec.Values[float32](v)[i]
		if x != x {
			return binary.LittleEndian.AppendUint32(nil, 0x7fc00000)
		}
		return binary.LittleEndian.AppendUint32(nil, math.Float32bits(x))
	case expr.KindFloat64:
		x := vec.Values[float64](v)[i]
		if x != x {
			return binary.LittleEndian.AppendUint64(nil, 0x7ff8000000000000)
		}
		return binary.LittleEndian.AppendUint64(nil, math.Float64bits(x))
	case expr.KindDecimal:
		return topKDecimal(v.Type, vec.Values[kernels.Int128](v)[i])
	}
	return binary.LittleEndian.AppendUint64(nil, uint64(v.Int(i)))[:v.Type.Width()]
}

func topKDecimal(t *expr.Type, x kernels.Int128) []byte {
	low := uint64(x.Lo)
	switch {
	case t.Precision <= 9:
		return binary.LittleEndian.AppendUint32(nil, uint32(low))
	case t.Precision <= 18:
		return binary.LittleEndian.AppendUint64(nil, low)
	}
	wide := new(big.Int).Lsh(big.NewInt(int64(x.Hi)), 64)
	return frequent.AppendUnscaled(nil, wide.Or(wide, new(big.Int).SetUint64(low)))
}

// appendTopK appends what topKBytes made of a value to b.
func appendTopK(b *vec.Builder, item string) {
	raw := []byte(item)
	switch b.Type.Kind {
	case expr.KindBool:
		b.AppendBool(raw[0] == 1)
	case expr.KindString:
		b.AppendBytes(raw)
	case expr.KindDecimal:
		x := new(big.Int)
		switch {
		case b.Type.Precision <= 9:
			x.SetInt64(int64(int32(binary.LittleEndian.Uint32(raw))))
		case b.Type.Precision <= 18:
			x.SetInt64(int64(binary.LittleEndian.Uint64(raw)))
		default:
			x = frequent.Unscaled(raw)
		}
		mask := new(big.Int).SetUint64(math.MaxUint64)
		lo := new(big.Int).And(x, mask).Uint64()
		vec.AppendFixed(b, kernels.Int128{Lo: lo, Hi: new(big.Int).Rsh(x, 64).Int64()})
	default:
		switch len(raw) {
		case 1:
			vec.AppendFixed(b, raw[0])
		case 2:
			vec.AppendFixed(b, [2]byte(raw))
		case 4:
			vec.AppendFixed(b, [4]byte(raw))
		default:
			vec.AppendFixed(b, [8]byte(raw))
		}
	}
}

// Merge takes in another state of the same type as its image gives it back.
func (k *TopK) Merge(o *TopK) {
	k.Sketch.Merge(o.Sketch.Reloaded())
	k.Nulls += o.Nulls
}

// Append appends the image: that of the sketch, then the NULLs.
func (k *TopK) Append(dst []byte) []byte {
	return binary.BigEndian.AppendUint64(k.Sketch.Append(dst), uint64(k.Nulls))
}

// ParseTopK reads an image for items of the type that ddl names, of t if it is "";
// false: it is none.
func ParseTopK(t *expr.Type, max int32, ddl string, image []byte) (*TopK, bool) {
	if ddl != "" {
		t = topKType(ddl)
	}
	if t == nil || len(image) < 8 {
		return nil, false
	}
	kind, scale := topKKind(t)
	s, err := frequent.Parse(kind, scale, image[:len(image)-8])
	nulls := int64(binary.BigEndian.Uint64(image[len(image)-8:]))
	return &TopK{s, nulls, max, ddl}, err == nil && nulls >= 0
}

// RestoreTopK reads a sketch that Sketch.AppendState wrote, of items of the type that
// ddl names, of t if it is "".
func RestoreTopK(t *expr.Type, ddl string, b []byte) *frequent.Sketch {
	if ddl != "" {
		t = topKType(ddl)
	}
	kind, scale := topKKind(t)
	return frequent.Restore(kind, scale, b)
}

// AppendTop appends the list of up to n items with their counts to b, a builder of
// ARRAY<STRUCT<item, count>>. NULL stands behind items of the same count.
func (k *TopK) AppendTop(b *vec.Builder, n int) {
	entry := b.Kids[0]
	add := func(item *string, count int64) {
		if item == nil {
			entry.Kids[0].AppendNull()
		} else {
			appendTopK(entry.Kids[0], *item)
		}
		vec.AppendFixed(entry.Kids[1], count)
		entry.EndStruct()
		n--
	}
	nulls := k.Nulls
	for _, x := range k.Sketch.Top() {
		if n > 0 && nulls > x.Count {
			add(nil, nulls)
			nulls = 0
		}
		if n > 0 {
			add(&x.Bytes, x.Count)
		}
	}
	if n > 0 && nulls > 0 {
		add(nil, nulls)
	}
	b.EndList()
}

// TopKState reads a struct of topKState, row i of v, which is flat and not NULL; fn
// is the function that asks.
func TopKState(fn string, v *vec.Vec, i int) (*TopK, error) {
	ddl := string(v.Kids[3].Str(i))
	if topKType(ddl) == nil {
		return nil, base.UserError("PARSE_SYNTAX_ERROR", "42601", "`%s`: the state names the item type %q, which is none.", fn, ddl)
	}
	k, ok := ParseTopK(nil, int32(v.Kids[1].Int(i)), ddl, v.Kids[0].Str(i))
	if !ok {
		return nil, base.UserError("INVALID_SKETCH_BUFFER", "22000", "`%s` wants the state that approx_top_k_accumulate made.", fn)
	}
	return k, nil
}

// NonPositiveTopK and its kin are the errors of the parameters k and
// maxItemsTracked.
func NonPositiveTopK(name string, value int64) error {
	return base.UserError("APPROX_TOP_K_NON_POSITIVE_ARG", "22023", "`%s` of `approx_top_k` must be positive, but is %d.", name, value)
}

// NullTopK is the error of a parameter that is NULL.
func NullTopK(name string) error {
	return base.UserError("APPROX_TOP_K_NULL_ARG", "22004", "`%s` of `approx_top_k` must not be NULL.", name)
}

// CheckTopK checks that a sketch that keeps max items can give k; k = 0: it need not.
func CheckTopK(max, k int64) error {
	switch {
	case max > MaxTopK:
		return base.UserError("APPROX_TOP_K_MAX_ITEMS_TRACKED_EXCEEDS_LIMIT", "22023", "`maxItemsTracked` of `approx_top_k` must not exceed %d, but is %d.", MaxTopK, max)
	case max <= 0:
		return NonPositiveTopK("maxItemsTracked", max)
	case max < k:
		return base.UserError("APPROX_TOP_K_MAX_ITEMS_TRACKED_LESS_THAN_K", "22023", "`maxItemsTracked` of `approx_top_k`, %d, is less than `k`, %d.", max, k)
	}
	return nil
}

func topKRows() map[string]row {
	return map[string]row{"approx_top_k_estimate": lenient(func(f *frame) error {
		b := vec.NewBuilder(f.call.Typ)
		states := f.args[0].Flat()
		next := 0
		err := f.tryAll(func(i int) error {
			for ; next < i; next++ {
				b.AppendNull()
			}
			next++
			at := i
			if f.absent(0, i) {
				b.AppendNull()
				return nil
			}
			k := int64(5)
			if len(f.args) > 1 {
				if f.absent(1, i) {
					return NullTopK("k")
				}
				if k = f.args[1].Int(i); k <= 0 {
					return NonPositiveTopK("k", k)
				}
			}
			if err := CheckTopK(states.Kids[1].Int(at), k); err != nil {
				return err
			}
			s, err := TopKState(f.call.Fn, states, at)
			if err == nil {
				s.AppendTop(b, int(k))
			}
			return err
		})
		for ; next < f.n; next++ {
			b.AppendNull()
		}
		if err != nil {
			return err
		}
		*f.out = *b.Vec()
		return nil
	})}
}
