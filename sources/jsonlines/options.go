package jsonlines

import (
	"time"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sources/columnar"
)

// Options say how a file is read.
type Options struct {
	Malformed columnar.Malformed
	// Zone reads timestamps without an offset; nil is UTC.
	Zone *time.Location
	// SingleQuotes admits 'text' beside "text".
	SingleQuotes bool
	// NonNumeric admits the bare words NaN, Infinity, INF as numbers.
	NonNumeric bool
	// LineSep is the line end; empty means \n, \r\n and \r.
	LineSep string
	// PrimitivesAsString and PrefersDecimal steer inference only.
	PrimitivesAsString bool
	PrefersDecimal     bool
}

// DefaultOptions are Spark's.
func DefaultOptions() Options {
	return Options{Malformed: columnar.Malformed{Column: columnar.DefaultCorruptColumn}, SingleQuotes: true, NonNumeric: true}
}

// OptionNames are the options that ReadOptions takes.
func OptionNames() []string {
	return []string{"mode", "columnNameOfCorruptRecord", "timeZone", "allowSingleQuotes", "allowNonNumericNumbers", "lineSep",
		"primitivesAsString", "prefersDecimal", "multiLine", "encoding", "charset", "locale", "samplingRatio", "inferTimestamp",
		"allowComments", "allowUnquotedFieldNames", "allowNumericLeadingZeros", "allowBackslashEscapingAnyCharacter",
		"allowUnquotedControlChars", "dropFieldIfAllNull", "dateFormat", "timestampFormat", "timestampNTZFormat"}
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
	for name, to := range map[string]*bool{"allowSingleQuotes": &opt.SingleQuotes, "allowNonNumericNumbers": &opt.NonNumeric,
		"primitivesAsString": &opt.PrimitivesAsString, "prefersDecimal": &opt.PrefersDecimal} {
		if *to, err = o.Bool(name, *to); err != nil {
			return opt, err
		}
	}
	opt.LineSep = o.String("lineSep", "")
	return opt, columnar.RefuseOptions("json", o, []columnar.Refusal{
		{Name: "multiLine", Unless: "false", Advice: "write one JSON value a line"},
		{Name: "allowComments", Unless: "false"}, {Name: "allowUnquotedFieldNames", Unless: "false"},
		{Name: "allowNumericLeadingZeros", Unless: "false"}, {Name: "allowBackslashEscapingAnyCharacter", Unless: "false"},
		{Name: "allowUnquotedControlChars", Unless: "false"}, {Name: "dropFieldIfAllNull", Unless: "false"},
		{Name: "inferTimestamp", Unless: "false"}, {Name: "encoding", Unless: "UTF-8"}, {Name: "charset", Unless: "UTF-8"},
		{Name: "dateFormat", Unless: "yyyy-MM-dd", Advice: "read the column as STRING and use to_date"},
		{Name: "timestampFormat", Unless: "yyyy-MM-dd'T'HH:mm:ss[.SSS][XXX]", Advice: "read the column as STRING and use to_timestamp"},
		{Name: "timestampNTZFormat", Unless: "yyyy-MM-dd'T'HH:mm:ss[.SSS]", Advice: "read the column as STRING and use to_timestamp_ntz"},
	})
}
