package expr

import (
	"errors"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/arrowtext"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/variant"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

func variantRows() map[string]row {
	return map[string]row{
		"parse_json":               strict(parseVariant),
		"try_parse_json":           strict(parseVariant),
		"is_variant_null":          lenient(isVariantNull),
		"is_valid_variant":         strict(isValidVariant),
		"schema_of_variant":        strict(schemaOfVariant),
		"to_variant_object":        strict(castToVariant),
		"variant_get":              prepared(variantGet),
		"try_variant_get":          prepared(variantGet),
		"variant_delete":           lenient(variantDelete),
		"variant_insert":           strict(variantEdit(variant.Insert)),
		"try_variant_insert":       strict(variantEdit(variant.Insert)),
		"variant_set":              strict(variantEdit(variant.Set)),
		"try_variant_set":          strict(variantEdit(variant.Set)),
		"variant_array_append":     strict(variantEdit(variant.Push)),
		"try_variant_array_append": strict(variantEdit(variant.Push)),
		"variant_strip_nulls":      strict(variantStrip),
	}
}

// variants fills a VARIANT result: do builds the value of a row, or makes it NULL
// and returns false.
func (f *frame) variants(do func(i int, b *variant.Builder) (bool, error)) (err error) {
	defer variant.Catch(&err)
	var b variant.Builder
	return f.write(func(i int, dst []byte) ([]byte, error) {
		b.Reset()
		ok, err := do(i, &b)
		switch {
		case err != nil:
			return dst, f.variantError(err)
		case !ok:
			f.setNull(i)
			return dst, nil
		}
		dst, err = b.Finish(dst)
		return dst, f.variantError(err)
	})
}

func (f *frame) variantError(err error) error {
	var e *base.Error
	if errors.As(err, &e) {
		return e.At(f.call.At)
	}
	return err
}

// safely runs a loop over variants; malformed bytes are its error.
func safely(run func() error) (err error) {
	defer variant.Catch(&err)
	return run()
}

func parseVariant(f *frame) error {
	a := f.text(0)
	return f.variants(func(i int, b *variant.Builder) (bool, error) {
		switch err := b.ParseJSON(a.at(i)); {
		case err == nil:
			return true, nil
		case f.call.Mode == expr.Try:
			return false, nil
		}
		return false, base.UserError("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "22023",
			"The record %s is no JSON value that a variant can hold. Use `try_parse_json` to have NULL instead.", quoted(a.at(i)))
	})
}

func isVariantNull(f *frame) error {
	dst := f.bits()
	v := f.args[0]
	if v.Type.Kind == expr.KindNull {
		return nil
	}
	return safely(func() error {
		f.each(func(i int) {
			if !v.Null(i) && variant.Open(v.Str(i)).Kind() == variant.Null {
				kernels.SetBit(dst, i)
			}
		})
		return nil
	})
}

func isValidVariant(f *frame) error {
	dst, a := f.bits(), f.text(0)
	f.each(func(i int) {
		if variant.Valid(a.at(i)) {
			kernels.SetBit(dst, i)
		}
	})
	return nil
}

func schemaOfVariant(f *frame) error {
	a := f.text(0)
	return safely(func() error {
		return f.write(func(i int, dst []byte) ([]byte, error) {
			return append(dst, VariantSchemaText(VariantSchema(a.at(i)))...), nil
		})
	})
}

// castToVariant makes variants of a column of any type that they can hold; maps
// and structs become objects, NULL members variant nulls.
func castToVariant(f *frame) error {
	v := f.args[0]
	if v.Type.Kind == expr.KindTime { // the encoding has none
		return f.variants(func(i int, _ *variant.Builder) (bool, error) {
			return false, f.raise(i, base.UserError("UNSUPPORTED_FEATURE", "0A000", "A VARIANT cannot hold a TIME."))
		})
	}
	return f.variants(func(i int, b *variant.Builder) (bool, error) { return true, appendVariant(b, v, i) })
}

// appendVariant appends row i of v.
func appendVariant(b *variant.Builder, v *vec.Vec, i int) error {
	if v.Null(i) {
		b.Null()
		return nil
	}
	i = v.Index(i)
	switch t := v.Type; t.Kind {
	case expr.KindBool:
		b.Bool(v.Bool(i))
	case expr.KindInt8:
		b.Long(int64(vec.Values[int8](v)[i]))
	case expr.KindInt16:
		b.Long(int64(vec.Values[int16](v)[i]))
	case expr.KindInt32:
		b.Long(int64(vec.Values[int32](v)[i]))
	case expr.KindInt64:
		b.Long(vec.Values[int64](v)[i])
	case expr.KindFloat32:
		b.Float(vec.Values[float32](v)[i])
	case expr.KindFloat64:
		b.Double(vec.Values[float64](v)[i])
	case expr.KindDecimal:
		b.Decimal(vec.Values[kernels.Int128](v)[i], t.Scale)
	case expr.KindString:
		b.String(v.Str(i))
	case expr.KindBinary:
		b.Binary(v.Str(i))
	case expr.KindDate:
		b.Date(vec.Values[int32](v)[i])
	case expr.KindTimestamp:
		b.Timestamp(vec.Values[int64](v)[i])
	case expr.KindTimestampNTZ:
		b.TimestampNTZ(vec.Values[int64](v)[i])
	case expr.KindVariant:
		return b.Append(variant.Open(v.Str(i)))
	case expr.KindArray:
		b.Begin()
		for k := v.Off[i]; k < v.Off[i+1]; k++ {
			b.Elem()
			if err := appendVariant(b, v.Kids[0], int(k)); err != nil {
				return err
			}
		}
		b.EndArray()
	case expr.KindMap:
		b.Begin()
		for k := v.Off[i]; k < v.Off[i+1]; k++ {
			b.Field(string(v.Kids[0].Str(int(k))))
			if err := appendVariant(b, v.Kids[1], int(k)); err != nil {
				return err
			}
		}
		return b.EndObject()
	case expr.KindStruct:
		b.Begin()
		for k, kid := range v.Kids {
			b.Field(t.Fields[k].Name)
			if err := appendVariant(b, kid, i); err != nil {
				return err
			}
		}
		return b.EndObject()
	}
	return nil
}

// variantPaths is the path argument of a call: the steps of the last text are kept.
type variantPaths struct {
	texts texts
	last  string
	steps []variant.Step
	ok    bool
	any   bool
}

func (f *frame) variantPath(k int) *variantPaths { return &variantPaths{texts: f.text(k)} }

// at returns the steps of row i, or false if they are malformed.
func (p *variantPaths) at(i int) ([]variant.Step, bool) {
	if s := p.texts.at(i); !p.any || p.last != string(s) {
		p.any, p.last = true, string(s)
		p.steps, p.ok = variant.ParsePath(p.last)
	}
	return p.steps, p.ok
}

// variantGet takes the part at a path and casts it to the call's type.
func variantGet(c *expr.Call, env *Env) (func(f *frame) error, error) {
	cast, err := newVariantCast(c, c.Typ, env)
	if err != nil {
		return nil, err
	}
	return func(f *frame) error {
		a, paths := f.text(0), f.variantPath(1)
		vals := make([]variant.Value, f.n)
		has := make([]bool, f.n)
		err := safely(func() error {
			return f.try(func(i int) error {
				steps, ok := paths.at(i)
				if !ok {
					return base.UserError("INVALID_VARIANT_GET_PATH", "22023",
						"The path %s is no path into a variant for `%s`. A path begins with $ and goes on with steps like [123], .name or ['name'].",
						quoted(paths.texts.at(i)), c.Fn).At(c.At)
				}
				vals[i], has[i] = variant.Open(a.at(i)).Get(steps)
				return nil
			})
		})
		if err != nil {
			return err
		}
		return cast.fill(f, vals, has)
	}, nil
}

// editPath returns the path of row i of an edit, which may be the root only where
// root says so.
func (f *frame) editPath(paths *variantPaths, i int, root bool) ([]variant.Step, error) {
	steps, ok := paths.at(i)
	if !ok || len(steps) == 0 && !root {
		return nil, base.UserError("INVALID_VARIANT_PATH", "22023",
			"The path %s is no place that `%s` can change. A path begins with $ and goes on with steps like [123], .name or ['name'].",
			quoted(paths.texts.at(i)), f.call.Fn)
	}
	return steps, nil
}

// variantDelete takes away what each of its paths leads to, one after another;
// NULL paths are passed over.
func variantDelete(f *frame) error {
	v := f.args[0]
	paths := make([]*variantPaths, len(f.args))
	for k, a := range f.args[1:] {
		if a.Type.Kind != expr.KindNull {
			paths[k+1] = f.variantPath(k + 1)
		}
	}
	var buf []byte
	return f.variants(func(i int, b *variant.Builder) (bool, error) {
		if v.Null(i) {
			return false, nil
		}
		buf = append(buf[:0], v.Str(i)...)
		for k := 1; k < len(f.args); k++ {
			if f.absent(k, i) {
				continue
			}
			steps, err := f.editPath(paths[k], i, false)
			if err != nil {
				return false, err
			}
			b.Reset()
			if err := b.Delete(variant.Open(buf), steps); err != nil {
				return false, err
			}
			next, err := b.Finish(nil)
			if err != nil {
				return false, err
			}
			buf = next
		}
		b.Reset()
		return true, b.Append(variant.Open(buf))
	})
}

// variantEdit puts a value, argument 2, at a path; argument 3 of variant_set says
// whether what is missing is made.
func variantEdit(edit variant.Edit) func(f *frame) error {
	return func(f *frame) error {
		a, paths, value := f.text(0), f.variantPath(1), f.args[2]
		var one variant.Builder
		return f.variants(func(i int, b *variant.Builder) (bool, error) {
			steps, err := f.editPath(paths, i, edit == variant.Push)
			if err != nil {
				return false, err
			}
			one.Reset()
			if err := appendVariant(&one, value, i); err != nil {
				return false, err
			}
			x, err := one.Finish(nil)
			if err != nil {
				return false, err
			}
			how := edit
			if edit == variant.Set && len(f.args) > 3 && !f.args[3].Bool(i) {
				how = variant.Replace
			}
			err = b.Edit(how, variant.Open(a.at(i)), steps, variant.Open(x))
			return f.edited(err, paths.texts.at(i))
		})
	}
}

// edited turns what an edit gave into a row: a try_ function has NULL where a step
// does not fit or a field is there already.
func (f *frame) edited(err error, path []byte) (bool, error) {
	mismatch := errors.Is(err, variant.ErrPathType)
	var e *base.Error
	tolerable := mismatch || errors.As(err, &e) && e.Condition == "VARIANT_DUPLICATE_KEY"
	switch {
	case err == nil:
		return true, nil
	case tolerable && f.call.Mode == expr.Try:
		return false, nil
	case mismatch:
		return false, base.UserError("VARIANT_PATH_TYPE_MISMATCH", "22023",
			"A step of the path %s of `%s` meets a value of another kind than it needs: a name needs an object, an index or an append an array.",
			quoted(path), f.call.Fn)
	}
	return false, err
}

func variantStrip(f *frame) error {
	a := f.text(0)
	return f.variants(func(i int, b *variant.Builder) (bool, error) {
		return true, b.Strip(variant.Open(a.at(i)), len(f.args) < 2 || f.args[1].Bool(i))
	})
}

// appendVariantText appends a variant as JSON; malformed bytes show as such.
func appendVariantText(dst, s []byte, zone *kernels.Zone) []byte {
	out := dst
	err := safely(func() error {
		out = arrowtext.AppendVariant(dst, variant.Open(s), zone)
		return nil
	})
	if err != nil {
		return append(dst, "<malformed variant>"...)
	}
	return out
}

// variantExplode is the generator variant_explode: a row for each field or element.
type variantExplode struct{ arg Evaluator }

func (g *variantExplode) Generate(in *Input) (rows []int32, cols []*vec.Vec, err error) {
	v, err := g.arg.Eval(in)
	if err != nil {
		return nil, nil, err
	}
	rows = []int32{}
	pos, keys, values := vec.NewBuilder(expr.Int32), vec.NewBuilder(expr.String), vec.NewBuilder(expr.Variant)
	var b variant.Builder
	var buf []byte
	member := func(i, k int, x variant.Value) error {
		b.Reset()
		if err := b.Append(x); err != nil {
			return err
		}
		if buf, err = b.Finish(buf[:0]); err != nil {
			return err
		}
		rows = append(rows, int32(i))
		pos.AppendInt(int64(k))
		values.AppendBytes(buf)
		return nil
	}
	err = safely(func() error {
		return in.tryEach(func(i int) error {
			if v.Null(i) {
				return nil
			}
			x := variant.Open(v.Str(i))
			switch x.Kind() {
			case variant.Object:
				for k := range x.Len() {
					name, f := x.Field(k)
					keys.AppendBytes(name)
					if err := member(i, k, f); err != nil {
						return err
					}
				}
			case variant.Array:
				for k := range x.Len() {
					keys.AppendNull()
					if err := member(i, k, x.Elem(k)); err != nil {
						return err
					}
				}
			}
			return nil
		})
	})
	return rows, []*vec.Vec{pos.Vec(), keys.Vec(), values.Vec()}, err
}

// tryEach is each for a loop that may fail.
func (in *Input) tryEach(do func(i int) error) error {
	var err error
	in.each(func(i int) {
		if err == nil {
			err = do(i)
		}
	})
	return err
}
