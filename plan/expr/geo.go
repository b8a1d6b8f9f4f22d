package expr

import "fmt"

// Geo says that a BINARY type holds shapes: the coordinate system's number (four bytes,
// little-endian) and the shape in well-known binary, little-endian.
type Geo uint8

// The kinds of shapes: on a plane, on the globe.
const (
	NoGeo Geo = iota
	Geometry
	Geography
)

// AnySRID is the coordinate system of a type whose values may each have their own.
const AnySRID = -1

// GeoOf returns GEOMETRY(srid) or GEOGRAPHY(srid).
func GeoOf(kind Geo, srid int) *Type { return &Type{Kind: KindBinary, Geo: kind, Precision: srid} }

// KnownSRID reports whether shapes of a kind may be in a coordinate system.
func KnownSRID(kind Geo, srid int) bool {
	if kind == Geography {
		return srid == 4326
	}
	return srid == 0 || srid == 3857 || srid == 4326
}

func (t *Type) geoSQL() string {
	name := "GEOMETRY"
	if t.Geo == Geography {
		name = "GEOGRAPHY"
	}
	if t.Precision == AnySRID {
		return name + "(ANY)"
	}
	return fmt.Sprintf("%s(%d)", name, t.Precision)
}

// castGeo reports whether shapes of one type are ones of another without a change.
func castGeo(from, to *Type) bool {
	return from.Geo == to.Geo && to.Precision == AnySRID || from.Geo == Geography && to.Geo == Geometry && from.Precision == to.Precision
}
