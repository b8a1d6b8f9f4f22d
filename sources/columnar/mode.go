package columnar

import (
	"strings"
	"time"

	"github.com/flightd/flightd/internal/base"
)

// ParseMode says what happens to a record that does not parse.
type ParseMode uint8

// The parse modes, as Spark's readers have them.
const (
	Permissive    ParseMode = iota // null what does not parse, keep the text in the corrupt column
	DropMalformed                  // leave the record out
	FailFast                       // stop with an error
)

// DefaultCorruptColumn is the column that takes the text of malformed records.
const DefaultCorruptColumn = "_corrupt_record"

// Malformed is what the option mode and its companions say.
type Malformed struct {
	Mode ParseMode
	// Column takes the text of a malformed record, if the schema has it.
	Column string
}

// ReadMalformed reads the options mode and columnNameOfCorruptRecord.
func ReadMalformed(o base.Options) (Malformed, error) {
	m := Malformed{Column: o.String("columnNameOfCorruptRecord", DefaultCorruptColumn)}
	switch mode := strings.ToUpper(o.String("mode", "PERMISSIVE")); mode {
	case "PERMISSIVE":
	case "DROPMALFORMED":
		m.Mode = DropMalformed
	case "FAILFAST":
		m.Mode = FailFast
	default:
		return m, base.Errorf(base.CodeInvalid, "option mode: %q is none of PERMISSIVE, DROPMALFORMED, FAILFAST", o.String("mode", ""))
	}
	return m, nil
}

// Error returns the error of FAILFAST for the line of file at a position as Lines
// tells it. why is empty if nothing more is known than that it does not parse.
func (m Malformed) Error(file, position, why string) error {
	if why == "" {
		why = "it does not parse"
	}
	e := base.UserError("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "22023",
		"Malformed records are detected in record parsing: %s, %s: %s. Parse Mode: FAILFAST.", file, position, why)
	return e.WithHint("set the option mode to PERMISSIVE to read such records as nulls, or to DROPMALFORMED to leave them out")
}

// ReadZone returns the zone that the option timeZone names, else session's.
func ReadZone(o base.Options, session *time.Location) (*time.Location, error) {
	name, ok := o.Lookup("timeZone")
	if !ok {
		if session == nil {
			session = time.UTC
		}
		return session, nil
	}
	loc := parseZone(name)
	if loc == nil {
		return nil, base.Errorf(base.CodeInvalid, "option timeZone: %q is not a time zone", name)
	}
	return loc, nil
}

// A Refusal is an option of Spark's that a reader knows and does not have.
type Refusal struct {
	Name string
	// Unless is the value that changes nothing and is therefore taken.
	Unless string
	// Advice says what to do instead; may be empty.
	Advice string
}

// RefuseOptions returns an error for the first of refusals that o asks for.
func RefuseOptions(format string, o base.Options, refusals []Refusal) error {
	for _, r := range refusals {
		v, ok := o.Lookup(r.Name)
		if !ok || strings.EqualFold(v, r.Unless) {
			continue
		}
		err := base.UserError("UNSUPPORTED_FEATURE", "0A000", "the option %s=%s of format %s is not supported", r.Name, v, format)
		if r.Advice != "" {
			return err.WithHint("%s", r.Advice)
		}
		return err.WithHint("leave it at %s", r.Unless)
	}
	return nil
}
