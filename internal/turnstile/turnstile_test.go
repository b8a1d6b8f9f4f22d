package turnstile

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// T1 and T3: whoever gives way how often, cancels or is cancelled, there are never more
// inside than places, and in the end all have had their turns.
func TestPlaces(t *testing.T) {
	const places = 3
	ts := New(places)
	var inside, most atomic.Int64
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			k := ts.Ticket()
			defer k.Cancel()
			r := rand.New(rand.NewPCG(1, uint64(i)))
			for range 200 {
				ctx, cancel := context.WithCancel(context.Background())
				if r.IntN(4) == 0 {
					go cancel()
				}
				err := k.Enter(ctx)
				cancel()
				if err != nil {
					k.GiveWay() // may have been late: Enter of one who has his turn
					continue
				}
				n := inside.Add(1)
				for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
				}
				if r.IntN(8) == 0 {
					time.Sleep(time.Microsecond)
				}
				inside.Add(-1)
				for range 1 + r.IntN(2) {
					k.GiveWay()
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("somebody waits for ever")
	}
	if n := most.Load(); n > places {
		t.Errorf("%d were inside at once, with %d places", n, places)
	}
	time.Sleep(20 * Rest) // no place rests any more
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if ts.free != places || len(ts.queue) != 0 {
		t.Errorf("%d places are free, %d wait", ts.free, len(ts.queue))
	}
}

// T2: in the order of the queue; those who left it are passed by.
func TestOrder(t *testing.T) {
	ts := New(1)
	first := ts.Ticket()
	if err := first.Enter(context.Background()); err != nil {
		t.Fatal(err)
	}
	all := make([]*Ticket, 10)
	for i := range all {
		all[i] = ts.Ticket()
	}
	for _, k := range slices.Concat(all, all) { // once is enough
		k.Queue()
	}
	all[4].Cancel()
	all[6].GiveWay() // has nothing to give
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	if err := all[7].Enter(gone); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	var order []int
	for last := first; last != nil; {
		last.GiveWay()
		last = nil
		if len(order) < 8 {
			for !slices.ContainsFunc(all, func(k *Ticket) bool { return len(k.Turn()) > 0 }) {
				time.Sleep(Rest / 10) // the place may rest
			}
		}
		for i, k := range all {
			select {
			case <-k.Turn():
				order, last = append(order, i), k
			default:
			}
		}
	}
	if want := []int{0, 1, 2, 3, 5, 6, 8, 9}; !slices.Equal(order, want) {
		t.Errorf("%v, not %v", order, want)
	}
}

// T4: many short turns leave room between them; one who is alone does not wait.
func TestRest(t *testing.T) {
	work := func(k *Ticket) {
		if err := k.Enter(context.Background()); err != nil {
			t.Error(err)
		}
		for end := time.Now().Add(Work / 4); time.Now().Before(end); {
		}
		k.GiveWay()
	}
	ts, begun := New(1), time.Now()
	var wg sync.WaitGroup
	const n = 100
	first := ts.Ticket()
	first.Queue()
	for range n {
		k := ts.Ticket()
		k.Queue()
		wg.Go(func() { work(k) })
	}
	first.GiveWay()
	wg.Wait()
	if took := time.Since(begun); took < n/8*Rest {
		t.Errorf("%d turns of %v took %v", n, Work/4, took)
	}
	alone, rested := New(1), 0
	k := alone.Ticket()
	for range n {
		work(k)
		alone.mu.Lock()
		rested += 1 - alone.free
		alone.mu.Unlock()
	}
	if rested > 0 {
		t.Errorf("the place rested %d times though nobody waited", rested)
	}
}

// Who has his turn has it until he gives way; without a ticket everybody has.
func TestTurnIsKept(t *testing.T) {
	ctx := context.Background()
	ts := New(1)
	a, b := ts.Ticket(), ts.Ticket()
	for range 3 {
		if err := a.Enter(ctx); err != nil {
			t.Fatal(err)
		}
	}
	short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	if err := b.Enter(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a second one went in: %v", err)
	}
	a.GiveWay()
	if err := b.Enter(ctx); err != nil {
		t.Fatal(err)
	}
	var none *Ticket
	if err := none.Enter(ctx); err != nil {
		t.Error(err)
	}
	none.GiveWay()
	none.Cancel()
}
