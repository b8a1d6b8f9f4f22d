package checkpoint

import (
	"encoding/json"

	"github.com/flightd/flightd/internal/base"
)

// Recovered is what the ledger says a query has to go on with.
type Recovered struct {
	// Meta is nil in a new ledger.
	Meta *Meta
	// LastPlan and LastDone are the newest of each; nil if there is none.
	LastPlan *Plan
	LastDone *Done
	// Replay says that LastPlan's epoch is not done: it runs again, exactly as
	// planned, before anything is planned.
	Replay bool
	// Folds is the newest compaction, nil if there is none, and Plans are all plans
	// after it, in order: the offsets that are not in it.
	Folds *Folds
	Plans []Plan
	// Snapshots are the ones that are kept, newest first. The state is that of one
	// of them (the newest that can be read), or nothing if there is none, plus the
	// Changes of all later epochs, in order.
	Snapshots []Snapshot
	Changes   []Changes
	// CutBytes is how much of a torn tail was cut.
	CutBytes int64
}

// Changes names the state changes of an epoch: Ledger.ReadChanges reads them.
type Changes struct {
	Epoch  base.Epoch
	inline []byte
	ref    *BlobRef
}

// NextEpoch is the epoch to run next: the one to replay, or the one to plan.
func (r *Recovered) NextEpoch() base.Epoch {
	if r.Replay {
		return r.LastPlan.Epoch
	}
	return r.lastDone() + 1
}

func (r *Recovered) lastPlan() base.Epoch {
	if r.LastPlan == nil {
		return r.before()
	}
	return r.LastPlan.Epoch
}

// before is the epoch before the first one.
func (r *Recovered) before() base.Epoch {
	if r.Meta == nil {
		return base.NoEpoch
	}
	return r.Meta.First - 1
}

func (r *Recovered) lastDone() base.Epoch {
	if r.LastDone == nil {
		return r.before()
	}
	return r.LastDone.Epoch
}

func (r *Recovered) foldEpoch() base.Epoch {
	if r.Folds == nil {
		return r.before()
	}
	return r.Folds.Epoch
}

// recoverFrom computes what records come to: it has no other input, and changes
// nothing. The folds of a file are left without texts, with the file in pending.
func recoverFrom(recs []record) (r *Recovered, pending *foldsJSON, err error) {
	r = &Recovered{}
	for i, rec := range recs {
		switch {
		case i == 0 && rec.typ != recordOpening:
			err = base.Errorf(base.CodeCorrupt, "a ledger does not begin so")
		case rec.typ == recordOpening:
			err = r.open(rec, i == 0, &pending)
		case rec.typ == recordMeta:
			err = r.meta(rec)
		case rec.typ == recordPlan:
			err = r.plan(rec)
		case rec.typ == recordDone:
			err = r.done(rec)
		case rec.typ == recordSnapshot:
			err = r.snapshot(rec)
		case rec.typ == recordFolds:
			err = r.folds(rec, &pending)
		default:
			err = base.Errorf(base.CodeCorrupt, "unknown type %d", rec.typ)
		}
		if err != nil {
			return nil, nil, base.Wrap(err, "record %d, %s, after plan %d and done %d", i, rec.typ, r.lastPlan(), r.lastDone())
		}
	}
	r.Replay = r.lastPlan() > r.lastDone()
	r.prune()
	return r, pending, r.check()
}

func decode(rec record, v any) error {
	if err := json.Unmarshal(rec.json, v); err != nil {
		return base.Errorf(base.CodeCorrupt, "decoding").Because(err)
	}
	return nil
}

// open takes the opening of a segment: of the oldest one all of it; those of the
// others must agree with what was found.
func (r *Recovered) open(rec record, first bool, pending **foldsJSON) error {
	var o opening
	if err := decode(rec, &o); err != nil {
		return err
	}
	if o.Meta == nil {
		return base.Errorf(base.CodeCorrupt, "segment %d has no metadata", o.Segment)
	}
	if !first {
		plan, done := r.before(), r.before()
		if o.LastPlan != nil {
			plan = o.LastPlan.Epoch
		}
		if o.LastDone != nil {
			done = o.LastDone.Epoch
		}
		if plan != r.lastPlan() || done != r.lastDone() || o.Meta.QueryID != r.Meta.QueryID {
			return base.Errorf(base.CodeCorrupt, "segment %d continues query %s after plan %d and done %d, not query %s",
				o.Segment, o.Meta.QueryID, plan, done, r.Meta.QueryID)
		}
		return nil
	}
	r.Meta, r.LastPlan, r.Snapshots = o.Meta, o.LastPlan, o.Snapshots
	if o.LastPlan != nil {
		r.Plans = append(r.Plans, *o.LastPlan)
	}
	if o.LastDone != nil {
		d, err := o.LastDone.done()
		if err != nil {
			return err
		}
		r.LastDone = d
	}
	if o.Folds != nil {
		return r.takeFolds(o.Folds, rec.blob, pending)
	}
	return nil
}

func (r *Recovered) meta(rec record) error {
	var m Meta
	if err := decode(rec, &m); err != nil {
		return err
	}
	if m.QueryID != r.Meta.QueryID || m.HashSeed != r.Meta.HashSeed {
		return base.Errorf(base.CodeCorrupt, "metadata of query %s in the ledger of %s", m.QueryID, r.Meta.QueryID)
	}
	r.Meta = &m
	return nil
}

func (r *Recovered) plan(rec record) error {
	var p Plan
	if err := decode(rec, &p); err != nil {
		return err
	}
	if err := r.mayPlan(p.Epoch); err != nil {
		return err
	}
	r.LastPlan = &p
	r.Plans = append(r.Plans, p)
	return nil
}

// mayPlan says whether a plan of epoch is what follows.
func (r *Recovered) mayPlan(epoch base.Epoch) error {
	if epoch != r.lastDone()+1 || epoch != r.lastPlan()+1 {
		return base.Errorf(base.CodeCorrupt, "plan of epoch %d", epoch)
	}
	return nil
}

func (r *Recovered) done(rec record) error {
	var j doneJSON
	if err := decode(rec, &j); err != nil {
		return err
	}
	d, err := j.done()
	if err != nil {
		return err
	}
	if err := r.mayFinish(d.Epoch); err != nil {
		return err
	}
	r.LastDone = d
	if j.HasChanges {
		r.Changes = append(r.Changes, Changes{Epoch: d.Epoch, inline: rec.blob, ref: j.File})
	}
	return nil
}

// mayFinish says whether a done record of epoch is what follows.
func (r *Recovered) mayFinish(epoch base.Epoch) error {
	if epoch != r.lastPlan() || epoch != r.lastDone()+1 {
		return base.Errorf(base.CodeCorrupt, "done record of epoch %d", epoch)
	}
	return nil
}

func (r *Recovered) snapshot(rec record) error {
	var s Snapshot
	if err := decode(rec, &s); err != nil {
		return err
	}
	if err := r.maySnapshot(s.Epoch); err != nil {
		return err
	}
	r.addSnapshot(s)
	return nil
}

// addSnapshot makes s the newest of the snapshots that are kept.
func (r *Recovered) addSnapshot(s Snapshot) {
	r.Snapshots = append([]Snapshot{s}, r.Snapshots...)
	r.Snapshots = r.Snapshots[:min(max(1, s.Keep), len(r.Snapshots))]
}

// maySnapshot says whether a snapshot of epoch is possible.
func (r *Recovered) maySnapshot(epoch base.Epoch) error {
	if epoch > r.lastDone() || len(r.Snapshots) > 0 && epoch <= r.Snapshots[0].Epoch {
		return base.Errorf(base.CodeCorrupt, "snapshot of epoch %d", epoch)
	}
	return nil
}

func (r *Recovered) folds(rec record, pending **foldsJSON) error {
	var j foldsJSON
	if err := decode(rec, &j); err != nil {
		return err
	}
	if err := r.mayFold(j.Epoch); err != nil {
		return err
	}
	return r.takeFolds(&j, rec.blob, pending)
}

// mayFold says whether folds up to epoch are possible.
func (r *Recovered) mayFold(epoch base.Epoch) error {
	if epoch > r.lastPlan() || epoch <= r.foldEpoch() {
		return base.Errorf(base.CodeCorrupt, "folds of epoch %d", epoch)
	}
	return nil
}

func (r *Recovered) takeFolds(j *foldsJSON, blob []byte, pending **foldsJSON) (err error) {
	*pending = nil
	if j.File != nil {
		*pending = j
		r.Folds = &Folds{Epoch: j.Epoch}
		return nil
	}
	r.Folds, err = j.split(blob)
	return err
}

// prune drops what the folds and the oldest snapshot that is kept stand for.
func (r *Recovered) prune() {
	for len(r.Plans) > 0 && r.Plans[0].Epoch <= r.foldEpoch() {
		r.Plans = r.Plans[1:]
	}
	from := r.stateFrom()
	for len(r.Changes) > 0 && r.Changes[0].Epoch < from {
		r.Changes = r.Changes[1:]
	}
}

// stateFrom is the first epoch whose changes are wanted.
func (r *Recovered) stateFrom() base.Epoch {
	if n := len(r.Snapshots); n > 0 {
		return r.Snapshots[n-1].Epoch + 1
	}
	return r.before() + 1
}

// check holds what is left to being complete.
func (r *Recovered) check() error {
	next := r.foldEpoch() + 1
	for _, p := range r.Plans {
		if p.Epoch != next {
			return base.Errorf(base.CodeCorrupt, "plan of epoch %d is missing", next)
		}
		next++
	}
	// A query that has state has changes in every epoch.
	if len(r.Changes) > 0 {
		next = r.stateFrom()
		for _, c := range r.Changes {
			if c.Epoch != next {
				return base.Errorf(base.CodeCorrupt, "state changes of epoch %d are missing", next)
			}
			next++
		}
	}
	return nil
}
