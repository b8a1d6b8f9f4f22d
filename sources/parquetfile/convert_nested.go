package parquetfile

import (
	"bytes"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// decodeDictionary returns the values that a's indices stand for.
func decodeDictionary(a *array.Dictionary) (arrow.Array, error) {
	b := array.NewBuilder(memory.DefaultAllocator, a.Dictionary().DataType())
	defer b.Release()
	n := a.Dictionary().Len()
	for i := range a.Len() {
		if a.IsNull(i) {
			b.AppendNull()
			continue
		}
		k := a.GetValueIndex(i)
		if k < 0 || k >= n {
			return nil, fmt.Errorf("index %d of a dictionary of %d values", k, n)
		}
		if a.Dictionary().IsNull(k) {
			b.AppendNull()
		} else if err := b.AppendValueFromString(a.Dictionary().ValueStr(k)); err != nil {
			return nil, err
		}
	}
	return b.NewArray(), nil
}

// bytesAt returns the cells of a column of texts or bytes; nil for others.
func bytesAt(in arrow.Array) func(i int) []byte {
	switch a := in.(type) {
	case *array.Binary:
		return a.Value
	case *array.LargeBinary:
		return a.Value
	case *array.BinaryView:
		return a.Value
	case *array.FixedSizeBinary:
		return a.Value
	case *array.String:
		return func(i int) []byte { return []byte(a.Value(i)) }
	case *array.LargeString:
		return func(i int) []byte { return []byte(a.Value(i)) }
	case *array.StringView:
		return func(i int) []byte { return []byte(a.Value(i)) }
	}
	return nil
}

func toBytes(in arrow.Array, to arrow.DataType) (arrow.Array, error) {
	at := bytesAt(in)
	if at == nil {
		return nil, fmt.Errorf("converting %s to %s", in.DataType(), to)
	}
	isText := to.ID() == arrow.STRING
	offsets := make([]int32, 1, in.Len()+1)
	var data []byte
	for i := range in.Len() {
		if in.IsValid(i) {
			v := at(i)
			if isText && !utf8.Valid(v) {
				v = bytes.ToValidUTF8(v, []byte("\uFFFD"))
			}
			if data = append(data, v...); len(data) > math.MaxInt32 {
				return nil, fmt.Errorf("more than 2 GiB in a record batch")
			}
		}
		offsets = append(offsets, int32(len(data)))
	}
	d := array.NewData(to, in.Len(), []*memory.Buffer{validity(in), memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(offsets)), memory.NewBufferBytes(data)}, nil, in.NullN(), 0)
	defer d.Release()
	return array.MakeFromData(d), nil
}

func toList(in arrow.Array, to *arrow.ListType) (arrow.Array, error) {
	l, ok := in.(array.ListLike)
	if !ok {
		return nil, fmt.Errorf("converting %s to %s", in.DataType(), to)
	}
	offsets := make([]int32, in.Len()+1)
	base, last := int64(0), int64(0)
	for i := range in.Len() {
		start, end := l.ValueOffsets(i)
		if i == 0 {
			base, last = start, start
		}
		if start != last || end < start || end-base > math.MaxInt32 {
			return nil, fmt.Errorf("list offsets are out of order")
		}
		last = end
		offsets[i+1] = int32(end - base)
	}
	elems := array.NewSlice(l.ListValues(), base, last)
	defer elems.Release()
	child, err := convert(elems, to.Elem())
	if err != nil {
		return nil, err
	}
	defer child.Release()
	d := array.NewData(to, in.Len(), []*memory.Buffer{validity(in), memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(offsets))}, []arrow.ArrayData{child.Data()}, in.NullN(), 0)
	defer d.Release()
	return array.MakeFromData(d), nil
}

func toMap(in *array.Map, to *arrow.MapType) (arrow.Array, error) {
	entries := arrow.StructOf(arrow.Field{Name: "key", Type: to.KeyType()}, arrow.Field{Name: "value", Type: to.ItemType(), Nullable: true})
	keys, err := convert(in.Keys(), to.KeyType())
	if err != nil {
		return nil, err
	}
	defer keys.Release()
	items, err := convert(in.Items(), to.ItemType())
	if err != nil {
		return nil, err
	}
	defer items.Release()
	pair := array.NewData(entries, keys.Len(), []*memory.Buffer{nil}, []arrow.ArrayData{keys.Data(), items.Data()}, 0, 0)
	defer pair.Release()
	src := in.Data()
	d := array.NewData(to, src.Len(), src.Buffers(), []arrow.ArrayData{pair}, src.NullN(), src.Offset())
	defer d.Release()
	return array.MakeFromData(d), nil
}

func toStruct(in *array.Struct, to *arrow.StructType) (arrow.Array, error) {
	have := in.DataType().(*arrow.StructType)
	children := make([]arrow.ArrayData, to.NumFields())
	defer func() {
		for _, c := range children {
			if c != nil {
				c.Release()
			}
		}
	}()
	for i, f := range to.Fields() {
		var child arrow.Array
		if k, ok := have.FieldIdx(f.Name); ok {
			var err error
			if child, err = convert(in.Field(k), f.Type); err != nil {
				return nil, fmt.Errorf("field %s: %w", f.Name, err)
			}
		} else {
			child = array.MakeArrayOfNull(memory.DefaultAllocator, f.Type, in.Len())
		}
		child.Data().Retain()
		children[i] = child.Data()
		child.Release()
	}
	d := array.NewData(to, in.Len(), []*memory.Buffer{validity(in)}, children, in.NullN(), 0)
	defer d.Release()
	return array.MakeFromData(d), nil
}
