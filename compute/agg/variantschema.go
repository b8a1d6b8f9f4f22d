package agg

import (
	"encoding/binary"

	cexpr "github.com/flightd/flightd/compute/expr"
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/variant"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/state"
)

// variantSchema is schema_of_variant_agg: the type that all variants of a group
// have in common. The state is the type, encoded; nothing is VOID.
type variantSchema struct {
	types *state.BytesColumn
	buf   []byte
	picker
}

func newVariantSchema(c call) (*Func, error) {
	if err := c.need(1); err != nil {
		return nil, err
	}
	return &Func{
		Fields: []state.Field{field(state.Bytes, "VARIANT SCHEMA", false)},
		bind: func(cols []state.Column) Accumulator {
			return &variantSchema{types: cols[0].(*state.BytesColumn)}
		},
	}, nil
}

func (a *variantSchema) of(g int32) *expr.Type {
	s := a.types.Get(g)
	if len(s) == 0 {
		return expr.Null
	}
	t, _ := decodeType(s)
	return t
}

func (a *variantSchema) merge(g int32, t *expr.Type) {
	had := a.of(g)
	if both := cexpr.MergeVariantSchemas(had, t); !both.Equal(had) {
		a.buf = encodeType(a.buf[:0], both)
		a.types.Set(g, a.buf)
	}
}

func (a *variantSchema) Update(rows, groups []int32, args []*vec.Vec) (err error) {
	defer variant.Catch(&err)
	rows, groups = a.present(rows, groups, args[0])
	v := args[0]
	for i, r := range rows {
		a.merge(groups[i], cexpr.VariantSchema(v.Str(int(r))))
	}
	return nil
}

func (a *variantSchema) Merge(dst []int32, from Accumulator, src []int32) error {
	o := from.(*variantSchema)
	for i, g := range dst {
		a.merge(g, o.of(src[i]))
	}
	return nil
}

func (a *variantSchema) Final(groups []int32) (*vec.Vec, error) {
	b := vec.NewBuilder(expr.String)
	for _, g := range groups {
		b.AppendBytes([]byte(cexpr.VariantSchemaText(a.of(g))))
	}
	return b.Vec(), nil
}

// encodeType appends a type of a variant: its kind, precision and scale, and its
// members. Of a struct these are counted and named.
func encodeType(dst []byte, t *expr.Type) []byte {
	dst = append(dst, byte(t.Kind), byte(t.Precision), byte(t.Scale))
	switch t.Kind {
	case expr.KindArray:
		dst = encodeType(dst, t.Elem)
	case expr.KindStruct:
		dst = binary.AppendUvarint(dst, uint64(len(t.Fields)))
		for _, f := range t.Fields {
			dst = binary.AppendUvarint(dst, uint64(len(f.Name)))
			dst = encodeType(append(dst, f.Name...), f.Type)
		}
	}
	return dst
}

// decodeType reads what encodeType wrote and returns what stands behind it. State
// that is damaged has been found out before.
func decodeType(src []byte) (*expr.Type, []byte) {
	t := &expr.Type{Kind: expr.Kind(src[0]), Precision: int(src[1]), Scale: int(src[2])}
	src = src[3:]
	switch t.Kind {
	case expr.KindArray:
		t.Elem, src = decodeType(src)
		t.ElemNullable = true
	case expr.KindStruct:
		n, w := binary.Uvarint(src)
		src = src[w:]
		t.Fields = make([]expr.Field, n)
		for i := range t.Fields {
			size, w := binary.Uvarint(src)
			f := &t.Fields[i]
			f.Name, f.Nullable = string(src[w:w+int(size)]), true
			f.Type, src = decodeType(src[w+int(size):])
		}
	}
	return t, src
}
