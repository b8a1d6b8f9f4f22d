package expr

import (
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/arrowtext"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

// jsonOptions are the options of to_json and from_json.
type jsonOptions struct {
	env                   *Env
	keepNulls             bool
	timestamp, ntz, date  pattern
	time                  pattern
	mode, corrupt         string
	readTimestamp         bool
	timestampSet, dateSet bool
	leave                 jsonLeave
	// pretty writes members on lines of their own; single is the column that takes
	// the whole value as a VARIANT; noDates reads no dates as such into a VARIANT.
	pretty, noDates bool
	single          string
}

// newJSONOptions reads the options of a MAP literal.
func newJSONOptions(c *expr.Call, arg int, env *Env, parsing bool) (*jsonOptions, error) {
	o := &jsonOptions{env: env, mode: "PERMISSIVE", corrupt: "_corrupt_record"}
	o.timestamp, _ = parsePattern("yyyy-MM-dd'T'HH:mm:ss.SSSXXX", false)
	o.ntz, _ = parsePattern("yyyy-MM-dd'T'HH:mm:ss.SSS", false)
	o.date, _ = parsePattern("yyyy-MM-dd", false)
	set, err := optionsOf(c, arg, env)
	if err != nil {
		return nil, err
	}
	for _, given := range set {
		val, yes := given.value, strings.EqualFold(given.value, "true")
		switch given.name {
		case "allownumericleadingzeros":
			o.leave.zeros = yes
		case "allowunquotedfieldnames":
			o.leave.bare = yes
		case "allowcomments":
			o.leave.comments = yes
		case "allowbackslashescapinganycharacter":
			o.leave.escapes = yes
		case "allowunquotedcontrolchars":
			o.leave.controls = yes
		case "allowsinglequotes":
			o.leave.doubleOnly = !yes
		case "allownonnumericnumbers":
			o.leave.finite = !yes
		case "pretty":
			o.pretty = yes
		case "preferdate":
			o.noDates = !yes
		case "singlevariantcolumn":
			o.single = val
		case "ignorenullfields":
			o.keepNulls = strings.EqualFold(val, "false")
		case "mode":
			o.mode = parseMode(val)
		case "columnnameofcorruptrecord":
			o.corrupt = val
		case "timezone":
			loc, ok := arrowtext.LoadZone(val)
			if !ok {
				return nil, base.UserError("INVALID_TIMEZONE", "22009", "The time zone %s is not known.", quoted([]byte(val))).At(c.At)
			}
			o.env = &Env{Zone: loc, Now: env.Now, Library: env.Library}
			o.env.prepare()
		case "timestampformat", "dateformat", "timestampntzformat", "timeformat":
			p, err := parsePattern(val, parsing)
			if err != nil {
				return nil, err.At(c.At)
			}
			switch given.name {
			case "dateformat":
				o.date, o.dateSet = p, true
			case "timestampformat":
				o.timestamp, o.timestampSet = p, true
			case "timeformat":
				o.time = p
			default:
				o.ntz = p
			}
		}
	}
	return o, nil
}

func makeToJSON(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	o, err := newJSONOptions(c, 1, env, false)
	if err != nil {
		return nil, err
	}
	return newFunction(c, args[:1], env, func(f *frame) error {
		v := f.args[0]
		return f.write(func(i int, dst []byte) ([]byte, error) {
			if o.pretty {
				return prettyJSON(dst, o.append(nil, v, i)), nil
			}
			return o.append(dst, v, i), nil
		})
	}), nil
}

// append appends row i of v, which is present, as JSON.
func (o *jsonOptions) append(dst []byte, v *vec.Vec, i int) []byte {
	if v.Null(i) {
		return append(dst, "null"...)
	}
	i = v.Index(i)
	switch v.Type.Kind {
	case expr.KindString:
		return appendQuoted(dst, v.Text(i))
	case expr.KindBinary:
		return append(base64.StdEncoding.AppendEncode(append(dst, '"'), v.Str(i)), '"')
	case expr.KindFloat32, expr.KindFloat64:
		text := appendText(nil, v, i, nil)
		if strings.ContainsAny(string(text), "NI") {
			return append(append(append(dst, '"'), text...), '"')
		}
		return append(dst, text...)
	case expr.KindDate:
		t, _ := arrowtext.JoinDay(int64(vec.Values[int32](v)[i]), 0)
		return append(o.date.format(append(dst, '"'), t, 0, utc, timeUTC), '"')
	case expr.KindTimestamp:
		return append(o.timestamp.format(append(dst, '"'), vec.Values[int64](v)[i], 0, o.env.zone, o.env.Zone), '"')
	case expr.KindTimestampNTZ:
		return append(o.ntz.format(append(dst, '"'), vec.Values[int64](v)[i], 0, utc, timeUTC), '"')
	case expr.KindVariant:
		return appendVariantText(dst, v.Str(i), o.env.zone)
	case expr.KindArray:
		dst = append(dst, '[')
		for k := v.Off[i]; k < v.Off[i+1]; k++ {
			if k > v.Off[i] {
				dst = append(dst, ',')
			}
			dst = o.append(dst, v.Kids[0], int(k))
		}
		return append(dst, ']')
	case expr.KindMap:
		dst = append(dst, '{')
		for k := v.Off[i]; k < v.Off[i+1]; k++ {
			if k > v.Off[i] {
				dst = append(dst, ',')
			}
			dst = append(appendQuoted(dst, mapKey(v.Kids[0], int(k), o.env.zone)), ':')
			dst = o.append(dst, v.Kids[1], int(k))
		}
		return append(dst, '}')
	case expr.KindStruct:
		dst = append(dst, '{')
		first := true
		for k, kid := range v.Kids {
			if kid.Null(i) && !o.keepNulls {
				continue
			}
			if !first {
				dst = append(dst, ',')
			}
			first = false
			dst = append(appendQuoted(dst, v.Type.Fields[k].Name), ':')
			dst = o.append(dst, kid, i)
		}
		return append(dst, '}')
	case expr.KindTime:
		if o.time != nil {
			t := vec.Values[int64](v)[i]
			return append(o.time.format(append(dst, '"'), t/nanosPerMicro, t%nanosPerMicro, utc, timeUTC), '"')
		}
		return append(appendText(append(dst, '"'), v, i, nil), '"')
	case expr.KindYearMonth, expr.KindDayTime, expr.KindCalendar:
		return append(appendText(append(dst, '"'), v, i, nil), '"')
	}
	return appendText(dst, v, i, o.env.zone)
}

// mapKey is the name of a map's key: a text's own, the number that Spark keeps for
// a date, a time or an interval, else what a cast makes of it.
func mapKey(v *vec.Vec, i int, zone *kernels.Zone) string {
	j := v.Index(i)
	switch v.Type.Kind {
	case expr.KindDate, expr.KindYearMonth:
		return strconv.FormatInt(int64(vec.Values[int32](v)[j]), 10)
	case expr.KindTimestamp, expr.KindTimestampNTZ, expr.KindDayTime:
		return strconv.FormatInt(vec.Values[int64](v)[j], 10)
	}
	return string(AppendText(nil, v, i, zone))
}

// parseMode is how malformed records are met; a word that says nothing of that
// means the first.
func parseMode(s string) string {
	switch mode := strings.ToUpper(s); mode {
	case "FAILFAST", "DROPMALFORMED":
		return mode
	}
	return "PERMISSIVE"
}

// prettyJSON appends compact JSON as Jackson's default printer lays it out: a
// member on a line of its own, two spaces deeper; elements of arrays in a row.
func prettyJSON(dst, s []byte) []byte {
	depth, quoted := 0, false
	var open []byte
	line := func() {
		dst = append(dst, '\n')
		for range depth {
			dst = append(dst, "  "...)
		}
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case quoted:
			dst = append(dst, c)
			if c == '\\' {
				i++
				dst = append(dst, s[i])
			}
			quoted = c != '"'
		case c == '"':
			quoted = true
			dst = append(dst, c)
		case (c == '{' || c == '[') && s[i+1] == c+2:
			dst = append(dst, c, ' ', c+2)
			i++
		case c == '{':
			open = append(open, c)
			dst = append(dst, c)
			depth++
			line()
		case c == '[':
			open = append(open, c)
			dst = append(dst, '[', ' ')
		case c == '}':
			depth--
			line()
			dst = append(dst, c)
			open = open[:len(open)-1]
		case c == ']':
			dst = append(dst, ' ', ']')
			open = open[:len(open)-1]
		case c == ',' && open[len(open)-1] == '{':
			dst = append(dst, c)
			line()
		case c == ',':
			dst = append(dst, ',', ' ')
		case c == ':':
			dst = append(dst, " : "...)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}
