package conf

import (
	"strings"
)

// Kind is the form of a setting's values.
type Kind uint8

// The kinds. A Duration is a number of milliseconds or a text such as "10s"; a
// Size a number of bytes or a text such as "64m"; a Zone the name of a time zone.
const (
	String Kind = iota
	Bool
	Int
	Float
	Duration
	Size
	Enum
	Zone
)

// Status says what flightd does with a setting.
type Status uint8

const (
	// Heeded settings do what they say.
	Heeded Status = iota
	// NoEffect settings are taken and do nothing; Why says why nothing is lost.
	NoEffect
	// Fixed settings change the meaning of queries and have only the value
	// Default here; any other is refused with Why.
	Fixed
)

// Key is a setting.
type Key struct {
	// Name is the setting's name; that of a family ends in ".*".
	Name string
	// Default is the value where none was set; "" also stands for none.
	Default string
	Kind    Kind
	// Values are those of an Enum, in Spark's spelling.
	Values []string
	Status Status
	// Why is a sentence for the notice or the refusal; empty for Heeded.
	Why string
}

// Lookup returns the setting of that name, without regard to case. A name in a
// family such as spark.executor.* gives the family with this name.
func Lookup(name string) (Key, bool) {
	if k, ok := byName[strings.ToLower(name)]; ok {
		return k, true
	}
	for _, f := range families {
		if prefix := strings.TrimSuffix(f.Name, "*"); len(name) > len(prefix) && strings.EqualFold(name[:len(prefix)], prefix) {
			k := f
			k.Name = name
			return k, true
		}
	}
	return Key{}, false
}

// Keys returns every setting, families as "prefix.*", in the order of the table.
func Keys() []Key {
	return append(append([]Key(nil), keys...), families...)
}

// The table, parsed once and never changed.
var (
	keys, families = parse(rows)
	byName         = index(keys)
)

func index(keys []Key) map[string]Key {
	m := make(map[string]Key, len(keys))
	for _, k := range keys {
		m[strings.ToLower(k.Name)] = k
	}
	return m
}

var kinds = map[string]Kind{"string": String, "bool": Bool, "int": Int, "float": Float, "duration": Duration, "size": Size, "zone": Zone}

// parse reads the rows of the table: name, default, form, status with a reason's
// letter, separated by white space; "~" stands for "spark.sql.streaming.".
func parse(rows string) (plain, families []Key) {
	for _, line := range strings.Split(strings.TrimSpace(rows), "\n") {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		if rest, ok := strings.CutPrefix(f[0], "~"); ok {
			f[0] = "spark.sql.streaming." + rest
		}
		k := Key{Name: f[0], Default: strings.Trim(f[1], `"`)}
		if kind, ok := kinds[f[2]]; ok {
			k.Kind = kind
		} else {
			k.Kind, k.Values = Enum, strings.Split(f[2], "|")
		}
		switch f[3][0] {
		case '-':
			k.Status, k.Why = NoEffect, reasons[f[3][1:]]
		case '=':
			k.Status, k.Why = Fixed, reasons[f[3][1:]]
		}
		if strings.HasSuffix(k.Name, ".*") {
			families = append(families, k)
		} else {
			plain = append(plain, k)
		}
	}
	return plain, families
}
