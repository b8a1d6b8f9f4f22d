package expr

import (
	"encoding/hex"
	"math"
	"math/bits"
	"strings"

	"github.com/flightd/flightd/compute/javamath"
	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
)

func miscRows() map[string]row {
	return map[string]row{
		"typeof":                      {makeTypeOf},
		"uuid":                        volatile(uuids),
		"rand":                        {makeRandom(uniform)},
		"uniform":                     {makeUniform},
		"randstr":                     {makeRandomText},
		"randn":                       {makeRandom(gaussian)},
		"monotonically_increasing_id": volatile(increasingIDs),
		"spark_partition_id": {func(c *expr.Call, _ []Evaluator, env *Env) (Evaluator, error) {
			return &clock{env, c.Typ, func(env *Env) int64 { return int64(env.Partition) }}, nil
		}},
		"input_file_name":         {constantText(func(*Env) string { return "" })},
		"input_file_block_start":  {constantInt(-1)},
		"input_file_block_length": {constantInt(-1)},
		"version":                 {constantText(func(*Env) string { return "4.0.0 flightd" })},
		"assert_true":             lenient(assertTrue),
		"raise_error":             lenient(raiseError),
	}
}

func constantInt(v int64) func(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	return func(c *expr.Call, _ []Evaluator, _ *Env) (Evaluator, error) { return newLiteral(v, c.Typ) }
}

func makeTypeOf(c *expr.Call, _ []Evaluator, _ *Env) (Evaluator, error) {
	return newLiteral(catalogName(c.Args[0].Type()), c.Typ)
}

// catalogName is the type as typeof shows it: without spaces inside angles and
// without NOT NULL.
func catalogName(t *expr.Type) string {
	switch t.Kind {
	case expr.KindArray:
		return "array<" + catalogName(t.Elem) + ">"
	case expr.KindMap:
		return "map<" + catalogName(t.Key) + "," + catalogName(t.Elem) + ">"
	case expr.KindStruct:
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			parts[i] = f.Name + ":" + catalogName(f.Type)
		}
		return "struct<" + strings.Join(parts, ",") + ">"
	}
	if t.Collated() {
		return "string collate " + t.Collation
	}
	return strings.ToLower(t.SQL())
}

// counter numbers the rows of an epoch that an evaluator has seen.
type counter struct {
	epoch int64
	next  int64
	begun bool
}

func (k *counter) of(env *Env) *int64 {
	if !k.begun || k.epoch != env.Epoch {
		*k = counter{epoch: env.Epoch, begun: true}
	}
	return &k.next
}

func volatile(make func() func(f *frame) error) row {
	return row{func(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
		e := newFunction(c, args, env, make())
		e.volatile = true
		return e, nil
	}}
}

func increasingIDs() func(f *frame) error {
	var k counter
	return func(f *frame) error {
		dst, next := results[int64](f), k.of(f.env)
		f.each(func(i int) {
			dst[i] = int64(f.env.Partition)<<33 + *next
			*next++
		})
		return nil
	}
}

// uuids derives the identifiers from seed, epoch, partition and row, so that a
// replay gives the same ones.
func uuids() func(f *frame) error {
	var k counter
	return func(f *frame) error {
		next := k.of(f.env)
		return f.write(func(_ int, dst []byte) ([]byte, error) {
			var b [16]byte
			hi := mix(uint64(f.env.Seed)^mix(uint64(f.env.Epoch), uint64(f.call.At.Start))^uint64(f.env.Partition)<<32, uint64(*next))
			lo := mix(hi, uint64(*next)+1)
			*next++
			for j := range 8 {
				b[j], b[8+j] = byte(hi>>(8*j)), byte(lo>>(8*j))
			}
			b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
			for j, part := range [][]byte{b[:4], b[4:6], b[6:8], b[8:10], b[10:]} {
				if j > 0 {
					dst = append(dst, '-')
				}
				dst = hex.AppendEncode(dst, part)
			}
			return dst, nil
		})
	}
}

// mix scrambles words (splitmix64).
func mix(words ...uint64) uint64 {
	h := uint64(0x9e3779b97f4a7c15)
	for _, w := range words {
		h += w + 0x9e3779b97f4a7c15
		h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
		h = (h ^ h>>27) * 0x94d049bb133111eb
		h ^= h >> 31
	}
	return h
}

// xorShift is Spark's random generator: java.util.Random over a 64-bit xorshift,
// its seed hashed by Murmur3.
type xorShift struct{ state uint64 }

func newXorShift(seed int64) *xorShift {
	b := make([]byte, 8)
	for i := range b {
		b[i] = byte(uint64(seed) >> (56 - 8*i))
	}
	low := scalaHash(b, 0x3c074a61)
	high := scalaHash(b, low)
	return &xorShift{uint64(high)<<32 | uint64(low)}
}

// scalaHash is scala.util.hashing.MurmurHash3.bytesHash.
func scalaHash(b []byte, seed uint32) uint32 {
	h := seed
	for i := 0; i+4 <= len(b); i += 4 {
		k := uint32(b[i]) | uint32(b[i+1])<<8 | uint32(b[i+2])<<16 | uint32(b[i+3])<<24
		k = bits.RotateLeft32(k*0xcc9e2d51, 15) * 0x1b873593
		h = bits.RotateLeft32(h^k, 13)*5 + 0xe6546b64
	}
	h ^= uint32(len(b))
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return h ^ h>>16
}

func (x *xorShift) next(n uint) int64 {
	s := x.state
	s ^= s << 21
	s ^= s >> 35
	s ^= s << 4
	x.state = s
	return int64(s & (1<<n - 1))
}

func (x *xorShift) double() float64 {
	return float64(x.next(26)<<27+x.next(27)) * (1.0 / (1 << 53))
}

func uniform() func(x *xorShift) float64 { return (*xorShift).double }

// gaussian keeps the second of each pair of numbers.
func gaussian() func(x *xorShift) float64 {
	var spare float64
	have := false
	return func(x *xorShift) float64 {
		if have {
			have = false
			return spare
		}
		for {
			a, b := 2*x.double()-1, 2*x.double()-1
			s := float64(a*a) + float64(b*b)
			if s >= 1 || s == 0 {
				continue
			}
			m := math.Sqrt(-2 * javamath.Log(s) / s)
			spare, have = b*m, true
			return a * m
		}
	}
}

// makeRandom is rand and randn: a generator seeded by the argument, or by the
// query and the epoch, and the partition.
func makeRandom(kind func() func(x *xorShift) float64) func(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	return func(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
		seed, seeded := int64(0), false
		if len(c.Args) > 0 {
			lit, err := Fold(c.Args[0], env)
			if err != nil {
				return nil, err
			}
			seed, _ = lit.Value.(int64)
			seeded = true
		}
		var k counter
		var x *xorShift
		var next func(x *xorShift) float64
		e := newFunction(c, nil, env, func(f *frame) error {
			if rows := k.of(f.env); *rows == 0 {
				s := seed
				if !seeded {
					s = int64(mix(uint64(f.env.Seed), uint64(f.env.Epoch), uint64(f.call.At.Start)))
				}
				x, next = newXorShift(s+int64(f.env.Partition)), kind()
			}
			dst := results[float64](f)
			f.each(func(i int) {
				dst[i] = next(x)
				*k.of(f.env)++
			})
			return nil
		})
		e.volatile = true
		return e, nil
	}
}

func makeShuffle(c *expr.Call, args []Evaluator, env *Env) (Evaluator, error) {
	var k counter
	e := newFunction(c, args[:1], env, func(f *frame) error {
		a := f.list(0)
		next := k.of(f.env)
		return f.gather(a.kids, func(i int, idx []int32) ([]int32, error) {
			lo, hi := a.at(i)
			at := len(idx)
			for e := lo; e < hi; e++ {
				idx = append(idx, int32(e))
			}
			part := idx[at:]
			for n := len(part) - 1; n > 0; n-- {
				j := mix(uint64(f.env.Seed), uint64(f.env.Epoch), uint64(*next), uint64(n)) % uint64(n+1)
				part[n], part[j] = part[j], part[n]
			}
			*next++
			return idx, nil
		})
	})
	e.volatile = true
	return e, nil
}

func assertTrue(f *frame) error {
	v := f.args[0]
	err := f.tryAll(func(i int) error {
		if !v.Null(i) && v.Bool(i) {
			return nil
		}
		msg := "'" + f.call.Args[0].SQL() + "' is not true!"
		if len(f.args) > 1 {
			msg = string(AppendText(nil, f.args[1], i, nil))
		}
		return userRaised(msg).At(f.call.At)
	})
	if err == nil {
		*f.out = *vec.NewNull(f.call.Typ, f.n)
	}
	return err
}

func userRaised(msg string) *base.Error {
	return base.UserError("USER_RAISED_EXCEPTION", "P0001", "%s", msg)
}

func raiseError(f *frame) error {
	err := f.tryAll(func(i int) error {
		if f.args[0].Null(i) {
			return userRaised("null").At(f.call.At)
		}
		return userRaised(string(f.args[0].Str(i))).At(f.call.At)
	})
	if err == nil {
		*f.out = *vec.NewNull(f.call.Typ, f.n)
	}
	return err
}
