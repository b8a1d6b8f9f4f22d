package expr

import (
	"testing"

	"github.com/flightd/flightd/plan/expr"
)

func TestCrypto(t *testing.T) {
	s := cols(expr.String)[0]
	check(t, call("hex", expr.String, call("from_base32", expr.Binary, s)), []testCase{
		{in("mfrgg==="), "616263"}, {in("MF RGG"), "616263"}, {in("M"), "03"}, {in("MFR"), "61"}, {in("MFRG"), "6162"}, {in("1"), ""}, {in(nil), "NULL"},
	})
	check(t, call("hex", expr.String, call("hmac", expr.Binary, s, str("message"), str("md5"))), []testCase{
		{in("key"), "4E4748E62B463521F6775FBF921234B5"}, {in(""), "!INVALID_PARAMETER_VALUE.HMAC_CRYPTO_ERROR"},
	})
	key := str("0000111122223333")
	for _, mode := range []string{"ECB", "CBC", "GCM"} {
		sealed := call("aes_encrypt", expr.Binary, s, key, str(mode))
		check(t, call("aes_decrypt", expr.Binary, sealed, key, str(mode)), []testCase{{in("Spark"), "Spark"}, {in(""), ""}, {in("0123456789abcdef"), "0123456789abcdef"}, {in(nil), "NULL"}})
	}
	check(t, call("aes_decrypt", expr.Binary, s, key), []testCase{{in("x"), "!INVALID_PARAMETER_VALUE.AES_CRYPTO_ERROR"}})
	check(t, call("aes_encrypt", expr.Binary, s, str("k")), []testCase{{in("x"), "!INVALID_PARAMETER_VALUE.AES_KEY_LENGTH"}})
}

func TestWords(t *testing.T) {
	s := cols(expr.String)[0]
	check(t, call("sentences", expr.ArrayOf(expr.ArrayOf(expr.String, false), false), s), []testCase{
		{in("Hi there! Good morning."), "[[Hi, there], [Good, morning]]"}, {in("e.g. this"), "[[e.g, this]]"}, {in("Mr. Smith"), "[[Mr], [Smith]]"},
		{in("foo_bar baz@x.com a-b 1,000"), "[[foo_bar, baz, x.com, a-b, 1,000]]"}, {in("日本語。テキスト"), "[[日本語], [テキスト]]"}, {in(nil), "NULL"}, {in(""), "[]"},
	})
	check(t, call("jaro_winkler_similarity", expr.Float64, s, str("DICKSONX")), []testCase{{in("DIXON"), "0.8133333333333332"}, {in(""), "0.0"}, {in(nil), "NULL"}})
	check(t, call("bitmap_bucket_number", expr.Int64, cols(expr.Int64)[0]), []testCase{{in(32769), "2"}, {in(0), "0"}, {in(-32769), "-1"}})
	check(t, call("bitmap_bit_position", expr.Int64, cols(expr.Int64)[0]), []testCase{{in(32769), "0"}, {in(0), "0"}, {in(-1), "1"}, {in(nil), "NULL"}})
}
