package expr

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base32"
	"encoding/binary"
	"hash"
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

func cryptoRows() map[string]row {
	return map[string]row{
		"to_base32":       textMap(func(dst, s []byte) []byte { return base32.StdEncoding.AppendEncode(dst, s) }),
		"from_base32":     textMap(fromBase32),
		"hmac":            strict(hmacOf),
		"aes_encrypt":     {makeEncrypt},
		"aes_decrypt":     strict(aesDecrypt),
		"try_aes_decrypt": strict(aesDecrypt),
	}
}

// fromBase32 reads base32 in either case up to the padding and leaves out what is
// no digit. A last digit that is alone gives its upper bits, as in Spark.
func fromBase32(dst, s []byte) []byte {
	var word uint64
	n := 0
	for _, c := range s {
		if c == '=' {
			break
		}
		switch {
		case c|0x20 >= 'a' && c|0x20 <= 'z':
			c = c | 0x20 - 'a'
		case c >= '2' && c <= '7':
			c -= '2' - 26
		default:
			continue
		}
		word = word<<5 | uint64(c)
		if n++; n == 8 {
			dst = append(dst, byte(word>>32), byte(word>>24), byte(word>>16), byte(word>>8), byte(word))
			word, n = 0, 0
		}
	}
	if n == 1 {
		return append(dst, byte(word>>2))
	}
	word >>= 5 * n % 8
	for k := 5*n/8 - 1; k >= 0; k-- {
		dst = append(dst, byte(word>>(8*k)))
	}
	return dst
}

func hmacOf(f *frame) error {
	keys, msgs := f.text(0), f.text(1)
	algorithm := func(int) []byte { return []byte("SHA-256") }
	if len(f.args) > 2 {
		algorithm = f.text(2).at
	}
	return f.write(func(i int, dst []byte) ([]byte, error) {
		var make func() hash.Hash
		switch strings.ToUpper(string(algorithm(i))) {
		case "SHA-224", "SHA224":
			make = sha256.New224
		case "SHA-256", "SHA256":
			make = sha256.New
		case "SHA-384", "SHA384":
			make = sha512.New384
		case "SHA-512", "SHA512":
			make = sha512.New
		case "SHA-1", "SHA1":
			make = sha1.New
		case "MD5":
			make = md5.New
		default:
			return dst, f.raise(i, badParameter("HMAC_ALGORITHM", "algorithm", "hmac",
				"expects one of the algorithms 'SHA-224', 'SHA-256', 'SHA-384', 'SHA-512', 'SHA-1', 'MD5', but got %s.", quoted(algorithm(i))))
		}
		if len(keys.at(i)) == 0 {
			return dst, f.raise(i, badParameter("HMAC_CRYPTO_ERROR", "key", "hmac", "the key is empty."))
		}
		h := hmac.New(make, keys.at(i))
		h.Write(msgs.at(i))
		return h.Sum(dst), nil
	})
}

// aesMode is a mode of operation and its padding.
type aesMode struct {
	name string
	// iv is how long the initialization vector is that goes before the text.
	iv int
}

const aesBoth = "aes_encrypt`/`aes_decrypt"

// aesCall is the text arguments of aes_encrypt and aes_decrypt.
type aesCall struct {
	f    *frame
	args []texts
}

func newAESCall(f *frame) *aesCall {
	c := &aesCall{f: f}
	for k := range f.args {
		c.args = append(c.args, f.text(k))
	}
	return c
}

// at returns argument k of row i, or what it is if it is not given.
func (c *aesCall) at(k, i int, missing string) string {
	if k < len(c.args) {
		return string(c.args[k].at(i))
	}
	return missing
}

// block returns the cipher and the mode of row i.
func (c *aesCall) block(i int) (cipher.Block, aesMode, *base.Error) {
	key := c.args[1].at(i)
	b, err := aes.NewCipher(key)
	if err != nil {
		return nil, aesMode{}, badParameter("AES_KEY_LENGTH", "key", aesBoth, "expects a binary value with 16, 24 or 32 bytes, but got %d bytes.", len(key))
	}
	mode, padding := strings.ToUpper(c.at(2, i, "GCM")), strings.ToUpper(c.at(3, i, "DEFAULT"))
	switch {
	case mode == "GCM" && (padding == "NONE" || padding == "DEFAULT"):
		return b, aesMode{mode, 12}, nil
	case mode == "CBC" && (padding == "PKCS" || padding == "DEFAULT"):
		return b, aesMode{mode, aes.BlockSize}, nil
	case mode == "ECB" && (padding == "PKCS" || padding == "DEFAULT"):
		return b, aesMode{mode, 0}, nil
	}
	return nil, aesMode{}, base.UserError("UNSUPPORTED_FEATURE.AES_MODE", "0A000",
		"The feature is not supported: AES-%s with the padding %s by the `%s` function.", mode, padding, aesBoth)
}

// aad is the additional data that GCM authenticates.
func (c *aesCall) aad(k, i int, mode aesMode) ([]byte, *base.Error) {
	aad := c.at(k, i, "")
	if aad != "" && mode.name != "GCM" {
		return nil, base.UserError("UNSUPPORTED_FEATURE.AES_MODE_AAD", "0A000",
			"The feature is not supported: `%s` with AES-%s does not support additional authenticate data (AAD).", aesBoth, mode.name)
	}
	return []byte(aad), nil
}

// makeEncrypt is aes_encrypt. Vectors that are not given come from the epoch's
// seed and the row, so that a replay encrypts alike.
func makeEncrypt(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	var k counter
	e := newFunction(c, args, env, func(f *frame) error {
		next := k.of(f.env)
		a := newAESCall(f)
		return f.write(func(i int, dst []byte) ([]byte, error) {
			out, err := a.encrypt(dst, i, next)
			if err != nil {
				return dst, f.raise(i, err)
			}
			return out, nil
		})
	})
	e.volatile = len(args) < 5
	if len(args) > 2 {
		if l, ok := c.Args[2].(*expr.Literal); ok {
			mode, _ := l.Value.(string)
			e.volatile = e.volatile && !strings.EqualFold(mode, "ECB")
		}
	}
	return e, nil
}

func (c *aesCall) encrypt(dst []byte, i int, next *int64) ([]byte, *base.Error) {
	b, mode, err := c.block(i)
	if err != nil {
		return nil, err
	}
	iv := []byte(c.at(4, i, ""))
	switch {
	case len(iv) == 0:
		iv = make([]byte, 16)
		env, at := c.f.env, uint64(c.f.call.At.Start)
		hi := mix(uint64(env.Seed), uint64(env.Epoch), uint64(env.Partition), at, uint64(*next))
		binary.LittleEndian.PutUint64(iv, hi)
		binary.LittleEndian.PutUint64(iv[8:], mix(hi, at))
		iv = iv[:mode.iv]
		*next++
	case mode.iv == 0:
		return nil, base.UserError("UNSUPPORTED_FEATURE.AES_MODE_IV", "0A000",
			"The feature is not supported: `%s` with AES-%s does not support initialization vectors (IVs).", aesBoth, mode.name)
	case len(iv) != mode.iv:
		return nil, badParameter("AES_IV_LENGTH", "iv", aesBoth, "supports 16-byte CBC IVs and 12-byte GCM IVs, but got %d bytes for %s.", len(iv), mode.name)
	}
	aad, err := c.aad(5, i, mode)
	if err != nil {
		return nil, err
	}
	dst = append(dst, iv...)
	plain := c.args[0].at(i)
	if mode.name == "GCM" {
		g, _ := cipher.NewGCM(b)
		return g.Seal(dst, iv, plain, aad), nil
	}
	pad := aes.BlockSize - len(plain)%aes.BlockSize
	at := len(dst)
	dst = append(append(dst, plain...), bytes.Repeat([]byte{byte(pad)}, pad)...)
	if mode.name == "CBC" {
		cipher.NewCBCEncrypter(b, iv).CryptBlocks(dst[at:], dst[at:])
		return dst, nil
	}
	for out := dst[at:]; len(out) > 0; out = out[aes.BlockSize:] {
		b.Encrypt(out, out)
	}
	return dst, nil
}

func aesDecrypt(f *frame) error {
	a := newAESCall(f)
	return f.write(func(i int, dst []byte) ([]byte, error) {
		out, err := a.decrypt(dst, i)
		if err != nil {
			return dst, f.raise(i, err)
		}
		return out, nil
	})
}

func (c *aesCall) decrypt(dst []byte, i int) ([]byte, *base.Error) {
	b, mode, err := c.block(i)
	if err != nil {
		return nil, err
	}
	aad, err := c.aad(4, i, mode)
	if err != nil {
		return nil, err
	}
	bad := func(what string) *base.Error {
		return base.UserError("INVALID_PARAMETER_VALUE.AES_CRYPTO_ERROR", "22023",
			"The value of parameter(s) `expr`, `key` in `%s` is invalid: %s.", aesBoth, what)
	}
	in := c.args[0].at(i)
	if len(in) < mode.iv {
		return nil, bad("the text is shorter than its initialization vector")
	}
	iv, in := in[:mode.iv], in[mode.iv:]
	if mode.name == "GCM" {
		g, _ := cipher.NewGCM(b)
		out, err := g.Open(dst, iv, in, aad)
		if err != nil {
			return nil, bad("the text was not encrypted with this key and these data, or it was changed")
		}
		return out, nil
	}
	if len(in)%aes.BlockSize != 0 {
		return nil, bad("the length of the text is no multiple of 16 bytes")
	}
	if len(in) == 0 {
		return dst, nil
	}
	at := len(dst)
	dst = append(dst, in...)
	if mode.name == "CBC" {
		cipher.NewCBCDecrypter(b, iv).CryptBlocks(dst[at:], dst[at:])
	} else {
		for out := dst[at:]; len(out) > 0; out = out[aes.BlockSize:] {
			b.Decrypt(out, out)
		}
	}
	pad := int(dst[len(dst)-1])
	if pad == 0 || pad > aes.BlockSize || !bytes.Equal(dst[len(dst)-pad:], bytes.Repeat([]byte{byte(pad)}, pad)) {
		return nil, bad("the last block is not padded: the key may be another")
	}
	return dst[:len(dst)-pad], nil
}
