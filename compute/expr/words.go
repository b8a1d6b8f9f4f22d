package expr

import (
	"unicode"
	"unicode/utf8"

	"github.com/flightd/flightd/compute/vec"
)

func wordRows() map[string]row {
	return map[string]row{
		"sentences":               lenient(sentences),
		"jaro_winkler_similarity": strict(jaroWinkler),
	}
}

// jaroWinkler is the Jaro similarity, raised by a tenth of what is missing for
// each of the first four characters that agree.
func jaroWinkler(f *frame) error {
	dst, a, b := results[float64](f), f.text(0), f.text(1)
	f.each(func(i int) { dst[i] = jaroWinklerOf([]rune(string(a.at(i))), []rune(string(b.at(i)))) })
	return nil
}

func jaroWinklerOf(a, b []rune) float64 {
	if len(a) == 0 && len(b) == 0 {
		return 1
	}
	window := max(max(len(a), len(b))/2-1, 0)
	used := make([]bool, len(b))
	var matched []rune
	for i, r := range a {
		for k := max(i-window, 0); k < min(i+window+1, len(b)); k++ {
			if !used[k] && b[k] == r {
				used[k] = true
				matched = append(matched, r)
				break
			}
		}
	}
	if len(matched) == 0 {
		return 0
	}
	swapped, at := 0, 0
	for k, r := range b {
		if used[k] {
			if r != matched[at] {
				swapped++
			}
			at++
		}
	}
	m := float64(len(matched))
	jaro := (m/float64(len(a)) + m/float64(len(b)) + (m-float64(swapped/2))/m) / 3
	prefix := 0
	for prefix < min(4, len(a), len(b)) && a[prefix] == b[prefix] {
		prefix++
	}
	return jaro + float64(prefix)*0.1*(1-jaro)
}

// sentences splits a text into sentences of words; language and country, the
// other arguments, change nothing.
func sentences(f *frame) error {
	b := vec.NewBuilder(f.call.Typ)
	next := 0
	err := f.tryAll(func(i int) error {
		for ; next < i; next++ {
			b.AppendNull()
		}
		next++
		if f.absent(0, i) {
			b.AppendNull()
			return nil
		}
		for s := f.args[0].Str(i); len(s) > 0; {
			n := sentenceEnd(s)
			eachWord(s[:n], func(w []byte) { b.Kids[0].Kids[0].AppendBytes(w) })
			b.Kids[0].EndList()
			s = s[n:]
		}
		b.EndList()
		return nil
	})
	for ; next < f.n; next++ {
		b.AppendNull()
	}
	*f.out = *b.Vec()
	return err
}

// sentenceEnd returns the length of the sentence that s begins with. Question and
// exclamation marks end one; a full stop does where white space follows, and then
// no small letter.
func sentenceEnd(s []byte) int {
	for n := 0; n < len(s); {
		r, size := utf8.DecodeRune(s[n:])
		n += size
		if !isTerminator(r) {
			continue
		}
		strong := r != '.'
		spaces := 0
		for n < len(s) {
			r, size = utf8.DecodeRune(s[n:])
			switch {
			case isTerminator(r) && spaces == 0:
				strong = strong || r != '.'
			case unicode.In(r, unicode.Pe, unicode.Pf) && spaces == 0, (r == '"' || r == '\'') && spaces == 0:
			case unicode.IsSpace(r):
				spaces++
			default:
				size = 0
			}
			if size == 0 {
				break
			}
			n += size
		}
		if n == len(s) || strong {
			return n
		}
		rest := s[n:]
		for len(rest) > 0 {
			r, size = utf8.DecodeRune(rest)
			if !unicode.In(r, unicode.Ps, unicode.Pi) && r != '"' && r != '\'' {
				break
			}
			rest = rest[size:]
		}
		if spaces > 0 && !unicode.IsLower(r) {
			return n
		}
	}
	return len(s)
}

func isTerminator(r rune) bool {
	switch r {
	case '.', '?', '!', '。', '！', '？', '．', '｡':
		return true
	}
	return false
}

// wordClass is what a character is to the words that it stands in.
type wordClass uint8

const (
	wordNone wordClass = iota
	wordLetter
	wordDigit
	wordKanji
	wordHiragana
	wordKatakana
)

func classOf(r rune) wordClass {
	switch {
	case r == utf8.RuneError:
		return wordNone
	case unicode.Is(unicode.Han, r):
		return wordKanji
	case unicode.Is(unicode.Hiragana, r):
		return wordHiragana
	case unicode.Is(unicode.Katakana, r) || r == 'ー':
		return wordKatakana
	case unicode.IsDigit(r):
		return wordDigit
	case unicode.IsLetter(r) || unicode.IsMark(r) || r == '_':
		return wordLetter
	}
	return wordNone
}

// eachWord calls do for the words of s: letters and digits with the punctuation
// that joins them.
func eachWord(s []byte, do func(w []byte)) {
	for at := 0; at < len(s); {
		r, size := utf8.DecodeRune(s[at:])
		class := classOf(r)
		if class == wordNone {
			at += size
			// A currency sign belongs to the number behind it, which is no word then.
			if next, n := utf8.DecodeRune(s[at:]); unicode.Is(unicode.Sc, r) && n > 0 && classOf(next) == wordDigit {
				at = wordEnd(s, at)
			}
			continue
		}
		end := wordEnd(s, at)
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			do(s[at:end])
		}
		at = end
	}
}

// wordEnd returns where the word that begins at s[at] ends.
func wordEnd(s []byte, at int) int {
	r, size := utf8.DecodeRune(s[at:])
	class := classOf(r)
	at += size
	for at < len(s) {
		r, size = utf8.DecodeRune(s[at:])
		next := classOf(r)
		switch {
		case next == class, class == wordLetter && next == wordDigit, class == wordDigit && next == wordLetter:
			class = next
		case next == wordNone:
			behind, _ := utf8.DecodeRune(s[at+size:])
			joins := class == wordLetter && (unicode.Is(unicode.Pd, r) || r == '\u00ad' || r == '\u2027' || r == '"' || r == '\'' || r == '.') ||
				class == wordDigit && (r == '"' || r == '\'' || r == ',' || r == '.' || r == '\u066b')
			if !joins || at+size >= len(s) || classOf(behind) != class {
				if class == wordDigit && (r == '%' || r == '&' || r == '¢' || r == '‰' || r == '‱') {
					at += size
				}
				return at
			}
		default:
			return at
		}
		at += size
	}
	return at
}
