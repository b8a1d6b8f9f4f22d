package state

import (
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/invariants"
)

// Expire removes the rows whose time (Schema.Time) is at or before limit, in every
// sub-table, several at a time. The changelog keeps the limit instead of the rows: so
// it is the last thing that an epoch does to a table, and a row with such a time must
// not come after it. NULL times never expire; others never change.
//
// each is called for every sub-table with the rows that go, ascending, before they
// do; calls for different sub-tables may run at the same time. It may be nil.
func (s *Sharded) Expire(limit int64, workers int, each func(i int, rows []int32) error) error {
	if err := s.expire(limit); err != nil {
		return err
	}
	errs := make([]error, len(s.subs))
	s.each(workers, func(i int, t *Table) {
		rows, err := t.Expired(limit)
		if err == nil && each != nil && len(rows) > 0 {
			err = each(i, rows)
		}
		if err == nil {
			err = t.removeRows(rows, false)
		}
		errs[i] = err
	})
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Sharded) expire(limit int64) error {
	s.rest.end()
	if s.schema.Time == nil || s.expired != nil && *s.expired > limit {
		return invariants.AssertionFailedf("expiring rows of %s up to %d: it has no time column, or did so already", s.id, limit)
	}
	s.expired = &limit
	return nil
}

// ExpireFound is Expire for who has found the rows: rows[i] are what Expired returns
// for sub-table i.
func (s *Sharded) ExpireFound(limit int64, workers int, rows [][]int32) error {
	if err := s.expire(limit); err != nil {
		return err
	}
	errs := make([]error, len(s.subs))
	s.each(workers, func(i int, t *Table) { errs[i] = t.removeRows(rows[i], false) })
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Times returns the times of rows: their values in the column Schema.Time.
func (t *Table) Times(rows []int32) (Vector, error) {
	if c := t.schema.Time; !c.Key {
		return t.values[c.At].Gather(rows), nil
	}
	return t.Key(t.schema.Time.At, rows)
}

// setTime makes c the time column.
func (s *Sharded) setTime(c *TimeColumn) {
	if same := c == s.schema.Time || c != nil && s.schema.Time != nil && *c == *s.schema.Time; same {
		return
	}
	s.rest.end()
	s.schema.Time = c
	for _, t := range s.subs {
		t.schema.Time, t.times = c, newTimeIndex()
		t.zones.reset()
	}
}

// replayExpired does what Expire did when the changelog was written.
func (s *Sharded) replayExpired(limit int64, workers int) error {
	c := s.schema.Time
	if c == nil {
		return base.Errorf(base.CodeCorrupt, "rows expired in a table without a time column")
	}
	fields := s.schema.Values
	if c.Key {
		fields = s.schema.Keys
	}
	if c.At < 0 || c.At >= len(fields) || fields[c.At].Kind != Int64 {
		return base.Errorf(base.CodeCorrupt, "rows expired by column %d of %d, which is no time", c.At, len(fields))
	}
	return s.Expire(limit, workers, nil)
}
