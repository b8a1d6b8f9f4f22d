package agg

import "testing"

// The expected values were recorded from Spark.
func TestMomentsEqualSpark(t *testing.T) {
	var m moments
	for _, x := range []float64{1, 2, 2} {
		m.add(x, 4)
	}
	var whole moments
	whole.merge(m, 4)
	for _, c := range []struct {
		name string
		f    func() (float64, bool)
		want float64
	}{
		{"stddev_samp", whole.stddevSamp, 0.5773502691896258},
		{"var_pop", whole.varPop, 0.22222222222222224},
		{"var_samp", whole.varSamp, 0.33333333333333337},
		{"skewness", whole.skewness, -0.7071067811865475},
		{"kurtosis", whole.kurtosis, -1.5000000000000004},
	} {
		if got, ok := c.f(); !ok || got != c.want {
			t.Errorf("%s = %v %v, want %v", c.name, got, ok, c.want)
		}
	}
	var one moments
	one.add(5, 4)
	if _, ok := one.varSamp(); ok {
		t.Error("var_samp of one number is not NULL")
	}
	if _, ok := one.kurtosis(); ok {
		t.Error("kurtosis of one number is not NULL")
	}
}

func TestMomentsOfOneSplit(t *testing.T) {
	var a, m moments
	for _, x := range []float64{1, 2, 3, 4, 100} {
		a.add(x, 4)
	}
	m.merge(a, 4)
	if got, _ := m.skewness(); got != 1.49753670333352 {
		t.Errorf("skewness = %v", got)
	}
}

func TestComomentsEqualSpark(t *testing.T) {
	xy := [][2]float64{{1, 10}, {2, 20}, {2, -7}}
	fill := func(swap, plain bool) comoments {
		var a, m comoments
		for _, p := range xy {
			if swap {
				p[0], p[1] = p[1], p[0]
			}
			a.add(p[0], p[1], plain)
		}
		m.merge(a)
		return m
	}
	m := fill(false, false)
	if got, _ := m.corr(); got != -0.14803422705323477 {
		t.Errorf("corr = %v", got)
	}
	if got, _ := m.covarPop(); got != -0.777777777777778 {
		t.Errorf("covar_pop = %v", got)
	}
	s := fill(true, true)
	if got, _ := s.slope(); got != -0.006261180679785328 {
		t.Errorf("regr_slope = %v", got)
	}
	if got, _ := s.intercept(); got != 1.7146690518783543 {
		t.Errorf("regr_intercept = %v", got)
	}
}
