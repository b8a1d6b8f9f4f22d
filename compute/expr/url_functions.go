package expr

import (
	"github.com/flightd/flightd/compute/javaregexp"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

func urlRows() map[string]row {
	parse := prepared(func(*expr.Call, *Env) (func(f *frame) error, error) {
		keys := &urlKeys{}
		return func(f *frame) error { return parseURL(f, keys) }, nil
	})
	return map[string]row{"parse_url": parse, "try_parse_url": parse}
}

// urlKeys compiles the patterns of parse_url's keys, keeping the last: a key is
// part of a regular expression, as in Spark.
type urlKeys struct {
	key string
	re  *javaregexp.Pattern
	err error
}

func (k *urlKeys) of(key string) (*javaregexp.Pattern, error) {
	if k.re == nil && k.err == nil || k.key != key {
		k.key = key
		k.re, k.err = javaregexp.Compile("(&|^)" + key + "=([^&]*)")
	}
	return k.re, k.err
}

// parseURL is parse_url(url, part[, key]): with a key, what the query gives it.
func parseURL(f *frame, keys *urlKeys) error {
	urls, parts := f.text(0), f.text(1)
	keyed := len(f.args) > 2
	return f.write(func(i int, dst []byte) ([]byte, error) {
		name := string(parts.at(i))
		if keyed && name != "QUERY" {
			f.setNull(i)
			return dst, nil
		}
		u, ok := parseURI(string(urls.at(i)))
		if !ok {
			return dst, f.fail(i, base.UserError("INVALID_URL", "22P02",
				"The url is invalid: %s. Use `try_parse_url` to tolerate invalid URL and return NULL instead.", urls.at(i)))
		}
		part := u.part(name)
		if part != nil && keyed {
			re, err := keys.of(string(f.text(2).at(i)))
			if err != nil {
				return dst, javaError(f, "PatternSyntaxException", err.Error())
			}
			m, err := re.Find([]byte(*part), false)
			if err != nil {
				return dst, err
			}
			if m == nil || m[4] < 0 {
				part = nil
			} else {
				value := (*part)[m[4]:m[5]]
				part = &value
			}
		}
		if part == nil {
			f.setNull(i)
			return dst, nil
		}
		return append(dst, *part...), nil
	})
}
