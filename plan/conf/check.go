package conf

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/catalog"
	"github.com/flightd/flightd/plan/sql"
)

// Check says whether key may be set to value. The notice is not empty where the
// setting is taken without effect. An unknown key, a value of the wrong form and
// a value that flightd cannot heed are errors.
func Check(key, value string) (notice string, err error) {
	k, ok := Lookup(key)
	if !ok {
		return "", unknown(key)
	}
	value = strings.TrimSpace(value)
	if err := k.checkForm(value); err != nil {
		return "", err
	}
	if err := checkRange(k, value); err != nil {
		return "", err
	}
	switch {
	case k.Status == NoEffect:
		return k.Name + " has no effect: " + k.Why, nil
	case k.Status == Fixed && !strings.EqualFold(value, k.Default) && !(k.Default == "" && value == "false"):
		e := base.UserError("INVALID_CONF_VALUE.REQUIREMENT", "22022", "The value '%s' in the config \"%s\" is invalid: flightd has only '%s', because %s.",
			value, k.Name, k.Default, k.Why)
		return "", e.WithHint("leave %s unset", k.Name)
	}
	return "", nil
}

// checkRange refuses numbers of the right form that cannot be meant.
func checkRange(k Key, value string) error {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return nil // not a number's setting
	}
	want := ""
	switch {
	case k.Name == "flightd.subTables" && (n < 1 || n > 256 || n&(n-1) != 0):
		want = "it must be a power of two up to 256"
	case k.Name == "flightd.batchRows" && n < 1:
		want = "it must be at least 1"
	default:
		return nil
	}
	return base.UserError("INVALID_CONF_VALUE.REQUIREMENT", "22022", "The value '%s' in the config \"%s\" is invalid: %s.", value, k.Name, want)
}

func unknown(key string) *base.Error {
	err := base.UserError("INVALID_CONF_KEY", "42704", "There is no setting \"%s\".", key)
	names := make([]string, 0, len(keys))
	for _, k := range keys {
		names = append(names, k.Name)
	}
	if s := base.Nearest(key, names); s != "" {
		return err.WithHint("did you mean %s?", s)
	}
	if s := bySuffix(key, names); s != "" {
		return err.WithHint("did you mean %s?", s)
	}
	return err.WithHint("SET -v lists the settings; those of queries begin with spark.sql. or flightd.")
}

// bySuffix returns the one setting that ends like key, for names without their
// prefix: "shuffle.partitions".
func bySuffix(key string, names []string) string {
	last := strings.ToLower(key)
	found := ""
	for _, n := range names {
		if strings.HasSuffix(strings.ToLower(n), "."+last) {
			if found != "" {
				return ""
			}
			found = n
		}
	}
	return found
}

// checkForm returns an error if value is not of k's kind.
func (k Key) checkForm(value string) error {
	ok, want := true, ""
	switch k.Kind {
	case Bool:
		ok, want = strings.EqualFold(value, "true") || strings.EqualFold(value, "false"), "boolean"
	case Int:
		_, err := strconv.ParseInt(value, 10, 64)
		ok, want = err == nil, "int"
	case Float:
		_, err := strconv.ParseFloat(value, 64)
		ok, want = err == nil, "double"
	case Duration:
		_, err := base.ParseDuration(value)
		ok, want = err == nil, "length of time such as 10s or 5m"
	case Size:
		_, ok = parseSize(value)
		want = "number of bytes such as 1048576 or 64m"
	case Zone:
		if !strings.EqualFold(value, "LOCAL") {
			_, ok = sql.ParseZone(value)
		}
		if !ok {
			e := base.UserError("INVALID_CONF_VALUE.TIME_ZONE", "22022",
				"The value '%s' in the config \"%s\" is invalid. Cannot resolve the given timezone.", value, k.Name)
			return e.WithHint("write a region such as Europe/Berlin, UTC or an offset such as +02:00")
		}
	case Enum:
		if !contains(k.Values, value) {
			e := base.UserError("INVALID_CONF_VALUE.OUT_OF_RANGE_OF_OPTIONS", "22022",
				"The value '%s' in the config \"%s\" is invalid. It should be one of '%s'.", value, k.Name, strings.Join(k.Values, ", "))
			if s := base.Nearest(value, k.Values); s != "" {
				return e.WithHint("did you mean %s?", s)
			}
			return e.WithHint("write one of %s", strings.Join(k.Values, ", "))
		}
	}
	if ok {
		return nil
	}
	e := base.UserError("INVALID_CONF_VALUE.TYPE_MISMATCH", "22022", "The value '%s' in the config \"%s\" is invalid. It should be a %s value.", value, k.Name, want)
	if strings.ContainsAny(value, `'"`) {
		return e.WithHint("write the value without quotes")
	}
	return e.WithHint("the default is %s", strconv.Quote(k.Default))
}

func contains(values []string, v string) bool {
	for _, x := range values {
		if strings.EqualFold(x, v) {
			return true
		}
	}
	return false
}

// parseSize reads bytes: "1048576", "64m", "1 gb".
func parseSize(s string) (int64, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	i := 0
	for i < len(s) && (s[i] >= '0' && s[i] <= '9' || i == 0 && s[i] == '-') {
		i++
	}
	n, err := strconv.ParseInt(s[:i], 10, 64)
	if err != nil {
		return 0, false
	}
	shift, ok := map[string]uint{"": 0, "b": 0, "k": 10, "kb": 10, "m": 20, "mb": 20, "g": 30, "gb": 30, "t": 40, "tb": 40}[strings.TrimSpace(s[i:])]
	if !ok || n > math.MaxInt64>>shift {
		return 0, false
	}
	return n << shift, true
}

// BoolOf returns whether c sets name to true, or the default. The names of this
// and the following functions must be in the table.
func BoolOf(c catalog.Conf, name string) bool { return strings.EqualFold(StringOf(c, name), "true") }

// IntOf returns the whole number that c sets name to, or the default.
func IntOf(c catalog.Conf, name string) int64 {
	n, _ := strconv.ParseInt(strings.TrimSpace(StringOf(c, name)), 10, 64)
	return n
}

// DurationOf returns the length of time that c sets name to, or the default.
func DurationOf(c catalog.Conf, name string) time.Duration {
	d, _ := base.ParseDuration(StringOf(c, name))
	return d
}

// SizeOf returns the number of bytes that c sets name to, or the default.
func SizeOf(c catalog.Conf, name string) int64 {
	n, _ := parseSize(StringOf(c, name))
	return n
}

// StringOf returns the text that c sets name to, or the default.
func StringOf(c catalog.Conf, name string) string {
	k, _ := Lookup(name)
	return c.Lookup(name, k.Default)
}

// Dialect returns how SQL text is read with the settings of c.
func Dialect(c catalog.Conf) sql.Dialect {
	d := sql.Dialect{
		NTZ:               strings.EqualFold(StringOf(c, "spark.sql.timestampType"), "TIMESTAMP_NTZ"),
		DoubleQuotedNames: BoolOf(c, "spark.sql.ansi.doubleQuotedIdentifiers"),
	}
	if zone := StringOf(c, "spark.sql.session.timeZone"); !strings.EqualFold(zone, "UTC") {
		if strings.EqualFold(zone, "LOCAL") {
			d.Zone = time.Local
		} else if loc, ok := sql.ParseZone(zone); ok {
			d.Zone = loc
		}
	}
	return d
}
