package flightd

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/google/uuid"

	"github.com/flightd/flightd/checkpoint"
	"github.com/flightd/flightd/internal/atomicfile"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/physical"
	"github.com/flightd/flightd/plan/planner"
	"github.com/flightd/flightd/subscribe"
)

// A subscription to a view, a table or a SELECT runs a query that ends with it. If the
// query keeps no state and its sources' offsets last, the resume token is all that
// another query needs to go on: the offsets behind the epochs that were told and, of an
// epoch that was told in part, its plan and the digest of its rows. That epoch runs
// again, and what was told of it is left out; rows that are not the same are an error.

// keyFile is where the key of resume tokens lies in the data folder.
const keyFile = "subscription.key"

// tokenKey seals the resume tokens of such subscriptions. It lies in the data folder, so
// that a token is good for the server that is started next.
type tokenKey struct {
	mu  sync.Mutex
	key *subscribe.Key
}

// subscriptionKey reads the key, or makes one the first time.
func (e *Engine) subscriptionKey() (*subscribe.Key, error) {
	t := &e.tokens
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.key != nil {
		return t.key, nil
	}
	path := filepath.Join(e.dir, keyFile)
	key := new(subscribe.Key)
	b, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		_, _ = rand.Read(key[:]) // never fails
		err = atomicfile.WritePrivate(path, key[:])
	case err == nil && len(b) != len(key):
		err = base.Errorf(base.CodeCorrupt, "%s has %d bytes, not %d", path, len(b), len(key)).WithHint("remove it: the resume tokens that it sealed are lost")
	default:
		copy(key[:], b)
	}
	if err != nil {
		return nil, base.Wrap(err, "reading the key of resume tokens")
	}
	t.key = key
	return key, nil
}

// lasting finds out whether the plan that a subscription runs can be gone on with by
// another query: notLasting is why not.
func (u *subscription) lasting(p *planner.Plan, rows expr.Schema, names *names) error {
	if u.notLasting = lasting(p); u.notLasting != nil {
		return nil
	}
	resolved, err := analyse(u.plan, names, u.conf)
	if err != nil {
		return err
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%s\n%s\n", logical.Format(resolved), physical.Format(p.Root, inputNames(p)), ddl(rows))
	for _, in := range p.Inputs {
		def := &in.Table.Handle.(*table).def
		fmt.Fprintf(h, "%q %q %q %q", def.Name, def.Format, def.Dir, ddl(in.Table.Schema))
		for _, k := range sortedKeys(def.Options) {
			fmt.Fprintf(h, " %q=%q", k, def.Options[k])
		}
	}
	for _, k := range sortedKeys(u.conf) {
		if !strings.HasPrefix(k, "flightd.") { // these change no value
			fmt.Fprintf(h, " %q=%q", k, u.conf[k])
		}
	}
	copy(u.statement[:], h.Sum(nil))
	return nil
}

// lasting returns why a query of plan p cannot be gone on with from offsets alone, or
// nil.
func lasting(p *planner.Plan) error {
	var why string
	if len(p.Stateful) > 0 {
		why = fmt.Sprintf("its query keeps the state of %s", stateOf(p.Stateful[0].Name))
	}
	for _, in := range p.Inputs {
		if t := in.Table.Handle.(*table); in.Stream && why == "" && !t.provider.Lasting {
			why = fmt.Sprintf("what its query has read of %s (%s) is known to that query alone", expr.QuoteIfNeeded(in.Table.Name), in.Table.Format)
		}
	}
	if why == "" {
		return nil
	}
	return base.UserError("SUBSCRIBE_NOT_RESUMABLE", "0A000", "This subscription to a view, a table or a SELECT ends with its reader and cannot be resumed: %s.", why).
		WithHint("make it a query with CREATE STREAMING QUERY … INTO feed AS … and subscribe to that")
}

// stateOf names a stateful operator in a user's words.
func stateOf(operator string) string {
	switch operator {
	case "globalLimit":
		return "a LIMIT"
	case "dedupe", "dedupeWithinWatermark":
		return "a deduplication"
	case "symmetricHashJoin", "asOfJoin":
		return "a join of streams"
	}
	return "an aggregation"
}

// resumeAt reads the token of a subscription that runs a query of its own.
func (u *subscription) resumeAt(e *Engine) error {
	if u.notLasting != nil {
		return u.notLasting
	}
	key, err := e.subscriptionKey()
	if err != nil {
		return err
	}
	p, err := key.Open(u.token)
	if err != nil {
		return err
	}
	if p.Statement != u.statement {
		return base.UserError("SUBSCRIBE_INVALID_TOKEN", "22023", "The resume token is of another statement: of other tables, columns, conditions or settings than %s has now.", u.name).
			WithHint("repeat the statement that gave the token, with its settings, and RESUME")
	}
	u.request.Resume, u.place = &p.Position, p
	return nil
}

// seal gives the query of a subscription what its tokens need, if it can be resumed.
func (u *subscription) seal(e *Engine, spec *querySpec) error {
	if u.notLasting != nil {
		return nil
	}
	key, err := e.subscriptionKey()
	if err != nil {
		return err
	}
	at := subscribe.Place{Position: subscribe.Position{Query: uuid.NewString()}, Statement: u.statement}
	if u.place != nil {
		at = *u.place
	}
	spec.id, spec.seed = at.Query, key.Seed(at.Query)
	spec.told = &told{key: key, place: at}
	return nil
}

// told is what the tokens of one subscription are made of: where the epochs of its query
// began and ended, from the one that is being told on.
type told struct {
	key   *subscribe.Key
	place subscribe.Place // where the query begins, for who is told nothing yet

	mu     sync.Mutex
	epochs []toldEpoch // ascending
}

// toldEpoch is an epoch that readers can have.
type toldEpoch struct {
	planned
	digest base.Digest
	// next is the watermark behind it.
	next int64
}

// begin says where the query begins.
func (t *told) begin(m *checkpoint.Meta, watermark int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.place.Query, t.place.First, t.place.From, t.place.Watermark = m.QueryID, m.First, m.Initial, watermark
}

// add adds an epoch that is done.
func (t *told) add(p planned, digest base.Digest, next int64) {
	var pins int
	for _, pin := range p.pins {
		pins += len(pin)
	}
	if pins > subscribe.MaxPins {
		p.pins = nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.epochs = append(t.epochs, toldEpoch{p, digest, next})
}

// token is the token of a position, and forgets what is before it: a position only moves
// on.
func (t *told) token(at subscribe.Position) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.place.From == nil { // the query failed before it knew where to begin
		return ""
	}
	for len(t.epochs) > 1 && t.epochs[1].epoch < at.Epoch {
		t.epochs = slices.Delete(t.epochs, 0, 1)
	}
	p := t.place
	if p.Epoch, p.Row, p.Shape = at.Epoch, at.Row, at.Shape; at.Row == 0 {
		p.Told = nil // else it is about to run again
	}
	for _, e := range t.epochs {
		switch {
		case e.epoch < at.Epoch:
			p.First, p.From, p.Watermark = e.epoch+1, e.to, e.next
		case e.epoch == at.Epoch && at.Row > 0:
			p.First, p.From, p.Watermark = e.epoch, e.from, e.watermark
			p.Told = &subscribe.Told{To: e.to, Clock: e.clock, Late: e.before, Pins: e.pins, Digest: e.digest}
		}
	}
	return t.key.Seal(&p)
}

// goOn writes what the checkpoint of a query begins with that goes on at a place.
func (r *run) goOn(ctx context.Context, at *subscribe.Place, m *checkpoint.Meta) error {
	if len(at.From) != len(r.streams) {
		return base.UserError("SUBSCRIBE_INVALID_TOKEN", "22023", "The resume token is of a subscription to %d streams, this one has %d.", len(at.From), len(r.streams))
	}
	m.First, m.Initial, m.Sources = at.First, at.From, nil
	for _, in := range r.streams {
		m.Sources = append(m.Sources, in.source.Describe())
	}
	if err := r.ledger.WriteMeta(*m); err != nil || at.Told == nil {
		return err
	}
	t := at.Told
	p := planned{epoch: at.First, from: at.From, to: t.To, watermark: at.Watermark, before: t.Late, clock: t.Clock, pins: t.Pins}
	if p.pins == nil && len(r.statics) > 0 {
		if err := r.pinStatics(ctx, &p); err != nil {
			return err
		}
	}
	rec := r.planRecord(p)
	r.recovered.LastPlan, r.recovered.Replay = &rec, true
	return r.ledger.WritePlan(rec)
}

// asTold holds an epoch that runs again to what a subscriber has of it.
func (r *run) asTold(p planned, out *outcome) error {
	at := r.q.spec.resume
	if at == nil || at.Told == nil || p.epoch != at.First || out.digest == at.Told.Digest {
		return nil
	}
	e := base.Errorf(base.CodeCorrupt, "The rows of epoch %d, of which the subscriber has the first %d, are not what they were.", p.epoch, at.Row)
	e.Condition, e.SQLState = "SUBSCRIBE_REPLAY_DIFFERS", "22000"
	return e.WithHint("rows of a source or of a static input are gone or changed, or a function gives something else each time: subscribe without RESUME")
}
