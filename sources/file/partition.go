package file

import (
	"path/filepath"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sources/columnar"
)

// hiveNull is the directory value that means null.
const hiveNull = "__HIVE_DEFAULT_PARTITION__"

// pair is a directory named key=value. Null values have null set.
type pair struct {
	key, value string
	null       bool
}

// pairs returns the key=value directories of path below base, outermost first.
func pairs(base, path string) []pair {
	rel, err := filepath.Rel(base, filepath.Dir(path))
	if err != nil || rel == "." || strings.HasPrefix(rel, "..") {
		return nil
	}
	var out []pair
	for _, dir := range strings.Split(rel, "/") {
		if p, ok := parsePair(dir); ok {
			out = append(out, p)
		}
	}
	return out
}

func parsePair(dir string) (pair, bool) {
	k, v, ok := strings.Cut(dir, "=")
	if !ok || k == "" || v == "" {
		return pair{}, false
	}
	return pair{key: unescape(k), value: unescape(v), null: v == hiveNull}, true
}

// unescape turns %41 into A; what is not such a triple stays.
func unescape(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if v, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(v))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return strings.ToValidUTF8(b.String(), "\uFFFD")
}

// widths orders the types of partition values; two that differ and are not both
// among the numbers, or among date and timestamp, make a string.
func inferValue(v string, z *columnar.Zone) arrow.DataType {
	b := []byte(v)
	if n, ok := columnar.ParseInt(b); ok {
		if n == int64(int32(n)) {
			return arrow.PrimitiveTypes.Int32
		}
		return arrow.PrimitiveTypes.Int64
	}
	if _, ok := columnar.ParseFloat(b); ok {
		return arrow.PrimitiveTypes.Float64
	}
	if len(b) == 10 && b[4] == '-' && b[7] == '-' {
		if _, ok := columnar.ParseDate(b); ok {
			return arrow.FixedWidthTypes.Date32
		}
	}
	if len(b) > 10 {
		if _, ok := columnar.ParseTimestamp(b, z); ok {
			return arrow.FixedWidthTypes.Timestamp_us
		}
	}
	return arrow.BinaryTypes.String
}

// wider returns a type for values of a and b; a may be nil.
func wider(a, b arrow.DataType) arrow.DataType {
	if a == nil || arrow.TypeEqual(a, b) {
		return b
	}
	numbers := map[arrow.Type]int{arrow.INT32: 1, arrow.INT64: 2, arrow.FLOAT64: 3}
	x, y := numbers[a.ID()], numbers[b.ID()]
	switch {
	case x > y && y > 0:
		return a
	case y > x && x > 0:
		return b
	case a.ID() != arrow.STRING && b.ID() != arrow.STRING && x+y == 0:
		return arrow.FixedWidthTypes.Timestamp_us
	}
	return arrow.BinaryTypes.String
}

// partitionFields returns the columns that the directories of files add to
// declared (which may be nil), with types that take all their values.
func partitionFields(files []fileInfo, declared *arrow.Schema, z *columnar.Zone) []arrow.Field {
	var keys []string
	types := map[string]arrow.DataType{}
	for _, f := range files {
		for _, p := range f.pairs {
			if declared != nil && indexFold(declared, p.key) >= 0 {
				continue
			}
			if _, ok := types[p.key]; !ok {
				keys = append(keys, p.key)
				types[p.key] = nil
			}
			if !p.null {
				types[p.key] = wider(types[p.key], inferValue(p.value, z))
			}
		}
	}
	var out []arrow.Field
	for _, k := range keys {
		t := types[k]
		if t == nil {
			t = arrow.BinaryTypes.String
		}
		out = append(out, arrow.Field{Name: k, Type: t, Nullable: true})
	}
	return out
}

func indexFold(s *arrow.Schema, name string) int {
	for i, f := range s.Fields() {
		if f.Name == name {
			return i
		}
	}
	for i, f := range s.Fields() {
		if strings.EqualFold(f.Name, name) {
			return i
		}
	}
	return -1
}

// constant returns n cells of p's value in f's type.
func constant(p pair, f arrow.Field, n int, z *columnar.Zone) (arrow.Array, error) {
	c, err := columnar.NewColumn(f.Name, f.Type)
	if err != nil {
		return nil, err
	}
	b := []byte(p.value)
	for range n {
		ok := true
		switch c.Kind {
		case columnar.String, columnar.Binary:
			ok = p.null || c.AppendBytes(b)
		case columnar.Date:
			ok = p.null || c.AppendDateText(b)
		case columnar.Timestamp, columnar.TimestampNTZ:
			ok = p.null || c.AppendTimestampText(b, z)
		case columnar.Decimal:
			ok = p.null || c.AppendDecimalText(b)
		case columnar.Float32, columnar.Float64:
			v, is := columnar.ParseFloat(b)
			if !is {
				v, is = columnar.ParseSpecialFloat(b)
			}
			if ok = is || p.null; ok && !p.null {
				c.AppendFloat(v)
			}
		case columnar.Bool:
			if ok = p.null || p.value == "true" || p.value == "false"; ok && !p.null {
				c.AppendBool(p.value == "true")
			}
		case columnar.Int8, columnar.Int16, columnar.Int32, columnar.Int64:
			v, is := columnar.ParseInt(b)
			ok = p.null || is && c.AppendInt(v)
		default:
			ok = false
		}
		if !ok {
			return nil, base.Errorf(base.CodeInvalid, "the directory %s=%s is not a value of column %s of type %s", p.key, p.value, f.Name, f.Type)
		}
		if p.null {
			c.AppendNull()
		}
	}
	return c.Finish(), nil
}

// repeat returns the first n cells of full, a constant column of at least n.
func repeat(full arrow.Array, n int64) arrow.Array {
	if int64(full.Len()) == n {
		full.Retain()
		return full
	}
	return array.NewSlice(full, 0, n)
}
