package transport

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// A client that does not read holds up its own call and no other; it gets everything
// when it reads again, and where the handler failed, its error behind whole messages.
func TestSlowClient(t *testing.T) {
	for _, fail := range []string{"", "failed"} {
		s, _, _, c := serve(t, Options{})
		ctx := within(t, time.Minute)
		many := stream(ctx, t, c, "Many")
		send(t, many, []byte("20 3000000 "+fail))
		_ = many.CloseSend()
		for range 50 {
			if out, err := call1(ctx, c, strings.Repeat("x", 10_000)); len(out) != 10_000 || err != nil {
				t.Fatal(err)
			}
		}
		// Those of the answers end behind them.
		eventually(t, "one call runs while the client does not read", func() bool { return s.Calls() == 1 })
		for i := range 20 {
			if b, err := recv(many); err != nil || !bytes.Equal(b, pattern(i, 3_000_000)) {
				t.Fatalf("message %d: %d bytes, %v", i, len(b), err)
			}
		}
		if _, err := recv(many); fail == "" && err != io.EOF || fail != "" && status.Code(err) != codes.Aborted {
			t.Error(err)
		}
	}
}

// A handler that does not read holds up its own client and no other; what waits for it
// is bounded.
func TestSlowHandler(t *testing.T) {
	s, e, _, c := serve(t, Options{})
	ctx := within(t, time.Minute)
	chat := stream(ctx, t, c, "Chat")
	send(t, chat, []byte("hold"))
	const n = 40
	go func() {
		for i := range n {
			b := pattern(i, 1<<20)
			if err := chat.SendMsg(&b); err != nil {
				t.Error(err)
				return
			}
		}
		_ = chat.CloseSend()
	}()
	for range 50 {
		if out, err := call1(ctx, c, strings.Repeat("x", 10_000)); len(out) != 10_000 || err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Millisecond)
	}
	s.mu.Lock()
	for conn := range s.conns {
		conn.mu.Lock()
		for _, k := range conn.calls {
			if k.queued == 0 || k.queued > callWindow+readAhead+1<<20 {
				t.Errorf("%d bytes wait for a handler", k.queued)
			}
		}
		conn.mu.Unlock()
	}
	s.mu.Unlock()
	close(e.hold)
	for i := -1; i < n; i++ {
		want := pattern(i, 1<<20)
		if i < 0 {
			want = []byte("hold")
		}
		if b, err := recv(chat); err != nil || !bytes.Equal(b, want) {
			t.Fatalf("message %d: %d bytes, %v", i, len(b), err)
		}
	}
	if _, err := recv(chat); err != io.EOF {
		t.Error(err)
	}
}

// A handler may end before its client has: what still comes is passed over.
func TestEarlyEnd(t *testing.T) {
	_, _, _, c := serve(t, Options{})
	ctx := within(t, time.Minute)
	for range 20 {
		chat := stream(ctx, t, c, "Chat")
		send(t, chat, []byte("enough"))
		big := pattern(1, 1<<20)
		for chat.SendMsg(&big) == nil {
		}
		if _, err := recv(chat); status.Code(err) != codes.OutOfRange {
			t.Fatal(err)
		}
	}
	if out, err := call1(ctx, c, "x"); out != "x" || err != nil {
		t.Error(out, err)
	}
}

// More calls than a connection may have wait in the client.
func TestMaxCalls(t *testing.T) {
	s, e, _, c := serve(t, Options{MaxCalls: 8})
	ctx := within(t, time.Minute)
	if _, err := call1(ctx, c, "the settings are there"); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 30 {
		wg.Go(func() {
			chat, err := c.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/test.Echo/Chat")
			if err != nil {
				t.Error(err)
				return
			}
			send(t, chat, []byte("hold"))
			if _, err := recv(chat); err != nil {
				t.Error(err)
			}
			_ = chat.CloseSend()
			_, _ = recv(chat)
		})
	}
	eventually(t, "as many as there may be run", func() bool { return s.Calls() == 8 })
	time.Sleep(20 * time.Millisecond)
	if n := s.Calls(); n != 8 {
		t.Errorf("%d calls run", n)
	}
	close(e.hold)
	wg.Wait()
}

// A handler that ends while another of its goroutines is in a message still tells its
// error: a client that reads again gets the rest of the message first.
func TestEndWithinMessage(t *testing.T) {
	s, e, _, c := serve(t, Options{})
	ctx := within(t, time.Minute)
	for _, size := range []int{200_000, 3_000_000} {
		many := stream(ctx, t, c, "Leave")
		send(t, many, fmt.Append(nil, size))
		_ = many.CloseSend()
		eventually(t, "the handler is gone", func() bool { return e.left.Swap(false) })
		var err error
		for n := 0; err == nil; n++ {
			var b []byte
			if b, err = recv(many); err == nil && !bytes.Equal(b, pattern(n, size)) {
				t.Fatalf("message %d: %d bytes", n, len(b))
			}
		}
		if status.Code(err) != codes.Aborted {
			t.Errorf("messages of %d bytes end with %v", size, err)
		}
	}
	eventually(t, "nothing runs", func() bool { return s.Calls() == 0 })
}
