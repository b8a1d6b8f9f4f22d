package javaregexp

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// flags are those that (?idmsuxU) sets.
type flags struct{ fold, unixLines, multiline, dotAll, unicodeCase, comments, unicodeClass bool }

// translation reads a pattern and writes it for both engines.
type translation struct {
	src []rune
	at  int
	flags
	fast, slow strings.Builder
	// needSlow says that Go cannot run the pattern at all; the others over which texts it
	// cannot: those with line ends, those that end in one, those beyond ASCII.
	needSlow, lineEnds, lastLine, words bool
	// lineStarts: nor over an empty text.
	lineStarts bool

	groups int
	names  map[string]int
	// total is how many groups the whole pattern has.
	total int
	depth int
}

// maxNesting bounds the depth of groups and classes.
const maxNesting = 1000

func translate(text string) (*translation, error) {
	t := &translation{src: unquoted([]rune(text)), names: map[string]int{}}
	t.total = countGroups(t.src)
	if err := t.alternatives(); err != nil {
		return nil, err
	}
	if t.at < len(t.src) {
		return nil, errors.New("a closing parenthesis has no opening one")
	}
	return t, nil
}

// unquoted spells what stands between \Q and \E in escapes.
func unquoted(src []rune) []rune {
	var out []rune
	for i := 0; i < len(src); i++ {
		if src[i] != '\\' || i+1 == len(src) {
			out = append(out, src[i])
			continue
		}
		if i++; src[i] != 'Q' {
			out = append(out, '\\', src[i])
			continue
		}
		for i++; i < len(src); i++ {
			if src[i] == '\\' && i+1 < len(src) && src[i+1] == 'E' {
				i++
				break
			}
			if src[i] < utf8.RuneSelf {
				out = append(out, []rune(fmt.Sprintf(`\x%02x`, src[i]))...)
			} else {
				out = append(out, src[i])
			}
		}
	}
	return out
}

// countGroups counts the capturing groups of a pattern; what is in a class does not
// count.
func countGroups(src []rune) int {
	n, class := 0, 0
	for i := 0; i < len(src); i++ {
		switch src[i] {
		case '\\':
			i++
		case '[':
			class++
		case ']':
			class = max(class-1, 0)
		case '(':
			named := i+3 < len(src) && src[i+1] == '?' && src[i+2] == '<' && src[i+3] != '=' && src[i+3] != '!'
			plain := i+1 == len(src) || src[i+1] != '?'
			if class == 0 && (named || plain) {
				n++
			}
		}
	}
	return n
}

// both writes s for both engines.
func (t *translation) both(s string) {
	t.fast.WriteString(s)
	t.slow.WriteString(s)
}

// only writes s for the backtracking engine, which alone can run it.
func (t *translation) only(s string) {
	t.needSlow = true
	t.slow.WriteString(s)
}

func (t *translation) more() bool { return t.at < len(t.src) }

func (t *translation) is(r rune) bool { return t.more() && t.src[t.at] == r }

func (t *translation) has(s string) bool {
	for i, r := range []rune(s) {
		if t.at+i >= len(t.src) || t.src[t.at+i] != r {
			return false
		}
	}
	return true
}

// alternatives reads a|b|… up to a closing parenthesis or the end.
func (t *translation) alternatives() error {
	if t.depth++; t.depth > maxNesting {
		return fmt.Errorf("groups are nested more than %d deep", maxNesting)
	}
	defer func() { t.depth-- }()
	saved := t.flags
	for {
		if err := t.sequence(); err != nil {
			return err
		}
		if !t.is('|') {
			t.flags = saved
			return nil
		}
		t.at++
		t.both("|")
	}
}

func (t *translation) sequence() error {
	for t.more() {
		switch r := t.src[t.at]; r {
		case '|', ')':
			return nil
		case '*', '+', '?':
			return fmt.Errorf("%q repeats nothing", r)
		}
		if t.comments && t.skipComment() {
			continue
		}
		fast, slow := t.fast.Len(), t.slow.Len()
		quantified, err := t.atom()
		if err != nil {
			return err
		}
		if quantified {
			if err := t.quantifier(fast, slow); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *translation) skipComment() bool {
	r := t.src[t.at]
	if r == '#' {
		for t.more() && !isLineEnd(t.src[t.at]) {
			t.at++
		}
		return true
	}
	if spaces().has(r) {
		t.at++
		return true
	}
	return false
}

// quantifier reads what repeats the atom that was written behind the given lengths.
func (t *translation) quantifier(fast, slow int) error {
	for t.comments && t.more() && t.skipComment() {
	}
	if !t.more() {
		return nil
	}
	text := ""
	switch t.src[t.at] {
	case '*', '+', '?':
		text = string(t.src[t.at])
		t.at++
	case '{':
		var err error
		if text, err = t.counts(); err != nil {
			return err
		}
	default:
		return nil
	}
	possessive := false
	switch {
	case t.is('?'):
		t.at++
		text += "?"
	case t.is('+'):
		t.at++
		possessive = true
	}
	wrap := func(b *strings.Builder, from int, before, after string) {
		all := b.String()
		b.Reset()
		b.WriteString(all[:from] + before + all[from:] + after)
	}
	wrap(&t.fast, fast, "(?:", ")"+text)
	if possessive {
		t.needSlow = true
		wrap(&t.slow, slow, "(?>(?:", ")"+text+")")
	} else {
		wrap(&t.slow, slow, "(?:", ")"+text)
	}
	return nil
}

// counts reads {n}, {n,} or {n,m}.
func (t *translation) counts() (string, error) {
	t.at++
	number := func() (int, bool) {
		from := t.at
		for t.more() && t.src[t.at] >= '0' && t.src[t.at] <= '9' {
			t.at++
		}
		n, err := strconv.Atoi(string(t.src[from:t.at]))
		return n, err == nil && n < 1<<31
	}
	low, ok := number()
	if !ok {
		return "", errors.New("{ repeats an illegal number of times")
	}
	text := "{" + strconv.Itoa(low)
	high := low
	if t.is(',') {
		t.at++
		text += ","
		high = 1<<31 - 1
		if !t.is('}') {
			if high, ok = number(); !ok {
				return "", errors.New("{ repeats an illegal number of times")
			}
			text += strconv.Itoa(high)
		}
	}
	if !t.is('}') {
		return "", errors.New("{ is not closed")
	}
	t.at++
	if high < low {
		return "", errors.New("the numbers in {} are in the wrong order")
	}
	if low > 1000 || high > 1000 && high < 1<<31-1 {
		t.needSlow = true // Go repeats at most so often
	}
	return text + "}", nil
}

// atom reads one thing that may be repeated; false if it was none, as (?i) is.
func (t *translation) atom() (bool, error) {
	switch r := t.src[t.at]; r {
	case '(':
		return t.group()
	case '[':
		s, err := t.class()
		if err != nil {
			return false, err
		}
		t.both(s.text())
	case '.':
		t.at++
		t.dot()
	case '^':
		t.at++
		t.lineStart()
	case '$':
		t.at++
		t.lineEnd()
	case '\\':
		return t.escape()
	case '{': // repeats what is not there
		t.both("(?:)")
	default:
		t.at++
		t.literal(r)
	}
	return true, nil
}

// literal writes one code point as it is.
func (t *translation) literal(r rune) {
	if !t.fold {
		t.both(quoteRune(r))
		return
	}
	s := single(r).folded(t.unicodeCase || t.unicodeClass)
	if len(s) == 1 && s[0].from == s[0].to {
		t.both(quoteRune(r))
		return
	}
	t.both(s.text())
}

func quoteRune(r rune) string {
	if r < utf8.RuneSelf {
		return classRune(r)
	}
	return string(r)
}

func (t *translation) dot() {
	switch {
	case t.dotAll:
		t.both(set{}.not().text())
	case t.unixLines:
		t.both(single('\n').not().text())
	default:
		t.both(lineBreaks().not().text())
	}
}

// lineStart writes ^. With (?m) it stands behind line ends too, but not at the end.
func (t *translation) lineStart() {
	t.fast.WriteString(`\A`)
	switch {
	case !t.multiline:
		t.slow.WriteString(`\A`)
	case t.unixLines:
		t.lineEnds, t.lineStarts = true, true
		t.slow.WriteString(`(?:(?:\A|(?<=\n))(?!\z))`)
	default:
		t.lineEnds, t.lineStarts = true, true
		t.slow.WriteString("(?:(?:\\A|(?<=[\\n\u0085\u2028\u2029])|(?<=\\r)(?!\\n))(?!\\z))")
	}
}

// lineEnd writes $, which stands before a line end that ends the text, or with (?m)
// before any.
func (t *translation) lineEnd() {
	t.fast.WriteString(`\z`)
	last := `\z`
	if t.multiline {
		t.lineEnds = true
		last = ""
	} else {
		t.lastLine = true
	}
	if t.unixLines {
		t.slow.WriteString(`(?:(?=\n` + last + `)|\z)`)
		return
	}
	// Between \r and \n there is no end of a line.
	t.slow.WriteString("(?:(?=\\r\\n" + last + ")|(?<!\\r)(?=\\n" + last + ")|(?=[\\r\u0085\u2028\u2029]" + last + ")|\\z)")
}

// group reads a group, or flags.
func (t *translation) group() (bool, error) {
	t.at++
	open := "("
	slowOnly := false
	switch {
	case t.has("?:"):
		t.at += 2
		open = "(?:"
	case t.has("?="), t.has("?!"), t.has("?>"):
		open = "(" + string(t.src[t.at:t.at+2])
		t.at += 2
		slowOnly = true
	case t.has("?<="), t.has("?<!"):
		open = "(" + string(t.src[t.at:t.at+3])
		t.at += 3
		slowOnly = true
	case t.has("?<"):
		t.at += 2
		if err := t.groupName(); err != nil {
			return false, err
		}
	case t.has("?"):
		t.at++
		return t.setFlags()
	default:
		t.groups++
	}
	t.needSlow = t.needSlow || slowOnly
	return true, t.inGroup(open)
}

func (t *translation) inGroup(open string) error {
	t.both(open)
	if err := t.alternatives(); err != nil {
		return err
	}
	if !t.is(')') {
		return errors.New("a group is not closed")
	}
	t.at++
	t.both(")")
	return nil
}

func (t *translation) groupName() error {
	name, err := t.name()
	if err != nil {
		return err
	}
	if t.names[name] > 0 {
		return fmt.Errorf("two groups are named %q", name)
	}
	t.groups++
	t.names[name] = t.groups
	return nil
}

// name reads the name of a group and the > behind it.
func (t *translation) name() (string, error) {
	from := t.at
	for t.more() && (isLetter(t.src[t.at]) || t.at > from && t.src[t.at] >= '0' && t.src[t.at] <= '9') {
		t.at++
	}
	name := string(t.src[from:t.at])
	if name == "" || !t.is('>') {
		return "", errors.New("the name of a group is letters and digits, a letter first, and ends with >")
	}
	t.at++
	return name, nil
}

func isLetter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }

// setFlags reads the flags of (?i) and (?i:…).
func (t *translation) setFlags() (bool, error) {
	on := true
	next := t.flags
	for ; t.more(); t.at++ {
		switch t.src[t.at] {
		case 'i':
			next.fold = on
		case 'd':
			next.unixLines = on
		case 'm':
			next.multiline = on
		case 's':
			next.dotAll = on
		case 'u':
			next.unicodeCase = on
		case 'x':
			next.comments = on
		case 'U':
			next.unicodeClass = on
		case '-':
			if !on {
				return false, errors.New("a group has an unknown flag")
			}
			on = false
		case ')':
			t.at++
			t.flags = next
			return false, nil
		case ':':
			t.at++
			saved := t.flags
			t.flags = next
			err := t.inGroup("(?:")
			t.flags = saved
			return true, err
		default:
			return false, errors.New("a group has an unknown flag")
		}
	}
	return false, errors.New("a group is not closed")
}
