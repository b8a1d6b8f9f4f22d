package subscribe

import (
	"bytes"
	"compress/flate"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"io"

	"github.com/google/uuid"

	"github.com/flightd/flightd/internal/base"
)

// A Place is a position in what a query gives that ends with its one subscriber, and
// all that another query needs to go on there: the query must keep no state.
type Place struct {
	// Position is the next row to give. Query is the identity that goes on with it.
	Position
	// Statement is a hash of what the rows depend on beside the sources' rows.
	Statement [16]byte
	// First is the epoch that From is the beginning of, at or before Position.Epoch.
	First base.Epoch
	// From is where each source goes on, Watermark the query's before First, in
	// milliseconds since 1970.
	From      []base.Offset
	Watermark int64
	// Told is the epoch First if some of its rows were given, else nil. It runs again as
	// it was planned, so that its other rows are what they would have been.
	Told *Told
}

// Told is an epoch as it was planned, with the digest of its rows.
type Told struct {
	To []base.Offset
	// Clock is the epoch's now(), Late the watermark of the epoch before, in milliseconds
	// since 1970.
	Clock, Late int64
	// Pins name the static inputs; nil if they take more than MaxPins bytes. They are
	// then pinned anew, and the digest tells whether that gives the same rows.
	Pins   map[int]string
	Digest base.Digest
}

const (
	placeVersion = 2
	macLen       = 16
	// maxPlace is the length of the longest token.
	maxPlace = 16 << 10
	// MaxPins is how many bytes the pins of a Place may have.
	MaxPins = 2 << 10
	// maxUnpacked bounds what a token is unpacked to.
	maxUnpacked = 1 << 20
)

// A Key seals places: only who has it can make one that Open takes.
type Key [32]byte

// placeJSON is a Place inside of a token.
type placeJSON struct {
	Query     string        `json:"q"`
	Shape     uint32        `json:"h"`
	Statement []byte        `json:"s"`
	Epoch     base.Epoch    `json:"e"`
	Row       int64         `json:"r,omitempty"`
	First     base.Epoch    `json:"n"`
	From      []base.Offset `json:"f"`
	Watermark int64         `json:"w,omitempty"`
	Told      *toldJSON     `json:"t,omitempty"`
	// TooLong stands for offsets that take more room than a token has.
	TooLong bool `json:"x,omitempty"`
}

type toldJSON struct {
	To     []base.Offset  `json:"o"`
	Clock  int64          `json:"c"`
	Late   int64          `json:"l,omitempty"`
	Pins   map[int]string `json:"p,omitempty"`
	Digest []byte         `json:"d"`
}

// Seal returns the token of a place: base64url of version u8 (2), the place as JSON,
// deflated, and the first 16 bytes of the HMAC-SHA256 of both. A place that does not fit
// into 16 KiB has a token that Open refuses, and says why: a reader who keeps it
// learns that he cannot go on, and gets no row twice.
func (k *Key) Seal(p *Place) string {
	j := placeJSON{Query: p.Query, Shape: p.Shape, Statement: p.Statement[:], Epoch: p.Epoch, Row: p.Row, First: p.First, From: p.From, Watermark: p.Watermark}
	if t := p.Told; t != nil {
		j.Told = &toldJSON{To: t.To, Clock: t.Clock, Late: t.Late, Pins: t.Pins, Digest: t.Digest[:]}
	}
	text := k.seal(&j)
	if len(text) > maxPlace {
		text = k.seal(&placeJSON{Query: p.Query, TooLong: true})
	}
	return text
}

func (k *Key) seal(j *placeJSON) string {
	var b bytes.Buffer
	b.WriteByte(placeVersion)
	z, _ := flate.NewWriter(&b, flate.BestSpeed) // the level is one
	plain, _ := json.Marshal(j)                  // of numbers and texts: never fails
	_, _ = z.Write(plain)                        // a Buffer takes everything
	_ = z.Close()
	return base64.RawURLEncoding.EncodeToString(append(b.Bytes(), k.mac(b.Bytes())...))
}

func (k *Key) mac(b []byte) []byte {
	h := hmac.New(sha256.New, k[:])
	h.Write([]byte("place"))
	h.Write(b)
	return h.Sum(nil)[:macLen]
}

// Seed is the seed of the random functions of a query: it goes on with the query, and
// says nothing to who has a token.
func (k *Key) Seed(query string) uint64 {
	h := hmac.New(sha256.New, k[:])
	h.Write([]byte("seed"))
	h.Write([]byte(query))
	return binary.LittleEndian.Uint64(h.Sum(nil))
}

// Open reads a token that Seal made with the same key.
func (k *Key) Open(text string) (*Place, error) {
	if len(text) > maxPlace {
		return nil, badToken("it has %d characters, and none has more than %d", len(text), maxPlace)
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	switch {
	case err != nil || len(b) == 0:
		return nil, badToken("it is no base64url text")
	case b[0] == tokenVersion:
		return nil, base.UserError("SUBSCRIBE_INVALID_TOKEN", "22023", "The resume token is of a query INTO feed, not of a view, a table or a SELECT.").
			WithHint("repeat the statement that gave the token, with RESUME")
	case b[0] != placeVersion:
		return nil, badToken("its version is %d, not %d", b[0], placeVersion)
	case len(b) < 1+macLen || !hmac.Equal(b[len(b)-macLen:], k.mac(b[:len(b)-macLen])):
		return nil, badToken("it was changed, or comes from a server with another data folder")
	}
	plain, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(b[1:len(b)-macLen])), maxUnpacked))
	var j placeJSON
	if err == nil {
		err = json.Unmarshal(plain, &j)
	}
	if err != nil {
		return nil, badToken("its contents cannot be read")
	}
	if j.TooLong {
		return nil, base.UserError("SUBSCRIBE_NOT_RESUMABLE", "0A000", "The offsets of the subscription's sources took more room than a resume token has, so it cannot be resumed.").
			WithHint("make it a query with CREATE STREAMING QUERY … INTO feed AS … and subscribe to that")
	}
	return j.place()
}

// place checks what Seal relies on.
func (j *placeJSON) place() (*Place, error) {
	p := &Place{Position: Position{Query: j.Query, Epoch: j.Epoch, Row: j.Row, Shape: j.Shape}, First: j.First, From: j.From, Watermark: j.Watermark}
	ok := copy(p.Statement[:], j.Statement) == len(p.Statement) && len(j.Statement) == len(p.Statement)
	_, err := uuid.Parse(j.Query)
	ok = ok && err == nil && j.First >= 0 && j.Epoch >= j.First && j.Row >= 0 && (j.Row == 0 || j.Told != nil && j.First == j.Epoch)
	if t := j.Told; ok && t != nil {
		p.Told = &Told{To: t.To, Clock: t.Clock, Late: t.Late, Pins: t.Pins}
		ok = copy(p.Told.Digest[:], t.Digest) == len(p.Told.Digest) && len(t.To) == len(j.From)
	}
	if !ok {
		return nil, badToken("its contents are out of range")
	}
	return p, nil
}
