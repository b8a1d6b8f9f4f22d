package columnar

import (
	"testing"
	"time"
)

func TestParseTimestamp(t *testing.T) {
	z := NewZone(nil)
	want := func(s string) int64 {
		v, err := time.Parse("2006-01-02T15:04:05.999999Z07:00", s)
		if err != nil {
			t.Fatal(err)
		}
		return v.UnixMicro()
	}
	for s, w := range map[string]string{
		"2024-01-01 00:00:10.000001":     "2024-01-01T00:00:10.000001Z",
		"2024-01-01T00:00:10Z":           "2024-01-01T00:00:10Z",
		"2024-01-01T00:00:10+02:00":      "2023-12-31T22:00:10Z",
		"2024-01-01T00:00:10-0130":       "2024-01-01T01:30:10Z",
		"2024-01-01 00:00:10 +1:0":       "2023-12-31T23:00:10Z",
		"2024-01-01 00:00:10 GMT-03:30":  "2024-01-01T03:30:10Z",
		"2024-07-01 12:00:00 CST":        "2024-07-01T17:00:00Z",
		"2024-07-01 12:00:00 EST":        "2024-07-01T17:00:00Z",
		"2024-01-01T00:00:00.5":          "2024-01-01T00:00:00.5Z",
		"2024-01-01T00:00:00.123456789Z": "2024-01-01T00:00:00.123456Z",
		" 2024-1-2 3:4:5 ":               "2024-01-02T03:04:05Z",
		"2024-02-29":                     "2024-02-29T00:00:00Z",
		"2024-02":                        "2024-02-01T00:00:00Z",
		"2024":                           "2024-01-01T00:00:00Z",
		"1969-12-31 23:59:59.999999":     "1969-12-31T23:59:59.999999Z",
		"2024-01-01 10":                  "2024-01-01T10:00:00Z",
		"2024-01-01 00:00:00 Asia/Tokyo": "2023-12-31T15:00:00Z",
	} {
		if got, ok := ParseTimestamp([]byte(s), z); !ok || got != want(w) {
			t.Errorf("%q: got %d %v, want %d", s, got, ok, want(w))
		}
	}
	for _, s := range []string{"", "x", "2023-02-29", "2024-13-01", "2024-01-01 24:00:00", "2024-01-01 10:60:00", "20240101", "10:20:30",
		"2024-01-01x", "2024-01-01 10:00Z", "2024-01-01 10:00:00 Nowhere/Land", "2024-01-01 10:00:00+19:00", "999-01-01", "2024-01-01 1:2:3.4.5",
		"2024-01-01 10:00:00 ../../etc/passwd"} {
		if v, ok := ParseTimestamp([]byte(s), z); ok {
			t.Errorf("%q is read as %v", s, time.UnixMicro(v).UTC())
		}
	}
}

func TestZoneEqualsTime(t *testing.T) {
	for _, name := range []string{"America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata"} {
		loc, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		z := NewZone(loc)
		start := time.Date(2023, 1, 1, 0, 7, 0, 0, time.UTC)
		for h := range 24 * 2 * 400 {
			w := start.Add(time.Duration(h) * 30 * time.Minute)
			got := z.Instant(w.UnixMicro())
			// The instant shows w, unless w is skipped; of two such the earlier one.
			shown := time.UnixMicro(got).In(loc)
			if _, o := shown.Zone(); shown.UnixMicro()+int64(o)*1e6 == w.UnixMicro() {
				for d := 10 * time.Minute; d <= 2*time.Hour; d += 10 * time.Minute {
					e := shown.Add(-d)
					if _, o := e.Zone(); e.UnixMicro()+int64(o)*1e6 == w.UnixMicro() {
						t.Fatalf("%s %v: an earlier instant shows it too", name, w)
					}
				}
				continue
			}
			// Java and Spark move a skipped time forward by the gap.
			y, m, d := w.Date()
			g := time.Date(y, m, d, w.Hour(), w.Minute(), 0, 0, loc)
			_, before := g.Add(-24 * time.Hour).Zone()
			if got != w.UnixMicro()-int64(before)*1e6 {
				t.Fatalf("%s %v: got %v", name, w, shown)
			}
		}
	}
}

func TestParseDate(t *testing.T) {
	for s, want := range map[string]string{"2020-01-01": "2020-01-01", "2020-01-01 abc": "2020-01-01", "2020-1-2Txx": "2020-01-02", "2020-03": "2020-03-01", "1950": "1950-01-01", "-0001-01-01": "-0001-01-01"} {
		got, ok := ParseDate([]byte(s))
		back := time.Unix(int64(got)*86400, 0).UTC().Format("2006-01-02")
		if !ok || back != want {
			t.Errorf("%q: got %s %v, want %s", s, back, ok, want)
		}
	}
	for _, s := range []string{"", "2020-01-01abc", "20200101", "999-01-01", "2020-02-30", "2020- 1-1", "2020-01 x"} {
		if _, ok := ParseDate([]byte(s)); ok {
			t.Errorf("%q is read as a date", s)
		}
	}
}

func FuzzParsers(f *testing.F) {
	for _, s := range []string{"2024-01-01 00:00:10.5+01:00", "2024-01-01T1:2:3 Europe/Paris", "-12.5e3", "1e-5", "+1:0", "99999999999999999999999999999999999999"} {
		f.Add([]byte(s))
	}
	z := NewZone(nil)
	f.Fuzz(func(t *testing.T, b []byte) {
		ParseTimestamp(b, z)
		ParseTimestampNTZ(b, true)
		ParseDate(b)
		ParseInt(b)
		ParseFloat(b)
		if v, ok := ParseDecimal(b, 20, 4); ok && !v.FitsInPrecision(20) {
			t.Fatalf("%q: %v has more than 20 digits", b, v.BigInt())
		}
	})
}
