package compute

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
)

// probing pairs the rows of one probe batch with build rows, BatchRows pairs at
// a time. Behind the partners of a probe row stands a pair with build row −1: it
// says that all of them have been seen.
type probing struct {
	join  *join
	keys  *joinKeys
	view  *view
	list  rowList
	batch Batch
	cols  []*vec.Vec
	// ids[i] is the key of rows[i], or −1; at and partner say where to go on.
	rows, ids   []int32
	at, partner int
	// hit says that rows[at] has found a partner.
	hit bool
	// twice says that a row of a Single join has found two.
	twice bool
	// probeOnly joins collect rows, or flags, until the batch is done.
	chosen []int32
	flags  []bool
	// sawRow and sawNull are for NOT IN with the left side built.
	sawRow, sawNull bool

	probeRows, buildRows []int32
}

func newProbing(j *join, keys []expr.Expr, schema expr.Schema, env *Env) (*probing, error) {
	k, err := newJoinKeys(keys, j.node.NullSafe, env)
	p := &probing{join: j, keys: k, view: newView(schema, keys...)}
	p.view.uses.all(coded)
	return p, err
}

func (p *probing) done() bool { return p.at == len(p.rows) }

// begin takes a probe batch.
func (p *probing) begin(b Batch) error {
	p.batch, p.at, p.partner, p.hit = b, 0, 0, false
	p.rows = p.list.of(b)
	p.chosen = p.chosen[:0]
	in := p.view.of(b)
	p.cols = in.Cols
	if cap(p.ids) < len(p.rows) {
		p.ids = make([]int32, len(p.rows))
	}
	p.ids = p.ids[:len(p.rows)]
	if p.join.node.Kind == physical.Existence && p.join.side.probeOnly {
		p.flags = make([]bool, in.Rows)
	}
	if len(p.keys.evals) == 0 {
		clear(p.ids)
		return nil
	}
	kept, err := p.keys.find(in, p.rows, p.join.table.table, p.ids)
	if err != nil {
		return err
	}
	p.sawRow = p.sawRow || len(p.rows) > 0
	p.sawNull = p.sawNull || len(kept) < len(p.rows)
	found := p.ids[:len(kept)]
	p.spread(kept, found)
	if p.join.node.Kind == physical.NullAwareAnti && p.join.side.probeOnly {
		p.refuse(kept)
	}
	return nil
}

// spread moves found, the keys of kept, to their places among p.rows.
func (p *probing) spread(kept, found []int32) {
	k := len(kept) - 1
	for i := len(p.rows) - 1; i >= 0; i-- {
		if k >= 0 && kept[k] == p.rows[i] {
			p.ids[i] = found[k]
			k--
		} else {
			p.ids[i] = -1
		}
	}
}

// refuse is NOT IN over a right side without NULLs: a row whose key is NULL passes
// only if the right side is empty.
func (p *probing) refuse(kept []int32) {
	if p.join.table.rows.rows == 0 || len(kept) == len(p.rows) {
		return
	}
	ids := p.ids[:0]
	k := 0
	for i, r := range p.rows {
		if k < len(kept) && kept[k] == r {
			ids = append(ids, p.ids[i])
			k++
		}
	}
	p.rows, p.ids = kept, ids
}

// next returns the next batch that comes of the probe batch; ok is false if
// there is none in this turn.
func (p *probing) next() (out Batch, ok bool, err error) {
	j := p.join
	if p.at == 0 && p.partner == 0 && j.aligned() {
		out, ok := p.align()
		if ok || p.done() {
			return out, ok, nil
		}
	}
	p.pair()
	pass, err := p.passing()
	if err != nil {
		return Batch{}, false, err
	}
	probeRows, buildRows := p.settle(pass)
	if p.twice {
		return Batch{}, false, base.UserError("SCALAR_SUBQUERY_TOO_MANY_ROWS", "21000", "More than one row returned by a subquery used as an expression.").
			WithHint("aggregate the value of the subquery, or write ORDER BY … LIMIT 1 in it")
	}
	switch {
	case j.side.probeOnly:
		if !p.done() {
			return Batch{}, false, nil
		}
		return p.probeOnly()
	case j.side.buildOnly || len(probeRows) == 0:
		return Batch{}, false, nil
	}
	rec := recordOf(j.out, j.columns(p.cols, probeRows, buildRows), len(probeRows))
	return Batch{Rec: j.set(rec), Split: p.batch.Split}, true, nil
}

// pair lists the next candidates.
func (p *probing) pair() {
	p.probeRows, p.buildRows = p.probeRows[:0], p.buildRows[:0]
	for p.at < len(p.rows) && len(p.probeRows) < BatchRows {
		partners := p.join.table.of(p.ids[p.at])[p.partner:]
		n := min(len(partners), BatchRows-len(p.probeRows))
		for _, r := range partners[:n] {
			p.probeRows, p.buildRows = append(p.probeRows, p.rows[p.at]), append(p.buildRows, r)
		}
		if n < len(partners) {
			p.partner += n
			return
		}
		p.probeRows, p.buildRows = append(p.probeRows, p.rows[p.at]), append(p.buildRows, -1)
		p.at++
		p.partner = 0
	}
}

// passing returns which candidates the condition holds for; nil: for all.
func (p *probing) passing() ([]int32, error) {
	j := p.join
	if j.cond == nil {
		return nil, nil
	}
	left, right, leftRows, rightRows := p.cols, j.table.rows.cols, p.probeRows, p.buildRows
	if !j.side.probeLeft {
		left, right, leftRows, rightRows = right, left, rightRows, leftRows
	}
	return j.cond.pass(left, right, leftRows, rightRows)
}

// settle decides about the candidates, and returns the pairs that come out. It
// overwrites the candidates.
func (p *probing) settle(pass []int32) (probeRows, buildRows []int32) {
	j := p.join
	probeRows, buildRows = p.probeRows[:0], p.buildRows[:0]
	for i, r := range p.probeRows {
		b := p.buildRows[i]
		if b < 0 {
			if p.flags != nil {
				p.flags[r] = p.hit
			} else if j.side.probeOnly && p.hit != j.side.anti {
				p.chosen = append(p.chosen, r)
			}
			if !p.hit && j.side.probeOuter {
				probeRows, buildRows = append(probeRows, r), append(buildRows, -1)
			}
			p.hit = false
			continue
		}
		if j.cond != nil {
			if len(pass) == 0 || pass[0] != int32(i) {
				continue
			}
			pass = pass[1:]
		}
		p.twice = p.twice || p.hit && j.node.Single
		p.hit = true
		if j.matched != nil {
			j.matched[b] = true
		}
		if !j.side.probeOnly && !j.side.buildOnly {
			probeRows, buildRows = append(probeRows, r), append(buildRows, b)
		}
	}
	return probeRows, buildRows
}

// probeOnly puts out the rows of the probe batch that were chosen, or all of
// them with the mark whether they have a partner.
func (p *probing) probeOnly() (Batch, bool, error) {
	b := p.batch
	if p.flags == nil {
		if len(p.chosen) == 0 {
			return Batch{}, false, nil
		}
		b.Sel = p.chosen
		return b, true, nil
	}
	cols := make([]arrow.Array, b.Rec.NumCols(), b.Rec.NumCols()+1)
	for i := range cols {
		cols[i] = b.Rec.Column(i)
		cols[i].Retain()
	}
	cols = append(cols, boolColumn(p.flags).Arrow())
	b.Rec = p.join.set(newRecord(p.join.out, cols, int(b.Rec.NumRows())))
	return b, true, nil
}

// aligned reports whether a probe row has at most one partner and nothing else to
// meet.
func (j *join) aligned() bool {
	s := j.side
	return j.table.unique && j.cond == nil && !s.probeOuter && !s.buildOuter && !s.probeOnly && !s.buildOnly
}

// align puts the partners beside the probe columns, which are not copied: rows
// without one are left out of the selection. It does so where enough rows are
// alive, since it makes build columns as long as the probe batch.
func (p *probing) align() (Batch, bool) {
	j := p.join
	n := int(p.batch.Rec.NumRows())
	if 4*len(p.rows) < n || j.table.rows.rows == 0 {
		return Batch{}, false
	}
	if cap(p.probeRows) < len(p.rows) {
		p.probeRows, p.buildRows = make([]int32, len(p.rows)), make([]int32, len(p.rows))
	}
	p.probeRows, p.buildRows = p.probeRows[:len(p.rows)], p.buildRows[:cap(p.buildRows)]
	hits := 0
	for i, id := range p.ids {
		if id >= 0 {
			p.probeRows[hits], p.buildRows[hits] = p.rows[i], j.table.order[id]
			hits++
		}
	}
	p.probeRows, p.buildRows = p.probeRows[:hits], p.buildRows[:hits]
	p.at = len(p.rows)
	if len(p.probeRows) == 0 {
		return Batch{}, false
	}
	cols := make([]arrow.Array, 0, int(p.batch.Rec.NumCols())+len(j.table.rows.cols))
	probe := func() {
		for i := range int(p.batch.Rec.NumCols()) {
			c := p.batch.Rec.Column(i)
			c.Retain()
			cols = append(cols, c)
		}
	}
	if j.side.probeLeft {
		probe()
	}
	for i, c := range j.table.rows.cols {
		if j.lending != nil {
			cols = append(cols, j.lend(i, c, n).Arrow())
		} else {
			cols = append(cols, c.Scatter(p.buildRows, p.probeRows, n, nil).Arrow())
		}
	}
	if !j.side.probeLeft {
		probe()
	}
	out := Batch{Rec: j.set(newRecord(j.out, cols, n)), Split: p.batch.Split}
	if hits < n {
		out.Sel = p.probeRows
	}
	return out, true
}
