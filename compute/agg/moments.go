package agg

import "math"

// moments are the central moments of a set of numbers, kept and merged by the
// formulas that Spark uses, in the same order of operations, so that results
// agree to the last bit. The conversions float64(a*b) keep the compiler from
// fusing a multiplication and an addition.
type moments struct{ n, avg, m2, m3, m4 float64 }

// add takes in x. order is the highest moment wanted: 2, 3 or 4.
func (m *moments) add(x float64, order int) {
	n := m.n + 1
	delta := x - m.avg
	deltaN := delta / n
	m.n, m.avg = n, m.avg+deltaN
	m.m2 += float64(delta * (delta - deltaN))
	if order < 3 {
		return
	}
	delta2, deltaN2 := float64(delta*delta), float64(deltaN*deltaN)
	m.m3 = m.m3 - float64(3*deltaN*m.m2) + float64(delta*(delta2-deltaN2))
	if order < 4 {
		return
	}
	m.m4 = m.m4 - float64(4*deltaN*m.m3) - float64(6*deltaN2*m.m2) + float64(delta*(float64(delta*delta2)-float64(deltaN*deltaN2)))
}

// merge takes in the numbers that o stands for. It rounds even where one side
// is empty, as Spark does: merging is never skipped.
func (m *moments) merge(o moments, order int) {
	n1, n2 := m.n, o.n
	n := n1 + n2
	delta := o.avg - m.avg
	deltaN := 0.0
	if n != 0 {
		deltaN = delta / n
	}
	r := moments{n: n, avg: m.avg + float64(deltaN*n2)}
	r.m2 = m.m2 + o.m2 + float64(delta*deltaN*n1*n2)
	if order >= 3 {
		r.m3 = m.m3 + o.m3 + float64(deltaN*deltaN*delta*n1*n2*(n1-n2)) + float64(3*deltaN*(float64(n1*o.m2)-float64(n2*m.m2)))
	}
	if order >= 4 {
		r.m4 = m.m4 + o.m4 + float64(deltaN*deltaN*deltaN*delta*n1*n2*(float64(n1*n1)-float64(n1*n2)+float64(n2*n2))) +
			float64(6*deltaN*deltaN*(float64(n1*n1*o.m2)+float64(n2*n2*m.m2))) + float64(4*deltaN*(float64(n1*o.m3)-float64(n2*m.m3)))
	}
	*m = r
}

// The results; ok is false for NULL.

func (m *moments) varPop() (v float64, ok bool)  { return m.m2 / m.n, m.n != 0 }
func (m *moments) varSamp() (v float64, ok bool) { return m.m2 / (m.n - 1), m.n > 1 }

func (m *moments) stddevPop() (v float64, ok bool) {
	v, ok = m.varPop()
	return math.Sqrt(v), ok
}

func (m *moments) stddevSamp() (v float64, ok bool) {
	v, ok = m.varSamp()
	return math.Sqrt(v), ok
}

func (m *moments) skewness() (v float64, ok bool) {
	return math.Sqrt(m.n) * m.m3 / math.Sqrt(m.m2*m.m2*m.m2), m.n != 0 && m.m2 != 0
}

func (m *moments) kurtosis() (v float64, ok bool) {
	return float64(m.n*m.m4/float64(m.m2*m.m2)) - 3, m.n != 0 && m.m2 != 0
}

func (m *moments) sumOfSquares() (v float64, ok bool) { return m.m2, m.n != 0 }

// comoments are the joint moments of pairs (x, y): see moments.
type comoments struct{ n, xAvg, yAvg, ck, xMk, yMk float64 }

// add takes in a pair. plain says that xMk is kept as a variance keeps it
// (regr_slope, regr_intercept), not as a correlation does: the two round
// differently.
func (c *comoments) add(x, y float64, plain bool) {
	n := c.n + 1
	dx, dy := x-c.xAvg, y-c.yAvg
	dxN := dx / n
	xAvg, yAvg := c.xAvg+dxN, c.yAvg+dy/n
	c.ck += float64(dx * (y - yAvg))
	if plain {
		c.xMk += float64(dx * (dx - dxN))
	} else {
		c.xMk += float64(dx * (x - xAvg))
	}
	c.yMk += float64(dy * (y - yAvg))
	c.n, c.xAvg, c.yAvg = n, xAvg, yAvg
}

func (c *comoments) merge(o comoments) {
	n1, n2 := c.n, o.n
	n := n1 + n2
	dx, dy := o.xAvg-c.xAvg, o.yAvg-c.yAvg
	dxN, dyN := 0.0, 0.0
	if n != 0 {
		dxN, dyN = dx/n, dy/n
	}
	*c = comoments{
		n:    n,
		xAvg: c.xAvg + float64(dxN*n2), yAvg: c.yAvg + float64(dyN*n2),
		ck:  c.ck + o.ck + float64(dx*dyN*n1*n2),
		xMk: c.xMk + o.xMk + float64(dx*dxN*n1*n2), yMk: c.yMk + o.yMk + float64(dy*dyN*n1*n2),
	}
}

func (c *comoments) covarPop() (v float64, ok bool)  { return c.ck / c.n, c.n != 0 }
func (c *comoments) covarSamp() (v float64, ok bool) { return c.ck / (c.n - 1), c.n > 1 }

func (c *comoments) corr() (v float64, ok bool) {
	root := math.Sqrt(c.xMk * c.yMk)
	return c.ck / root, c.n > 1 && root != 0
}

// r2 takes y as the independent variable: regr_r2(y, x) gives x as the second.
func (c *comoments) r2() (v float64, ok bool) {
	if c.n == 0 || c.yMk == 0 {
		return 0, false
	}
	if c.xMk == 0 {
		return 1, true
	}
	r := c.ck / math.Sqrt(c.xMk*c.yMk)
	return r * r, true
}

// slope and intercept take x as the independent variable.
func (c *comoments) slope() (v float64, ok bool) { return c.ck / c.xMk, c.n != 0 && c.xMk != 0 }

func (c *comoments) intercept() (v float64, ok bool) {
	return c.yAvg - float64(c.ck/c.xMk*c.xAvg), c.n != 0 && c.xMk != 0
}

func (c *comoments) sxy() (v float64, ok bool) { return c.ck, c.n != 0 }
