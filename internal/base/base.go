package base

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// Epoch is the number of a micro-batch: dense, from 0. Users see it as batchId.
type Epoch int64

// NoEpoch is the epoch before the first one.
const NoEpoch Epoch = -1

// Offset is an opaque position in a source, as JSON text: what the progress
// report shows and the ledger keeps. The empty offset is "before anything".
// Only the source that made an offset knows what it means.
type Offset string

// Digest identifies the logical rows of an epoch's output: their values and
// order, not their Arrow bytes nor how they were cut into record batches.
type Digest [16]byte

// String returns the digest as 32 hexadecimal digits.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// ParseDigest reads what String wrote.
func ParseDigest(s string) (Digest, error) {
	var d Digest
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(d) {
		return d, Errorf(CodeCorrupt, "digest %q: want %d hexadecimal digits", s, 2*len(d))
	}
	copy(d[:], b)
	return d, nil
}

// OutputMode says what an epoch emits.
type OutputMode uint8

// The output modes. Append emits each row once and for ever; Update emits the
// rows that changed; Complete emits the whole result table.
const (
	Append OutputMode = iota
	Update
	Complete
)

// String returns the mode as Spark's progress and errors spell it.
func (m OutputMode) String() string {
	switch m {
	case Append:
		return "append"
	case Update:
		return "update"
	case Complete:
		return "complete"
	}
	return fmt.Sprintf("OutputMode(%d)", uint8(m))
}

// ParseOutputMode reads a mode by name, ignoring case.
func ParseOutputMode(s string) (OutputMode, error) {
	switch strings.ToLower(s) {
	case "append":
		return Append, nil
	case "update":
		return Update, nil
	case "complete":
		return Complete, nil
	}
	return 0, UserError("STREAMING_OUTPUT_MODE.INVALID", "42KDE",
		"Invalid streaming output mode: %s. Accepted output modes are 'Append', 'Complete', 'Update'.", s)
}
