package expr

import (
	"bytes"
	"regexp"
	"strings"

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

// regexps compiles the patterns that a column names, keeping the last. Go's syntax
// is Java's but for look-around, back-references and possessive quantifiers,
// which are refused.
type regexps struct {
	text string
	re   *finder
	err  *base.Error
	any  bool
}

func (c *regexps) of(f *frame, p []byte) (*finder, error) {
	if !c.any || c.text != string(p) {
		c.any, c.text, c.err = true, string(p), nil
		pattern := javaPattern(c.text)
		re, err := regexp.Compile(pattern)
		if err == nil {
			c.re = newFinder(pattern, re)
		} else {
			fn := f.call.Fn
			c.err = badParameter("PATTERN", "regexp", fn, "%s.", quoted(p))
			if strings.Contains(c.text, "(?=") || strings.Contains(c.text, "(?!") || strings.Contains(c.text, "(?<") || strings.Contains(c.text, `\1`) {
				c.err.Hint = "look-around and back-references are not supported here"
			}
		}
	}
	if c.err != nil {
		return nil, c.err.At(f.call.At)
	}
	return c.re, nil
}

// javaPattern rewrites what Java spells in another way: named groups are the same
// since Go 1.22, \h and \R are not known, \Z ends before a last line break.
func javaPattern(p string) string {
	p = unicodeFlags.Replace(p)
	if strings.HasPrefix(p, "{") {
		return "(" // Java refuses it
	}
	if !strings.Contains(p, `\`) {
		return p
	}
	var b strings.Builder
	for i := 0; i < len(p); i++ {
		if p[i] != '\\' || i+1 == len(p) {
			b.WriteByte(p[i])
			continue
		}
		i++
		switch p[i] {
		case 'h':
			b.WriteString(`[ \t\x{A0}\x{1680}\x{180e}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}]`)
		case 'R':
			b.WriteString(`(?:\r\n|[\n\v\f\r\x{85}\x{2028}\x{2029}])`)
		case 'Z':
			b.WriteString(`\n?\z`)
		case 'p', 'P':
			name, rest, ok := strings.Cut(p[i+1:], "}")
			if !ok || !strings.HasPrefix(name, "{") {
				b.WriteByte('\\')
				b.WriteByte(p[i])
				continue
			}
			b.WriteString(javaClassOf(p[i], name[1:]))
			i = len(p) - len(rest) - 1
		case 'e':
			b.WriteString(`\x1b`)
		default:
			b.WriteByte('\\')
			b.WriteByte(p[i])
		}
	}
	return b.String()
}

var unicodeFlags = strings.NewReplacer("(?iu)", "(?i)", "(?ui)", "(?i)", "(?u)", "", "(?U)", "")

// javaClassOf spells a character class \p{name}, or its complement \P{name}.
func javaClassOf(letter byte, name string) string {
	posix := map[string]string{
		"Lower": "[:lower:]", "Upper": "[:upper:]", "ASCII": "[:ascii:]", "Alpha": "[:alpha:]", "Digit": "[:digit:]", "Alnum": "[:alnum:]",
		"Punct": "[:punct:]", "Graph": "[:graph:]", "Print": "[:print:]", "Blank": "[:blank:]", "Cntrl": "[:cntrl:]", "XDigit": "[:xdigit:]", "Space": "[:space:]",
	}[name]
	switch {
	case posix != "" && letter == 'p':
		return "[" + posix + "]"
	case posix != "":
		return "[^" + posix + "]"
	}
	name = strings.TrimPrefix(name, "Is")
	if general, ok := map[string]string{"Alphabetic": "L", "Letter": "L", "Digit": "Nd", "Uppercase": "Lu", "Lowercase": "Ll", "Punctuation": "P", "White_Space": "Z"}[name]; ok {
		name = general
	}
	return `\` + string(letter) + "{" + name + "}"
}

func rlike(f *frame, c *regexps) error {
	dst, a, p, ascii := f.bits(), f.text(0), f.text(1), f.asciiAt(0)
	return f.try(func(i int) error {
		re, err := c.of(f, p.at(i))
		if err != nil {
			return err
		}
		if s := a.at(i); re.matches(s, ascii(s)) {
			kernels.SetBit(dst, i)
		}
		return nil
	})
}

// javaReplacement appends the replacement of a match: $1 and ${name} are groups, a
// backslash takes the next character as it is.
func javaReplacement(dst []byte, repl []byte, s []byte, m []int, re *regexp.Regexp) []byte {
	for k := 0; k < len(repl); k++ {
		switch c := repl[k]; {
		case c == '\\' && k+1 < len(repl):
			k++
			dst = append(dst, repl[k])
		case c == '$' && k+1 < len(repl) && repl[k+1] >= '0' && repl[k+1] <= '9':
			k++
			g := int(repl[k] - '0')
			for k+1 < len(repl) && repl[k+1] >= '0' && repl[k+1] <= '9' {
				next := g*10 + int(repl[k+1]-'0')
				if 2*next+1 >= len(m) {
					break
				}
				g = next
				k++
			}
			if 2*g+1 < len(m) && m[2*g] >= 0 {
				dst = append(dst, s[m[2*g]:m[2*g+1]]...)
			}
		case c == '$' && k+1 < len(repl) && repl[k+1] == '{':
			end := bytes.IndexByte(repl[k:], '}')
			if end < 0 {
				dst = append(dst, c)
				continue
			}
			if g := re.SubexpIndex(string(repl[k+2 : k+end])); g > 0 && m[2*g] >= 0 {
				dst = append(dst, s[m[2*g]:m[2*g+1]]...)
			}
			k += end
		default:
			dst = append(dst, c)
		}
	}
	return dst
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
		last, repl := 0, r.at(i)
		if bytes.IndexByte(repl, '$') < 0 && bytes.IndexByte(repl, '\\') < 0 {
			re.each(s, ascii(s), func(lo, hi int) bool {
				if lo >= from {
					dst = append(append(dst, s[last:lo]...), repl...)
					last = hi
				}
				return true
			})
			return append(dst, s[last:]...), nil
		}
		for _, m := range re.re.FindAllSubmatchIndex(s, -1) {
			if m[0] < from {
				continue
			}
			dst = append(dst, s[last:m[0]]...)
			dst = javaReplacement(dst, repl, s, m, re.re)
			last = m[1]
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
			if lo, hi := re.first(s, ascii(s)); lo >= 0 {
				dst = append(dst, s[lo:hi]...)
			}
			return dst, nil
		}
		m := re.groups(s, ascii(s))
		if n := re.re.NumSubexp(); m != nil && (k < 0 || k > int64(n)) {
			return dst, groupError(f, n, k)
		}
		if m == nil || m[2*k] < 0 {
			return dst, nil
		}
		return append(dst, s[m[2*k]:m[2*k+1]]...), nil
	})
}

func regexpExtractAll(f *frame, c *regexps) error {
	a, p, g := f.text(0), f.text(1), group(f, 2)
	return f.writeLists(func(i int, add func(s []byte)) error {
		re, err := c.of(f, p.at(i))
		if err != nil {
			return err
		}
		s := a.at(i)
		k := g(i)
		for _, m := range re.re.FindAllSubmatchIndex(s, -1) {
			if n := re.re.NumSubexp(); k < 0 || k > int64(n) {
				return groupError(f, n, k)
			}
			if m[2*k] < 0 {
				add(nil)
			} else {
				add(s[m[2*k]:m[2*k+1]])
			}
		}
		return nil
	})
}

func regexpCount(f *frame, c *regexps) error {
	dst, a, p, ascii := results[int32](f), f.text(0), f.text(1), f.asciiAt(0)
	return f.try(func(i int) error {
		re, err := c.of(f, p.at(i))
		if err != nil {
			return err
		}
		s := a.at(i)
		dst[i] = 0
		re.each(s, ascii(s), func(int, int) bool { dst[i]++; return true })
		return nil
	})
}

func regexpInstr(f *frame, c *regexps) error {
	dst, a, p, ascii := results[int32](f), f.text(0), f.text(1), f.asciiAt(0)
	return f.try(func(i int) error {
		re, err := c.of(f, p.at(i))
		if err != nil {
			return err
		}
		s := a.at(i)
		dst[i] = 0
		if lo, _ := re.first(s, ascii(s)); lo >= 0 {
			dst[i] = int32(runes(s[:lo]) + 1)
		}
		return nil
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
		lo, hi := re.first(s, ascii(s))
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
	return f.writeLists(func(i int, add func(s []byte)) error {
		s, pat, most := a.at(i), p.at(i), limit(i)
		parts := int64(1)
		if len(pat) > 0 && bytes.IndexAny(pat, `\^$.|?*+()[]{}`) < 0 {
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
		re.each(s, ascii(s), func(lo, hi int) bool {
			if most > 0 && parts >= most {
				return false
			}
			if hi == 0 || lo == hi && lo >= len(s) {
				return true // no empty part before the first or behind the last character
			}
			add(s[last:lo])
			last = hi
			parts++
			return true
		})
		add(s[last:])
		return nil
	})
}
