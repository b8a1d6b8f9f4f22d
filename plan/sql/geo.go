package sql

import (
	"strconv"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

// geoType reads GEOMETRY(srid) and GEOGRAPHY(srid), where ANY stands for all
// coordinate systems.
func (p *parser) geoType(t token) *expr.Type {
	kind := expr.Geometry
	if t.upper == "GEOGRAPHY" {
		kind = expr.Geography
	}
	if p.isOp("(") && p.isWordAt(1, "ANY") && p.isOpAt(2, ")") {
		p.at += 3
		return expr.GeoOf(kind, expr.AnySRID)
	}
	if !p.isOp("(") {
		p.unsupportedType(t)
	}
	n := p.typeParameters()
	if len(n) != 1 {
		p.unsupportedType(t)
	}
	if !expr.KnownSRID(kind, int(n[0])) {
		p.fail(base.UserError("ST_INVALID_SRID_VALUE", "22023", "There is no coordinate system %s here.", strconv.Itoa(int(n[0]))))
	}
	return expr.GeoOf(kind, int(n[0]))
}
