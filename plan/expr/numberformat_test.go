package expr

import (
	"testing"
)

// The expectations are of a real Spark or follow from the rules of its to_char.
func TestNumberFormat(t *testing.T) {
	for _, c := range []struct{ format, digits, want string }{
		{"99G999", "12454", "12,454"}, {"9", "0", " "}, {"999", "1234", "###"}, {"9PR", "-1", "<1>"}, {"9PR", "1", "1  "},
		{"0999", "5", "0005"}, {"S9", "5", "+5"}, {"9MI", "-1", "1-"}, {"9MI", "1", "1 "}, {"S999", "-5", "  -5"}, {"99S", "-5", " 5-"},
	} {
		f, err := ParseNumberFormat(c.format)
		if err != nil {
			t.Fatalf("%s: %v", c.format, err)
		}
		digits, negative := c.digits, c.digits[0] == '-'
		if negative {
			digits = digits[1:]
		}
		if got := string(f.Append([]byte("x"), []byte(digits), 0, negative)); got != "x"+c.want {
			t.Errorf("%s by %s: got %q, want %q", c.digits, c.format, got, "x"+c.want)
		}
	}
	for format, want := range map[string]string{
		"": "EMPTY", "S": "WRONG_NUM_DIGIT", "9$": "CUR_MUST_BEFORE_DIGIT", "12,454": "CONT_THOUSANDS_SEPS", "9,": "CONT_THOUSANDS_SEPS", "9,,9": "CONT_THOUSANDS_SEPS",
		"9.9,9": "THOUSANDS_SEPS_MUST_BEFORE_DEC", "9.9.9": "WRONG_NUM_TOKEN", "S9S": "WRONG_NUM_TOKEN", "L9": "UNEXPECTED_TOKEN", "9S9": "UNEXPECTED_TOKEN",
	} {
		if _, err := ParseNumberFormat(format); err == nil || err.Condition != "INVALID_FORMAT."+want {
			t.Errorf("%q: got %v, want %s", format, err, want)
		}
	}
}

// FuzzNumberFormat holds that a text gives the digits that the format has at most:
// those of its whole part may be more where the point is missing.
func FuzzNumberFormat(f *testing.F) {
	f.Add("S99,999.99", "-1,234.5", uint32(123456), true)
	f.Add("$0.0PR", "<$1.0>", uint32(15), true)
	f.Add("MI9G999D", "1", uint32(0), false)
	f.Fuzz(func(t *testing.T, format, text string, n uint32, negative bool) {
		nf, err := ParseNumberFormat(format)
		if err != nil || nf.Whole > 100 || nf.Scale > 100 {
			return
		}
		if digits, _, ok := nf.Parse(nil, []byte(text)); ok && (len(digits) < nf.Scale || len(digits) > nf.Whole+2*nf.Scale) {
			t.Fatalf("%q by %q has the digits %q", text, format, digits)
		}
		var in []byte
		for ; n > 0; n /= 10 {
			in = append([]byte{'0' + byte(n%10)}, in...)
		}
		nf.Append(nil, in, 2, negative)
	})
}
