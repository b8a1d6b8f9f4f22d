package javaregexp

import (
	"strings"
	"unicode"
)

// property returns the code points of \p{name}; all says that the flag U is set. ok is
// false if Java knows no such name.
func property(name string, all bool) (s set, ok bool) {
	if key, value, is := strings.Cut(name, "="); is {
		switch strings.ToLower(key) {
		case "sc", "script":
			return script(value)
		case "blk", "block":
			return block(value)
		case "gc", "general_category":
			return category(value)
		}
		return nil, false
	}
	if after, is := strings.CutPrefix(name, "In"); is {
		return block(after)
	}
	if after, is := strings.CutPrefix(name, "Is"); is {
		if s, ok := twoValued(strings.ToUpper(after)); ok {
			return s, true
		}
		if s, ok := category(after); ok {
			return s, true
		}
		return script(after)
	}
	if all {
		if s, ok := binaryPOSIX(strings.ToUpper(name)); ok {
			return s, true
		}
	}
	if s, ok := posix(name); ok {
		return s, true
	}
	if s, ok := javaMethod(name); ok {
		return s, true
	}
	return category(name)
}

// posix are the classes of ASCII.
func posix(name string) (set, bool) {
	switch name {
	case "Lower":
		return setOf(span{'a', 'z'}), true
	case "Upper":
		return setOf(span{'A', 'Z'}), true
	case "ASCII":
		return setOf(span{0, 0x7f}), true
	case "Alpha":
		return setOf(span{'a', 'z'}, span{'A', 'Z'}), true
	case "Digit":
		return digits(), true
	case "Alnum":
		return setOf(span{'a', 'z'}, span{'A', 'Z'}, span{'0', '9'}), true
	case "Punct":
		return setOf(span{'!', '/'}, span{':', '@'}, span{'[', '`'}, span{'{', '~'}), true
	case "Graph":
		return setOf(span{'!', '~'}), true
	case "Print":
		return setOf(span{' ', '~'}), true
	case "Blank":
		return setOf(span{' ', ' '}, span{'\t', '\t'}), true
	case "Cntrl":
		return setOf(span{0, 0x1f}, span{0x7f, 0x7f}), true
	case "XDigit":
		return setOf(span{'0', '9'}, span{'a', 'f'}, span{'A', 'F'}), true
	case "Space":
		return spaces(), true
	}
	return nil, false
}

// binaryPOSIX are the POSIX classes with the flag U.
func binaryPOSIX(name string) (set, bool) {
	switch name {
	case "ALPHA":
		return twoValued("ALPHABETIC")
	case "LOWER":
		return twoValued("LOWERCASE")
	case "UPPER":
		return twoValued("UPPERCASE")
	case "SPACE":
		return unicodeSpaces(), true
	case "PUNCT":
		return tableSet(unicode.P), true
	case "XDIGIT":
		return tableSet(unicode.Nd, unicode.Hex_Digit), true
	case "ALNUM":
		a, _ := twoValued("ALPHABETIC")
		return a.or(unicodeDigits()), true
	case "CNTRL":
		return tableSet(unicode.Cc), true
	case "DIGIT":
		return unicodeDigits(), true
	case "BLANK":
		return tableSet(unicode.Zs).or(single('\t')), true
	case "GRAPH":
		return tableSet(unicode.White_Space, unicode.Cc, unicode.Cs).not(), true
	case "PRINT":
		return tableSet(unicode.Cc, unicode.Cs, unicode.Zl, unicode.Zp).not(), true
	}
	return nil, false
}

// twoValued are the properties that have two values.
func twoValued(name string) (set, bool) {
	switch name {
	case "ALPHABETIC":
		return tableSet(unicode.L, unicode.Nl, unicode.Other_Alphabetic), true
	case "LETTER":
		return tableSet(unicode.L), true
	case "IDEOGRAPHIC":
		return tableSet(unicode.Ideographic), true
	case "LOWERCASE":
		return tableSet(unicode.Ll, unicode.Other_Lowercase), true
	case "UPPERCASE":
		return tableSet(unicode.Lu, unicode.Other_Uppercase), true
	case "TITLECASE":
		return tableSet(unicode.Lt), true
	case "WHITE_SPACE", "WHITESPACE":
		return tableSet(unicode.White_Space), true
	case "CONTROL":
		return tableSet(unicode.Cc), true
	case "PUNCTUATION":
		return tableSet(unicode.P), true
	case "DIGIT":
		return tableSet(unicode.Nd), true
	case "ALNUM":
		return tableSet(unicode.L, unicode.Nl, unicode.Other_Alphabetic, unicode.Nd), true
	case "HEX_DIGIT", "HEXDIGIT":
		return tableSet(unicode.Nd, unicode.Hex_Digit), true
	case "NONCHARACTER_CODE_POINT", "NONCHARACTERCODEPOINT":
		return tableSet(unicode.Noncharacter_Code_Point), true
	case "JOIN_CONTROL", "JOINCONTROL":
		return tableSet(unicode.Join_Control), true
	case "ASSIGNED":
		return assigned(), true
	case "WORD":
		return unicodeWords(), true
	}
	return nil, false
}

func assigned() set {
	return tableSet(unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Z, unicode.C)
}

// javaMethod are the classes named by methods of java.lang.Character.
func javaMethod(name string) (set, bool) {
	switch name {
	case "javaLowerCase":
		return twoValued("LOWERCASE")
	case "javaUpperCase":
		return twoValued("UPPERCASE")
	case "javaAlphabetic":
		return twoValued("ALPHABETIC")
	case "javaIdeographic":
		return twoValued("IDEOGRAPHIC")
	case "javaTitleCase":
		return twoValued("TITLECASE")
	case "javaDigit":
		return unicodeDigits(), true
	case "javaDefined":
		return assigned(), true
	case "javaLetter":
		return tableSet(unicode.L), true
	case "javaLetterOrDigit":
		return tableSet(unicode.L, unicode.Nd), true
	case "javaSpaceChar":
		return tableSet(unicode.Z), true
	case "javaWhitespace":
		no := setOf(span{0xa0, 0xa0}, span{0x2007, 0x2007}, span{0x202f, 0x202f})
		return tableSet(unicode.Z).and(no.not()).or(setOf(span{'\t', '\r'}, span{0x1c, 0x1f})), true
	case "javaISOControl":
		return setOf(span{0, 0x1f}, span{0x7f, 0x9f}), true
	case "javaJavaIdentifierStart", "javaUnicodeIdentifierStart":
		return tableSet(unicode.L, unicode.Nl, unicode.Sc, unicode.Pc), true
	case "javaJavaIdentifierPart", "javaUnicodeIdentifierPart":
		return tableSet(unicode.L, unicode.Nl, unicode.Sc, unicode.Pc, unicode.Nd, unicode.Mc, unicode.Mn, unicode.Cf), true
	case "javaMirrored":
		return tableSet(unicode.Ps, unicode.Pe, unicode.Pi, unicode.Pf).or(setOf(span{'<', '<'}, span{'>', '>'})), true
	}
	return nil, false
}

// category are the general categories, and a few names that Java has beside them.
func category(name string) (set, bool) {
	switch name {
	case "LC":
		return tableSet(unicode.Lu, unicode.Ll, unicode.Lt), true
	case "LD":
		return tableSet(unicode.L, unicode.Nd), true
	case "L1":
		return setOf(span{0, 0xff}), true
	case "all", "ALL", "Any", "ANY":
		return set{}.not(), true
	case "Cn":
		return assigned().not(), true
	case "C":
		return tableSet(unicode.C).or(assigned().not()), true
	}
	if t := unicode.Categories[name]; t != nil && len(name) <= 2 {
		return tableSet(t), true
	}
	return nil, false
}

func script(name string) (set, bool) {
	codes := map[string]string{"LATN": "Latin", "GREK": "Greek", "CYRL": "Cyrillic", "HEBR": "Hebrew", "ARAB": "Arabic", "HANI": "Han",
		"HIRA": "Hiragana", "KANA": "Katakana", "HANG": "Hangul", "THAI": "Thai", "DEVA": "Devanagari", "ARMN": "Armenian", "GEOR": "Georgian",
		"ZYYY": "Common", "ZINH": "Inherited", "BENG": "Bengali", "TAML": "Tamil", "TELU": "Telugu", "ETHI": "Ethiopic", "KHMR": "Khmer"}
	if long, ok := codes[strings.ToUpper(name)]; ok {
		name = long
	}
	for n, t := range unicode.Scripts {
		if strings.EqualFold(n, name) {
			return tableSet(t), true
		}
	}
	return nil, false
}

// block are the blocks of Unicode that texts are written in.
func block(name string) (set, bool) {
	key := strings.NewReplacer(" ", "", "_", "", "-", "").Replace(strings.ToUpper(name))
	blocks := map[string]span{
		"BASICLATIN": {0, 0x7f}, "LATIN1SUPPLEMENT": {0x80, 0xff}, "LATINEXTENDEDA": {0x100, 0x17f}, "LATINEXTENDEDB": {0x180, 0x24f},
		"IPAEXTENSIONS": {0x250, 0x2af}, "SPACINGMODIFIERLETTERS": {0x2b0, 0x2ff}, "COMBININGDIACRITICALMARKS": {0x300, 0x36f},
		"GREEK": {0x370, 0x3ff}, "GREEKANDCOPTIC": {0x370, 0x3ff}, "CYRILLIC": {0x400, 0x4ff}, "CYRILLICSUPPLEMENTARY": {0x500, 0x52f},
		"ARMENIAN": {0x530, 0x58f}, "HEBREW": {0x590, 0x5ff}, "ARABIC": {0x600, 0x6ff}, "DEVANAGARI": {0x900, 0x97f}, "BENGALI": {0x980, 0x9ff},
		"TAMIL": {0xb80, 0xbff}, "TELUGU": {0xc00, 0xc7f}, "THAI": {0xe00, 0xe7f}, "TIBETAN": {0xf00, 0xfff}, "GEORGIAN": {0x10a0, 0x10ff},
		"HANGULJAMO": {0x1100, 0x11ff}, "ETHIOPIC": {0x1200, 0x137f}, "LATINEXTENDEDADDITIONAL": {0x1e00, 0x1eff}, "GREEKEXTENDED": {0x1f00, 0x1fff},
		"GENERALPUNCTUATION": {0x2000, 0x206f}, "SUPERSCRIPTSANDSUBSCRIPTS": {0x2070, 0x209f}, "CURRENCYSYMBOLS": {0x20a0, 0x20cf},
		"LETTERLIKESYMBOLS": {0x2100, 0x214f}, "NUMBERFORMS": {0x2150, 0x218f}, "ARROWS": {0x2190, 0x21ff}, "MATHEMATICALOPERATORS": {0x2200, 0x22ff},
		"BOXDRAWING": {0x2500, 0x257f}, "BLOCKELEMENTS": {0x2580, 0x259f}, "GEOMETRICSHAPES": {0x25a0, 0x25ff}, "MISCELLANEOUSSYMBOLS": {0x2600, 0x26ff},
		"DINGBATS": {0x2700, 0x27bf}, "CJKSYMBOLSANDPUNCTUATION": {0x3000, 0x303f}, "HIRAGANA": {0x3040, 0x309f}, "KATAKANA": {0x30a0, 0x30ff},
		"BOPOMOFO": {0x3100, 0x312f}, "CJKUNIFIEDIDEOGRAPHSEXTENSIONA": {0x3400, 0x4dbf}, "CJKUNIFIEDIDEOGRAPHS": {0x4e00, 0x9fff},
		"HANGULSYLLABLES": {0xac00, 0xd7af}, "PRIVATEUSEAREA": {0xe000, 0xf8ff}, "CJKCOMPATIBILITYIDEOGRAPHS": {0xf900, 0xfaff},
		"HALFWIDTHANDFULLWIDTHFORMS": {0xff00, 0xffef}, "EMOTICONS": {0x1f600, 0x1f64f}, "MISCELLANEOUSSYMBOLSANDPICTOGRAPHS": {0x1f300, 0x1f5ff},
	}
	b, ok := blocks[key]
	return set{b}, ok
}
