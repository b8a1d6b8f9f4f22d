package hll

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// couponPoints are numbers of coupons and how many keys they stand for: a 26-bit
// address and a value collide now and then.
func couponPoints() (x, y []float64) {
	x = []float64{0, 1, 20, 400, 8000, 160000}
	for v := 300000.0; v <= 10200000; v += 300000 {
		x = append(x, v)
	}
	return x, []float64{
		0, 1, 20.0000009437402611, 400.0003963713384110, 8000.1589294602090376, 160063.6067763759638183,
		300223.7071597663452849, 600895.5933856170158833, 902016.8065120954997838, 1203588.4983199508860707,
		1505611.8245524743106216, 1808087.9449319066479802, 2111018.0231759352609515, 2414403.2270142501220107,
		2718244.7282051891088486, 3022543.7025524540804327, 3327301.3299219091422856, 3632518.7942584538832307,
		3938197.2836029687896371, 4244337.9901093561202288, 4550942.1100616492331028, 4858010.8438911894336343,
		5165545.3961938973516226, 5473546.9757476449012756, 5782016.7955296505242586, 6090956.0727340159937739,
		6400366.0287892958149314, 6710247.8893762007355690, 7020602.8844453142955899, 7331432.2482349723577499,
		7642737.2192891483263803, 7954519.0404754765331745, 8266778.9590033423155546, 8579518.2264420464634895,
		8892738.0987390466034412, 9206439.8362383283674717, 9520624.7036988288164139, 9835293.9703129194676876,
		10150448.9097250290215015, 10466090.8000503256917000,
	}
}

func couponEstimate(n float64) float64 {
	x, y := couponPoints()
	return interpolate(x, func(i int) float64 { return y[i] }, n)
}

// interpolate returns the value at v, which is within x, of the cubic through the
// four points about v.
func interpolate(x []float64, y func(int) float64, v float64) float64 {
	last := len(x) - 1
	if v == x[last] {
		return y(last)
	}
	at, found := slices.BinarySearch(x, v)
	if !found {
		at--
	}
	at = min(max(at-1, 0), last-3)
	x0, x1, x2, x3 := x[at], x[at+1], x[at+2], x[at+3]
	term0 := y(at) * ((v - x1) * (v - x2) * (v - x3)) / ((x0 - x1) * (x0 - x2) * (x0 - x3))
	term1 := y(at+1) * ((v - x0) * (v - x2) * (v - x3)) / ((x1 - x0) * (x1 - x2) * (x1 - x3))
	term2 := y(at+2) * ((v - x0) * (v - x1) * (v - x3)) / ((x2 - x0) * (x2 - x1) * (x2 - x3))
	term3 := y(at+3) * ((v - x0) * (v - x1) * (v - x2)) / ((x3 - x0) * (x3 - x1) * (x3 - x2))
	return term0 + term1 + term2 + term3
}

// strides are how many keys lie between two points of a row of rawPoints.
func stride(lgK int) float64 {
	if lgK < 7 {
		return float64(lgK - 3)
	}
	return float64(int(5) << (lgK - 7))
}

// points returns the rows of rawPoints: the raw estimate that 0, 1, 2 … strides
// of keys give on average.
var points = sync.OnceValue(func() [][]float64 {
	var rows [][]float64
	for _, line := range strings.Split(rawPoints, ";") {
		var row []float64
		for _, f := range strings.Fields(line) {
			x, err := strconv.ParseFloat(f, 64)
			if err != nil {
				panic("hll: the table of raw estimates holds " + f)
			}
			row = append(row, x)
		}
		rows = append(rows, row)
	}
	return rows
})

// composite returns the estimate that depends on the registers alone: the raw one,
// corrected by the table, or for few keys the one from the number of zeros.
func (s *Sketch) composite() float64 {
	k := float64(int(1) << s.lgK)
	factor := 0.7213 / (1.0 + 1.079/k)
	switch s.lgK {
	case 4:
		factor = 0.673
	case 5:
		factor = 0.697
	case 6:
		factor = 0.709
	}
	raw := factor * k * k / (s.kxq0 + s.kxq1)
	row, step := points()[s.lgK-MinLgK], stride(s.lgK)
	last := len(row) - 1
	if !(raw >= row[0]) {
		return 0
	}
	if raw > row[last] {
		return raw * (step * float64(last) / row[last])
	}
	adjusted := interpolate(row, func(i int) float64 { return step * float64(i) }, raw)
	if adjusted > 3*k {
		return adjusted
	}
	linear := k * math.Log(k/0.5)
	if s.least == 0 && s.atLeast > 0 {
		linear = k * (harmonic(k) - harmonic(float64(s.atLeast)))
	}
	cross := 0.64
	switch s.lgK {
	case 4:
		cross = 0.718
	case 5:
		cross = 0.672
	}
	if (adjusted+linear)/2 > cross*k {
		return adjusted
	}
	return linear
}

// harmonic returns 1 + 1/2 + … + 1/n.
func harmonic(n float64) float64 {
	if n < 25 {
		return exactHarmonic[int(n)]
	}
	inv := 1 / (n * n)
	sum := math.Log(n) + 0.577215664901532860606512090082 + 1/(2*n)
	pow := inv
	sum -= pow * (1.0 / 12)
	pow *= inv
	sum += pow * (1.0 / 120)
	pow *= inv
	sum -= pow * (1.0 / 252)
	pow *= inv
	return sum + pow*(1.0/240)
}

// exactHarmonic holds the first harmonic numbers as quotients, which round once.
var exactHarmonic = [25]float64{
	0, 1, 3.0 / 2, 11.0 / 6, 25.0 / 12, 137.0 / 60, 49.0 / 20, 363.0 / 140, 761.0 / 280, 7129.0 / 2520, 7381.0 / 2520,
	83711.0 / 27720, 86021.0 / 27720, 1145993.0 / 360360, 1171733.0 / 360360, 1195757.0 / 360360, 2436559.0 / 720720,
	42142223.0 / 12252240, 14274301.0 / 4084080, 275295799.0 / 77597520, 55835135.0 / 15519504, 18858053.0 / 5173168,
	19093197.0 / 5173168, 444316699.0 / 118982864, 1347822955.0 / 356948592,
}
