package flightd

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/google/uuid"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/catalog"
	"github.com/flightd/flightd/plan/conf"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/planner"
	"github.com/flightd/flightd/plan/sql"
	"github.com/flightd/flightd/sinks"
	"github.com/flightd/flightd/sinks/feed"
	"github.com/flightd/flightd/subscribe"
)

// subscriptionQuiet is how long a subscription has nothing to tell before it gives
// a record batch without rows, which shows proxies that it lives.
const subscriptionQuiet = 15 * time.Second

// subscription is a SUBSCRIBE statement that was analysed: what it follows and how.
type subscription struct {
	request subscribe.Request
	name    string
	rows    *arrow.Schema
	mode    sinks.Mode
	// schema is that of the result.
	schema *arrow.Schema
	// query is the running query that is followed; without one, plan is run for this
	// subscription alone.
	query *StreamingQuery
	feed  *feed.Feed
	plan  logical.Node
	conf  catalog.Conf
	// keyNames are the columns that ENVELOPE upsert names.
	keyNames []string
	// token is that of RESUME where plan is run, place what it says.
	resumes bool
	token   string
	place   *subscribe.Place
	// notLasting is why the subscription cannot be resumed; if it can, statement is a
	// hash of what it must have in common with the one that gave the token.
	notLasting error
	statement  [16]byte
}

// subscribe runs SUBSCRIBE: an endless result, of which nothing is read ahead.
func (s *Session) subscribe(ctx context.Context, st *logical.Subscribe, text string) (*Result, error) {
	sub, err := s.subscription(st)
	if err != nil {
		return nil, err
	}
	stop := func() error { return nil }
	if sub.query == nil {
		if stop, err = s.startScratch(ctx, sub, text); err != nil {
			return nil, err
		}
	}
	// Before that the newest epoch is hidden: it may be about to be replayed.
	select {
	case <-sub.query.ready:
	case <-sub.query.done:
	case <-ctx.Done():
		_ = stop()
		return nil, ctx.Err()
	}
	o := subscribe.Options{Request: sub.request, Feed: sub.feed, Name: sub.name, Run: sub.query.runID, Schema: sub.rows, Mode: sub.mode, Clock: s.eng.clock,
		Quiet: subscriptionQuiet, Turns: s.eng.turns, MaxHeld: s.eng.memoryLimit(sub.conf), Ended: sub.query.failure}
	if sub.plan == nil || sub.notLasting == nil {
		o.Query = sub.query.id
	}
	if t := sub.query.spec.told; t != nil {
		o.Token = t.token
	}
	stream, err := subscribe.Open(ctx, o)
	if err != nil {
		_ = stop()
		return nil, at(err, st.Pos())
	}
	r := &Result{schema: stream.Schema(), affected: -1, live: stream, notices: stream.Notices()}
	r.next = func(ctx context.Context) (arrow.RecordBatch, error) {
		b, err := stream.Next(ctx)
		if err != nil {
			return nil, err
		}
		r.batch = b
		return b.Rec, nil
	}
	r.close = func() error {
		stream.Close()
		return stop()
	}
	return r, nil
}

// at gives an error a place in the statement.
func at(err error, p base.Pos) error {
	if e := base.AsError(err); e.Code != base.CodeInternal {
		e.At(p)
	}
	return err
}

// failure waits for the end of the query and returns why it failed, or nil.
func (q *StreamingQuery) failure() error {
	<-q.done
	return q.Exception()
}

// subscription analyses the statement, without effect.
func (s *Session) subscription(st *logical.Subscribe) (*subscription, error) {
	names, c := s.snapshot()
	sub := &subscription{conf: c}
	err := sub.find(s, st, names)
	if err == nil {
		err = sub.read(st)
	}
	if err == nil && sub.query == nil {
		err = sub.choose(s, names)
		if err == nil && sub.resumes {
			err = sub.resumeAt(s.eng)
		}
	}
	if err == nil {
		sub.schema, err = subscribe.Fit(&sub.request, sub.name, sub.mode, sub.rows)
	}
	if err != nil {
		return nil, at(err, st.Pos())
	}
	return sub, nil
}

// find resolves what is subscribed to: a query with a feed, a view, a table that
// is a stream, or a SELECT.
func (u *subscription) find(s *Session, st *logical.Subscribe, names *names) error {
	if st.Plan != nil {
		u.plan, u.name = st.Plan, "this SELECT"
		return nil
	}
	name := last(st.Name)
	u.name = name
	view, err := names.View(st.Name)
	if err != nil {
		return err
	}
	if view != nil {
		u.plan = &logical.Table{At: st.Pos(), Name: st.Name}
		return nil
	}
	if q := s.eng.Query(name); q != nil && q.spec.table == "" {
		return u.follow(q)
	}
	t, err := names.Table(st.Name)
	if err != nil {
		return err
	}
	if t == nil {
		known := names.Names()
		for _, q := range s.eng.AllQueries() {
			known = append(known, q.name)
		}
		return notFound("query, view or table", name, known)
	}
	u.plan = &logical.Table{At: st.Pos(), Name: st.Name, Stream: true}
	return nil
}

// follow makes the feed of a query what is followed.
func (u *subscription) follow(q *StreamingQuery) error {
	q.mu.Lock()
	f, mode := q.feed, q.feedMode
	q.mu.Unlock()
	switch {
	case f == nil && !q.IsActive():
		return base.UserError("SUBSCRIBE_QUERY_NOT_RUNNING", "55000", "The query %s is not running, so there is nothing to follow.", q.name).
			WithHint("start it with its CREATE STREAMING QUERY statement")
	case f == nil:
		return base.UserError("SUBSCRIBE_NO_FEED", "55000", "The query %s writes into %s, which keeps no feed.", q.name, q.spec.sinkName()).
			WithHint("CREATE STREAMING QUERY … INTO feed makes a query that can be followed; SUBSCRIBE TO SELECT … runs one for this subscription")
	}
	u.query, u.feed, u.mode, u.rows = q, f, mode, f.Schema()
	return nil
}

// choose finds the output mode in which the plan can tell what the envelope asks
// for.
func (u *subscription) choose(s *Session, names *names) error {
	modes := []base.OutputMode{base.Append, base.Update, base.Complete}
	switch u.request.Envelope {
	case subscribe.Append:
		modes = modes[:1]
	case subscribe.Changelog, subscribe.Upsert:
		modes = modes[1:]
	}
	var first error
	for _, m := range modes {
		p, schema, err := planStream(u.plan, names, u.conf, planner.Options{Mode: m, Fold: s.eng.fold(u.conf)})
		if err != nil {
			if first == nil {
				first = err
			}
			continue
		}
		mode := sinks.Mode{Kind: m, Keys: (&run{plan: p}).keyColumns()}
		if m == base.Update && mode.Keys == nil {
			// Nothing replaces anything, unless grouping keys are not selected.
			if appends, _, err := planStream(u.plan, names, u.conf, planner.Options{Mode: base.Append, Fold: s.eng.fold(u.conf)}); err == nil {
				mode.Kind, p = base.Append, appends
			} else if u.request.Envelope != subscribe.Upsert {
				continue
			}
		}
		u.mode, u.rows = mode, schema.Arrow()
		if err := u.lasting(p, schema, names); err != nil {
			return err
		}
		return u.keys()
	}
	return first
}

// startScratch starts a query for this subscription alone. It begins like any new
// query, keeps its checkpoint and feed in a folder of its own, and ends with the
// subscription.
func (s *Session) startScratch(ctx context.Context, u *subscription, text string) (stop func() error, err error) {
	dir := filepath.Join(s.eng.scratchDir(), uuid.NewString())
	spec := querySpec{format: "feed", scratch: true, checkpoint: dir, mode: u.mode.Kind, options: base.Options{}, plan: u.plan, script: text, resume: u.place}
	if err := u.seal(s.eng, &spec); err != nil {
		return nil, err
	}
	q, err := s.start(ctx, spec)
	if err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	q.mu.Lock()
	u.query, u.feed = q, q.feed
	q.mu.Unlock()
	if !u.request.Snapshot && u.request.From == base.NoEpoch {
		u.request.From = 0
	}
	return func() error {
		now, cancel := context.WithCancel(context.Background())
		cancel() // nothing of it is worth an epoch's time
		_ = q.Stop(now)
		s.eng.forget(q)
		return os.RemoveAll(dir)
	}, nil
}

// scratchDir holds what belongs to subscriptions; Open empties it.
func (e *Engine) scratchDir() string { return filepath.Join(e.dir, "subscriptions") }

// read takes over the options of the statement and the settings of the session.
func (u *subscription) read(st *logical.Subscribe) error {
	r := &u.request
	r.From, r.UpTo, r.Limit = base.NoEpoch, base.NoEpoch, -1
	_, r.Snapshot = st.Options["SNAPSHOT"]
	_, r.Progress = st.Options["PROGRESS"]
	var err error
	number := func(key string, to *int64) {
		if v, ok := st.Options[key]; ok && err == nil {
			if *to, err = strconv.ParseInt(v, 10, 64); err != nil {
				err = base.UserError("SUBSCRIBE_OPTION", "22003", "%s %s: the number is too large.", key, v)
			}
		}
	}
	number("FROM EPOCH", (*int64)(&r.From))
	number("UP TO EPOCH", (*int64)(&r.UpTo))
	number("LIMIT", &r.Limit)
	if err != nil {
		return err
	}
	if r.Snapshot && r.From != base.NoEpoch {
		return base.UserError("SUBSCRIBE_OPTION", "42601", "SNAPSHOT and FROM EPOCH both say where to start.").
			WithHint("SNAPSHOT begins with the present result, FROM EPOCH with the changes of an epoch")
	}
	if text, ok := st.Options["RESUME"]; ok {
		if u.query == nil {
			u.token, u.resumes = text, true
		} else if p, err := subscribe.ParseToken(text); err != nil {
			return err
		} else {
			r.Resume = &p
		}
	}
	if text, ok := st.Options["FOR"]; ok {
		if r.For, err = subscribeInterval(text); err != nil {
			return err
		}
	} else {
		r.For = conf.DurationOf(u.conf, "flightd.subscribe.maxDuration")
	}
	if r.Policy, err = subscribe.ParsePolicy(conf.StringOf(u.conf, "flightd.subscribe.slow")); err != nil {
		return err
	}
	r.MaxBytes, r.MaxBatches = conf.SizeOf(u.conf, "flightd.subscribe.maxBytes"), int(conf.IntOf(u.conf, "flightd.subscribe.maxBatches"))
	envelope, list, _ := strings.Cut(st.Options["ENVELOPE"], "(")
	switch envelope {
	case "append":
		r.Envelope = subscribe.Append
	case "changelog":
		r.Envelope = subscribe.Changelog
	case "upsert":
		r.Envelope = subscribe.Upsert
	}
	u.keyNames = unquoteNames(strings.TrimSuffix(list, ")"))
	if u.query != nil {
		return u.keys()
	}
	return nil
}

// subscribeInterval reads the interval of FOR.
func subscribeInterval(text string) (time.Duration, error) {
	months, days, micros, err := sql.ParseInterval(text)
	if err != nil {
		return 0, err
	}
	d := time.Duration(days)*24*time.Hour + time.Duration(micros)*time.Microsecond
	if months != 0 || d <= 0 {
		return 0, base.UserError("SUBSCRIBE_OPTION", "22003", "FOR INTERVAL '%s': the time must be positive and without months.", text)
	}
	return d, nil
}

// keys finds the columns that ENVELOPE upsert names.
func (u *subscription) keys() error {
	for _, name := range u.keyNames {
		i := slices.IndexFunc(u.rows.Fields(), func(f arrow.Field) bool { return strings.EqualFold(f.Name, name) })
		if i < 0 {
			var known []string
			for _, f := range u.rows.Fields() {
				known = append(known, f.Name)
			}
			e := base.UserError("UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703", "The key column %s of ENVELOPE upsert is no column of %s, which has %s.", expr.QuoteIfNeeded(name), u.name, strings.Join(known, ", "))
			if near := base.Nearest(name, known); near != "" {
				e = e.WithHint("did you mean %s?", expr.QuoteIfNeeded(near))
			}
			return e
		}
		u.request.Keys = append(u.request.Keys, i)
	}
	return nil
}

// unquoteNames splits a list of names as expr.QuoteIfNeeded writes them.
func unquoteNames(list string) []string {
	var out []string
	for list = strings.TrimSpace(list); list != ""; {
		var name string
		if list[0] != '`' {
			name, list, _ = strings.Cut(list, ",")
			out, list = append(out, strings.TrimSpace(name)), strings.TrimSpace(list)
			continue
		}
		var b strings.Builder
		i := 1
		for ; i < len(list); i++ {
			if list[i] == '`' {
				if i+1 < len(list) && list[i+1] == '`' {
					i++
				} else {
					break
				}
			}
			b.WriteByte(list[i])
		}
		out = append(out, b.String())
		list = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(list[min(i+1, len(list)):]), ","))
	}
	return out
}
