package expr

import (
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/arrowtext"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/variant"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

// variantCast casts variants to a type. Scalars are sorted by what they hold, and
// each sort goes through the cast of its type; members of objects and arrays are
// cast as columns of their own.
type variantCast struct {
	call *expr.Call
	to   *expr.Type
	env  *Env
	// tolerant: what does not fit is NULL.
	tolerant bool
	// casts are the casts of scalars, by what they are of.
	casts map[scalarSort]Evaluator
	// kids cast the members of an array, map or struct.
	kids []*variantCast
}

// scalarSort is a kind of variant, and of a decimal the digits behind its point.
type scalarSort struct {
	kind  variant.Kind
	scale int
}

func newVariantCast(call *expr.Call, to *expr.Type, env *Env) (*variantCast, error) {
	c := &variantCast{call: call, to: to, env: env, tolerant: call.Mode == expr.Try, casts: map[scalarSort]Evaluator{}}
	var members []*expr.Type
	switch to.Kind {
	case expr.KindArray, expr.KindMap:
		members = []*expr.Type{to.Elem}
	case expr.KindStruct:
		for _, f := range to.Fields {
			members = append(members, f.Type)
		}
	}
	for _, m := range members {
		k, err := newVariantCast(call, m, env)
		if err != nil {
			return nil, err
		}
		c.kids = append(c.kids, k)
	}
	return c, nil
}

// castFromVariant returns the loop of a cast from VARIANT.
func castFromVariant(to *expr.Type, call *expr.Call, env *Env) (func(f *frame) error, error) {
	cast, err := newVariantCast(call, to, env)
	if err != nil {
		return nil, err
	}
	return func(f *frame) error {
		a := f.text(0)
		vals, has := make([]variant.Value, f.n), make([]bool, f.n)
		err := safely(func() error {
			f.each(func(i int) { vals[i], has[i] = variant.Open(a.at(i)), true })
			return nil
		})
		if err != nil {
			return err
		}
		return cast.fill(f, vals, has)
	}, nil
}

// fill makes the casts of vals the result of f.
func (c *variantCast) fill(f *frame, vals []variant.Value, has []bool) error {
	return safely(func() error {
		v, err := c.column(vals, has)
		if err == nil {
			*f.out = *v
		}
		return err
	})
}

// column casts vals; those that are not there are NULL.
func (c *variantCast) column(vals []variant.Value, has []bool) (*vec.Vec, error) {
	switch c.to.Kind {
	case expr.KindVariant:
		return c.variants(vals, has)
	case expr.KindArray, expr.KindMap:
		return c.lists(vals, has)
	case expr.KindStruct:
		return c.structs(vals, has)
	}
	return c.scalars(vals, has)
}

func (c *variantCast) variants(vals []variant.Value, has []bool) (*vec.Vec, error) {
	out := vec.NewBuilder(c.to)
	var b variant.Builder
	var buf []byte
	for i, v := range vals {
		if !has[i] {
			out.AppendNull()
			continue
		}
		b.Reset()
		err := b.Append(v)
		if err == nil {
			buf, err = b.Finish(buf[:0])
		}
		if err != nil {
			return nil, err
		}
		out.AppendBytes(buf)
	}
	return out.Vec(), nil
}

// invalid is the error of a value that is no c.to, unless the cast is tolerant.
func (c *variantCast) invalid(v variant.Value) error {
	if c.tolerant {
		return nil
	}
	return base.UserError("INVALID_VARIANT_CAST", "22023",
		"The variant value %s cannot be cast to %q. Use `try_variant_get` or `try_cast` to have NULL instead.",
		arrowtext.AppendVariant([]byte{'`'}, v, c.env.zone), c.to.SQL()).At(c.call.At)
}

// lists casts arrays to ARRAY and objects to MAP.
func (c *variantCast) lists(vals []variant.Value, has []bool) (*vec.Vec, error) {
	wanted := variant.Array
	isMap := c.to.Kind == expr.KindMap
	if isMap {
		wanted = variant.Object
	}
	out := &vec.Vec{Type: c.to, Len: len(vals), Off: make([]int32, 1, len(vals)+1)}
	valid := newValidity(len(vals))
	var members []variant.Value
	keys := vec.NewBuilder(expr.String)
	for i, v := range vals {
		if has[i] && v.Kind() == wanted {
			for k := range v.Len() {
				m := v
				if isMap {
					var name []byte
					name, m = v.Field(k)
					keys.AppendBytes(name)
				} else {
					m = v.Elem(k)
				}
				members = append(members, m)
			}
		} else {
			valid.clear(i)
			if has[i] && v.Kind() != variant.Null {
				if err := c.invalid(v); err != nil {
					return nil, err
				}
			}
		}
		out.Off = append(out.Off, int32(len(members)))
	}
	kid, err := c.kids[0].column(members, all(len(members)))
	if err != nil {
		return nil, err
	}
	out.Valid, out.Kids = valid.bits, []*vec.Vec{kid}
	if isMap {
		k := keys.Vec()
		k.Type = c.to.Key
		out.Kids = []*vec.Vec{k, kid}
	}
	return out, nil
}

func (c *variantCast) structs(vals []variant.Value, has []bool) (*vec.Vec, error) {
	out := &vec.Vec{Type: c.to, Len: len(vals)}
	valid := newValidity(len(vals))
	objects := make([]bool, len(vals))
	for i, v := range vals {
		if objects[i] = has[i] && v.Kind() == variant.Object; objects[i] {
			continue
		}
		valid.clear(i)
		if has[i] && v.Kind() != variant.Null {
			if err := c.invalid(v); err != nil {
				return nil, err
			}
		}
	}
	out.Valid = valid.bits
	members, there := make([]variant.Value, len(vals)), make([]bool, len(vals))
	for k, f := range c.to.Fields {
		for i, v := range vals {
			there[i] = false
			if objects[i] && !c.shadowed(k) {
				members[i], there[i] = v.Find(f.Name)
			}
		}
		kid, err := c.kids[k].column(members, there)
		if err != nil {
			return nil, err
		}
		out.Kids = append(out.Kids, kid)
	}
	return out, nil
}

// shadowed reports whether a later field has the name of field k: only the last
// gets a value.
func (c *variantCast) shadowed(k int) bool {
	for _, f := range c.to.Fields[k+1:] {
		if f.Name == c.to.Fields[k].Name {
			return true
		}
	}
	return false
}

// scalars casts to a type that is not nested.
func (c *variantCast) scalars(vals []variant.Value, has []bool) (*vec.Vec, error) {
	idx := make([]int32, len(vals))
	sorts := map[scalarSort][]int32{}
	var order []scalarSort
	for i, v := range vals {
		idx[i] = -1
		if !has[i] {
			continue
		}
		s := scalarSort{kind: v.Kind()}
		switch s.kind {
		case variant.Null:
			continue
		case variant.Decimal:
			_, s.scale = v.Decimal()
		}
		if sorts[s] == nil {
			order = append(order, s)
		}
		sorts[s] = append(sorts[s], int32(i))
	}
	var parts []*vec.Vec
	at := int32(0)
	for _, s := range order {
		rows := sorts[s]
		part, err := c.sort(s, vals, rows)
		if err != nil {
			return nil, err
		}
		if part == nil {
			continue
		}
		for k, i := range rows {
			idx[i] = at + int32(k)
			if part.Null(k) {
				if err := c.invalid(vals[i]); err != nil {
					return nil, err
				}
			}
		}
		parts, at = append(parts, part), at+int32(len(rows))
	}
	if len(parts) == 0 {
		return vec.NewNull(c.to, len(vals)), nil
	}
	return vec.Concat(parts).Take(idx), nil
}

// sort casts rows of vals, which are all of one sort; what does not fit is NULL.
// A nil column says that nothing fits, and that this is no error.
func (c *variantCast) sort(s scalarSort, vals []variant.Value, rows []int32) (*vec.Vec, error) {
	from := s.sqlType()
	toText := c.to.Kind == expr.KindString
	switch {
	case from == nil && toText:
		b := vec.NewBuilder(c.to)
		for _, i := range rows {
			if s.kind == variant.UUID {
				b.AppendBytes(vals[i].AppendUUID(nil))
			} else {
				b.AppendBytes(arrowtext.AppendVariant(nil, vals[i], c.env.zone))
			}
		}
		return b.Vec(), nil
	case from == nil || !(expr.Coercion{ANSI: true}).CanCast(from, c.to):
		return vec.NewNull(c.to, len(rows)), nil
	case c.to.Kind == expr.KindTimestamp && (s.kind == variant.Long || s.kind == variant.Decimal):
		return c.seconds(s, vals, rows), nil
	}
	b := vec.NewBuilder(from)
	for _, i := range rows {
		appendScalar(b, vals[i])
	}
	in := &Input{Cols: []*vec.Vec{b.Vec()}, Rows: len(rows)}
	if c.casts[s] == nil {
		ev, err := compileCast(&expr.Cast{At: c.call.At, Child: &expr.Ref{Typ: from, Null: true}, To: c.to, Mode: expr.Try}, c.env, nil)
		if err != nil {
			return nil, err
		}
		c.casts[s] = ev
	}
	v, err := c.casts[s].Eval(in)
	if err != nil {
		return nil, err
	}
	v = Fresh(v).Flat()
	if v.Type != c.to {
		u := *v
		u.Type = c.to
		v = &u
	}
	return v, nil
}

// seconds are numbers as timestamps: here, unlike in CAST, none may overflow.
func (c *variantCast) seconds(s scalarSort, vals []variant.Value, rows []int32) *vec.Vec {
	b := vec.NewBuilder(c.to)
	for _, i := range rows {
		x, scale := kernels.Int128{}, 0
		if s.kind == variant.Long {
			x = kernels.From64(vals[i].Int())
		} else {
			x, scale = vals[i].Decimal()
		}
		u, negative := kernels.Mul256(x, kernels.From64(kernels.Second))
		us, ok := u.Int128(negative)
		if scale > 0 {
			us = kernels.Truncate(us, scale)
		}
		t, fits := us.Int64()
		if !ok || !fits {
			b.AppendNull()
			continue
		}
		b.AppendInt(t)
	}
	return b.Vec()
}

// sqlType is the type of a scalar; nil for objects, arrays and UUIDs. All decimals
// with as many digits behind the point are of one type.
func (s scalarSort) sqlType() *expr.Type {
	switch s.kind {
	case variant.Bool:
		return expr.Bool
	case variant.Long:
		return expr.Int64
	case variant.Double:
		return expr.Float64
	case variant.Float:
		return expr.Float32
	case variant.Decimal:
		return expr.Decimal(expr.MaxPrecision, s.scale)
	case variant.Date:
		return expr.Date
	case variant.Timestamp:
		return expr.Timestamp
	case variant.TimestampNTZ:
		return expr.TimestampNTZ
	case variant.Binary:
		return expr.Binary
	case variant.String:
		return expr.String
	}
	return nil
}

// appendScalar adds v to a builder of its sort's type.
func appendScalar(b *vec.Builder, v variant.Value) {
	switch v.Kind() {
	case variant.Bool:
		b.AppendBool(v.Bool())
	case variant.Long, variant.Date, variant.Timestamp, variant.TimestampNTZ:
		b.AppendInt(v.Int())
	case variant.Double:
		vec.AppendFixed(b, v.Double())
	case variant.Float:
		vec.AppendFixed(b, v.Float())
	case variant.Decimal:
		x, _ := v.Decimal()
		vec.AppendFixed(b, x)
	default:
		b.AppendBytes(v.Bytes())
	}
}

// validity is a bitmap of n rows that is made when the first is NULL.
type validity struct {
	bits []byte
	n    int
}

func newValidity(n int) *validity { return &validity{n: n} }

func (v *validity) clear(i int) {
	if v.bits == nil {
		v.bits = make([]byte, kernels.BitmapBytes(v.n))
		kernels.FillOnes(v.bits)
	}
	kernels.ClearBit(v.bits, i)
}

func all(n int) []bool {
	out := make([]bool, n)
	for i := range out {
		out[i] = true
	}
	return out
}
