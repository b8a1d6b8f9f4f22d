package numbered

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/sources"
)

func TestOffsets(t *testing.T) {
	for _, n := range []int64{0, 1, 1 << 62} {
		if got, err := ParseOffset(Offset(n), "x"); got != n || err != nil {
			t.Errorf("%d: got %d, %v", n, got, err)
		}
	}
	for _, o := range []base.Offset{"-1", "007", "+1", "1.0", " 1", "1x", "null", "99999999999999999999"} {
		if n, err := ParseOffset(o, "x"); base.CodeOf(err) != base.CodeCorrupt {
			t.Errorf("%s: got %d, %v", o, n, err)
		}
	}
	if _, _, err := ParseRange("3", "2", "x"); base.CodeOf(err) != base.CodeCorrupt {
		t.Errorf("backwards: got %v", err)
	}
}

// N1: record batches that are made shorter than asked for move no split.
func TestSplitsCutByNumber(t *testing.T) {
	empty := arrow.NewSchema(nil, nil)
	var made [][2]int64
	splits := Splits("x", 5, 25, 10, sources.Scan{BatchRows: 4}, func(lo, hi int64) (arrow.RecordBatch, error) {
		made = append(made, [2]int64{lo, hi})
		if lo == 5 {
			hi = 6
		}
		return array.NewRecordBatch(empty, nil, hi-lo), nil
	})
	var names []string
	for _, s := range splits {
		names = append(names, s.String())
		r, _ := s.Open(t.Context())
		for {
			if _, err := r.Next(t.Context()); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := strings.Join(names, " "); got != "x[5,15) x[15,25)" {
		t.Errorf("splits %s", got)
	}
	want := [][2]int64{{5, 9}, {6, 10}, {10, 14}, {14, 15}, {15, 19}, {19, 23}, {23, 25}}
	if len(made) != len(want) {
		t.Fatalf("made %v", made)
	}
	for i := range want {
		if made[i] != want[i] {
			t.Errorf("made %v, want %v", made, want)
		}
	}
}
