package golden

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"

	"github.com/flightd/flightd/internal/base"
)

// Outcome is what became of one case.
type Outcome struct {
	Family, ID string
	// Diff is the first difference, "" if the case passed.
	Diff string
	// Gap is the reason of a known gap, "" if the case is none.
	Gap string
}

// Report is what became of all cases of a run.
type Report struct{ Outcomes []Outcome }

// A Variant is a way of playing that must not show.
type Variant struct {
	// Settings are set in every session besides those of the recording.
	Settings map[string]string
	// Crash, if not 0, is the seed of the durable step before which each play dies, to go
	// on from the checkpoint; see crashes.
	Crash uint64
}

// Streaming plays the recordings below dir. gaps maps case IDs to the reasons
// why they are known not to pass, and only is a prefix of the IDs that are played.
func Streaming(ctx context.Context, dir string, gaps map[string]string, only string, v Variant) (*Report, error) {
	all, err := Load(dir)
	if err != nil {
		return nil, err
	}
	var cases []*Scenario
	for _, s := range all {
		if strings.HasPrefix(s.ID(), only) {
			cases = append(cases, s)
		}
	}
	r := &Report{Outcomes: make([]Outcome, len(cases))}
	next := make(chan int)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range next {
				s := cases[i]
				r.Outcomes[i] = Outcome{Family: s.Family, ID: s.ID(), Diff: compare(s, playGuarded(ctx, s, v)), Gap: gaps[s.ID()]}
			}
		}()
	}
	for i := range cases {
		next <- i
	}
	close(next)
	wg.Wait()
	return r, nil
}

// playGuarded turns a panic into the case's failure.
func playGuarded(ctx context.Context, s *Scenario, v Variant) (a answer) {
	defer func() {
		if p := recover(); p != nil {
			a = answer{err: fmt.Errorf("panic: %v", p), at: "run"}
		}
	}()
	return play(ctx, s, v)
}

// Tally counts the cases of a family.
type Tally struct{ Passed, Failed, Gaps int }

// Families counts by family.
func (r *Report) Families() map[string]*Tally {
	out := map[string]*Tally{}
	for _, o := range r.Outcomes {
		t := out[o.Family]
		if t == nil {
			t = &Tally{}
			out[o.Family] = t
		}
		switch {
		case o.Diff == "":
			t.Passed++
		case o.Gap != "":
			t.Gaps++
		default:
			t.Failed++
		}
	}
	return out
}

// Print writes a line per family, the first difference of each failed case, the
// reasons of known gaps, and a closing total.
func (r *Report) Print(w io.Writer, verbose bool) {
	fams := r.Families()
	names := make([]string, 0, len(fams))
	for n := range fams {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, o := range r.Outcomes {
		switch {
		case o.Diff != "" && o.Gap != "":
			fmt.Fprintf(w, "GAP  %s: %s\n", o.ID, o.Gap)
		case o.Diff != "" && verbose:
			fmt.Fprintf(w, "FAIL %s: %s\n", o.ID, o.Diff)
		}
	}
	var sum Tally
	fmt.Fprintf(w, "%-26s %8s %8s %8s\n", "family", "passed", "failed", "gaps")
	for _, n := range names {
		t := fams[n]
		fmt.Fprintf(w, "%-26s %8d %8d %8d\n", n, t.Passed, t.Failed, t.Gaps)
		sum.Passed, sum.Failed, sum.Gaps = sum.Passed+t.Passed, sum.Failed+t.Failed, sum.Gaps+t.Gaps
	}
	fmt.Fprintf(w, "%-26s %8d %8d %8d\n", "all", sum.Passed, sum.Failed, sum.Gaps)
}

// Claim is a line of CLAIMED: a family that must pass whole (Floor < 0), or the
// number of its cases that must pass.
type Claim struct {
	Family string
	Floor  int
}

// ReadClaims reads a CLAIMED file: lines "family all" or "family 12"; # begins a
// comment.
func ReadClaims(path string) ([]Claim, error) {
	var out []Claim
	err := lines(path, func(n int, line string) error {
		f := strings.Fields(line)
		if len(f) != 2 {
			return base.Errorf(base.CodeInvalid, "%s:%d: want a family and all or a number", path, n)
		}
		c := Claim{Family: f[0], Floor: -1}
		if f[1] != "all" {
			k, err := strconv.Atoi(f[1])
			if err != nil {
				return base.Errorf(base.CodeInvalid, "%s:%d: %q is no number", path, n, f[1])
			}
			c.Floor = k
		}
		out = append(out, c)
		return nil
	})
	return out, err
}

// ReadGaps reads a KNOWN_GAPS file: lines "family/name: reason".
func ReadGaps(path string) (map[string]string, error) {
	out := map[string]string{}
	err := lines(path, func(n int, line string) error {
		id, reason, ok := strings.Cut(line, ": ")
		if !ok || reason == "" {
			return base.Errorf(base.CodeInvalid, "%s:%d: want family/name: reason", path, n)
		}
		out[id] = reason
		return nil
	})
	return out, err
}

func lines(path string, f func(n int, line string) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	sc := bufio.NewScanner(file)
	for n := 1; sc.Scan(); n++ {
		line := strings.TrimSpace(sc.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		if err := f(n, line); err != nil {
			return err
		}
	}
	return sc.Err()
}

// Check returns the claims that the report does not hold, in words. A known gap
// does not count as passed.
func (r *Report) Check(claims []Claim) []string {
	fams := r.Families()
	var broken []string
	for _, c := range claims {
		t := fams[c.Family]
		switch {
		case t == nil:
			broken = append(broken, fmt.Sprintf("%s is claimed and has no cases", c.Family))
		case c.Floor < 0 && t.Failed+t.Gaps > 0:
			broken = append(broken, fmt.Sprintf("%s is claimed whole: %d of %d do not pass", c.Family, t.Failed+t.Gaps, t.Passed+t.Failed+t.Gaps))
		case t.Passed < c.Floor:
			broken = append(broken, fmt.Sprintf("%s passes %d, its floor is %d", c.Family, t.Passed, c.Floor))
		}
	}
	return broken
}
