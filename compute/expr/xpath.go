package expr

import (
	"math"

	"github.com/flightd/flightd/compute/vec"
	"github.com/flightd/flightd/kernels"
	"github.com/flightd/flightd/plan/expr"
)

func xpathRows() map[string]row {
	list := prepared(func(*expr.Call, *Env) (func(f *frame) error, error) {
		p := &xpathPaths{}
		return func(f *frame) error { return xpathList(f, p) }, nil
	})
	text := prepared(func(*expr.Call, *Env) (func(f *frame) error, error) {
		p := &xpathPaths{}
		return func(f *frame) error {
			return f.write(func(i int, dst []byte) ([]byte, error) {
				v, err := p.eval(f, i)
				if v == nil || err != nil {
					return dst, err
				}
				return append(dst, xpathString(v)...), nil
			})
		}, nil
	})
	boolean := prepared(func(*expr.Call, *Env) (func(f *frame) error, error) {
		p := &xpathPaths{}
		return func(f *frame) error {
			dst := f.bits()
			return f.try(func(i int) error {
				v, err := p.eval(f, i)
				if v != nil && xpathBool(v) {
					kernels.SetBit(dst, i)
				}
				return err
			})
		}, nil
	})
	return map[string]row{
		"xpath": list, "xpath_string": text, "xpath_boolean": boolean,
		"xpath_double": xpathNumbers(func(x float64) float64 { return x }),
		"xpath_float":  xpathNumbers(func(x float64) float32 { return float32(x) }),
		"xpath_long":   xpathNumbers(javaLong),
		"xpath_int":    xpathNumbers(javaInt),
		"xpath_short":  xpathNumbers(func(x float64) int16 { return int16(javaInt(x)) }),
	}
}

// javaLong is a cast from double to long in Java: NaN is 0, what is too large the
// largest.
func javaLong(x float64) int64 {
	switch {
	case x != x:
		return 0
	case x >= math.MaxInt64:
		return math.MaxInt64
	case x <= math.MinInt64:
		return math.MinInt64
	}
	return int64(x)
}

func javaInt(x float64) int32 {
	return int32(min(max(javaLong(x), math.MinInt32), math.MaxInt32))
}

func xpathNumbers[T any](as func(x float64) T) row {
	return prepared(func(*expr.Call, *Env) (func(f *frame) error, error) {
		p := &xpathPaths{}
		return func(f *frame) error {
			dst := results[T](f)
			return f.try(func(i int) error {
				v, err := p.eval(f, i)
				if v != nil {
					dst[i] = as(xpathNumber(v))
				}
				return err
			})
		}, nil
	})
}

// xpathPaths parses the paths that a column names, keeping the last.
type xpathPaths struct {
	text string
	any  bool
	path *xpathExpr
	err  error
}

// eval evaluates the path of row i over its document. Where either is empty the
// result is NULL, and v nil.
func (p *xpathPaths) eval(f *frame, i int) (v any, err error) {
	doc, path := f.text(0).at(i), f.text(1).at(i)
	if len(doc) == 0 || len(path) == 0 {
		f.setNull(i)
		return nil, nil
	}
	if !p.any || p.text != string(path) {
		p.any, p.text = true, string(path)
		p.path, p.err = parseXPath(p.text)
	}
	if p.err != nil {
		return nil, javaError(f, "RuntimeException", "Invalid XPath '"+p.text+"': "+p.err.Error())
	}
	root, err := parseXML(doc)
	if err != nil {
		return nil, javaError(f, "RuntimeException", "Invalid XML document: "+err.Error())
	}
	v, err = p.path.eval(xpathContext{root, 1, 1})
	if err != nil {
		return nil, javaError(f, "RuntimeException", "Error evaluating '"+p.text+"': "+err.Error())
	}
	return v, nil
}

// xpathList gives the values of nodes; those of elements are NULL, as in Spark.
func xpathList(f *frame, p *xpathPaths) error {
	b := vec.NewBuilder(f.call.Typ)
	next := 0
	err := f.tryAll(func(i int) error {
		for ; next < i; next++ {
			b.AppendNull()
		}
		next++
		if !f.valid(i) {
			b.AppendNull()
			return nil
		}
		v, err := p.eval(f, i)
		if err != nil {
			return err
		}
		if v == nil {
			b.AppendNull()
			return nil
		}
		nodes, ok := v.([]*xmlNode)
		if !ok {
			return javaError(f, "RuntimeException", errNoNodes.Error())
		}
		for _, n := range nodes {
			if n.kind == xmlElement || n.kind == xmlRoot {
				b.Kids[0].AppendNull()
			} else {
				b.Kids[0].AppendBytes([]byte(n.text))
			}
		}
		b.EndList()
		return nil
	})
	if err != nil {
		return err
	}
	for ; next < f.n; next++ {
		b.AppendNull()
	}
	*f.out = *b.Vec()
	return nil
}
