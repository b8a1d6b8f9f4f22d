package expr

import (
	"encoding/binary"
	"strings"

	"github.com/flightd/flightd/compute/wkb"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

// sridBytes is the length of a coordinate system's number before a shape.
const sridBytes = 4

func geoRows() map[string]row {
	return map[string]row{
		"st_geomfromwkb": strict(func(f *frame) error { return shapes(f, argument[int32](f, 1).at) }),
		"st_geogfromwkb": strict(func(f *frame) error { return shapes(f, func(int) int32 { return 4326 }) }),
		"st_asbinary":    strict(shapeBytes),
		"st_setsrid":     strict(moveShapes),
		"st_srid": strict(func(f *frame) error {
			dst, a := results[int32](f), f.text(0)
			f.each(func(i int) { dst[i] = int32(binary.LittleEndian.Uint32(a.at(i))) })
			return nil
		}),
	}
}

// shapes reads well-known binary.
func shapes(f *frame, srid func(i int) int32) error {
	a, kind := f.text(0), f.call.Typ.Geo
	return f.write(func(i int, dst []byte) ([]byte, error) {
		if err := checkSRID(kind, srid(i)); err != nil {
			return dst, err
		}
		dst = binary.LittleEndian.AppendUint32(dst, uint32(srid(i)))
		dst, err := wkb.Convert(dst, a.at(i), binary.LittleEndian, kind == expr.Geography)
		if err != nil {
			return dst, base.UserError("WKB_PARSE_ERROR", "22023", "This is no well-known binary: %s.", err)
		}
		return dst, nil
	})
}

func checkSRID(kind expr.Geo, srid int32) error {
	if expr.KnownSRID(kind, int(srid)) {
		return nil
	}
	return base.UserError("ST_INVALID_SRID_VALUE", "22023", "There is no coordinate system %d for shapes of this kind.", srid)
}

// shapeBytes writes well-known binary in the byte order of the second argument.
func shapeBytes(f *frame) error {
	a, orders := f.text(0), f.text(1)
	return f.write(func(i int, dst []byte) ([]byte, error) {
		var order binary.AppendByteOrder
		switch name := string(orders.at(i)); strings.ToUpper(name) {
		case "NDR":
			order = binary.LittleEndian
		case "XDR":
			order = binary.BigEndian
		default:
			return dst, base.UserError("ST_INVALID_ENDIANNESS_VALUE", "22023", "The byte order '%s' is neither 'NDR' (little-endian) nor 'XDR' (big-endian).", name)
		}
		return wkb.Convert(dst, a.at(i)[sridBytes:], order, false)
	})
}

func moveShapes(f *frame) error {
	a, srid, kind := f.text(0), argument[int32](f, 1), f.call.Typ.Geo
	return f.write(func(i int, dst []byte) ([]byte, error) {
		if err := checkSRID(kind, srid.at(i)); err != nil {
			return dst, err
		}
		return append(binary.LittleEndian.AppendUint32(dst, uint32(srid.at(i))), a.at(i)[sridBytes:]...), nil
	})
}
