package variant

import (
	"errors"
	"slices"
)

// ErrPathType is what an edit gives where a step of its path meets a value that
// it cannot enter: a name something that is no object, an index something that
// is no array.
var ErrPathType = errors.New("variant: a step of the path does not fit the value")

// errTooFar guards against indices that would make arrays of nulls beyond MaxBytes.
func tooFar(index, have int) bool { return index-have > MaxBytes }

// Delete appends v without what the path leads to; a path that leads nowhere, or
// meets a value that it cannot enter, changes nothing.
func (b *Builder) Delete(v Value, path []Step) error {
	if len(path) == 0 {
		return b.Append(v)
	}
	s, k := path[0], v.Kind()
	skip := func(hit bool) bool { return hit && len(path) == 1 }
	each := func(member Value, hit bool) error {
		if hit {
			return b.Delete(member, path[1:])
		}
		return b.Append(member)
	}
	switch {
	case s.Field && k == Object:
		b.Begin()
		for i := range v.Len() {
			name, f := v.Field(i)
			hit := string(name) == s.Name
			if skip(hit) {
				continue
			}
			b.Field(string(name))
			if err := each(f, hit); err != nil {
				return err
			}
		}
		return b.EndObject()
	case !s.Field && k == Array:
		b.Begin()
		for i := range v.Len() {
			hit := i == s.Index
			if skip(hit) {
				continue
			}
			b.Elem()
			if err := each(v.Elem(i), hit); err != nil {
				return err
			}
		}
		b.EndArray()
		return nil
	}
	return b.Append(v)
}

// An Edit changes the value at the end of a path of at least one step (Push: of
// any length).
type Edit uint8

// The edits. Insert adds a field, which must not be there, or an element before
// the one of the index. Set replaces a field or element, or adds it; Replace only
// replaces. Push adds an element to the array at the path, if there is one. Insert
// and Set make the objects and arrays on their way, and nulls before an index
// behind the end.
const (
	Insert Edit = iota
	Set
	Replace
	Push
)

// Edit appends v with x put at the path.
func (b *Builder) Edit(edit Edit, v Value, path []Step, x Value) error {
	if len(path) == 0 { // Push only
		if v.Kind() != Array {
			return ErrPathType
		}
		return b.push(v, x)
	}
	switch s, k := path[0], v.Kind(); {
	case s.Field && k == Object:
		return b.editObject(edit, v, path, x)
	case !s.Field && k == Array:
		return b.editArray(edit, v, path, x)
	}
	return ErrPathType
}

func (b *Builder) push(v, x Value) error {
	b.Begin()
	for i := range v.Len() {
		b.Elem()
		if err := b.Append(v.Elem(i)); err != nil {
			return err
		}
	}
	b.Elem()
	if err := b.Append(x); err != nil {
		return err
	}
	b.EndArray()
	return nil
}

func (b *Builder) editObject(edit Edit, v Value, path []Step, x Value) error {
	last, there := len(path) == 1, false
	b.Begin()
	for i := range v.Len() {
		name, f := v.Field(i)
		b.Field(string(name))
		var err error
		switch hit := string(name) == path[0].Name; {
		case !hit:
			err = b.Append(f)
		case last && edit == Insert:
			err = DuplicateKey(path[0].Name)
		case last && edit != Push:
			there = true
			err = b.Append(x)
		default:
			there = true
			err = b.Edit(edit, f, path[1:], x)
		}
		if err != nil {
			return err
		}
	}
	if !there && (edit == Insert || edit == Set) {
		b.Field(path[0].Name)
		if err := b.rest(path[1:], x); err != nil {
			return err
		}
	}
	return b.EndObject()
}

func (b *Builder) editArray(edit Edit, v Value, path []Step, x Value) error {
	last, n, index := len(path) == 1, v.Len(), path[0].Index
	b.Begin()
	for i := range n {
		b.Elem()
		var err error
		switch hit := i == index; {
		case !hit:
			err = b.Append(v.Elem(i))
		case last && edit == Insert:
			if err = b.Append(x); err == nil {
				b.Elem()
				err = b.Append(v.Elem(i))
			}
		case last && edit != Push:
			err = b.Append(x)
		default:
			err = b.Edit(edit, v.Elem(i), path[1:], x)
		}
		if err != nil {
			return err
		}
	}
	if index >= n && (edit == Insert || edit == Set) {
		if err := b.nulls(index - n); err != nil {
			return err
		}
		b.Elem()
		if err := b.rest(path[1:], x); err != nil {
			return err
		}
	}
	b.EndArray()
	return nil
}

func (b *Builder) nulls(n int) error {
	if tooFar(n, 0) {
		return ErrTooLarge
	}
	b.buf = slices.Grow(b.buf, n)
	for range n {
		b.Elem()
		b.Null()
	}
	return nil
}

// rest makes what a path still wants, with x at its end.
func (b *Builder) rest(path []Step, x Value) error {
	if len(path) == 0 {
		return b.Append(x)
	}
	b.Begin()
	if path[0].Field {
		b.Field(path[0].Name)
		if err := b.rest(path[1:], x); err != nil {
			return err
		}
		return b.EndObject()
	}
	if err := b.nulls(path[0].Index); err != nil {
		return err
	}
	b.Elem()
	if err := b.rest(path[1:], x); err != nil {
		return err
	}
	b.EndArray()
	return nil
}

// Strip appends v without the null fields of its objects and, if arrays, without
// the null elements of its arrays, at every depth.
func (b *Builder) Strip(v Value, arrays bool) error {
	switch v.Kind() {
	case Object:
		b.Begin()
		for i := range v.Len() {
			name, f := v.Field(i)
			if f.Kind() == Null {
				continue
			}
			b.Field(string(name))
			if err := b.Strip(f, arrays); err != nil {
				return err
			}
		}
		return b.EndObject()
	case Array:
		b.Begin()
		for i := range v.Len() {
			e := v.Elem(i)
			if arrays && e.Kind() == Null {
				continue
			}
			b.Elem()
			if err := b.Strip(e, arrays); err != nil {
				return err
			}
		}
		b.EndArray()
		return nil
	}
	return b.Append(v)
}
