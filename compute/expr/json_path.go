package expr

import (
	"bytes"
)

// appendAt appends to dst what a path without wildcards leads to in a JSON text, as
// get_json_object shows it: what is not asked for is checked and passed over, not kept.
// found is false if there is nothing, or NULL, or the text is no JSON; sure is false,
// and nothing is said, where a name applies to the members of an array.
func appendAt(dst, text []byte, steps []jsonStep) (out []byte, found, sure bool) {
	w := jsonWalk{p: jsonParser{s: text}, dst: dst, sure: true}
	ok := w.value(steps, 0)
	if !w.sure {
		return dst, false, false
	}
	if !ok || !w.found {
		return dst, false, true
	}
	return w.dst, true, true
}

// jsonWalk passes through a text once. Its methods report whether what they passed is
// well-formed, as those of jsonParser do.
type jsonWalk struct {
	p           jsonParser
	dst         []byte
	found, sure bool
}

// value passes a value that steps lead on from.
func (w *jsonWalk) value(steps []jsonStep, depth int) bool {
	p := &w.p
	if len(steps) == 0 {
		v, ok := p.value(depth)
		if ok && v.kind != jsonNull {
			w.found = true
			if v.kind == jsonString {
				w.dst = append(w.dst, v.text...)
			} else {
				w.dst = v.appendJSON(w.dst)
			}
		}
		return ok
	}
	p.space()
	if p.at >= len(p.s) || depth > maxJSONDepth {
		return false
	}
	switch c := p.s[p.at]; {
	case c == '{' && steps[0].key:
		return w.members(depth, steps)
	case c == '[' && !steps[0].key:
		return w.items(depth, steps)
	case c == '[':
		w.sure = false
		return false
	}
	return w.skip(depth)
}

// members passes an object; the first member of the step's name is what it leads to.
// Without steps nothing is looked for.
func (w *jsonWalk) members(depth int, steps []jsonStep) bool {
	p, done := &w.p, len(steps) == 0
	p.at++
	if p.space(); p.at < len(p.s) && p.s[p.at] == '}' {
		p.at++
		return true
	}
	for {
		p.space()
		is, ok := w.name(done, steps)
		if !ok {
			return false
		}
		if p.space(); p.at >= len(p.s) || p.s[p.at] != ':' {
			return false
		}
		p.at++
		if is {
			done = true
			ok = w.value(steps[1:], depth+1)
		} else {
			ok = w.skip(depth + 1)
		}
		if !ok {
			return false
		}
		if more, ok := w.more('}'); !more {
			return ok
		}
	}
}

// name passes the name of a member and reports whether it is that of the step.
func (w *jsonWalk) name(done bool, steps []jsonStep) (is, ok bool) {
	p := &w.p
	if p.at < len(p.s) && p.s[p.at] == '"' {
		if n := plainText(p.s[p.at+1:]); n >= 0 {
			text := p.s[p.at+1 : p.at+1+n]
			p.at += n + 2
			return !done && string(text) == steps[0].name, true
		}
	}
	key, ok := p.name()
	return ok && !done && key == steps[0].name, ok
}

// more passes what stands behind a member or an item: a comma, behind which there is
// more, or end.
func (w *jsonWalk) more(end byte) (more, ok bool) {
	p := &w.p
	if p.space(); p.at >= len(p.s) {
		return false, false
	}
	p.at++
	return p.s[p.at-1] == ',', p.s[p.at-1] == end
}

// items passes an array.
func (w *jsonWalk) items(depth int, steps []jsonStep) bool {
	p := &w.p
	p.at++
	if p.space(); p.at < len(p.s) && p.s[p.at] == ']' {
		p.at++
		return true
	}
	for i := 0; ; i++ {
		var ok bool
		if len(steps) > 0 && i == steps[0].index {
			ok = w.value(steps[1:], depth+1)
		} else {
			ok = w.skip(depth + 1)
		}
		if !ok {
			return false
		}
		if more, ok := w.more(']'); !more {
			return ok
		}
	}
}

// skip passes a value that nobody asks for.
func (w *jsonWalk) skip(depth int) bool {
	p := &w.p
	p.space()
	if p.at >= len(p.s) || depth > maxJSONDepth {
		return false
	}
	switch c := p.s[p.at]; {
	case c == '{':
		return w.members(depth, nil)
	case c == '[':
		return w.items(depth, nil)
	case c == '"':
		if n := plainText(p.s[p.at+1:]); n >= 0 {
			p.at += n + 2
			return true
		}
	case c >= '1' && c <= '9':
		if n := plainDigits(p.s[p.at:]); n > 0 {
			p.at += n
			return true
		}
	}
	_, ok := p.value(depth)
	return ok
}

// plainText returns the length of a text up to its closing quote, or −1 if it has
// escapes, or characters that may not stand there, or no end.
func plainText(s []byte) int {
	n := bytes.IndexByte(s, '"')
	if n < 0 {
		return -1
	}
	for _, c := range s[:n] {
		if c == '\\' || c < 0x20 {
			return -1
		}
	}
	return n
}

// plainDigits returns the length of a number of digits, with or without a fraction, or 0
// if it is of another form.
func plainDigits(s []byte) int {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	if i < len(s) && s[i] == '.' {
		dot := i
		for i++; i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
		}
		if i == dot+1 {
			return 0
		}
	}
	if i < len(s) && (isWord(s[i]) || s[i] == '.' || s[i] == '+' || s[i] == '-') {
		return 0
	}
	return i
}
