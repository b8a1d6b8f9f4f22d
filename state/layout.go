package state

// maxWords is how many words a key may have: with six, one of a number, a text and a
// window fits, or one of two texts and a window.
const maxWords = 6

// A layout says how key columns are normalised to words.
//
// If everything fits into maxWords words, each column has its own place: text of up
// to 15 bytes and the hash of longer text take two words, a Wide value takes two,
// narrower values share words. Which columns are NULL is not in the words but in
// the low bits of the hash's tag, which must match exactly: keys without NULLs
// pay nothing for the possibility.
//
// Otherwise the columns are encoded into one canonical byte string (encode.go),
// and that is the one key column of the words.
type layout struct {
	fields []Field
	// words is 1 to maxWords.
	words int
	// places are where the columns are, in their order; nil if encoded.
	places []place
	// texts is how many columns, or encodings, may be too long for their words.
	texts int
	// nullMask covers one bit for each column; 0 if encoded.
	nullMask uint64
}

// place is where a key column's value is in the words.
type place struct {
	word  int
	shift uint
	// text numbers the columns of kind Bytes.
	text int
}

// maxNullBits is how much of the tag may be taken from the hash.
const maxNullBits = 8

func newLayout(fields []Field) *layout {
	l := &layout{fields: fields, places: make([]place, len(fields)), nullMask: 1<<len(fields) - 1}
	word := 0
	for i, f := range fields {
		if f.Kind == Bytes || f.Kind == Wide {
			l.places[i].word = word
			word += 2
		}
		if f.Kind == Bytes {
			l.places[i].text = l.texts
			l.texts++
		}
	}
	// From wide to narrow, so that no value straddles two words.
	free := uint(0) // bits left in the word before word
	for _, width := range []int{8, 4, 2, 1} {
		for i, f := range fields {
			if f.Kind.width() != width {
				continue
			}
			if free == 0 {
				word, free = word+1, 64
			}
			l.places[i].word, l.places[i].shift = word-1, 64-free
			free -= uint(8 * width)
		}
	}
	l.words = max(word, 1)
	if l.words > maxWords || len(fields) > maxNullBits {
		return &layout{fields: fields, words: 2, texts: 1}
	}
	return l
}

func (l *layout) encoded() bool { return l.places == nil }
