package expr

import (
	"net/netip"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// uri is a URI taken apart as java.net.URI does it: RFC 2396 with addresses in
// brackets, and visible characters outside ASCII anywhere. A nil part is not
// there, which is not the same as an empty one.
type uri struct {
	scheme, authority, userInfo, host, path, query, fragment *string
}

const (
	urlLetters    = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	urlDigits     = "0123456789"
	urlAlphanum   = urlLetters + urlDigits
	urlUnreserved = urlAlphanum + "-_.!~*'()"
	urlUserInfo   = urlUnreserved + ";:&=+$,"
	urlServer     = urlUserInfo + ".:@[]%"
	urlRegistry   = urlUnreserved + "$,;:@&=+"
	urlPath       = urlUnreserved + ":@&=+$,;/"
	urlAny        = urlUnreserved + ";/?:@&=+$,[]"
)

// urlSpan returns how much of s consists of characters of set, escapes (%41) and
// characters outside ASCII; ok is false at a malformed escape.
func urlSpan(s, set string) (n int, ok bool) {
	for n < len(s) {
		r, size := utf8.DecodeRuneInString(s[n:])
		switch {
		case r < utf8.RuneSelf && strings.IndexByte(set, byte(r)) >= 0:
		case r == '%':
			if n+3 > len(s) || !isHexDigit(s[n+1]) || !isHexDigit(s[n+2]) {
				return n, false
			}
			size = 3
		case r > 0x80 && !unicode.In(r, unicode.Z) && !unicode.Is(unicode.Cc, r):
		default:
			return n, true
		}
		n += size
	}
	return n, true
}

func isHexDigit(c byte) bool { return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f' }

// allOf reports whether s consists of characters of set, as urlSpan has it.
func allOf(s, set string) bool {
	n, ok := urlSpan(s, set)
	return ok && n == len(s)
}

// countOf returns how much of s consists of bytes of set.
func countOf(s, set string) int {
	n := 0
	for n < len(s) && strings.IndexByte(set, s[n]) >= 0 {
		n++
	}
	return n
}

// parseURI takes a URI apart and reports whether it is one.
func parseURI(s string) (u uri, ok bool) {
	rest, fragment, hasFragment := strings.Cut(s, "#")
	if hasFragment {
		if !allOf(fragment, urlAny) {
			return u, false
		}
		u.fragment = &fragment
	}
	if at := strings.IndexAny(rest, ":/?"); at >= 0 && rest[at] == ':' {
		scheme := rest[:at]
		if at == 0 || countOf(scheme[:1], urlLetters) == 0 || countOf(scheme, urlAlphanum+"+-.") < at {
			return u, false
		}
		u.scheme, rest = &scheme, rest[at+1:]
		if !strings.HasPrefix(rest, "/") { // opaque: mailto:x
			return u, rest != "" && allOf(rest, urlAny)
		}
	}
	rest, query, hasQuery := strings.Cut(rest, "?")
	if hasQuery {
		if !allOf(query, urlAny) {
			return u, false
		}
		u.query = &query
	}
	if strings.HasPrefix(rest, "//") {
		at := len(rest)
		if i := strings.IndexByte(rest[2:], '/'); i >= 0 {
			at = i + 2
		}
		authority := rest[2:at]
		if authority == "" && at == len(rest) && !hasQuery && !hasFragment {
			return u, false
		}
		if authority != "" && !u.parseAuthority(authority) {
			return u, false
		}
		rest = rest[at:]
	}
	u.path = &rest
	return u, allOf(rest, urlPath)
}

// parseAuthority reads user@host:port, or else the name of a registry, which has
// neither user nor host.
func (u *uri) parseAuthority(s string) bool {
	u.authority = &s
	n, ok := urlSpan(s, urlServer)
	server := ok && n == len(s)
	m, ok := urlSpan(s, urlRegistry)
	if !ok {
		return false
	}
	registry := m == len(s)
	if server && u.parseServer(s) {
		return true
	}
	u.userInfo, u.host = nil, nil
	return registry
}

func (u *uri) parseServer(s string) bool {
	if user, rest, ok := strings.Cut(s, "@"); ok {
		if !allOf(user, urlUserInfo) {
			return false
		}
		u.userInfo, s = &user, rest
	}
	n := 0
	if strings.HasPrefix(s, "[") {
		if n = strings.IndexByte(s, ']') + 1; n < 2 {
			return false
		}
		address, scope, scoped := strings.Cut(s[1:n-1], "%")
		ip, err := netip.ParseAddr(address)
		if err != nil || !ip.Is6() || scoped && (scope == "" || countOf(scope, urlAlphanum+"_.") < len(scope)) {
			return false
		}
	} else if n = ipv4(s); n < 0 {
		if n = hostname(s); n < 0 {
			return false
		}
	}
	host := s[:n]
	u.host = &host
	if s = s[n:]; s == "" {
		return true
	}
	if s[0] != ':' || countOf(s[1:], urlDigits) < len(s)-1 {
		return false
	}
	_, err := strconv.ParseInt(s[1:], 10, 32)
	return err == nil || s == ":"
}

// ipv4 returns the length of the address that s begins with, or −1.
func ipv4(s string) int {
	n := countOf(s, urlDigits+".")
	if n < len(s) && s[n] != ':' {
		return -1
	}
	parts := strings.Split(s[:n], ".")
	for _, p := range parts {
		if v, err := strconv.ParseUint(p, 10, 31); err != nil || v > 255 {
			return -1
		}
	}
	if len(parts) != 4 {
		return -1
	}
	return n
}

// hostname returns the length of the name that s begins with, or −1: labels of
// letters, digits and inner dashes, the last of several beginning with a letter.
func hostname(s string) int {
	n, last := 0, -1
	for n < len(s) {
		k := countOf(s[n:], urlAlphanum+"-")
		if k == 0 {
			break
		}
		if s[n] == '-' || s[n+k-1] == '-' {
			return -1
		}
		last, n = n, n+k
		if n == len(s) || s[n] != '.' {
			break
		}
		n++
	}
	if last < 0 || n < len(s) && s[n] != ':' || last > 0 && countOf(s[last:], urlLetters) == 0 {
		return -1
	}
	return n
}

// part returns the part that parse_url knows by name, which is in capitals; nil
// if there is none.
func (u *uri) part(name string) *string {
	switch name {
	case "HOST":
		return u.host
	case "PATH":
		return u.path
	case "QUERY":
		return u.query
	case "REF":
		return u.fragment
	case "PROTOCOL":
		return u.scheme
	case "FILE":
		if u.path != nil && u.query != nil {
			file := *u.path + "?" + *u.query
			return &file
		}
		return u.path
	case "AUTHORITY":
		return u.authority
	case "USERINFO":
		return u.userInfo
	}
	return nil
}
