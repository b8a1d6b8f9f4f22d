package base

import (
	"sort"
	"strconv"
	"strings"
	"time"
)

// Options are the options of a source, a sink or a query. Keys are compared
// without regard to case; they keep the spelling they were given with.
type Options map[string]string

// Lookup returns the value of key.
func (o Options) Lookup(key string) (string, bool) {
	if v, ok := o[key]; ok {
		return v, true
	}
	for k, v := range o {
		if strings.EqualFold(k, key) {
			return v, true
		}
	}
	return "", false
}

// String returns the value of key, or def.
func (o Options) String(key, def string) string {
	if v, ok := o.Lookup(key); ok {
		return v
	}
	return def
}

// Bool returns the value of key as true or false, or def.
func (o Options) Bool(key string, def bool) (bool, error) {
	v, ok := o.Lookup(key)
	if !ok {
		return def, nil
	}
	b, err := strconv.ParseBool(strings.ToLower(strings.TrimSpace(v)))
	if err != nil {
		return def, Errorf(CodeInvalid, "option %s: %q is neither true nor false", key, v)
	}
	return b, nil
}

// Int returns the value of key as a whole number, or def.
func (o Options) Int(key string, def int64) (int64, error) {
	v, ok := o.Lookup(key)
	if !ok {
		return def, nil
	}
	n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
	if err != nil {
		return def, Errorf(CodeInvalid, "option %s: %q is not a whole number", key, v)
	}
	return n, nil
}

// Duration returns the value of key as a length of time ("10s", "7d", "10
// minutes", or milliseconds without a unit), or def.
func (o Options) Duration(key string, def time.Duration) (time.Duration, error) {
	v, ok := o.Lookup(key)
	if !ok {
		return def, nil
	}
	d, err := ParseDuration(v)
	if err != nil {
		return def, Errorf(CodeInvalid, "option %s: %q is not a length of time such as 10s, 5m, 12h or 7d", key, v)
	}
	return d, nil
}

var durationUnits = map[string]time.Duration{
	"": time.Millisecond, "us": time.Microsecond, "microsecond": time.Microsecond, "ms": time.Millisecond,
	"millisecond": time.Millisecond, "s": time.Second, "sec": time.Second, "second": time.Second, "m": time.Minute,
	"min": time.Minute, "minute": time.Minute, "h": time.Hour, "hour": time.Hour, "d": 24 * time.Hour,
	"day": 24 * time.Hour, "w": 7 * 24 * time.Hour, "week": 7 * 24 * time.Hour,
}

// ParseDuration reads Spark's time strings: a sum of "<number> <unit>" with
// units from microseconds to weeks, singular, plural or short; a bare number is
// milliseconds. A leading "interval" is skipped.
func ParseDuration(s string) (time.Duration, error) {
	t := strings.ToLower(strings.TrimSpace(s))
	t = strings.TrimSpace(strings.TrimPrefix(t, "interval"))
	if t == "" {
		return 0, Errorf(CodeInvalid, "%q is not a length of time", s)
	}
	var sum time.Duration
	for t != "" {
		i := 0
		for i < len(t) && (t[i] >= '0' && t[i] <= '9' || i == 0 && (t[i] == '-' || t[i] == '+')) {
			i++
		}
		n, err := strconv.ParseInt(t[:i], 10, 64)
		if err != nil {
			return 0, Errorf(CodeInvalid, "%q is not a length of time", s)
		}
		t = strings.TrimLeft(t[i:], " ")
		i = 0
		for i < len(t) && t[i] >= 'a' && t[i] <= 'z' {
			i++
		}
		unit, ok := durationUnits[t[:i]]
		if !ok {
			unit, ok = durationUnits[strings.TrimSuffix(t[:i], "s")]
		}
		if !ok {
			return 0, Errorf(CodeInvalid, "%q is not a length of time", s)
		}
		sum += time.Duration(n) * unit
		t = strings.TrimLeft(t[i:], " ,")
	}
	return sum, nil
}

// CheckKeys returns an error, with a suggestion where one is near, for the first
// key (by name) that is not among known. What names the thing that has the
// options: "source json".
func (o Options) CheckKeys(what string, known []string) error {
	keys := make([]string, 0, len(o))
	for k := range o {
		keys = append(keys, k)
	}
	sort.Strings(keys)
next:
	for _, k := range keys {
		for _, want := range known {
			if strings.EqualFold(k, want) || strings.HasSuffix(want, ".*") && len(k) >= len(want)-1 && strings.EqualFold(k[:len(want)-1], want[:len(want)-1]) {
				continue next
			}
		}
		err := Errorf(CodeInvalid, "%s has no option %q", what, k)
		if s := Nearest(k, known); s != "" {
			return err.WithHint("did you mean %q?", s)
		}
		sorted := append([]string(nil), known...)
		sort.Strings(sorted)
		return err.WithHint("its options are %s", strings.Join(sorted, ", "))
	}
	return nil
}

// Nearest returns the candidate with the smallest edit distance to word,
// ignoring case, if that distance is at most 2 or a third of the word; else "".
func Nearest(word string, candidates []string) string {
	best, bestD := "", max(2, len(word)/3)+1
	for _, c := range candidates {
		if d := EditDistance(strings.ToLower(word), strings.ToLower(c)); d < bestD {
			best, bestD = c, d
		}
	}
	return best
}

// EditDistance returns the Levenshtein distance of a and b, in bytes.
func EditDistance(a, b string) int {
	prev := make([]int, len(b)+1)
	cur := make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			d := prev[j-1]
			if a[i-1] != b[j-1] {
				d++
			}
			cur[j] = min(d, prev[j]+1, cur[j-1]+1)
		}
		prev, cur = cur, prev
	}
	return prev[len(b)]
}
