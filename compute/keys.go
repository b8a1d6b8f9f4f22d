package compute

import (
	"math"
	"strconv"

	"github.com/flightd/flightd/compute/agg"
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/invariants"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/state"
)

// A keyLayout says how columns of SQL types become key columns of a table, and
// come back. A plain column is one key column; a time window is two, start and
// end, or its end alone where all windows are equally long; other nested values are
// encoded into one.
type keyLayout struct {
	types []*expr.Type
	// spans are how long the windows of a column are, in microseconds, where all are
	// equally long and none is NULL; else 0.
	spans  []int64
	first  []int // the first key column of each column
	fields []state.Field
	vecs   []state.Vector
	buf    []byte
	// dicts are the last dictionaries of coded columns.
	dicts []keyDictionary
}

// keyDictionary is a dictionary as a column and as a table knows it.
type keyDictionary struct {
	of *vec.Vec
	as *state.Vector
}

func newKeyLayout(types []*expr.Type) *keyLayout { return newSpanLayout(types, -1, 0) }

// newSpanLayout returns the layout of types, where column key, if it is not -1, has
// windows of length span.
func newSpanLayout(types []*expr.Type, key int, span int64) *keyLayout {
	l := &keyLayout{types: types, spans: make([]int64, len(types))}
	if key >= 0 {
		l.spans[key] = span
	}
	for i, t := range types {
		l.first = append(l.first, len(l.fields))
		name := "k" + strconv.Itoa(i)
		if l.spans[i] != 0 {
			l.fields = append(l.fields, state.Field{Name: name + ".end", Type: t.Fields[1].Type.SQL(), Kind: state.Int64})
			continue
		}
		if isTimeWindow(t) {
			l.fields = append(l.fields,
				state.Field{Name: name + ".start", Type: t.Fields[0].Type.SQL(), Kind: state.Int64},
				state.Field{Name: name + ".end", Type: t.Fields[1].Type.SQL(), Kind: state.Int64})
			continue
		}
		l.fields = append(l.fields, state.Field{Name: name, Type: t.SQL(), Kind: agg.KindOf(t)})
	}
	l.vecs = make([]state.Vector, len(l.fields))
	return l
}

func isTimeWindow(t *expr.Type) bool {
	return t.Kind == expr.KindStruct && len(t.Fields) == 2 && t.Fields[0].Name == "start" && t.Fields[1].Name == "end" &&
		isTime(t.Fields[0].Type) && isTime(t.Fields[1].Type)
}

func isTime(t *expr.Type) bool {
	return t.Kind == expr.KindTimestamp || t.Kind == expr.KindTimestampNTZ
}

// noStart is the start of a window whose members are both NULL, which is not a
// NULL window. No timestamp is that small.
const noStart = math.MinInt64

// vectors returns the key columns of cols; rows are the live ones. Windows that are
// equally long may come as their ends. The result is good until the next call.
func (l *keyLayout) vectors(cols []*vec.Vec, rows []int32) []state.Vector {
	for i, c := range cols {
		at := l.first[i]
		if c.Dict != nil {
			l.vecs[at] = state.Vector{Kind: state.Bytes, Len: c.Len, Valid: c.Valid, Data: c.Data, Dict: l.dictionary(i, c.Dict)}
			continue
		}
		c = c.Flat()
		switch {
		case l.spans[i] != 0:
			if len(c.Kids) > 0 {
				c = c.Kids[1].Flat()
			}
			l.vecs[at] = state.Vector{Kind: state.Int64, Len: c.Len, Data: c.Data}
		case isTimeWindow(l.types[i]):
			l.vecs[at], l.vecs[at+1] = windowVectors(c)
		case l.types[i].IsNested():
			l.vecs[at] = l.encode(c, rows)
		case l.types[i].Kind == expr.KindNull:
			bits := make([]byte, (c.Len+7)/8)
			l.vecs[at] = state.Vector{Kind: state.Bool, Len: c.Len, Valid: bits, Data: bits}
		default:
			l.vecs[at] = state.Vector{Kind: l.fields[at].Kind, Len: c.Len, Valid: c.Valid, Data: c.Data, Off: c.Off}
		}
	}
	return l.vecs
}

// dictionary returns d, the dictionary of column i: the same one for the same d.
func (l *keyLayout) dictionary(i int, d *vec.Vec) *state.Vector {
	if l.dicts == nil {
		l.dicts = make([]keyDictionary, len(l.types))
	}
	if l.dicts[i].of != d {
		l.dicts[i] = keyDictionary{d, &state.Vector{Kind: state.Bytes, Len: d.Len, Data: d.Data, Off: d.Off}}
	}
	return l.dicts[i].as
}

func windowVectors(c *vec.Vec) (start, end state.Vector) {
	s, e := c.Kids[0].Flat(), c.Kids[1].Flat()
	start = state.Vector{Kind: state.Int64, Len: c.Len, Valid: bothValid(c.Valid, s.Valid, c.Len), Data: s.Data}
	end = state.Vector{Kind: state.Int64, Len: c.Len, Valid: bothValid(c.Valid, e.Valid, c.Len), Data: e.Data}
	if s.Valid == nil || e.Valid == nil {
		return start, end
	}
	var starts []int64
	for i := range c.Len {
		if !c.Null(i) && s.Null(i) && e.Null(i) {
			if starts == nil {
				starts = append(starts, vec.Values[int64](s)...)
				start.Data, start.Valid = vec.Bytes(starts), append([]byte(nil), start.Valid...)
			}
			starts[i] = noStart
			start.Valid[i>>3] |= 1 << (i & 7)
		}
	}
	return start, end
}

func (l *keyLayout) encode(c *vec.Vec, rows []int32) state.Vector {
	v := state.Vector{Kind: state.Bytes, Len: c.Len, Valid: c.Valid, Off: make([]int32, c.Len+1)}
	next := int32(0)
	for _, r := range rows {
		for ; next <= r; next++ {
			v.Off[next] = int32(len(v.Data))
		}
		if !c.Null(int(r)) {
			v.Data = vec.EncodeRow(c, int(r), v.Data)
		}
	}
	for ; int(next) <= c.Len; next++ {
		v.Off[next] = int32(len(v.Data))
	}
	return v
}

// column returns column i from its key columns, which key returns.
func (l *keyLayout) column(i int, key func(i int) (state.Vector, error)) (*vec.Vec, error) {
	t, at := l.types[i], l.first[i]
	v, err := key(at)
	if err != nil {
		return nil, err
	}
	switch {
	case l.spans[i] != 0:
		starts := make([]int64, v.Len)
		for j, end := range state.Values[int64](&v) {
			starts[j] = end - l.spans[i]
		}
		return windowColumn(t, state.Vector{Kind: state.Int64, Len: v.Len, Data: vec.Bytes(starts)}, v), nil
	case isTimeWindow(t):
		end, err := key(at + 1)
		if err != nil {
			return nil, err
		}
		return windowColumn(t, v, end), nil
	case t.IsNested():
		b := vec.NewBuilder(t)
		for j := range v.Len {
			if !v.IsValid(j) {
				b.AppendNull()
			} else if _, ok := vec.DecodeRow(b, v.At(j)); !ok {
				return nil, invariants.AssertionFailedf("key of type %s holds %d bytes that are no value", t, len(v.At(j)))
			}
		}
		return b.Vec(), nil
	case t.Kind == expr.KindNull:
		return vec.NewNull(t, v.Len), nil
	}
	return &vec.Vec{Type: t, Len: v.Len, Valid: v.Valid, Data: v.Data, Off: v.Off}, nil
}

func windowColumn(t *expr.Type, start, end state.Vector) *vec.Vec {
	s := &vec.Vec{Type: t.Fields[0].Type, Len: start.Len, Valid: start.Valid, Data: start.Data}
	e := &vec.Vec{Type: t.Fields[1].Type, Len: end.Len, Valid: end.Valid, Data: end.Data}
	out := &vec.Vec{Type: t, Len: start.Len, Kids: []*vec.Vec{s, e}}
	if s.Valid == nil && e.Valid == nil {
		return out
	}
	out.Valid = make([]byte, (out.Len+7)/8)
	for i := range out.Len {
		if !s.Null(i) || !e.Null(i) {
			out.Valid[i>>3] |= 1 << (i & 7)
		}
		if !s.Null(i) && vec.Values[int64](s)[i] == noStart {
			s.Valid = withoutBit(s.Valid, i, s.Len)
		}
	}
	return out
}

// withoutBit returns a copy of valid with bit i cleared.
func withoutBit(valid []byte, i, n int) []byte {
	out := make([]byte, (n+7)/8)
	for j := range out {
		out[j] = 0xff
		if valid != nil {
			out[j] = valid[j]
		}
	}
	out[i>>3] &^= 1 << (i & 7)
	return out
}

// end returns the key column behind those of column i.
func (l *keyLayout) end(i int) int {
	if i+1 < len(l.first) {
		return l.first[i+1]
	}
	return len(l.fields)
}

// eventKey returns the key column that holds the event time of column i: the end
// of a window, the last member of another struct is not one.
func (l *keyLayout) eventKey(i int) int {
	if isTimeWindow(l.types[i]) && l.spans[i] == 0 {
		return l.first[i] + 1
	}
	return l.first[i]
}

// due reports, for each event time, whether it is at or before the watermark ms.
// NULL never is.
func due(times state.Vector, ms int64) []bool {
	out := make([]bool, times.Len)
	if ms == NoWatermark {
		return out
	}
	us := ms * 1000
	for i, t := range state.Values[int64](&times) {
		out[i] = t <= us && times.IsValid(i)
	}
	return out
}
