package expr

import (
	"slices"
	"strconv"
	"strings"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/arrowtext"
	"github.com/flightd/flightd/plan/expr"
)

func jsonRows() map[string]row {
	return map[string]row{
		"get_json_object":   strict(getJSONObject),
		"json_array_length": strict(jsonArrayLength),
		"json_object_keys":  strict(jsonObjectKeys),
		"to_json":           {makeToJSON},
		"from_json":         {makeFromJSON},
	}
}

func appendNumber(dst []byte, text string) []byte {
	if strings.ContainsAny(text, "NI") { // no number of JSON
		return append(append(append(dst, '"'), text...), '"')
	}
	if strings.ContainsAny(text, ".eE") {
		if f, ok := arrowtext.ParseFloat([]byte(text), 64); ok {
			return arrowtext.AppendFloat64(dst, f)
		}
	}
	return append(dst, text...)
}

// jsonStep is a step of a JSON path: a name, an index, or any (wildcard).
type jsonStep struct {
	name  string
	index int
	key   bool
	any   bool
}

// parsePath reads $.a['b'][0][*]; ok is false for anything else.
func parsePath(s string) (steps []jsonStep, ok bool) {
	if !strings.HasPrefix(s, "$") {
		return nil, false
	}
	s = s[1:]
	for s != "" {
		switch {
		case strings.HasPrefix(s, "['"):
			end := strings.Index(s, "']")
			if end < 2 {
				return nil, false
			}
			name := s[2:end]
			steps = append(steps, jsonStep{name: name, key: true, any: name == "*"})
			s = s[end+2:]
		case s[0] == '[':
			end := strings.IndexByte(s, ']')
			if end < 0 {
				return nil, false
			}
			inner := s[1:end]
			s = s[end+1:]
			if inner == "*" {
				steps = append(steps, jsonStep{any: true})
				continue
			}
			n, err := strconv.Atoi(inner)
			if err != nil || n < 0 {
				return nil, false
			}
			steps = append(steps, jsonStep{index: n})
		case s[0] == '.':
			s = s[1:]
			end := strings.IndexAny(s, ".[")
			if end < 0 {
				end = len(s)
			}
			if end == 0 {
				return nil, false
			}
			name := s[:end]
			steps = append(steps, jsonStep{name: name, key: true, any: name == "*"})
			s = s[end:]
		default:
			return nil, false
		}
	}
	return steps, true
}

// find collects the values that a path leads to. A name applied to an array
// applies to each of its members.
func (v *jsonValue) find(steps []jsonStep, out []*jsonValue) []*jsonValue {
	if len(steps) == 0 {
		return append(out, v)
	}
	s := steps[0]
	switch {
	case v.kind == jsonArray && s.any && !s.key:
		for i := range v.items {
			out = v.items[i].find(steps[1:], out)
		}
	case v.kind == jsonArray && !s.key:
		if s.index < len(v.items) {
			out = v.items[s.index].find(steps[1:], out)
		}
	case v.kind == jsonArray && s.key:
		for i := range v.items {
			if v.items[i].kind == jsonObject {
				out = v.items[i].find(steps, out)
			}
		}
	case v.kind == jsonObject && s.key:
		for i, k := range v.keys {
			if k == s.name {
				return v.items[i].find(steps[1:], out)
			}
		}
	}
	return out
}

func getJSONObject(f *frame) error {
	texts, paths := f.text(0), f.text(1)
	var steps []jsonStep
	var ok, any, straight bool
	var last string
	return f.write(func(i int, dst []byte) ([]byte, error) {
		if p := paths.at(i); !any || last != string(p) {
			any, last = true, string(p)
			steps, ok = parsePath(last)
			straight = ok && !slices.ContainsFunc(steps, func(s jsonStep) bool { return s.any })
		}
		if straight {
			grown, found, sure := appendAt(dst, texts.at(i), steps)
			if sure && !found {
				f.setNull(i)
			}
			if sure {
				return grown, nil
			}
		}
		if ok {
			if v, good := parseJSON(texts.at(i)); good {
				found := v.find(steps, nil)
				switch {
				case len(found) == 1 && found[0].kind == jsonNull:
				case len(found) == 1 && found[0].kind == jsonString:
					return append(dst, found[0].text...), nil
				case len(found) == 1:
					return found[0].appendJSON(dst), nil
				case len(found) > 1:
					dst = append(dst, '[')
					for k, m := range found {
						if k > 0 {
							dst = append(dst, ',')
						}
						dst = m.appendJSON(dst)
					}
					return append(dst, ']'), nil
				}
			}
		}
		f.setNull(i)
		return dst, nil
	})
}

func jsonArrayLength(f *frame) error {
	dst, a := results[int32](f), f.text(0)
	f.each(func(i int) {
		v, ok := parseJSON(a.at(i))
		if !ok || v.kind != jsonArray {
			f.setNull(i)
			return
		}
		dst[i] = int32(len(v.items))
	})
	return nil
}

func jsonObjectKeys(f *frame) error {
	a := f.text(0)
	return f.writeLists(func(i int, add func(s []byte)) error {
		v, ok := parseJSON(a.at(i))
		if !ok || v.kind != jsonObject {
			f.setNull(i)
			return nil
		}
		for _, k := range v.keys {
			add([]byte(k))
		}
		return nil
	})
}

// jsonTuple is the generator json_tuple(text, name…).
type jsonTuple struct{ args []Evaluator }

func (g *jsonTuple) Generate(in *Input) ([]int32, []*vec.Vec, error) {
	vs := make([]*vec.Vec, len(g.args))
	for k, a := range g.args {
		v, err := a.Eval(in)
		if err != nil {
			return nil, nil, err
		}
		vs[k] = v
	}
	rows := []int32{}
	bs := make([]*vec.Builder, len(vs)-1)
	for k := range bs {
		bs[k] = vec.NewBuilder(expr.String)
	}
	in.each(func(i int) {
		rows = append(rows, int32(i))
		var v jsonValue
		if !vs[0].Null(i) {
			v, _ = parseJSON(vs[0].Str(i))
		}
		for k, b := range bs {
			var found []*jsonValue
			if v.kind == jsonObject && !vs[k+1].Null(i) {
				for at, key := range v.keys { // of a repeated key the last counts
					if key == vs[k+1].Text(i) {
						found = []*jsonValue{&v.items[at]}
					}
				}
			}
			switch {
			case len(found) == 0 || found[0].kind == jsonNull:
				b.AppendNull()
			case found[0].kind == jsonString:
				b.AppendBytes([]byte(found[0].text))
			default:
				b.AppendBytes(found[0].appendJSON(nil))
			}
		}
	})
	cols := make([]*vec.Vec, len(bs))
	for k, b := range bs {
		cols[k] = b.Vec()
	}
	return rows, cols, nil
}
