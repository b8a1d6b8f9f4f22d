package expr

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash/crc32"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/flightd/flightd/internal/arrowtext"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

func codecRows() map[string]row {
	return map[string]row{
		"hex":    strict(hexText),
		"unhex":  strict(unhex),
		"bin":    strict(binText),
		"base64": textMap(func(dst, s []byte) []byte { return base64.StdEncoding.AppendEncode(dst, s) }),
		"unbase64": strict(func(f *frame) error {
			return decodeText(f, func(dst, s []byte) ([]byte, bool) { return fromBase64(dst, s) }, "BASE64", "unbase64")
		}),
		"encode":            strict(encode),
		"decode":            {makeDecode},
		"md5":               textMap(func(dst, s []byte) []byte { h := md5.Sum(s); return hex.AppendEncode(dst, h[:]) }),
		"sha1":              textMap(func(dst, s []byte) []byte { h := sha1.Sum(s); return hex.AppendEncode(dst, h[:]) }),
		"sha2":              strict(sha2),
		"crc32":             strict(func(f *frame) error { return crc(f) }),
		"url_encode":        textMap(func(dst, s []byte) []byte { return append(dst, urlEncode(string(s))...) }),
		"url_decode":        strict(urlDecode),
		"try_url_decode":    trying(urlDecode),
		"to_binary":         strict(toBinary),
		"try_to_binary":     trying(toBinary),
		"is_valid_utf8":     strict(validText),
		"make_valid_utf8":   textMap(func(dst, s []byte) []byte { return append(dst, strings.ToValidUTF8(string(s), "\uFFFD")...) }),
		"validate_utf8":     strict(validateText),
		"try_validate_utf8": trying(validateText),
	}
}

func hexText(f *frame) error {
	if f.args[0].Type.Kind == expr.KindInt64 {
		a := argument[int64](f, 0)
		return f.write(func(i int, dst []byte) ([]byte, error) {
			return append(dst, strings.ToUpper(strconv.FormatUint(uint64(a.at(i)), 16))...), nil
		})
	}
	a := f.text(0)
	return f.write(func(i int, dst []byte) ([]byte, error) { return arrowtext.AppendHex(dst, a.at(i)), nil })
}

func binText(f *frame) error {
	a := argument[int64](f, 0)
	return f.write(func(i int, dst []byte) ([]byte, error) { return strconv.AppendUint(dst, uint64(a.at(i)), 2), nil })
}

// fromHex reads hexadecimal digits; an odd number of them begins with half a byte.
func fromHex(dst, s []byte) ([]byte, bool) {
	digit := func(c byte) int {
		switch {
		case c >= '0' && c <= '9':
			return int(c - '0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			return int(c|0x20-'a') + 10
		}
		return -1
	}
	if len(s)%2 == 1 {
		d := digit(s[0])
		if d < 0 {
			return dst, false
		}
		dst, s = append(dst, byte(d)), s[1:]
	}
	for ; len(s) > 0; s = s[2:] {
		h, l := digit(s[0]), digit(s[1])
		if h < 0 || l < 0 {
			return dst, false
		}
		dst = append(dst, byte(h<<4|l))
	}
	return dst, true
}

func unhex(f *frame) error {
	a := f.text(0)
	return f.write(func(i int, dst []byte) ([]byte, error) {
		at := len(dst)
		dst, ok := fromHex(dst, a.at(i))
		if !ok {
			f.setNull(i)
			return dst[:at], nil
		}
		return dst, nil
	})
}

// fromBase64 reads base64, ignoring white space; padding may be missing.
func fromBase64(dst, s []byte) ([]byte, bool) {
	clean := make([]byte, 0, len(s))
	for _, c := range s {
		if c > ' ' {
			clean = append(clean, c)
		}
	}
	for len(clean) > 0 && clean[len(clean)-1] == '=' {
		clean = clean[:len(clean)-1]
	}
	at := len(dst)
	dst, err := base64.RawStdEncoding.AppendDecode(dst, clean)
	if err != nil {
		return dst[:at], false
	}
	return dst, true
}

func badConversion(s []byte, format, fn string) *base.Error {
	return base.UserError("CONVERSION_INVALID_INPUT", "22018",
		"The value %s (%s) cannot be converted to \"BINARY\" because it is malformed. Correct the value as per the syntax, or change its format. Use `%s` to tolerate malformed input and return NULL instead.",
		quoted(s), quoted([]byte(format)), fn)
}

func decodeText(f *frame, fn func(dst, s []byte) ([]byte, bool), format, _ string) error {
	a := f.text(0)
	return f.write(func(i int, dst []byte) ([]byte, error) {
		at := len(dst)
		dst, ok := fn(dst, a.at(i))
		if !ok && format == "BASE64" && f.call.Fn == "unbase64" && len(bytes.TrimRight(a.at(i), "="))%4 == 1 {
			return dst[:at], javaError(f, "IllegalArgumentException", "Last unit does not have enough valid bits")
		}
		if !ok {
			return dst[:at], f.raise(i, badConversion(a.at(i), format, "try_to_binary"))
		}
		return dst, nil
	})
}

func toBinary(f *frame) error {
	a := f.text(0)
	format := func(int) []byte { return []byte("hex") }
	if len(f.args) > 1 {
		format = f.text(1).at
	}
	return f.write(func(i int, dst []byte) ([]byte, error) {
		at, ok := len(dst), true
		name := strings.ToLower(string(format(i)))
		switch name {
		case "hex":
			dst, ok = fromHex(dst, a.at(i))
		case "base64":
			dst, ok = fromBase64(dst, a.at(i))
		case "utf-8", "utf8":
			dst = append(dst, a.at(i)...)
		default:
			ok = false
		}
		if !ok {
			return dst[:at], f.raise(i, badConversion(a.at(i), strings.ToUpper(name), "try_to_binary"))
		}
		return dst, nil
	})
}

const charsets = "iso-8859-1, us-ascii, utf-16, utf-16be, utf-16le, utf-32, utf-8"

func badCharset(f *frame, name []byte) error {
	return badParameter("CHARSET", "charset", f.call.Fn, "expects one of the %s, but got %s.", charsets, name).At(f.call.At)
}

func badCoding(f *frame, name string) error {
	return base.UserError("MALFORMED_CHARACTER_CODING", "22000", "Invalid value found when performing `%s` with %s", f.call.Fn, name).At(f.call.At)
}

func encode(f *frame) error {
	a, sets := f.text(0), f.text(1)
	return f.write(func(i int, dst []byte) ([]byte, error) {
		name := strings.ToUpper(string(sets.at(i)))
		s := string(a.at(i))
		switch name {
		case "UTF-8", "UTF8":
			return append(dst, s...), nil
		case "US-ASCII", "ISO-8859-1":
			limit := rune(0x7f)
			if name == "ISO-8859-1" {
				limit = 0xff
			}
			for _, r := range s {
				if r > limit {
					return dst, badCoding(f, name)
				}
				dst = append(dst, byte(r))
			}
			return dst, nil
		case "UTF-16", "UTF-16BE", "UTF-16LE":
			if name == "UTF-16" && s != "" {
				dst = append(dst, 0xfe, 0xff)
			}
			for _, u := range utf16.Encode([]rune(s)) {
				if name == "UTF-16LE" {
					dst = append(dst, byte(u), byte(u>>8))
				} else {
					dst = append(dst, byte(u>>8), byte(u))
				}
			}
			return dst, nil
		case "UTF-32":
			for _, r := range s {
				dst = append(dst, byte(r>>24), byte(r>>16), byte(r>>8), byte(r))
			}
			return dst, nil
		}
		return dst, badCharset(f, sets.at(i))
	})
}

// makeDecode is decode(bytes, charset); with more arguments it is a CASE, which
// the resolver has rewritten.
func makeDecode(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	if len(args) != 2 {
		return makeDecodeCase(c, args, env)
	}
	return newFunction(c, args, env, func(f *frame) error {
		a, sets := f.text(0), f.text(1)
		return f.write(func(i int, dst []byte) ([]byte, error) {
			name := strings.ToUpper(string(sets.at(i)))
			s := a.at(i)
			switch name {
			case "UTF-8", "UTF8":
				if !utf8.Valid(s) {
					return dst, badCoding(f, name)
				}
				return append(dst, s...), nil
			case "US-ASCII", "ISO-8859-1":
				for _, b := range s {
					if name == "US-ASCII" && b > 0x7f {
						return dst, badCoding(f, name)
					}
					dst = utf8.AppendRune(dst, rune(b))
				}
				return dst, nil
			case "UTF-16", "UTF-16BE", "UTF-16LE":
				little := name == "UTF-16LE"
				if name == "UTF-16" && len(s) >= 2 && (s[0] == 0xfe && s[1] == 0xff || s[0] == 0xff && s[1] == 0xfe) {
					little = s[0] == 0xff
					s = s[2:]
				}
				if len(s)%2 == 1 {
					return dst, badCoding(f, name)
				}
				units := make([]uint16, len(s)/2)
				for k := range units {
					units[k] = uint16(s[2*k])<<8 | uint16(s[2*k+1])
					if little {
						units[k] = uint16(s[2*k+1])<<8 | uint16(s[2*k])
					}
				}
				return append(dst, string(utf16.Decode(units))...), nil
			case "UTF-32":
				if len(s)%4 != 0 {
					return dst, badCoding(f, name)
				}
				for ; len(s) > 0; s = s[4:] {
					dst = utf8.AppendRune(dst, rune(s[0])<<24|rune(s[1])<<16|rune(s[2])<<8|rune(s[3]))
				}
				return dst, nil
			}
			return dst, badCharset(f, sets.at(i))
		})
	}), nil
}

// makeDecodeCase is decode(x, search1, result1, …[, default]): NULL equals NULL.
func makeDecodeCase(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	var list []Evaluator
	k := 1
	for ; k+1 < len(args); k += 2 {
		test := &expr.Call{At: c.At, Fn: "<=>", Args: []expr.Expr{c.Args[0], c.Args[k]}, Typ: expr.Bool}
		e, err := Compile(test, env)
		if err != nil {
			return nil, err
		}
		list = append(list, e, args[k+1])
	}
	if k < len(args) {
		list = append(list, args[k])
	}
	return makeCase(c, list, env)
}

func sha2(f *frame) error {
	a, n := f.text(0), ints(f, 1, nil)
	return f.write(func(i int, dst []byte) ([]byte, error) {
		switch s := a.at(i); n[i] {
		case 224:
			h := sha256.Sum224(s)
			return hex.AppendEncode(dst, h[:]), nil
		case 0, 256:
			h := sha256.Sum256(s)
			return hex.AppendEncode(dst, h[:]), nil
		case 384:
			h := sha512.Sum384(s)
			return hex.AppendEncode(dst, h[:]), nil
		case 512:
			h := sha512.Sum512(s)
			return hex.AppendEncode(dst, h[:]), nil
		}
		f.setNull(i)
		return dst, nil
	})
}

func crc(f *frame) error {
	dst, a := results[int64](f), f.text(0)
	f.each(func(i int) { dst[i] = int64(crc32.ChecksumIEEE(a.at(i))) })
	return nil
}

func urlEncode(s string) string {
	return strings.NewReplacer("%2A", "*", "~", "%7E").Replace(url.QueryEscape(s))
}

func urlDecode(f *frame) error {
	a := f.text(0)
	return f.write(func(i int, dst []byte) ([]byte, error) {
		s, err := url.QueryUnescape(string(a.at(i)))
		if err != nil {
			return dst, f.raise(i, base.UserError("CANNOT_DECODE_URL", "22546",
				"The provided URL cannot be decoded: %s. Please ensure that the URL is properly formatted and try again.", a.at(i)))
		}
		return append(dst, s...), nil
	})
}

func validText(f *frame) error {
	dst, a := f.bits(), f.text(0)
	f.each(func(i int) {
		if utf8.Valid(a.at(i)) {
			kernels.SetBit(dst, i)
		}
	})
	return nil
}

func validateText(f *frame) error {
	a := f.text(0)
	return f.write(func(i int, dst []byte) ([]byte, error) {
		if s := a.at(i); !utf8.Valid(s) {
			var shown strings.Builder
			for _, b := range s {
				shown.WriteString(`\x` + strings.ToUpper(hex.EncodeToString([]byte{b})))
			}
			return dst, f.raise(i, base.UserError("INVALID_UTF8_STRING", "22029", "Invalid UTF8 byte sequence found in string: %s.", shown.String()))
		}
		return append(dst, a.at(i)...), nil
	})
}
