package access

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"

	"github.com/flightd/flightd/internal/base"
)

// What a hash costs: OWASP's recommendation of 2024 for argon2id on one thread.
const (
	hashMemory = 19 << 10 // KiB
	hashTime   = 2
	hashBytes  = 32
	saltBytes  = 16
)

// Limits of what a hash in a file may ask for.
const (
	maxHashMemory = 1 << 20 // KiB
	maxHashTime   = 64
)

// MinPassword is the fewest characters of a password, MaxPassword the most bytes.
const (
	MinPassword = 8
	MaxPassword = 1024
)

// hashPassword returns the argon2id hash of a password in the PHC form.
func hashPassword(password string) string {
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // never fails
	sum := argon2.IDKey([]byte(password), salt, hashTime, hashMemory, 1, hashBytes)
	enc := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=1$%s$%s", argon2.Version, hashMemory, hashTime, enc(salt), enc(sum))
}

// verifier is a hash that was read.
type verifier struct {
	memory, time uint32
	threads      uint8
	salt, sum    []byte
}

func parseHash(s string) (*verifier, error) {
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return nil, base.Errorf(base.CodeInvalid, "it is not an argon2id hash")
	}
	v := &verifier{}
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &v.memory, &v.time, &v.threads); n != 3 || err != nil {
		return nil, base.Errorf(base.CodeInvalid, "the parameters of the argon2id hash cannot be read")
	}
	if v.memory < 8 || v.memory > maxHashMemory || v.time < 1 || v.time > maxHashTime || v.threads < 1 {
		return nil, base.Errorf(base.CodeInvalid, "the parameters of the argon2id hash are out of bounds")
	}
	var err error
	if v.salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err == nil {
		v.sum, err = base64.RawStdEncoding.DecodeString(parts[5])
	}
	if err != nil || len(v.salt) < 8 || len(v.sum) < 16 {
		return nil, base.Errorf(base.CodeInvalid, "the argon2id hash is cut short")
	}
	return v, nil
}

// matches takes the same time for every password.
func (v *verifier) matches(password string) bool {
	sum := argon2.IDKey([]byte(password), v.salt, v.time, v.memory, v.threads, uint32(len(v.sum)))
	return subtle.ConstantTimeCompare(sum, v.sum) == 1
}

// digest is a token's hash. Tokens are found by it, so how long that takes tells
// nothing about a token.
type digest [sha256.Size]byte

func digestOf(token string) digest { return sha256.Sum256([]byte(token)) }

func (d digest) String() string { return "sha256:" + hex.EncodeToString(d[:]) }

func parseDigest(s string) (d digest, ok bool) {
	text, found := strings.CutPrefix(s, "sha256:")
	b, err := hex.DecodeString(text)
	if !found || err != nil || len(b) != len(d) {
		return d, false
	}
	return digest(b), true
}

// newToken returns 256 random bits.
func newToken(prefix string) string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	return prefix + base64.RawURLEncoding.EncodeToString(b[:])
}
