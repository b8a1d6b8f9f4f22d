package vec

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flightd/flightd/internal/variant"
	"github.com/flightd/flightd/plan/expr"
)

// joinVariants fills v from the Arrow form of variants, a struct of values and
// metadata. It copies.
func joinVariants(v *Vec, d arrow.ArrayData) {
	kids := make([]*Vec, 2)
	for k := range kids {
		c := d.Children()[k]
		kids[k] = fromData(array.NewSliceData(c, int64(d.Offset()), int64(d.Offset()+d.Len())), expr.Binary)
	}
	v.Off = make([]int32, 1, v.Len+1)
	for i := range v.Len {
		if !v.Null(i) {
			v.Data = variant.Join(v.Data, kids[0].Str(i), kids[1].Str(i))
		}
		v.Off = append(v.Off, int32(len(v.Data)))
	}
}

// splitVariants returns the columns of the Arrow form of v.
func (v *Vec) splitVariants() []arrow.ArrayData {
	offs, data := [2][]int32{}, [2][]byte{}
	for k := range offs {
		offs[k] = make([]int32, 1, v.Len+1)
	}
	for i := range v.Len {
		if !v.Null(i) {
			value, metadata := variant.Split(v.Str(i))
			data[0], data[1] = append(data[0], value...), append(data[1], metadata...)
		}
		for k := range offs {
			offs[k] = append(offs[k], int32(len(data[k])))
		}
	}
	out := make([]arrow.ArrayData, 2)
	for k := range out {
		out[k] = array.NewData(arrow.BinaryTypes.Binary, v.Len,
			[]*memory.Buffer{nil, memory.NewBufferBytes(Bytes(offs[k])), memory.NewBufferBytes(data[k])}, nil, 0, 0)
	}
	return out
}
