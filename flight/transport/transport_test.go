package transport

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rawCodec passes messages of type *[]byte as they are.
type rawCodec struct{}

func (rawCodec) Name() string { return "proto" }
func (rawCodec) Marshal(v any) (mem.BufferSlice, error) {
	b := *v.(*[]byte)
	if string(b) == "unspeakable" {
		return nil, errors.New("unspeakable")
	}
	// In pieces, as messages with buffers are.
	var out mem.BufferSlice
	for len(b) > 0 {
		n := min(len(b), 1+len(b)/3)
		out = append(out, mem.SliceBuffer(b[:n]))
		b = b[n:]
	}
	return out, nil
}
func (rawCodec) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()
	return nil
}

var _ encoding.CodecV2 = rawCodec{}

// echo is the service of these tests. What it does is told by the headers of a call.
type echo struct {
	t *testing.T
	// hold keeps handlers from going on, where a call asks for it.
	hold chan struct{}
	left atomic.Bool
}

func (e *echo) unary(_ any, ctx context.Context, dec func(any) error, with grpc.UnaryServerInterceptor) (any, error) {
	var in []byte
	if err := dec(&in); err != nil {
		return nil, err
	}
	handler := func(ctx context.Context, in any) (any, error) {
		md, _ := metadata.FromIncomingContext(ctx)
		_ = grpc.SetHeader(ctx, metadata.Pairs("seen", strings.Join(md.Get("say"), ","), "seen-bin", strings.Join(md.Get("say-bin"), ",")))
		_ = grpc.SetTrailer(ctx, metadata.Pairs("end-bin", "\x00\xff", "end", "of all"))
		switch b := *in.(*[]byte); string(b) {
		case "fail":
			st, _ := status.New(codes.DataLoss, "lost: ä%\n").WithDetails(&errdetails.ErrorInfo{Reason: "it is"})
			return nil, st.Err()
		case "panic":
			panic("a bug")
		case "wait":
			<-ctx.Done()
			return nil, ctx.Err()
		case "peer":
			p, _ := peer.FromContext(ctx)
			out := fmt.Appendf(nil, "%v %T", p.Addr != nil && p.LocalAddr != nil, p.AuthInfo)
			return &out, nil
		}
		return in, nil
	}
	if with == nil {
		return handler(ctx, &in)
	}
	return with(ctx, &in, &grpc.UnaryServerInfo{FullMethod: "/test.Echo/Unary"}, handler)
}

// many answers with as many messages of as many bytes as the call says.
func (e *echo) many(_ any, s grpc.ServerStream) error {
	var in []byte
	if err := s.RecvMsg(&in); err != nil {
		return err
	}
	var n, size int
	var fail string
	fmt.Sscan(string(in), &n, &size, &fail)
	for i := range n {
		out := pattern(i, size)
		if err := s.SendMsg(&out); err != nil {
			return err
		}
	}
	if fail != "" {
		return status.Error(codes.Aborted, fail)
	}
	return nil
}

// leave sends messages of so many bytes until the client takes no more, and fails then.
func (e *echo) leave(_ any, s grpc.ServerStream) error {
	var in []byte
	if err := s.RecvMsg(&in); err != nil {
		return err
	}
	var size int
	fmt.Sscan(string(in), &size)
	var sent atomic.Int64
	go func() {
		for i := 0; ; i++ {
			out := pattern(i, size)
			if s.SendMsg(&out) != nil {
				return
			}
			sent.Add(1)
		}
	}()
	for last := int64(-1); last != sent.Load(); time.Sleep(100 * time.Millisecond) {
		last = sent.Load()
	}
	e.left.Store(true)
	return status.Error(codes.Aborted, "the client does not read")
}

// chat answers each message with itself; after "hold" it waits.
func (e *echo) chat(_ any, s grpc.ServerStream) error {
	for {
		var in []byte
		if err := s.RecvMsg(&in); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if string(in) == "hold" {
			select {
			case <-e.hold:
			case <-s.Context().Done():
			}
		}
		if string(in) == "enough" {
			return status.Error(codes.OutOfRange, "enough")
		}
		if err := s.SendMsg(&in); err != nil {
			return err
		}
	}
}

func pattern(i, size int) []byte {
	b := make([]byte, size)
	for j := range b {
		b[j] = byte(i*31 + j*7 + j>>8)
	}
	return b
}

// serve starts a server and returns it, its address and a client.
func serve(t *testing.T, o Options, more ...grpc.DialOption) (*Server, *echo, string, *grpc.ClientConn) {
	t.Helper()
	o.Codec = rawCodec{}
	if o.MaxReceive == 0 {
		o.MaxReceive = 64 << 20
	}
	if o.MaxHeaders == 0 {
		o.MaxHeaders = 32 << 10
	}
	if o.ConnectTime == 0 {
		o.ConnectTime = 5 * time.Second
	}
	s := New(o)
	e := &echo{t: t, hold: make(chan struct{})}
	s.RegisterService(&grpc.ServiceDesc{ServiceName: "test.Echo",
		Methods: []grpc.MethodDesc{{MethodName: "Unary", Handler: e.unary}},
		Streams: []grpc.StreamDesc{{StreamName: "Many", Handler: e.many, ServerStreams: true}, {StreamName: "Leave", Handler: e.leave, ServerStreams: true}, {StreamName: "Chat", Handler: e.chat, ServerStreams: true, ClientStreams: true}}}, e)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(&listening{l}) }()
	if len(more) == 0 {
		more = append(more, grpc.WithTransportCredentials(insecure.NewCredentials()))
	}
	more = append(more, grpc.WithDefaultCallOptions(grpc.ForceCodecV2(rawCodec{}), grpc.MaxCallRecvMsgSize(1<<30)))
	c, err := grpc.NewClient(l.Addr().String(), more...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		s.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
		if n := s.Calls(); n != 0 {
			t.Errorf("%d calls are left", n)
		}
	})
	return s, e, l.Addr().String(), c
}

// listening gives its connections writev, as the listener of flight does.
type listening struct{ net.Listener }

type vector struct{ *net.TCPConn }

func (v vector) WriteBuffers(b *net.Buffers) (int64, error) { return b.WriteTo(v.TCPConn) }

func (l *listening) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return vector{c.(*net.TCPConn)}, nil
}

func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func call1(ctx context.Context, c *grpc.ClientConn, text string, opts ...grpc.CallOption) (string, error) {
	in, out := []byte(text), []byte(nil)
	err := c.Invoke(ctx, "/test.Echo/Unary", &in, &out, opts...)
	return string(out), err
}

func stream(ctx context.Context, t *testing.T, c *grpc.ClientConn, name string) grpc.ClientStream {
	t.Helper()
	s, err := c.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/test.Echo/"+name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func send(t *testing.T, s grpc.ClientStream, b []byte) {
	t.Helper()
	if err := s.SendMsg(&b); err != nil {
		t.Fatal(err)
	}
}

func recv(s grpc.ClientStream) ([]byte, error) {
	var b []byte
	err := s.RecvMsg(&b)
	return b, err
}

// Messages of all sizes come as they were sent, in both directions, of many calls at once.
func TestMessages(t *testing.T) {
	_, _, _, c := serve(t, Options{})
	ctx := within(t, time.Minute)
	sizes := []int{0, 1, 4, 5, 100, 1000, 16<<10 - 5, 16 << 10, 64 << 10, 1 << 20, 5<<20 + 3, 20 << 20}
	var wg sync.WaitGroup
	for part := range 4 {
		wg.Go(func() {
			chat := stream(ctx, t, c, "Chat")
			for i, size := range sizes {
				if part > 1 && size > 1<<20 {
					continue
				}
				want := pattern(i+part, size)
				if err := chat.SendMsg(&want); err != nil {
					t.Error(err)
					return
				}
				if got, err := recv(chat); err != nil || !bytes.Equal(got, want) {
					t.Errorf("%d bytes came back as %d: %v", size, len(got), err)
				}
				if out, err := call1(ctx, c, string(want)); err != nil || out != string(want) {
					t.Errorf("a call with %d bytes: %d, %v", size, len(out), err)
				}
			}
			_ = chat.CloseSend()
			if _, err := recv(chat); err != io.EOF {
				t.Error(err)
			}
		})
		wg.Go(func() {
			many := stream(ctx, t, c, "Many")
			in := []byte(fmt.Sprint(300, " ", part*part*7000))
			if err := many.SendMsg(&in); err != nil {
				t.Error(err)
			}
			_ = many.CloseSend()
			for i := range 300 {
				if got, err := recv(many); err != nil || !bytes.Equal(got, pattern(i, part*part*7000)) {
					t.Errorf("message %d: %d bytes, %v", i, len(got), err)
					return
				}
			}
			if _, err := recv(many); err != io.EOF {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// Metadata, status, details, peers and panics are what handlers and clients of grpc-go
// expect.
func TestMetadata(t *testing.T) {
	_, _, _, c := serve(t, Options{})
	ctx := metadata.AppendToOutgoingContext(within(t, 20*time.Second), "say", "a", "say", "b", "say-bin", "\x00\x01\xfe")
	var header, trailer metadata.MD
	opts := []grpc.CallOption{grpc.Header(&header), grpc.Trailer(&trailer)}
	if out, err := call1(ctx, c, "x", opts...); out != "x" || err != nil {
		t.Error(out, err)
	}
	check := func() {
		t.Helper()
		if header.Get("seen")[0] != "a,b" || header.Get("seen-bin")[0] != "\x00\x01\xfe" || trailer.Get("end-bin")[0] != "\x00\xff" || trailer.Get("end")[0] != "of all" {
			t.Error(header, trailer)
		}
	}
	check()
	_, err := call1(ctx, c, "fail", opts...)
	st := status.Convert(err)
	if st.Code() != codes.DataLoss || st.Message() != "lost: ä%\n" || len(st.Details()) != 1 || st.Details()[0].(*errdetails.ErrorInfo).Reason != "it is" {
		t.Error(err, st.Details())
	}
	check()
	if _, err := call1(ctx, c, "panic"); status.Code(err) != codes.Internal {
		t.Error(err)
	}
	if out, err := call1(ctx, c, "peer"); out != "true <nil>" {
		t.Error(out, err)
	}
	for path, want := range map[string]string{"/test.Echo/None": "unknown method None for service test.Echo", "/other.Echo/Unary": "unknown service other.Echo"} {
		var in, out []byte
		err := c.Invoke(ctx, path, &in, &out)
		if status.Code(err) != codes.Unimplemented || status.Convert(err).Message() != want {
			t.Error(path, err)
		}
	}
	if _, err := call1(ctx, c, strings.Repeat("x", 65<<20)); status.Code(err) != codes.ResourceExhausted {
		t.Error("a message that is too large:", err)
	}
	in := []byte("unspeakable")
	if err := c.Invoke(ctx, "/test.Echo/Unary", &in, &in); err == nil {
		t.Error("the codec's error is lost")
	}
	// The connection has outlived all of it.
	if out, err := call1(ctx, c, "again"); out != "again" || err != nil {
		t.Error(out, err)
	}
}

// Headers beyond the limit are refused with a reason, those of an answer are cut.
func TestLargeHeaders(t *testing.T) {
	_, _, _, c := serve(t, Options{MaxHeaders: 4 << 10}, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithMaxHeaderListSize(300))
	ctx := within(t, 20*time.Second)
	_, err := call1(metadata.AppendToOutgoingContext(ctx, "long", strings.Repeat("x", 3500)), c, "x")
	if err != nil {
		t.Error("below the limit:", err)
	}
	_, err = call1(metadata.AppendToOutgoingContext(ctx, "long", strings.Repeat("x", 5000)), c, "x")
	if err == nil {
		t.Error("headers of 5,000 bytes are taken")
	}
	st := trailerFields(status.New(codes.Aborted, strings.Repeat("é", 1000)), metadata.Pairs("k", strings.Repeat("v", 100)), 300)
	if n := fieldsSize(st); n > 300 || n < 250 || len(st) != 2 {
		t.Errorf("%d bytes of trailers: %v", n, st)
	}
	if out, err := call1(ctx, c, "y"); out != "y" || err != nil {
		t.Error(out, err)
	}
}

// Calls end when their client cancels them or their time is over, and their handlers see it.
func TestCancelled(t *testing.T) {
	s, _, _, c := serve(t, Options{})
	ctx, cancel := context.WithCancel(within(t, 20*time.Second))
	ended := make(chan error)
	go func() {
		_, err := call1(ctx, c, "wait")
		ended <- err
	}()
	eventually(t, "the call runs", func() bool { return s.Calls() == 1 })
	cancel()
	if err := <-ended; status.Code(err) != codes.Canceled {
		t.Error(err)
	}
	eventually(t, "the handler has ended", func() bool { return s.Calls() == 0 })
	_, err := call1(within(t, 50*time.Millisecond), c, "wait")
	if status.Code(err) != codes.DeadlineExceeded {
		t.Error(err)
	}
	eventually(t, "the handler has ended", func() bool { return s.Calls() == 0 })
}

func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !f(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(what + ": not after 10 s")
		}
	}
}

// GracefulStop waits for the calls that run and refuses others; Stop cancels them.
func TestStops(t *testing.T) {
	s, e, addr, c := serve(t, Options{})
	ctx := within(t, time.Minute)
	chat := stream(ctx, t, c, "Chat")
	send(t, chat, []byte("hold"))
	eventually(t, "the call runs", func() bool { return s.Calls() == 1 })
	idle, err := net.Dial("tcp", addr) // it never says a word
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	stopped := make(chan struct{})
	go func() {
		s.GracefulStop()
		close(stopped)
	}()
	eventually(t, "new calls are refused", func() bool {
		_, err := call1(within(t, time.Second), c, "x")
		return status.Code(err) == codes.Unavailable
	})
	select {
	case <-stopped:
		t.Fatal("it did not wait")
	case <-time.After(50 * time.Millisecond):
	}
	close(e.hold)
	if b, err := recv(chat); err != nil || string(b) != "hold" {
		t.Error(string(b), err)
	}
	_ = chat.CloseSend()
	if _, err := recv(chat); err != io.EOF {
		t.Error(err)
	}
	<-stopped

	s, _, _, c = serve(t, Options{})
	chat = stream(ctx, t, c, "Chat")
	send(t, chat, []byte("hold"))
	eventually(t, "the call runs", func() bool { return s.Calls() == 1 })
	s.Stop()
	if _, err := recv(chat); status.Code(err) != codes.Unavailable {
		t.Error(err)
	}
}

// A client that has gone without a word is let go; one that answers stays.
func TestSilentClient(t *testing.T) {
	s, _, addr, c := serve(t, Options{Quiet: 30 * time.Millisecond, Patience: 300 * time.Millisecond})
	ctx := within(t, time.Minute)
	if _, err := call1(ctx, c, "x"); err != nil {
		t.Fatal(err)
	}
	raw := dial(t, addr)
	raw.settings()
	conns := func() int {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.conns)
	}
	eventually(t, "both are here", func() bool { return conns() == 2 })
	eventually(t, "one is gone", func() bool { return conns() == 1 })
	time.Sleep(400 * time.Millisecond)
	if conns() != 1 {
		t.Error("the one that answers is gone, too")
	}
	if _, err := call1(ctx, c, "x"); err != nil {
		t.Fatal(err)
	}
}

// Calls are admitted by their headers, and all of it works in TLS.
func TestAdmittedInTLS(t *testing.T) {
	cert := certificate(t)
	o := Options{Credentials: credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{cert}}),
		Admit: func(ctx context.Context, method string, header metadata.MD) (context.Context, error) {
			if !slices.Equal(header.Get("token"), []string{"t"}) {
				return nil, status.Error(codes.Unauthenticated, "no token for "+method)
			}
			return ctx, nil
		}}
	_, _, _, c := serve(t, o, grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{InsecureSkipVerify: true})))
	ctx := within(t, time.Minute)
	if _, err := call1(ctx, c, strings.Repeat("x", 1<<20)); status.Code(err) != codes.Unauthenticated || !strings.HasSuffix(err.Error(), "/test.Echo/Unary") {
		t.Error(err)
	}
	ctx = metadata.AppendToOutgoingContext(ctx, "token", "t")
	if out, err := call1(ctx, c, "peer"); out != "true credentials.TLSInfo" || err != nil {
		t.Error(out, err)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		text := string(pattern(rnd.IntN(100), rnd.IntN(300_000)))
		if out, err := call1(ctx, c, text); out != text || err != nil {
			t.Fatal(len(out), err)
		}
	}
}
