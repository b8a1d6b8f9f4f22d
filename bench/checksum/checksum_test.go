package checksum

import (
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

var schema = arrow.NewSchema([]arrow.Field{
	{Name: "k", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "x", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	{Name: "s", Type: arrow.BinaryTypes.String, Nullable: true},
}, nil)

func sum(t *testing.T, rows ...string) Sum {
	t.Helper()
	var s Sum
	for _, text := range rows {
		rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Add(rec); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestOrderAndCutsDoNotCount(t *testing.T) {
	a := sum(t, `[{"k": 1, "x": 0.1, "s": "a"}, {"k": 2, "x": 0.2, "s": "b"}, {"k": null, "x": 0.3, "s": null}]`)
	b := sum(t, `[{"k": 2, "x": 0.2, "s": "b"}]`, `[{"k": null, "x": 0.3, "s": null}, {"k": 1, "x": 0.1, "s": "a"}]`)
	if diff := a.Differs(b); diff != "" {
		t.Error(diff)
	}
}

func TestDifferencesAreSeen(t *testing.T) {
	right := sum(t, `[{"k": 1, "x": 0.1, "s": "a"}, {"k": 2, "x": 0.2, "s": "b"}]`)
	for name, wrong := range map[string]string{
		"a missing row":            `[{"k": 1, "x": 0.1, "s": "a"}]`,
		"another value":            `[{"k": 1, "x": 0.1, "s": "a"}, {"k": 2, "x": 0.20000001, "s": "b"}]`,
		"another text":             `[{"k": 1, "x": 0.1, "s": "a"}, {"k": 2, "x": 0.2, "s": "c"}]`,
		"a NULL":                   `[{"k": 1, "x": 0.1, "s": "a"}, {"k": 2, "x": 0.2, "s": null}]`,
		"values that changed rows": `[{"k": 1, "x": 0.2, "s": "a"}, {"k": 2, "x": 0.1, "s": "b"}]`,
	} {
		if right.Differs(sum(t, wrong)) == "" {
			t.Errorf("%s is not seen", name)
		}
	}
}

// Doubles are added in another order by every engine, and keys may be as large as
// 63 bits or times before 2026.
func TestTolerance(t *testing.T) {
	a := sum(t, `[{"k": 4611686018427387903, "x": 0.1, "s": "a"}, {"k": 1767225599000000, "x": 0.2, "s": "a"}]`)
	b := sum(t, `[{"k": 4611686018427387903, "x": 0.10000000000000002, "s": "a"}, {"k": 1767225599000000, "x": 0.2, "s": "a"}]`)
	if diff := a.Differs(b); diff != "" {
		t.Error(diff)
	}
	c := sum(t, `[{"k": 4611686018427387902, "x": 0.1, "s": "a"}, {"k": 1767225599000000, "x": 0.2, "s": "a"}]`)
	if a.Differs(c) == "" {
		t.Error("a large key that differs by one is not seen")
	}
}
