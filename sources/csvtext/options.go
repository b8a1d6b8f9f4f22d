package csvtext

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sources/columnar"
)

// Options say how a file is read.
type Options struct {
	Malformed columnar.Malformed
	// Zone reads timestamps without an offset; nil is UTC.
	Zone   *time.Location
	Header bool
	// Infer asks the Inferrer for types; without it all columns are strings.
	Infer bool
	// Sep parts cells; it may have several bytes.
	Sep string
	// Quote and Escape are single bytes; Quote 0 switches quoting off.
	Quote, Escape byte
	// Comment begins a line that is left out; 0 is none.
	Comment byte
	// Null is the text of an absent value, Empty what a quoted empty cell means.
	Null, Empty string
	// NaN, PosInf and NegInf are words for doubles, beside Java's own.
	NaN, PosInf, NegInf string
	// TrimLeft and TrimRight drop white space around cells without quotes.
	TrimLeft, TrimRight bool
	LineSep             string
}

// DefaultOptions are Spark's.
func DefaultOptions() Options {
	return Options{Malformed: columnar.Malformed{Column: columnar.DefaultCorruptColumn}, Sep: ",", Quote: '"', Escape: '\\',
		NaN: "NaN", PosInf: "Inf", NegInf: "-Inf"}
}

// OptionNames are the options that ReadOptions takes.
func OptionNames() []string {
	return []string{"mode", "columnNameOfCorruptRecord", "timeZone", "header", "inferSchema", "sep", "delimiter", "quote", "escape", "comment",
		"nullValue", "emptyValue", "nanValue", "positiveInf", "negativeInf", "ignoreLeadingWhiteSpace", "ignoreTrailingWhiteSpace", "lineSep",
		"multiLine", "encoding", "charset", "locale", "samplingRatio", "enforceSchema", "preferDate", "dateFormat", "timestampFormat",
		"timestampNTZFormat", "charToEscapeQuoteEscaping", "maxColumns", "maxCharsPerColumn", "unescapedQuoteHandling"}
}

// ReadOptions reads Spark's options. session is the zone without timeZone.
func ReadOptions(o base.Options, session *time.Location) (Options, error) {
	opt := DefaultOptions()
	var err error
	if opt.Malformed, err = columnar.ReadMalformed(o); err != nil {
		return opt, err
	}
	if opt.Zone, err = columnar.ReadZone(o, session); err != nil {
		return opt, err
	}
	for name, to := range map[string]*bool{"header": &opt.Header, "inferSchema": &opt.Infer,
		"ignoreLeadingWhiteSpace": &opt.TrimLeft, "ignoreTrailingWhiteSpace": &opt.TrimRight} {
		if *to, err = o.Bool(name, *to); err != nil {
			return opt, err
		}
	}
	for name, to := range map[string]*string{"nullValue": &opt.Null, "emptyValue": &opt.Empty, "nanValue": &opt.NaN,
		"positiveInf": &opt.PosInf, "negativeInf": &opt.NegInf, "lineSep": &opt.LineSep} {
		*to = o.String(name, *to)
	}
	for name, to := range map[string]*byte{"quote": &opt.Quote, "escape": &opt.Escape, "comment": &opt.Comment} {
		if v, ok := o.Lookup(name); ok {
			if *to, err = oneByte(name, v); err != nil {
				return opt, err
			}
		}
	}
	opt.Sep = o.String("sep", o.String("delimiter", opt.Sep))
	opt.Sep = strings.NewReplacer(`\t`, "\t", `\\`, `\`).Replace(opt.Sep)
	if opt.Sep == "" || strings.ContainsAny(opt.Sep, "\r\n") || !utf8.ValidString(opt.Sep) {
		return opt, base.Errorf(base.CodeInvalid, "option sep: %q cannot part cells", opt.Sep)
	}
	return opt, columnar.RefuseOptions("csv", o, []columnar.Refusal{
		{Name: "multiLine", Unless: "false", Advice: "write one record a line, or use Parquet"},
		{Name: "encoding", Unless: "UTF-8"}, {Name: "charset", Unless: "UTF-8"},
		{Name: "enforceSchema", Unless: "true"}, {Name: "preferDate", Unless: "true"},
		{Name: "charToEscapeQuoteEscaping", Unless: string(rune(opt.Escape))},
		{Name: "unescapedQuoteHandling", Unless: "STOP_AT_DELIMITER"},
		{Name: "dateFormat", Unless: "yyyy-MM-dd", Advice: "read the column as STRING and use to_date"},
		{Name: "timestampFormat", Unless: "yyyy-MM-dd'T'HH:mm:ss[.SSS][XXX]", Advice: "read the column as STRING and use to_timestamp"},
		{Name: "timestampNTZFormat", Unless: "yyyy-MM-dd'T'HH:mm:ss[.SSS]", Advice: "read the column as STRING and use to_timestamp_ntz"},
	})
}

func oneByte(name, v string) (byte, error) {
	switch {
	case v == "" || v == `\0`:
		return 0, nil
	case v == `\t`:
		return '\t', nil
	case v == `\\`:
		return '\\', nil
	case len(v) == 1 && v[0] < utf8.RuneSelf:
		return v[0], nil
	}
	return 0, base.Errorf(base.CodeInvalid, "option %s: %q is not one ASCII character", name, v)
}
