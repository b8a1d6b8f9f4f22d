package metamorphic

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

var cuts = []int{1, 2, 7, 64}

// pairs is how many query × cut pairs are tried: 200, or FLIGHTD_PAIRS.
func pairs(t *testing.T) int {
	n, err := strconv.Atoi(os.Getenv("FLIGHTD_PAIRS"))
	if err != nil {
		n = 200
	}
	if testing.Short() {
		n = min(n, 40)
	}
	return n
}

// seed is drawn anew each time, or FLIGHTD_SEED.
func seed(t *testing.T) uint64 {
	s, err := strconv.ParseUint(os.Getenv("FLIGHTD_SEED"), 10, 64)
	if err != nil {
		s = uint64(time.Now().UnixNano())
	}
	t.Logf("FLIGHTD_SEED=%d", s)
	return s
}

// TestStreamsEqualBatches tries random queries over random data, each with every
// number of cuts.
func TestStreamsEqualBatches(t *testing.T) {
	n, seed := pairs(t), seed(t)
	tried, empty := map[string]int{}, 0
	for i := range n / len(cuts) {
		for j, c := range cuts {
			// The query is the same for all cuts, its data and cuts are not.
			q := drawQuery(rand.New(rand.NewPCG(seed, uint64(i))), i)
			r := rand.New(rand.NewPCG(seed+1, uint64(i*len(cuts)+j)))
			p := play{cuts: c, waiting: !q.joins && r.IntN(2) == 0, crash: r.IntN(3) == 0}
			name := fmt.Sprintf("%d %s, %s", i, q.name, p)
			rows := try(t, name, newTrial(t.TempDir(), r, q, p))
			tried[q.name]++
			if rows == 0 {
				empty++
			}
			if t.Failed() && !testing.Verbose() {
				return
			}
		}
	}
	t.Logf("%d pairs %v; %d with an empty answer", n, tried, empty)
	if empty > n/5 {
		t.Errorf("%d of %d answers are empty: they show nothing", empty, n)
	}
}

// try runs a trial and returns how many rows it has put out.
func try(t *testing.T, name string, x *trial) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	want, err := x.want(ctx)
	if err != nil {
		t.Errorf("%s: the batch: %v\n%s", name, err, x.query.batch)
		return 0
	}
	got, err := x.got(ctx)
	if err != nil {
		t.Errorf("%s: the stream: %v\n%s", name, err, x.query.stream)
		return 0
	}
	missing, more := difference(want, got), difference(got, want)
	if len(missing)+len(more) > 0 {
		t.Errorf("%s: %d rows are missing, %d are too many\nstream: %s\nbatch:  %s\nmissing:\n  %s\ntoo many:\n  %s", name, len(missing), len(more),
			x.query.stream, x.query.batch, strings.Join(first(missing), "\n  "), strings.Join(first(more), "\n  "))
	}
	return len(got)
}

func first(list []string) []string { return list[:min(len(list), 5)] }

// difference is the elements of a that are not in b, with repetitions; both are
// sorted.
func difference(a, b []string) []string {
	var out []string
	for len(a) > 0 {
		switch {
		case len(b) == 0 || a[0] < b[0]:
			out, a = append(out, a[0]), a[1:]
		case a[0] == b[0]:
			a, b = a[1:], b[1:]
		default:
			b = b[1:]
		}
	}
	return out
}
