package arrowtext

import (
	"math"
	"math/rand"
	"strconv"
	"testing"

	"github.com/flightd/flightd/kernels"
)

func TestFloats(t *testing.T) {
	for f, want := range map[float64]string{
		0: "0.0", 1: "1.0", 1e7: "1.0E7", 9999999: "9999999.0", 0.001: "0.001", 9.99e-4: "9.99E-4", 1e20: "1.0E20", 1e23: "1.0E23", 5e-324: "4.9E-324",
		1.7976931348623157e308: "1.7976931348623157E308", 1 << 60: "1.15292150460684698E18", -1.0 / (1 << 31): "-4.6566128730773926E-10", math.Inf(-1): "-Infinity", 0.1: "0.1",
	} {
		if got := string(AppendFloat64(nil, f)); got != want {
			t.Errorf("%g: got %s, want %s", f, got, want)
		}
	}
	r := rand.New(rand.NewSource(1))
	for range 100000 {
		f := math.Float64frombits(r.Uint64())
		if g, ok := ParseFloat(AppendFloat64(nil, f), 64); !ok || g != f && f == f {
			t.Fatalf("%s reads back as %g", AppendFloat64(nil, f), g)
		}
		h := math.Float32frombits(r.Uint32())
		if g, ok := ParseFloat(AppendFloat32(nil, h), 32); !ok || float32(g) != h && h == h {
			t.Fatalf("%s reads back as %g", AppendFloat32(nil, h), g)
		}
	}
}

func FuzzDecimal(f *testing.F) {
	for _, s := range []string{"1.5", " -0.05e3 ", ".5", "5.", "1e", "١.٥", "1e400", "99999999999999999999999999999999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		x, status := ParseDecimal([]byte(s), 38, 6)
		if status != DecimalOK {
			return
		}
		text := AppendDecimal(nil, x, 6)
		if y, status := ParseDecimal(text, 38, 6); status != DecimalOK || y != x {
			t.Fatalf("%q is %s, which reads back as %v %d", s, text, y, status)
		}
		if g, err := strconv.ParseFloat(s, 64); err == nil && math.Abs(g) < 1e30 {
			if h := DecimalFloat64(x, 6); math.Abs(g-h) > 1e-6+math.Abs(g)*1e-12 {
				t.Fatalf("%q is %v, want %v", s, h, g)
			}
		}
	})
}

func FuzzInt(f *testing.F) {
	for _, s := range []string{"0", "-9223372036854775808", "9223372036854775808", " +1 ", "1.0", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := ParseInt([]byte(s), false)
		want, err := strconv.ParseInt(string(Trim([]byte(s))), 10, 64)
		if ok != (err == nil) || ok && got != want {
			t.Fatalf("%q: got %d %v, want %d %v", s, got, ok, want, err)
		}
	})
}

func FuzzTimes(f *testing.F) {
	for _, s := range []string{"2020-01-01 10:20:30.5 Europe/Paris", "2020", "T10:20", "-0001-01-01", "10:20:30", "T1:2:3.123456789 pm", "2020-01-01T1:2+05:30", "9999999-01-01", "290309-12-21 19:59:05"} {
		f.Add(s)
	}
	var zones Zones
	f.Fuzz(func(t *testing.T, s string) {
		if d, ok := ParseDate([]byte(s)); ok {
			if e, ok := ParseDate(AppendDate(nil, int64(d))); !ok || e != d {
				t.Fatalf("%q is %s, which reads back as %d", s, AppendDate(nil, int64(d)), e)
			}
		}
		if x, ok := ParseTime([]byte(s)); ok {
			if y, ok := ParseTime(AppendTime(nil, x)); !ok || y != x || x < 0 || x >= 2*halfDay {
				t.Fatalf("%q is %s, which reads back as %d", s, AppendTime(nil, x), y)
			}
		}
		if x, ok := ParseTimestamp([]byte(s)); ok {
			if x.Zone != "" {
				zones.Zone(x.Zone)
			}
			if !x.TimeOnly {
				if y, ok := ParseTimestamp(AppendTimestamp(nil, x.Local)); !ok || y.Local != x.Local {
					t.Fatalf("%q is %s, which reads back as %+v", s, AppendTimestamp(nil, x.Local), y)
				}
			}
		}
	})
}

func TestTimeOfDay(t *testing.T) {
	for s, want := range map[string]string{
		"10:20": "10:20:00", "1:2:3": "01:02:03", "01:02:03.": "01:02:03", "10:20:30.1234567899": "10:20:30.123456789", "T10": "10:00:00",
		"12:00 AM": "00:00:00", "12:00:00pm": "12:00:00", "T1:00:00.5   Pm ": "13:00:00.5", "23:59:59.999999999": "23:59:59.999999999",
		"": "", "10": "", "24:00": "", "10:60": "", " T10:20": "", "t10:00": "", "0:30 PM": "", "13:00 AM": "", "10:20:30Z": "", "+10:00": "", "am": "", "2020-01-01 10:20:30": "",
	} {
		got := ""
		if v, ok := ParseTime([]byte(s)); ok {
			got = string(AppendTime(nil, v))
		}
		if got != want {
			t.Errorf("%q is %q, want %q", s, got, want)
		}
	}
}

func FuzzIntervals(f *testing.F) {
	for _, s := range []string{"1-2", "INTERVAL -'1-2' YEAR TO MONTH", "1 02:03:04.5", "1 year 2 days", "106751991 04:00:54.775808", "-106751991 04:00:54.775808"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if m, status := ParseYearMonth([]byte(s), year, month); status == IntervalOK {
			if n, status := ParseYearMonth(AppendYearMonth(nil, m, year, month), year, month); status != IntervalOK || n != m {
				t.Fatalf("%q is %d, which reads back as %d", s, m, n)
			}
		}
		if u, status := ParseDayTime([]byte(s), day, second); status == IntervalOK {
			if v, status := ParseDayTime(AppendDayTime(nil, u, day, second), day, second); status != IntervalOK || v != u {
				t.Fatalf("%q is %d, which reads back as %d", s, u, v)
			}
		}
		if m, d, us, ok := ParseCalendar([]byte(s)); ok {
			AppendCalendar(nil, m, d, us)
		}
	})
}

func TestZoneNames(t *testing.T) {
	for name, want := range map[string]int64{"Z": 0, "UTC": 0, "+1:0": 3600, "-0100": -3600, "GMT-03:30": -12600, "UTC+2": 7200, "EST": -18000, "+18:00": 64800} {
		var zones Zones
		z := zones.Zone(name)
		if z == nil {
			t.Errorf("%s: no such zone", name)
		} else if off, _ := z.Fixed(); off != want*kernels.Second {
			t.Errorf("%s: offset %d, want %d", name, off/kernels.Second, want)
		}
	}
	for _, name := range []string{"", "Nope", "+19:00", "europe/paris", "../etc/passwd", "Local", "+1:2:3"} {
		if _, ok := LoadZone(name); ok {
			t.Errorf("%q is a zone", name)
		}
	}
}
