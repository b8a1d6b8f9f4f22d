package kafkaclient

import (
	"strings"

	"github.com/flightd/flightd/internal/base"
)

// parseJAAS reads the user and the password of a line in the form of Java's
// login modules: module required username="u" password="p"; of the two modules
// that mean PLAIN and SCRAM. It names no part of the line in its errors.
func parseJAAS(line string) (user, password string, err error) {
	bad := base.Errorf(base.CodeInvalid, "the value is not a login module of PLAIN or SCRAM").
		WithHint(`write: org.apache.kafka.common.security.plain.PlainLoginModule required username="…" password="…";`)
	module, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	_, class, ok := cutLast(module, '.')
	if !ok || class != "PlainLoginModule" && class != "ScramLoginModule" {
		return "", "", bad
	}
	rest = strings.TrimSpace(rest)
	if rest, ok = strings.CutPrefix(rest, "required"); !ok {
		return "", "", bad
	}
	for {
		rest = strings.TrimSpace(rest)
		if rest == "" || rest == ";" {
			break
		}
		name, after, ok := strings.Cut(rest, "=")
		if !ok {
			return "", "", bad
		}
		value, tail, ok := quoted(strings.TrimSpace(after))
		if !ok {
			return "", "", bad
		}
		rest = tail
		switch strings.TrimSpace(name) {
		case "username":
			user = value
		case "password":
			password = value
		}
	}
	if user == "" {
		return "", "", bad
	}
	return user, password, nil
}

// quoted reads a text in double or single quotes, where a backslash takes the
// next character as it is.
func quoted(s string) (value, rest string, ok bool) {
	if s == "" || s[0] != '"' && s[0] != '\'' {
		return "", "", false
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case s[i] == s[0]:
			return b.String(), s[i+1:], true
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", false
}

func cutLast(s string, sep byte) (before, after string, ok bool) {
	i := strings.LastIndexByte(s, sep)
	if i < 0 {
		return "", s, false
	}
	return s[:i], s[i+1:], true
}
