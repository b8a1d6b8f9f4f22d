package vec

// Fresh returns a column with v's rows that nobody will write: v itself if it is
// shared, v's buffers taken from their evaluator if they are its own, else a
// copy.
func Fresh(v *Vec) *Vec {
	switch v.Own {
	case Shared:
		return v
	case Borrowed:
		if v.Const {
			one := *v
			one.Const, one.Len = false, 1
			c := one.Take([]int32{0})
			c.Const, c.Len = true, v.Len
			return c
		}
		idx := make([]int32, v.Len)
		for i := range idx {
			idx[i] = int32(i)
		}
		return v.Take(idx)
	}
	out := *v
	out.Own = Shared
	v.Valid, v.Data, v.Off = nil, nil, nil
	out.Kids = nil
	for _, k := range v.Kids {
		out.Kids = append(out.Kids, Fresh(k))
	}
	v.Kids = nil
	return &out
}
