package client

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Envelope says how changes are told (docs/subscribe.md).
type Envelope string

// The envelopes. The empty one is the default of the query's output mode.
const (
	AppendOnly Envelope = "append"
	Upsert     Envelope = "upsert"
	Changelog  Envelope = "changelog"
)

// SubscribeOptions say where a subscription begins and ends and what it tells. The
// zero options follow a query from its next epoch on, without an end.
type SubscribeOptions struct {
	// Snapshot gives the present result first.
	Snapshot bool
	// Progress gives the columns _epoch, _op and _watermark, and a row with _op 0 at
	// the end of each epoch.
	Progress bool
	Envelope Envelope
	// Key is that of Upsert; nil is what the query groups by.
	Key []string
	// FromEpoch, if not nil, is the epoch to begin with.
	FromEpoch *int64
	// Resume is the token behind whose batch to begin.
	Resume string
	// UpToEpoch, if not nil, is the last epoch.
	UpToEpoch *int64
	// For ends the subscription after this time, if not 0.
	For time.Duration
	// Limit ends it after so many rows, if not 0.
	Limit int64
	// RetryFor is how long a broken connection is tried again; 0 is five minutes,
	// a negative time not at all.
	RetryFor time.Duration
}

// Epoch returns a pointer to n, for FromEpoch and UpToEpoch.
func Epoch(n int64) *int64 { return &n }

func (o SubscribeOptions) check() error {
	switch {
	case o.FromEpoch != nil && o.Resume != "":
		return errors.New("flightd: FromEpoch and Resume both say where to begin")
	case len(o.Key) > 0 && o.Envelope != Upsert:
		return errors.New("flightd: Key is for the envelope Upsert")
	case strings.Contains(o.Resume, "'"):
		return errors.New("flightd: Resume is no token")
	case o.Limit < 0 || o.For < 0:
		return errors.New("flightd: Limit and For are not negative")
	}
	switch o.Envelope {
	case "", AppendOnly, Upsert, Changelog:
		return nil
	}
	return fmt.Errorf("flightd: there is no envelope %q", o.Envelope)
}

// statement is the SUBSCRIBE that is left to run: token, limit and end are those of
// now.
func statement(what string, o SubscribeOptions, token string, limit int64, ends time.Time) string {
	var b strings.Builder
	b.WriteString("SUBSCRIBE TO " + target(what))
	if o.Snapshot {
		b.WriteString(" SNAPSHOT")
	}
	if o.Progress {
		b.WriteString(" PROGRESS")
	}
	switch {
	case token != "":
		fmt.Fprintf(&b, " RESUME '%s'", token)
	case o.FromEpoch != nil:
		fmt.Fprintf(&b, " FROM EPOCH %d", *o.FromEpoch)
	}
	if o.UpToEpoch != nil {
		fmt.Fprintf(&b, " UP TO EPOCH %d", *o.UpToEpoch)
	}
	if !ends.IsZero() {
		fmt.Fprintf(&b, " FOR INTERVAL '%d milliseconds'", max(1, time.Until(ends).Milliseconds()))
	}
	if o.Limit > 0 {
		fmt.Fprintf(&b, " LIMIT %d", limit)
	}
	if o.Envelope != "" {
		fmt.Fprintf(&b, " ENVELOPE %s", o.Envelope)
	}
	if len(o.Key) > 0 {
		names := make([]string, len(o.Key))
		for i, k := range o.Key {
			names[i] = quoted(k)
		}
		fmt.Fprintf(&b, "(%s)", strings.Join(names, ", "))
	}
	return b.String()
}

// target is what SUBSCRIBE TO names: a SELECT in parentheses, or a quoted name.
func target(what string) string {
	what = strings.TrimRight(strings.TrimSpace(what), "; \n\t")
	if strings.HasPrefix(what, "(") {
		return what
	}
	word, _, _ := strings.Cut(strings.Join(strings.Fields(what), " "), " ")
	switch strings.ToUpper(word) {
	case "SELECT", "WITH", "FROM", "VALUES":
		return "(" + what + ")"
	}
	parts := strings.Split(what, ".")
	for i, p := range parts {
		parts[i] = quoted(strings.Trim(p, "`"))
	}
	return strings.Join(parts, ".")
}
