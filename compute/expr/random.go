package expr

import (
	"github.com/flightd/flightd/plan/expr"
)

// generator is a stream of random numbers that begins anew in each run over the
// input, seeded by argument seed or, without it, by the query, the epoch and the
// partition.
func generator(c *expr.Call, seed int, env *Env, run func(f *frame, x *xorShift, next func()) error) (Evaluator, error) {
	value, seeded := int64(0), false
	if len(c.Args) > seed {
		lit, err := Fold(c.Args[seed], env)
		if err != nil {
			return nil, err
		}
		value, _ = lit.Value.(int64)
		seeded = true
	}
	var k counter
	var x *xorShift
	e := newFunction(c, nil, env, func(f *frame) error {
		rows := k.of(f.env)
		if *rows == 0 {
			s := value
			if !seeded {
				s = int64(mix(uint64(f.env.Seed), uint64(f.env.Epoch), uint64(f.call.At.Start)))
			}
			x = newXorShift(s + int64(f.env.Partition))
		}
		return run(f, x, func() { *rows++ })
	})
	e.volatile = true
	return e, nil
}

// makeUniform is min + rand·(max − min) of two constants.
func makeUniform(c *expr.Call, _ []Evaluator, env *Env) (Evaluator, error) {
	var bounds [2]float64
	for i := range bounds {
		lit, err := Fold(c.Args[i], env)
		if err != nil {
			return nil, err
		}
		bounds[i], _ = lit.Value.(float64)
	}
	return generator(c, 2, env, func(f *frame, x *xorShift, next func()) error {
		dst, width := results[float64](f), bounds[1]-bounds[0]
		f.each(func(i int) {
			dst[i] = bounds[0] + float64(width*x.double())
			next()
		})
		return nil
	})
}

// randomLetters are the characters of randstr.
const randomLetters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// makeRandomText is randstr: as many letters and digits as a constant says.
func makeRandomText(c *expr.Call, _ []Evaluator, env *Env) (Evaluator, error) {
	lit, err := Fold(c.Args[0], env)
	if err != nil {
		return nil, err
	}
	length, _ := lit.Value.(int64)
	return generator(c, 1, env, func(f *frame, x *xorShift, next func()) error {
		return f.write(func(i int, dst []byte) ([]byte, error) {
			for range length {
				at := int32(x.next(32)) % int32(len(randomLetters))
				dst = append(dst, randomLetters[max(at, -at)])
			}
			next()
			return dst, nil
		})
	})
}
