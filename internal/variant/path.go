package variant

import "strconv"

// Step is a step of a path: a field's name, or an element's index.
type Step struct {
	Name  string
	Index int
	// Field says that the step is a name.
	Field bool
}

// ParsePath reads $.name['name']["name"][0]. A name behind a point ends at the
// next point or opening bracket; an index is an int32.
func ParsePath(s string) (steps []Step, ok bool) {
	if s == "" || s[0] != '$' {
		return nil, false
	}
	for at := 1; at < len(s); {
		if s[at] == '.' {
			end := at + 1
			for end < len(s) && s[end] != '.' && s[end] != '[' {
				end++
			}
			if end == at+1 {
				return nil, false
			}
			steps = append(steps, Step{Name: s[at+1 : end], Field: true})
			at = end
			continue
		}
		if s[at] != '[' || at+1 == len(s) {
			return nil, false
		}
		end := at + 1
		if quote := s[end]; quote == '\'' || quote == '"' {
			for end++; end < len(s) && s[end] != quote; end++ {
			}
			if end+1 >= len(s) || s[end+1] != ']' {
				return nil, false
			}
			steps = append(steps, Step{Name: s[at+2 : end], Field: true})
			at = end + 2
			continue
		}
		for end < len(s) && s[end] >= '0' && s[end] <= '9' {
			end++
		}
		if end == at+1 || end == len(s) || s[end] != ']' {
			return nil, false
		}
		n, err := strconv.ParseInt(s[at+1:end], 10, 32)
		if err != nil {
			return nil, false
		}
		steps = append(steps, Step{Index: int(n)})
		at = end + 1
	}
	return steps, true
}

// Get returns the part of v that a path leads to, if it is there.
func (v Value) Get(path []Step) (Value, bool) {
	for _, s := range path {
		k := v.Kind()
		switch {
		case s.Field && k == Object:
			f, ok := v.Find(s.Name)
			if !ok {
				return Value{}, false
			}
			v = f
		case !s.Field && k == Array:
			if s.Index >= v.Len() {
				return Value{}, false
			}
			v = v.Elem(s.Index)
		default:
			return Value{}, false
		}
	}
	return v, true
}
