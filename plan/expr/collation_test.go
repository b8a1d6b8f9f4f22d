package expr

import "testing"

func TestParseCollation(t *testing.T) {
	for name, want := range map[string]string{
		"utf8_binary": "UTF8_BINARY", "UTF8_LCASE_RTRIM": "UTF8_LCASE_RTRIM", "unicode_ai_ci": "UNICODE_CI_AI", "UNICODE_CS_AS": "UNICODE",
		"UNICODE_RTRIM_CI": "UNICODE_CI_RTRIM", "DE_ci": "de_CI", "sr_cyrl_srb_ai": "sr_Cyrl_SRB_AI", "en_USA": "en_USA",
		"UNICODE_CI_CI": "", "UNICODE_CI_CS": "", "UTF8_BINARY_CI": "", "UTF8_LCASE_AI": "", "en_US": "", "UTF8_LCAS": "", "": "", "UNICODE_": "", "de__CI": "",
	} {
		c, ok := ParseCollation(name)
		if got := c.String(); ok != (want != "") || ok && got != want {
			t.Errorf("%q: %q %v, want %q", name, got, ok, want)
		}
	}
	for _, c := range Collations() {
		if d, ok := ParseCollation(c.String()); !ok || d != c {
			t.Fatalf("%v does not read back: %v %v", c, d, ok)
		}
	}
}
