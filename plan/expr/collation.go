package expr

import "strings"

// Indeterminate is the Collation of a STRING made of texts whose collations differ,
// where nothing says which one counts. Its values can be read and not compared.
const Indeterminate = "null"

// Collation is what the name of a collation says: how texts compare.
type Collation struct {
	// Base is UTF8_BINARY, UTF8_LCASE, UNICODE or a locale: de, sr_Cyrl_SRB.
	Base string
	// IgnoreCase and IgnoreAccents are _CI and _AI.
	IgnoreCase, IgnoreAccents bool
	// TrimRight is _RTRIM: spaces at the end do not count.
	TrimRight bool
}

// ParseCollation reads the name of a collation, in any case and its specifiers in
// any order. ok: there is such a collation.
func ParseCollation(name string) (c Collation, ok bool) {
	upper := strings.ToUpper(name)
	rest, found := "", false
	take := func(base string) bool {
		b := strings.ToUpper(base)
		if upper == b || strings.HasPrefix(upper, b+"_") {
			c.Base, rest, found = base, strings.TrimPrefix(upper[len(b):], "_"), true
		}
		return found
	}
	plain := take("UTF8_BINARY") || take("UTF8_LCASE")
	if !plain && !take("UNICODE") {
		for _, l := range strings.Fields(localeNames) {
			found = false
			if len(l) > len(c.Base) {
				take(l)
			}
		}
		found = c.Base != ""
	}
	if !found {
		return Collation{}, false
	}
	var letters, accents, pad bool
	for _, s := range strings.FieldsFunc(rest, func(r rune) bool { return r == '_' }) {
		var seen *bool
		switch {
		case s == "RTRIM":
			seen, c.TrimRight = &pad, true
		case plain:
			return Collation{}, false
		case s == "CI", s == "CS":
			seen, c.IgnoreCase = &letters, s == "CI"
		case s == "AI", s == "AS":
			seen, c.IgnoreAccents = &accents, s == "AI"
		default:
			return Collation{}, false
		}
		if *seen {
			return Collation{}, false
		}
		*seen = true
	}
	return c, !strings.HasSuffix(upper, "_") && !strings.Contains(upper, "__")
}

// String returns the collation's name as Spark writes it.
func (c Collation) String() string {
	name := c.Base
	if c.IgnoreCase {
		name += "_CI"
	}
	if c.IgnoreAccents {
		name += "_AI"
	}
	if c.TrimRight {
		name += "_RTRIM"
	}
	return name
}

// IsBinary reports whether texts compare by their bytes.
func (c Collation) IsBinary() bool { return c.Base == "UTF8_BINARY" && !c.TrimRight }

// IsLowerCase reports whether texts compare by their letters in lower case.
func (c Collation) IsLowerCase() bool { return c.Base == "UTF8_LCASE" }

// Language and Country return the English names of a locale's parts, or "".
func (c Collation) Language() string {
	lang, _, _ := strings.Cut(c.Base, "_")
	return pairs(languageNames)[lang]
}

// Country is the English name of the locale's country, or "".
func (c Collation) Country() string {
	return pairs(countryNames)[c.Base[strings.LastIndexByte(c.Base, '_')+1:]]
}

// Collations returns every collation, in the order of collations(): those without a
// language first, then by name.
func Collations() []Collation {
	var out []Collation
	add := func(base string, variants bool) {
		for _, v := range [][2]bool{{false, false}, {false, true}, {true, false}, {true, true}} {
			if !variants && (v[0] || v[1]) {
				continue
			}
			out = append(out, Collation{base, v[0], v[1], false}, Collation{base, v[0], v[1], true})
		}
	}
	add("UTF8_BINARY", false)
	add("UTF8_LCASE", false)
	add("UNICODE", true)
	for _, l := range strings.Fields(localeNames) {
		add(l, true)
	}
	return out
}

// Collated reports whether t is a STRING that does not compare by its bytes.
func (t *Type) Collated() bool { return t.Kind == KindString && t.Collation != "" }

// StringOf returns the STRING of a collation.
func StringOf(c Collation) *Type {
	if c.IsBinary() {
		return String
	}
	return &Type{Kind: KindString, Collation: c.String()}
}

// HasCollation reports whether t or a member of it is Collated.
func (t *Type) HasCollation() bool {
	if t.Collated() || t.Elem != nil && t.Elem.HasCollation() || t.Key != nil && t.Key.HasCollation() {
		return true
	}
	for _, f := range t.Fields {
		if f.Type.HasCollation() {
			return true
		}
	}
	return false
}
