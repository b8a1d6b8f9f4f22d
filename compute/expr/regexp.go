package expr

import (
	"bytes"
	"errors"

	"github.com/flightd/flightd/compute/javaregexp"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

func regexpRows() map[string]row {
	loop := func(run func(f *frame, c *regexps) error) row {
		return prepared(func(*expr.Call, *Env) (func(f *frame) error, error) {
			c := &regexps{}
			return func(f *frame) error { return run(f, c) }, nil
		})
	}
	return map[string]row{
		"rlike":              loop(rlike),
		"regexp_replace":     loop(regexpReplace),
		"regexp_extract":     loop(regexpExtract),
		"regexp_extract_all": loop(regexpExtractAll),
		"regexp_count":       loop(regexpCount),
		"regexp_instr":       loop(regexpInstr),
		"regexp_substr":      loop(regexpSubstr),
		"split":              loop(split),
	}
}

// regexps compiles the patterns that a column names, keeping the last.
type regexps struct {
	text string
	re   *javaregexp.Pattern
	err  *base.Error
	any  bool
}

func (c *regexps) of(f *frame, p []byte) (*javaregexp.Pattern, error) {
	if !c.any || c.text != string(p) {
		c.any, c.text, c.err = true, string(p), nil
		re, err := javaregexp.Compile(c.text)
		if c.re = re; err != nil {
			c.err = badParameter("PATTERN", "regexp", f.call.Fn, "%s.", quoted(p)).WithHint("%s", err)
		}
	}
	if c.err != nil {
		return nil, c.err.At(f.call.At)
	}
	return c.re, nil
}

func rlike(f *frame, c *regexps) error {
	dst, a, p, ascii := f.bits(), f.text(0), f.text(1), f.asciiAt(0)
	return f.try(func(i int) error {
		re, err := c.of(f, p.at(i))
		if err != nil {
			return err
		}
		s := a.at(i)
		found, err := re.Match(s, ascii(s))
		if found {
			kernels.SetBit(dst, i)
		}
		return err
	})
}

// errReplacement is a replacement that Java refuses.
var errReplacement = errors.New("bad replacement")

// javaReplacement appends the replacement of a match: $1 and ${name} are groups, a
// backslash takes the next character as it is. A $ before anything else, a backslash at
// the end and a group that is not there are refused.
func javaReplacement(dst []byte, repl []byte, s []byte, m []int, re *javaregexp.Pattern) ([]byte, error) {
	take := func(g int) {
		if m[2*g] >= 0 {
			dst = append(dst, s[m[2*g]:m[2*g+1]]...)
		}
	}
	for k := 0; k < len(repl); k++ {
		switch c := repl[k]; {
		case c == '\\' && k+1 == len(repl):
			return dst, errReplacement
		case c == '\\':
			k++
			dst = append(dst, repl[k])
		case c != '$':
			dst = append(dst, c)
		case k+1 < len(repl) && repl[k+1] >= '0' && repl[k+1] <= '9':
			k++
			g := int(repl[k] - '0')
			if g > re.Groups() {
				return dst, errReplacement
			}
			for k+1 < len(repl) && repl[k+1] >= '0' && repl[k+1] <= '9' {
				next := g*10 + int(repl[k+1]-'0')
				if next > re.Groups() {
					break
				}
				g = next
				k++
			}
			take(g)
		case k+1 < len(repl) && repl[k+1] == '{':
			end := bytes.IndexByte(repl[k:], '}')
			if end < 0 {
				return dst, errReplacement
			}
			g := re.Group(string(repl[k+2 : k+end]))
			if g == 0 {
				return dst, errReplacement
			}
			take(g)
			k += end
		default:
			return dst, errReplacement
		}
	}
	return dst, nil
}

func regexpReplace(f *frame, c *regexps) error {
	a, p, r, ascii := f.text(0), f.text(1), f.text(2), f.asciiAt(0)
	pos := func(int) int { return 1 }
	if len(f.args) > 3 {
		n := ints(f, 3, nil)
		pos = func(i int) int { return int(n[i]) }
	}
	return f.write(func(i int, dst []byte) ([]byte, error) {
		re, err := c.of(f, p.at(i))
		if err != nil {
			return dst, err
		}
		s := a.at(i)
		from := skip(s, max(pos(i)-1, 0))
		if from >= len(s) && pos(i) > 1 {
			return append(dst, s...), nil
		}
		dst = append(dst, s[:from]...)
		s = s[from:] // for Java what is before the place is not there
		last, repl := 0, r.at(i)
		if bytes.IndexByte(repl, '$') < 0 && bytes.IndexByte(repl, '\\') < 0 {
			err = re.Each(s, ascii(s), func(lo, hi int) bool {
				dst = append(append(dst, s[last:lo]...), repl...)
				last = hi
				return true
			})
			return append(dst, s[last:]...), err
		}
		var bad error
		err = re.All(s, ascii(s), func(m []int) bool {
			dst = append(dst, s[last:m[0]]...)
			dst, bad = javaReplacement(dst, repl, s, m, re)
			last = m[1]
			return bad == nil
		})
		if bad != nil {
			err = base.UserError("INVALID_REGEXP_REPLACE", "22023", "The replacement %s of the pattern %s cannot be used.", quoted(repl), quoted(p.at(i))).At(f.call.At).
				WithHint(`$1 is a group of the pattern; write \\$ for a dollar sign`)
		}
		if err != nil {
			return dst, err
		}
		return append(dst, s[last:]...), nil
	})
}

func groupError(f *frame, groups int, g int64) error {
	return badParameter("REGEX_GROUP_INDEX", "idx", f.call.Fn, "Expects group index between 0 and %d, but got %d.", groups, g).At(f.call.At)
}

// group returns the group index of a row: argument k, or 1.
func group(f *frame, k int) func(i int) int64 {
	if len(f.args) <= k {
		return func(int) int64 { return 1 }
	}
	n := ints(f, k, nil)
	return func(i int) int64 { return n[i] }
}

func regexpExtract(f *frame, c *regexps) error {
	a, p, g, ascii := f.text(0), f.text(1), group(f, 2), f.asciiAt(0)
	return f.write(func(i int, dst []byte) ([]byte, error) {
		re, err := c.of(f, p.at(i))
		if err != nil {
			return dst, err
		}
		s, k := a.at(i), g(i)
		if k == 0 {
			lo, hi, err := re.First(s, ascii(s))
			if lo >= 0 {
				dst = append(dst, s[lo:hi]...)
			}
			return dst, err
		}
		m, err := re.Find(s, ascii(s))
		if err != nil {
			return dst, err
		}
		if m != nil && (k < 0 || k > int64(re.Groups())) {
			return dst, groupError(f, re.Groups(), k)
		}
		if m == nil || m[2*k] < 0 {
			return dst, nil
		}
		return append(dst, s[m[2*k]:m[2*k+1]]...), nil
	})
}

func regexpExtractAll(f *frame, c *regexps) error {
	a, p, g, ascii := f.text(0), f.text(1), group(f, 2), f.asciiAt(0)
	return f.writeLists(func(i int, add func(s []byte)) error {
		re, err := c.of(f, p.at(i))
		if err != nil {
			return err
		}
		s := a.at(i)
		k := g(i)
		bad := false
		err = re.All(s, ascii(s), func(m []int) bool {
			if bad = k < 0 || k > int64(re.Groups()); bad {
				return false
			}
			if m[2*k] < 0 {
				add(nil)
			} else {
				add(s[m[2*k]:m[2*k+1]])
			}
			return true
		})
		if bad {
			return groupError(f, re.Groups(), k)
		}
		return err
	})
}

func regexpCount(f *frame, c *regexps) error {
	dst, a, p, ascii := results[int32](f), f.text(0), f.text(1), f.asciiAt(0)
	return f.try(func(i int) error {
		re, err := c.of(f, p.at(i))
		if err != nil {
			return err
		}
		dst[i] = 0
		s := a.at(i)
		return re.Each(s, ascii(s), func(int, int) bool { dst[i]++; return true })
	})
}

func regexpInstr(f *frame, c *regexps) error {
	dst, a, p, ascii := results[int32](f), f.text(0), f.text(1), f.asciiAt(0)
	return f.try(func(i int) error {
		re, err := c.of(f, p.at(i))
		if err != nil {
			return err
		}
		dst[i] = 0
		s := a.at(i)
		lo, _, err := re.First(s, ascii(s))
		if lo >= 0 {
			dst[i] = int32(runes(s[:lo]) + 1)
		}
		return err
	})
}

func regexpSubstr(f *frame, c *regexps) error {
	a, p, ascii := f.text(0), f.text(1), f.asciiAt(0)
	return f.write(func(i int, dst []byte) ([]byte, error) {
		re, err := c.of(f, p.at(i))
		if err != nil {
			return dst, err
		}
		s := a.at(i)
		lo, hi, err := re.First(s, ascii(s))
		if err != nil {
			return dst, err
		}
		if lo == hi {
			f.setNull(i)
			return dst, nil
		}
		return append(dst, s[lo:hi]...), nil
	})
}

// split cuts a text at the matches of a pattern, at most limit parts if that is
// positive. A pattern without special characters is searched as bytes.
func split(f *frame, c *regexps) error {
	a, p, ascii := f.text(0), f.text(1), f.asciiAt(0)
	limit := func(int) int64 { return -1 }
	if len(f.args) > 2 {
		n := ints(f, 2, nil)
		limit = func(i int) int64 { return n[i] }
	}
	var seen []byte // the pattern that exact is about
	exact := false
	return f.writeLists(func(i int, add func(s []byte)) error {
		s, pat, most := a.at(i), p.at(i), limit(i)
		parts := int64(1)
		if seen == nil || !bytes.Equal(seen, pat) {
			seen = append([]byte{}, pat...)
			exact = len(pat) > 0 && bytes.IndexAny(pat, `\^$.|?*+()[]{}`) < 0
		}
		if exact {
			for most <= 0 || parts < most {
				k := bytes.Index(s, pat)
				if k < 0 {
					break
				}
				add(s[:k])
				s = s[k+len(pat):]
				parts++
			}
			add(s)
			return nil
		}
		if len(pat) == 0 {
			for len(s) > 0 && (most <= 0 || parts < most) && runes(s) > 1 {
				n := runeLen(s)
				add(s[:n])
				s = s[n:]
				parts++
			}
			add(s)
			return nil
		}
		re, err := c.of(f, pat)
		if err != nil {
			return err
		}
		last := 0
		err = re.Each(s, ascii(s), func(lo, hi int) bool {
			if most > 0 && parts >= most {
				return false
			}
			if hi > 0 { // no empty part before the first character
				add(s[last:lo])
				last = hi
				parts++
			}
			return true
		})
		add(s[last:])
		return err
	})
}
