package compute

import (
	"github.com/apache/arrow-go/v18/arrow"

	cexpr "github.com/flightd/flightd/compute/expr"
)

// memory is what bounds the operators; it may be nil.
func (e *Env) memory() *cexpr.Memory {
	if e == nil || e.Expr == nil {
		return nil
	}
	return e.Expr.Memory
}

// bytesOf is how much memory the columns of a record batch take, dictionaries aside.
func bytesOf(rec arrow.RecordBatch) int64 {
	n := int64(0)
	for _, c := range rec.Columns() {
		n += dataBytes(c.Data())
	}
	return n
}

func dataBytes(d arrow.ArrayData) int64 {
	n := int64(0)
	for _, b := range d.Buffers() {
		if b != nil {
			n += int64(b.Len())
		}
	}
	for _, c := range d.Children() {
		n += dataBytes(c)
	}
	return n
}

// charge counts what the table of s has grown by.
func (s *groups) charge() error {
	m := s.plan.env.memory()
	if m == nil {
		return nil
	}
	now := s.table.MemBytes()
	err := m.Take("an aggregation", now-s.charged)
	if err == nil {
		s.charged = now
	}
	return err
}
