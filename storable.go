package flightd

import (
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

// storable returns an error that names the first column which a table under the
// data folder cannot keep: its files are Parquet, which has no INTERVAL, knows
// intervals of two fields only as numbers of whole columns, and from which no TIME
// is read.
func storable(s expr.Schema) error {
	for _, f := range s {
		t := f.Type
		if t.Kind == expr.KindYearMonth || t.Kind == expr.KindDayTime {
			continue
		}
		if bad := unstorable(t); bad != nil {
			return base.UserError("UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", "0A000", "A table cannot keep the column `%s` of the type %s.", f.Name, bad.SQL()).
				WithHint("store it as a number of microseconds, or as a STRING (docs/types.md)")
		}
	}
	return nil
}

func unstorable(t *expr.Type) *expr.Type {
	switch t.Kind {
	case expr.KindTime, expr.KindCalendar, expr.KindYearMonth, expr.KindDayTime:
		return t
	case expr.KindArray:
		return unstorable(t.Elem)
	case expr.KindMap:
		if bad := unstorable(t.Key); bad != nil {
			return bad
		}
		return unstorable(t.Elem)
	case expr.KindStruct:
		for _, f := range t.Fields {
			if bad := unstorable(f.Type); bad != nil {
				return bad
			}
		}
	}
	return nil
}
