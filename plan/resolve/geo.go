package resolve

import (
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

// geo resolves the functions of shapes. A shape's type has its coordinate system where
// that is a constant.
func (x *exprs) geo(c *call) (expr.Expr, error) {
	text := c.text()
	takes := func(i int, t *expr.Type) error {
		if i >= len(c.args) {
			return nil
		}
		u := x.wanted(c.args[i].Type(), []expr.Want{{Type: t}})
		if u == nil {
			return unexpectedInput(c.at, text, i, `"`+t.SQL()+`"`, c.args[i])
		}
		c.args[i] = x.cast(c.args[i], u)
		return nil
	}
	shape := expr.GeoOf(expr.Geography, 4326)
	if c.f.Name == "st_geomfromwkb" || c.f.Name == "st_geogfromwkb" {
		if err := takes(0, expr.Binary); err != nil {
			return nil, err
		}
	} else if t := c.args[0].Type(); t.Geo != expr.NoGeo {
		shape = t
	} else if t.Kind == expr.KindNull {
		c.args[0] = x.cast(c.args[0], shape)
	} else {
		return nil, unexpectedInput(c.at, text, 0, `("GEOGRAPHY" or "GEOMETRY")`, c.args[0])
	}
	out := &expr.Call{At: c.at, Fn: c.f.Name, Mode: x.mode(), Text: text}
	var err error
	switch c.f.Name {
	case "st_srid":
		out.Typ = expr.Int32
	case "st_asbinary":
		out.Typ = expr.Binary
		if len(c.args) == 1 {
			c.args = append(c.args, &expr.Literal{At: c.at, Value: "NDR", Typ: expr.String})
		}
		err = takes(1, expr.String)
	case "st_geogfromwkb":
		out.Typ = shape
	case "st_geomfromwkb":
		if len(c.args) == 1 {
			c.args = append(c.args, &expr.Literal{At: c.at, Value: int64(0), Typ: expr.Int32})
		}
		if err = takes(1, expr.Int32); err == nil {
			out.Typ, err = x.geoType(expr.Geometry, c.args[1])
		}
	case "st_setsrid":
		if err = takes(1, expr.Int32); err == nil {
			out.Typ, err = x.geoType(shape.Geo, c.args[1])
		}
	}
	out.Args, out.Null = c.args, anyNullable(c.args)
	return out, err
}

// geoType is the type of shapes in a coordinate system: of any where it is no constant.
func (x *exprs) geoType(kind expr.Geo, srid expr.Expr) (*expr.Type, error) {
	lit, ok := srid.(*expr.Literal)
	if !ok && x.r.env.Fold != nil && foldable(srid) {
		lit, ok = x.r.env.Fold(srid)
	}
	if !ok {
		return expr.GeoOf(kind, expr.AnySRID), nil
	}
	n, ok := lit.Value.(int64)
	if !ok {
		return expr.GeoOf(kind, expr.AnySRID), nil
	}
	if !expr.KnownSRID(kind, int(n)) {
		return nil, base.UserError("ST_INVALID_SRID_VALUE", "22023", "There is no coordinate system %d for shapes of this kind.", n)
	}
	return expr.GeoOf(kind, int(n)), nil
}
