package subscribe

import (
	"fmt"
	"hash/crc32"
	"strings"
	"time"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sinks"
)

// Envelope says how changes are told.
type Envelope uint8

// The envelopes.
const (
	// Append tells new rows; nothing that was told changes.
	Append Envelope = iota + 1
	// Changelog tells inserts and deletes, and updates as the row before and the
	// row after.
	Changelog
	// Upsert tells the newest row of a key, and deletes.
	Upsert
)

// String is the envelope's name in SQL.
func (e Envelope) String() string { return [...]string{"", "append", "changelog", "upsert"}[e] }

// Policy says what happens to a subscriber that falls behind.
type Policy uint8

// The policies.
const (
	// Block lets it be: the rows wait on disk, as long as the feed keeps them.
	Block Policy = iota
	// Skip goes on with the newest epoch after a row that says what was left out.
	Skip
	// Disconnect ends it with an error that carries the resume token.
	Disconnect
)

// ParsePolicy reads block, skip or disconnect.
func ParsePolicy(s string) (Policy, error) {
	for i, name := range []string{"block", "skip", "disconnect"} {
		if strings.EqualFold(s, name) {
			return Policy(i), nil
		}
	}
	return 0, base.Errorf(base.CodeInvalid, "%q is no policy for slow subscribers", s).WithHint("block, skip or disconnect")
}

// Request is what a subscriber asks for.
type Request struct {
	// Snapshot asks for the result as of one epoch first.
	Snapshot bool
	// Progress asks for the columns _epoch, _op and _watermark, and for a row at the
	// end of every epoch.
	Progress bool
	// From is the first epoch; base.NoEpoch leaves it open.
	From base.Epoch
	// Resume is the place to go on from, or nil.
	Resume *Position
	// UpTo is the last epoch; base.NoEpoch for no end.
	UpTo base.Epoch
	// For ends the subscription after a time; 0 does not.
	For time.Duration
	// Limit is the most rows, markers not counted; -1 for no limit.
	Limit int64
	// Envelope is 0 for the one that fits the query's output mode.
	Envelope Envelope
	// Keys are the columns of Upsert; nil for those of the query.
	Keys []int
	// Policy, with the most bytes and batches that a subscriber may be behind.
	Policy     Policy
	MaxBytes   int64
	MaxBatches int
}

// The bounds of a slow subscriber that names none.
const (
	DefaultMaxBytes   = 64 << 20
	DefaultMaxBatches = 1024
)

// fit chooses the envelope and keys for a query of a mode, or says why those that
// were asked for do not fit.
func (r *Request) fit(name string, mode sinks.Mode) error {
	if r.Envelope == 0 {
		switch {
		case mode.Kind == base.Complete:
			r.Envelope = Changelog
		case mode.Kind == base.Update && mode.Keys != nil:
			r.Envelope = Upsert
		default:
			r.Envelope = Append
		}
	}
	switch {
	case r.Envelope == Append && mode.Kind == base.Complete, r.Envelope == Append && mode.Kind == base.Update && mode.Keys != nil:
		return unfit("The query %s is in output mode %s: its rows replace others, which ENVELOPE append cannot tell.", name, mode.Kind).
			WithHint("ENVELOPE changelog tells what a row replaces, upsert(key) the newest row of a key")
	case r.Envelope == Changelog && mode.Kind == base.Update && mode.Keys == nil:
		return unfit("The rows of the query %s have no key, so what they replace is not known.", name).
			WithHint("select all grouping columns in the query, or use output mode complete")
	case r.Envelope == Upsert && r.Keys == nil && mode.Keys == nil:
		return unfit("The rows of the query %s have no key.", name).WithHint("name the key columns: ENVELOPE upsert(a, b)")
	case r.Envelope == Upsert && r.Keys != nil && mode.Keys != nil && !sameSet(r.Keys, mode.Keys):
		return unfit("The key of ENVELOPE upsert is not that of the query %s.", name).
			WithHint("the key are all grouping columns that the query selects")
	case r.Envelope == Changelog && r.Policy == Skip:
		return unfit("ENVELOPE changelog cannot leave out epochs.").WithHint("choose the policy block or disconnect, or ENVELOPE upsert")
	}
	if r.Keys == nil {
		r.Keys = mode.Keys
	}
	return nil
}

func sameSet(a, b []int) bool {
	in := map[int]bool{}
	for _, k := range a {
		in[k] = true
	}
	for _, k := range b {
		if !in[k] {
			return false
		}
	}
	return len(in) == len(b)
}

// shape is a hash of what the number of a row depends on.
func (r *Request) shape() uint32 {
	return crc32.ChecksumIEEE(fmt.Appendf(nil, "%d %v", r.Envelope, r.Keys))
}

func unfit(format string, args ...any) *base.Error {
	return base.UserError("SUBSCRIBE_ENVELOPE", "42601", format, args...)
}
