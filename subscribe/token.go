package subscribe

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"

	"github.com/google/uuid"

	"github.com/flightd/flightd/internal/base"
)

// Position is a place in what a subscription gives: the next row to give.
type Position struct {
	// Query is the identity of the query, a UUID.
	Query string
	Epoch base.Epoch
	// Row counts the rows of the epoch, as the envelope gives them, before this
	// place.
	Row int64
	// Snapshot says that Row counts the rows of the snapshot as of Epoch.
	Snapshot bool
	// Shape is a hash of what the rows depend on beside the query: envelope and
	// keys. Row counts differ with it.
	Shape uint32
}

const (
	tokenVersion = 1
	tokenLen     = 1 + 1 + 16 + 8 + 8 + 4 + 4
)

// Token is the position as a text that clients keep: base64url of version u8,
// flags u8 (1: snapshot), query 16 bytes, epoch u64, row u64, shape u32, CRC-32C
// u32, all big-endian. It is "" for a query without an identity.
func (p Position) Token() string {
	id, err := uuid.Parse(p.Query)
	if err != nil {
		return ""
	}
	b := make([]byte, 0, tokenLen)
	flags := byte(0)
	if p.Snapshot {
		flags = 1
	}
	b = append(b, tokenVersion, flags)
	b = append(b, id[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(p.Epoch))
	b = binary.BigEndian.AppendUint64(b, uint64(p.Row))
	b = binary.BigEndian.AppendUint32(b, p.Shape)
	b = binary.BigEndian.AppendUint32(b, crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
	return base64.RawURLEncoding.EncodeToString(b)
}

// ParseToken reads a token. Whether it is this query's is for Open to say.
func ParseToken(text string) (Position, error) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	switch {
	case err != nil || len(b) == 0:
		return Position{}, badToken("it is no base64url text")
	case b[0] != tokenVersion:
		return Position{}, badToken("its version is %d, not %d", b[0], tokenVersion)
	case len(b) != tokenLen:
		return Position{}, badToken("it has %d bytes, not %d", len(b), tokenLen)
	case crc32.Checksum(b[:tokenLen-4], crc32.MakeTable(crc32.Castagnoli)) != binary.BigEndian.Uint32(b[tokenLen-4:]):
		return Position{}, badToken("its checksum is wrong")
	}
	p := Position{Snapshot: b[1]&1 != 0, Epoch: base.Epoch(binary.BigEndian.Uint64(b[18:])), Row: int64(binary.BigEndian.Uint64(b[26:])),
		Shape: binary.BigEndian.Uint32(b[34:])}
	var id uuid.UUID
	copy(id[:], b[2:18])
	p.Query = id.String()
	if b[1] > 1 || p.Epoch < 0 || p.Row < 0 {
		return Position{}, badToken("its contents are out of range")
	}
	return p, nil
}

func badToken(format string, args ...any) error {
	e := base.UserError("SUBSCRIBE_INVALID_TOKEN", "22023", "This is not a resume token: "+format+".", args...)
	return e.WithHint("give the text of the field resume of the last batch's metadata unchanged")
}
