package flight

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"google.golang.org/grpc/metadata"
)

// Drivers for which the schema of parameters is binding are told what they fill
// rightly, all others the types of the places.
func TestShownParameters(t *testing.T) {
	us := &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}
	given := arrow.NewSchema([]arrow.Field{{Name: "a", Type: arrow.PrimitiveTypes.Int32}, {Type: arrow.PrimitiveTypes.Float32}, {Type: us}, {Type: arrow.BinaryTypes.String}}, nil)
	for agent, want := range map[string]string{
		"": "int32 float32 timestamp[us, tz=UTC] utf8",
		"ADBC Flight SQL Driver v1.13.0 grpc-go/1.80.0": "int32 float32 timestamp[us, tz=UTC] utf8",
		"grpc-c++/1.71.0 grpc-c/46.0.0":                 "int32 float32 timestamp[us, tz=UTC] utf8",
		"grpc-go/1.84.0":                                "int64 float64 timestamp[us, tz=UTC] utf8",
		"grpc-java-netty/1.71.0":                        "int32 float32 timestamp[ms, tz=UTC] utf8",
	} {
		got := ""
		for _, f := range shownParameters(metadata.NewIncomingContext(bg, metadata.Pairs("user-agent", agent)), given).Fields() {
			got += " " + f.Type.String()
		}
		if got != " "+want {
			t.Errorf("%q: got%s, want %s", agent, got, want)
		}
	}
	if given.Field(0).Type.ID() != arrow.INT32 {
		t.Error("the statement's own schema was changed")
	}
}

func TestBackquoted(t *testing.T) {
	for text, want := range map[string]string{
		`DROP TABLE "p"`:                  "DROP TABLE `p`",
		"drop table \"default\".\"a b\";": "drop table `default`.`a b`;",
		`DROP TABLE "a""b"`:               "DROP TABLE `a\"b`",
		`DROP TABLE p`:                    "",
		`DROP TABLE IF EXISTS "p"`:        "",
		`DROP TABLE "p", "q"`:             "",
		"DROP TABLE \"a`b\"":              "",
		`SELECT * FROM "p"`:               "SELECT * FROM `p`",
		`SELECT "n", "s" FROM "p"`:        "SELECT `n`, `s` FROM `p`",
		`SELECT "n" FROM p`:               "",
		`SELECT "n", 1 FROM "p"`:          "",
		`SELECT "p"`:                      "",
	} {
		if got, ok := backquoted(text); got != want || ok != (want != "") {
			t.Errorf("%s: got %q", text, got)
		}
	}
}
