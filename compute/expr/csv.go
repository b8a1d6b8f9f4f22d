package expr

import (
	"bytes"
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

func csvRows() map[string]row {
	return map[string]row{
		"from_csv":       {makeFromCSV},
		"to_csv":         {makeToCSV},
		"schema_of_csv":  prepared(schemaOfCSV),
		"schema_of_json": prepared(schemaOfJSON),
	}
}

// csvOptions are the options of from_csv and to_csv; times and the corrupt column
// are those of JSON.
type csvOptions struct {
	*jsonOptions
	sep           string
	quote, escape byte
	comment       byte
	null          string
	emptyIn       string
	emptyOut      string
	nan           string
	infinity      [2]string // positive, negative
	quoteAll      bool
	trimIn        [2]bool // leading, trailing
	trimOut       [2]bool
}

// newCSVOptions reads the options of a MAP literal.
func newCSVOptions(c *expr.Call, arg int, env *Env, parsing bool) (*csvOptions, error) {
	times, err := newJSONOptions(c, arg, env, parsing)
	if err != nil {
		return nil, err
	}
	o := &csvOptions{jsonOptions: times, sep: ",", quote: '"', escape: '\\', emptyOut: `""`, nan: "NaN", infinity: [2]string{"Inf", "-Inf"}, trimOut: [2]bool{true, true}}
	set, err := optionsOf(c, arg, env)
	if err != nil {
		return nil, err
	}
	first := func(s string) byte {
		if s == "" {
			return 0
		}
		return s[0]
	}
	for _, given := range set {
		val := given.value
		switch given.name {
		case "sep", "delimiter":
			if o.sep = strings.NewReplacer(`\t`, "\t", `\\`, `\`).Replace(val); val == "" {
				e := plainOverflow("")
				e.Msg = "IllegalArgumentException: the separator is empty"
				return nil, e.At(c.At)
			}
		case "quote":
			o.quote = first(val)
		case "escape":
			o.escape = first(val)
		case "comment":
			o.comment = first(val)
		case "nullvalue":
			o.null = val
		case "emptyvalue":
			o.emptyIn, o.emptyOut = val, val
		case "nanvalue":
			o.nan = val
		case "positiveinf":
			o.infinity[0] = val
		case "negativeinf":
			o.infinity[1] = val
		case "quoteall":
			o.quoteAll = strings.EqualFold(val, "true")
		case "ignoreleadingwhitespace":
			o.trimIn[0], o.trimOut[0] = strings.EqualFold(val, "true"), strings.EqualFold(val, "true")
		case "ignoretrailingwhitespace":
			o.trimIn[1], o.trimOut[1] = strings.EqualFold(val, "true"), strings.EqualFold(val, "true")
		}
	}
	return o, nil
}

// csvField is a value of a record; empty is true where there is nothing at all,
// which is another thing than an empty text in quotes.
type csvField struct {
	text  []byte
	empty bool
}

// split takes a record apart, the way of the univocity parser: quotes count at the
// start of a value only, and a value with text behind its closing quote is taken
// as it stands, up to the next separator.
func (o *csvOptions) split(s []byte) []csvField {
	var out []csvField
	for {
		var f csvField
		f, s = o.field(s)
		out = append(out, f)
		if s == nil {
			return out
		}
	}
}

// field takes the first value and its separator off s; rest is nil behind the
// last.
func (o *csvOptions) field(s []byte) (f csvField, rest []byte) {
	sep := []byte(o.sep)
	if o.trimIn[0] {
		s = bytes.TrimLeft(s, " \t")
	}
	from := 0
	if len(s) > 0 && s[0] == o.quote && o.quote != 0 {
		var text []byte
		i := 1
		for i < len(s) && s[i] != o.quote {
			if s[i] == o.escape && i+1 < len(s) && (s[i+1] == o.quote || s[i+1] == o.escape) {
				i++
			}
			text = append(text, s[i])
			i++
		}
		if i >= len(s) { // the quote is not closed
			return csvField{text: text}, nil
		}
		behind := bytes.TrimLeft(s[i+1:], " \t")
		switch {
		case len(behind) == 0:
			return csvField{text: text}, nil
		case bytes.HasPrefix(behind, sep):
			return csvField{text: text}, behind[len(sep):]
		}
		from = i
	}
	end := bytes.Index(s[from:], sep)
	if end < 0 {
		f.text = s
	} else {
		f.text, rest = s[:from+end], s[from+end+len(sep):]
	}
	if o.trimIn[1] {
		f.text = bytes.TrimRight(f.text, " \t")
	}
	f.empty = len(f.text) == 0
	return f, rest
}

// value is the text of f, or ok false where it stands for NULL.
func (o *csvOptions) value(f csvField) (text []byte, ok bool) {
	text = f.text
	switch {
	case f.empty:
		return nil, false
	case len(text) == 0:
		text = []byte(o.emptyIn)
	}
	return text, string(text) != o.null
}

func makeFromCSV(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	o, err := newCSVOptions(c, 2, env, true)
	if err != nil {
		return nil, err
	}
	if o.mode != "PERMISSIVE" && o.mode != "FAILFAST" {
		return nil, base.UserError("PARSE_MODE_UNSUPPORTED", "42601",
			"The function `from_csv` doesn't support the %s mode. Acceptable modes are PERMISSIVE and FAILFAST.", o.mode).At(c.At)
	}
	return newFunction(c, args[:1], env, func(f *frame) error {
		b := vec.NewBuilder(c.Typ)
		a := f.text(0)
		next := 0
		err := f.tryAll(func(i int) error {
			for ; next < i; next++ {
				b.AppendNull()
			}
			next++
			if !f.valid(i) {
				b.AppendNull()
				return nil
			}
			return o.row(c, b, a.at(i))
		})
		if err != nil {
			return err
		}
		for ; next < f.n; next++ {
			b.AppendNull()
		}
		*f.out = *b.Vec()
		return nil
	}), nil
}

// row adds the record s to b. A record with more or fewer values than columns, or
// one that does not fit its column's type, is malformed: what is good of it stays.
func (o *csvOptions) row(c *expr.Call, b *vec.Builder, s []byte) error {
	fields := o.split(s)
	if len(s) == 0 {
		fields = nil
	}
	if cols := c.Typ.Fields; len(cols) == 1 && cols[0].Name == o.single && cols[0].Type.Kind == expr.KindVariant {
		o.record(b.Kids[0], fields)
		b.EndStruct()
		return nil
	}
	bad, at, corrupt := false, 0, -1
	var shown []string
	for k, col := range c.Typ.Fields {
		if col.Name == o.corrupt && col.Type.Kind == expr.KindString {
			corrupt = k
			continue
		}
		kid := b.Kids[k]
		if at >= len(fields) {
			kid.AppendNull()
			bad = true
			at++
			shown = append(shown, "null")
			continue
		}
		text, ok := o.value(fields[at])
		at++
		if !ok && kid.Type.Kind == expr.KindVariant && !fields[at-1].empty {
			ok = o.nullVariant(kid) // the text of NULL, not nothing
		} else if !ok {
			kid.AppendNull()
		} else if ok = o.append(kid, text); !ok {
			kid.AppendNull()
			bad = true
		}
		if !ok {
			text = []byte("null")
		}
		shown = append(shown, string(bytes.ToValidUTF8(text, []byte("\uFFFD"))))
	}
	bad = bad || at < len(fields)
	if bad && o.mode == "FAILFAST" {
		return base.UserError("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "22023",
			"Malformed records are detected in record parsing: [%s].\nParse Mode: FAILFAST. To process malformed records as null result, try setting the option 'mode' as 'PERMISSIVE'. ",
			strings.Join(shown, ",")).At(c.At)
	}
	if corrupt >= 0 {
		if bad {
			b.Kids[corrupt].AppendBytes(s)
		} else {
			b.Kids[corrupt].AppendNull()
		}
	}
	b.EndStruct()
	return nil
}

// append adds a text to b as a value of b's type and reports whether it is one.
func (o *csvOptions) append(b *vec.Builder, s []byte) bool {
	r := jsonReader{o: o.jsonOptions}
	text := string(s)
	switch t := b.Type; {
	case t.Kind == expr.KindVariant:
		return o.variant(b, text)
	case t.Kind == expr.KindString || t.Kind == expr.KindBinary:
		b.AppendBytes(s)
		return true
	case t.Kind == expr.KindBool:
		yes := strings.EqualFold(text, "true")
		if yes || strings.EqualFold(text, "false") {
			b.AppendBool(yes)
			return true
		}
		return false
	case t.IsInteger():
		return plainNumber(text, false) && r.number(b, text)
	case t.Kind == expr.KindDecimal:
		return plainNumber(text, true) && r.number(b, text)
	case t.Kind == expr.KindFloat32 || t.Kind == expr.KindFloat64:
		switch text {
		case o.nan:
			text = "NaN"
		case o.infinity[0]:
			text = "Infinity"
		case o.infinity[1]:
			text = "-Infinity"
		}
		x, ok := javaDouble(text, t)
		if ok && t.Kind == expr.KindFloat32 {
			vec.AppendFixed(b, float32(x))
		} else if ok {
			vec.AppendFixed(b, x)
		}
		return ok
	case t.Kind == expr.KindTimestampNTZ && (!bytes.ContainsAny(s, "-") || zoned(text)):
		return false
	}
	return r.text(b, text)
}

// zoned reports whether a timestamp's text ends with a zone.
func zoned(s string) bool {
	at := strings.IndexAny(s, "T ")
	return at >= 0 && strings.ContainsAny(s[at+1:], "+-ZUGabcdefghijklmnopqrstuvwxyz")
}

// makeToCSV writes a struct as one record. A record without any text is NULL.
func makeToCSV(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	o, err := newCSVOptions(c, 1, env, false)
	if err != nil {
		return nil, err
	}
	var one []byte
	return newFunction(c, args[:1], env, func(f *frame) error {
		v := f.args[0]
		return f.write(func(i int, dst []byte) ([]byte, error) {
			at := len(dst)
			r := v.Index(i)
			for k, kid := range v.Kids {
				if k > 0 {
					dst = append(dst, o.sep...)
				}
				if kid.Null(r) {
					one = append(one[:0], o.null...)
				} else {
					one = o.text(one[:0], kid, r)
				}
				dst = o.write(dst, one, k == 0, kid.Null(r))
			}
			if len(dst) == at {
				f.setNull(i)
			}
			return dst, nil
		})
	}), nil
}

// write appends a value, in quotes where it must be.
func (o *csvOptions) write(dst, s []byte, first, null bool) []byte {
	if o.trimOut[0] {
		s = bytes.TrimLeft(s, " \t\r\n")
	}
	if o.trimOut[1] {
		s = bytes.TrimRight(s, " \t\r\n")
	}
	quote := o.quoteAll
	switch {
	case len(s) == 0 && null && !quote:
		return dst
	case len(s) == 0:
		if null || o.emptyOut == `""` {
			return append(dst, `""`...)
		}
		s = []byte(o.emptyOut)
	case bytes.Contains(s, []byte(o.sep)) || bytes.IndexByte(s, o.quote) >= 0 || bytes.ContainsAny(s, "\r\n"),
		first && o.comment != 0 && s[0] == o.comment:
		quote = true
	}
	if !quote {
		return append(dst, s...)
	}
	dst = append(dst, o.quote)
	for _, c := range s {
		if c == o.quote || c == o.escape {
			dst = append(dst, o.escape)
		}
		dst = append(dst, c)
	}
	return append(dst, o.quote)
}

// text appends row i of v, which is present, as it stands in a record.
func (o *csvOptions) text(dst []byte, v *vec.Vec, i int) []byte {
	i = v.Index(i)
	switch v.Type.Kind {
	case expr.KindDate, expr.KindTimestamp, expr.KindTimestampNTZ, expr.KindTime:
		return bytes.Clone(bytes.Trim(o.jsonOptions.append(dst, v, i), `"`))
	}
	return o.nested(dst, v, i)
}

// nested appends a value as it stands within arrays, maps and structs: as CAST
// prints it, but nothing for NULL and bytes in hexadecimal.
func (o *csvOptions) nested(dst []byte, v *vec.Vec, i int) []byte {
	i = v.Index(i)
	member := func(dst []byte, v *vec.Vec, i int, space bool) []byte {
		if v.Null(i) {
			return dst
		}
		if space {
			dst = append(dst, ' ')
		}
		return o.nested(dst, v, i)
	}
	switch v.Type.Kind {
	case expr.KindBinary:
		dst = append(dst, '[')
		for k, b := range v.Str(i) {
			if k > 0 {
				dst = append(dst, ' ')
			}
			dst = append(dst, strings.ToUpper(hex.EncodeToString([]byte{b}))...)
		}
		return append(dst, ']')
	case expr.KindArray, expr.KindMap:
		open, end := byte('['), byte(']')
		if v.Type.Kind == expr.KindMap {
			open, end = '{', '}'
		}
		dst = append(dst, open)
		for k := v.Off[i]; k < v.Off[i+1]; k++ {
			if k > v.Off[i] {
				dst = append(dst, ',')
			}
			dst = member(dst, v.Kids[0], int(k), k > v.Off[i])
			if v.Type.Kind == expr.KindMap {
				dst = member(append(dst, " ->"...), v.Kids[1], int(k), true)
			}
		}
		return append(dst, end)
	case expr.KindStruct:
		dst = append(dst, '{')
		for k, kid := range v.Kids {
			if k > 0 {
				dst = append(dst, ',')
			}
			dst = member(dst, kid, i, k > 0)
		}
		return append(dst, '}')
	}
	return appendText(dst, v, i, o.env.zone)
}

// plainNumber reports whether s is a number as Java's Integer or, with a point
// and an exponent, BigDecimal read it: no space, no suffix.
func plainNumber(s string, point bool) bool {
	s = strings.TrimPrefix(strings.TrimPrefix(s, "+"), "-")
	whole := countOf(s, urlDigits)
	digits := whole
	rest := s[whole:]
	if point && strings.HasPrefix(rest, ".") {
		n := countOf(rest[1:], urlDigits)
		digits += n
		rest = rest[n+1:]
	}
	if point && digits > 0 && rest != "" && rest[0]|0x20 == 'e' {
		rest = strings.TrimLeft(rest[1:], "+-")
		return rest != "" && countOf(rest, urlDigits) == len(rest)
	}
	return digits > 0 && rest == "" && utf8.ValidString(s)
}
