package gen

import (
	"hash/fnv"
	"math/bits"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// A Column is a column of a generated table. Its values follow from the seed,
// its name and the number of the row.
type Column struct {
	Name string
	Type arrow.DataType
	// kind tells apart columns that differ in more than name and type; it is part
	// of the name of the table's files.
	kind string
	// fill makes the values of n rows from row from on.
	fill func(salt uint64, from, n int) []*memory.Buffer
	// nulls is the share of NULLs in percent.
	nulls uint64
}

// mix is the output function of splitmix64.
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

// random is output i of the splitmix64 that starts at salt.
func random(salt uint64, i int) uint64 { return mix(salt + (uint64(i)+1)*0x9E3779B97F4A7C15) }

// below maps a random word to 0 … n−1.
func below(r, n uint64) uint64 {
	hi, _ := bits.Mul64(r, n)
	return hi
}

// salt of a column: seed and name.
func (c *Column) salt(seed uint64) uint64 {
	h := fnv.New64a()
	h.Write([]byte(c.Name))
	return mix(seed ^ h.Sum64())
}

// array makes the values of n rows from row from on.
func (c *Column) array(seed uint64, from, n int) arrow.Array {
	salt := c.salt(seed)
	buffers, nulls := c.fill(salt, from, n), 0
	if c.nulls > 0 {
		valid := make([]byte, bitutil.BytesForBits(int64(n)))
		for i := range n {
			if below(random(^salt, from+i), 100) >= c.nulls {
				bitutil.SetBit(valid, i)
			} else {
				nulls++
			}
		}
		buffers[0] = memory.NewBufferBytes(valid)
	}
	return array.MakeFromData(array.NewData(c.Type, n, buffers, nil, nulls, 0))
}

func (c Column) long(kind string, value func(salt uint64, i int) int64) Column {
	c.kind = kind
	c.fill = func(salt uint64, from, n int) []*memory.Buffer {
		vals := make([]int64, n)
		for i := range vals {
			vals[i] = value(salt, from+i)
		}
		return []*memory.Buffer{nil, memory.NewBufferBytes(arrow.Int64Traits.CastToBytes(vals))}
	}
	return c
}

// Uniform is a BIGINT column of random values 0 … n−1.
func Uniform(name string, n uint64) Column {
	return Column{Name: name, Type: arrow.PrimitiveTypes.Int64}.long("uniform "+number(n), func(salt uint64, i int) int64 {
		return int64(below(random(salt, i), n))
	})
}

// Distinct is a BIGINT column with n different values spread over 63 bits: rows
// i and j have the same if i ≡ j modulo n.
func Distinct(name string, n uint64) Column {
	return Column{Name: name, Type: arrow.PrimitiveTypes.Int64}.long("distinct "+number(n), func(salt uint64, i int) int64 {
		// Multiplying by an odd number modulo 2^62 is a bijection.
		return int64((uint64(i) % n * 0x9E3779B97F4A7C15) & (1<<62 - 1))
	})
}

// Clock is a TIMESTAMP column that starts at 2026-01-01 and goes up by step
// microseconds a row, with a random jitter back of up to jitter microseconds.
func Clock(name string, step, jitter uint64) Column {
	const start = 1767225600_000_000
	return Column{Name: name, Type: arrow.FixedWidthTypes.Timestamp_us}.long("clock "+number(step)+" "+number(jitter), func(salt uint64, i int) int64 {
		return start + int64(uint64(i)*step) - int64(below(random(salt, i), jitter+1))
	})
}

// Moment is a column of random times within span microseconds after 2015: TIMESTAMP if
// it has a zone, otherwise TIMESTAMP_NTZ.
func Moment(name string, span uint64, zone bool) Column {
	const start = 1420070400_000_000
	c := Column{Name: name, Type: arrow.FixedWidthTypes.Timestamp_us}
	if !zone {
		c.Type = &arrow.TimestampType{Unit: arrow.Microsecond}
	}
	return c.long("moment "+number(span), func(salt uint64, i int) int64 { return start + int64(below(random(salt, i), span)) })
}

// Real is a DOUBLE column of random values from 0 to scale.
func Real(name string, scale float64) Column {
	return Column{Name: name, Type: arrow.PrimitiveTypes.Float64, kind: "real " + strconv.FormatFloat(scale, 'g', -1, 64),
		fill: func(salt uint64, from, n int) []*memory.Buffer {
			vals := make([]float64, n)
			for i := range vals {
				vals[i] = float64(random(salt, from+i)>>11) / (1 << 53) * scale
			}
			return []*memory.Buffer{nil, memory.NewBufferBytes(arrow.Float64Traits.CastToBytes(vals))}
		}}
}

// Text is a STRING column of prefix and a random number 0 … n−1 in digits
// digits.
func Text(name, prefix string, digits int, n uint64) Column {
	c := Column{Name: name, Type: arrow.BinaryTypes.String, kind: "text " + prefix + " " + strconv.Itoa(digits) + " " + number(n)}
	size := len(prefix) + digits
	c.fill = func(salt uint64, from, rows int) []*memory.Buffer {
		offsets, chars := make([]int32, rows+1), make([]byte, rows*size)
		for i := range rows {
			s := chars[i*size : (i+1)*size]
			copy(s, prefix)
			v := below(random(salt, from+i), n)
			for d := size - 1; d >= len(prefix); d-- {
				s[d] = '0' + byte(v%10)
				v /= 10
			}
			offsets[i+1] = int32((i + 1) * size)
		}
		return []*memory.Buffer{nil, memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(offsets)), memory.NewBufferBytes(chars)}
	}
	return c
}

// Choice is a STRING column of the words, each as likely as the others.
func Choice(name string, words ...string) Column {
	c := Column{Name: name, Type: arrow.BinaryTypes.String, kind: "choice " + strings.Join(words, " ")}
	c.fill = func(salt uint64, from, rows int) []*memory.Buffer {
		offsets, chars := make([]int32, rows+1), make([]byte, 0, rows*8)
		for i := range rows {
			chars = append(chars, words[below(random(salt, from+i), uint64(len(words)))]...)
			offsets[i+1] = int32(len(chars))
		}
		return []*memory.Buffer{nil, memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(offsets)), memory.NewBufferBytes(chars)}
	}
	return c
}

// Words is a STRING column of n of the words with spaces between them, each word as
// likely as the others.
func Words(name string, n int, words ...string) Column {
	c := Column{Name: name, Type: arrow.BinaryTypes.String, kind: "words " + strconv.Itoa(n) + " " + strings.Join(words, " ")}
	c.fill = func(salt uint64, from, rows int) []*memory.Buffer {
		offsets, chars := make([]int32, rows+1), make([]byte, 0, rows*n*6)
		for i := range rows {
			r := random(salt, from+i)
			for w := range n {
				if w > 0 {
					chars = append(chars, ' ')
				}
				chars = append(chars, words[below(mix(r+uint64(w)), uint64(len(words)))]...)
			}
			offsets[i+1] = int32(len(chars))
		}
		return []*memory.Buffer{nil, memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(offsets)), memory.NewBufferBytes(chars)}
	}
	return c
}

// Counter is a BIGINT column of the row's number divided by step.
func Counter(name string, step uint64) Column {
	return Column{Name: name, Type: arrow.PrimitiveTypes.Int64}.long("counter "+number(step), func(_ uint64, i int) int64 {
		return int64(uint64(i) / step)
	})
}

// Repeated is a BIGINT column of the row's number, but in percent of the rows that
// of one of the back rows before it.
func Repeated(name string, percent, back uint64) Column {
	return Column{Name: name, Type: arrow.PrimitiveTypes.Int64}.long("repeated "+number(percent)+" "+number(back), func(salt uint64, i int) int64 {
		if below(random(salt, i), 100) >= percent {
			return int64(i)
		}
		return max(0, int64(i)-1-int64(below(random(^salt, i), back)))
	})
}

// Lots is a BIGINT column of what is bid for, as the Nexmark generator draws it: a new
// lot opens every step rows; half of the rows are for the last lot whose number is a
// multiple of hot, the others for any of the last open lots.
func Lots(name string, step, open, hot uint64) Column {
	return Column{Name: name, Type: arrow.PrimitiveTypes.Int64}.long("lots "+number(step)+" "+number(open)+" "+number(hot), func(salt uint64, i int) int64 {
		last := uint64(i) / step
		if random(salt, i)&1 == 0 {
			return int64(last / hot * hot)
		}
		return max(0, int64(last)-int64(below(random(^salt, i), open)))
	})
}

// WithNulls is the column with that share of NULLs, in percent.
func (c Column) WithNulls(percent uint64) Column {
	c.nulls = percent
	c.kind += " nulls " + number(percent)
	return c
}

func number(n uint64) string { return strconv.FormatUint(n, 10) }
