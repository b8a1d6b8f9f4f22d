package transport

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc"
)

func certificate(t *testing.T) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// raw is a client that writes what it likes, in frames of x/net/http2.
type raw struct {
	t *testing.T
	net.Conn
	*http2.Framer
	block bytes.Buffer
	enc   *hpack.Encoder
}

func dial(t *testing.T, addr string) *raw {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return wrap(t, c)
}

func wrap(t *testing.T, c net.Conn) *raw {
	r := &raw{t: t, Conn: c, Framer: http2.NewFramer(c, c)}
	r.AllowIllegalWrites, r.AllowIllegalReads = true, true
	r.enc = hpack.NewEncoder(&r.block)
	return r
}

func (r *raw) settings() {
	_, err := io.WriteString(r.Conn, preface)
	if err = errors.Join(err, r.WriteSettings()); err != nil {
		r.t.Fatal(err)
	}
}

var plain = []string{":method", "POST", ":scheme", "http", ":path", "/test.Echo/Unary", "content-type", "application/grpc", "te", "trailers"}

func (r *raw) fields(kv ...string) []byte {
	r.block.Reset()
	for i := 0; i < len(kv); i += 2 {
		_ = r.enc.WriteField(hpack.HeaderField{Name: kv[i], Value: kv[i+1]})
	}
	return append([]byte(nil), r.block.Bytes()...)
}

func (r *raw) open(id uint32, kv ...string) {
	if len(kv) == 0 {
		kv = plain
	}
	_ = r.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: r.fields(kv...), EndHeaders: true})
}

func message(b string) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(b))), b...)
}

// end reads until there is an answer that ends something: the end of a stream, of the
// connection, and with what.
func (r *raw) end() string {
	_ = r.SetReadDeadline(time.Now().Add(5 * time.Second))
	dec := hpack.NewDecoder(4096, nil)
	for {
		f, err := r.ReadFrame()
		if err != nil {
			return "closed"
		}
		switch f := f.(type) {
		case *http2.GoAwayFrame:
			return "away " + f.ErrCode.String()
		case *http2.RSTStreamFrame:
			return "reset " + f.ErrCode.String()
		case *http2.HeadersFrame:
			fields, err := dec.DecodeFull(f.HeaderBlockFragment())
			if err != nil {
				r.t.Error(err)
			}
			if f.StreamEnded() {
				for _, v := range fields {
					if v.Name == "grpc-status" && v.Value != "0" || v.Name == ":status" && v.Value != "200" {
						return v.Name + " " + v.Value
					}
				}
				return "ended"
			}
		}
	}
}

// What clients may not do ends their stream or their connection, as RFC 9113 says, and
// what they may is answered.
func TestBreaches(t *testing.T) {
	_, _, addr, _ := serve(t, Options{MaxHeaders: 8 << 10, MaxCalls: 3})
	long := strings.Repeat("x", 3000)
	tests := map[string]struct {
		do   func(r *raw)
		want string
	}{
		"call":        {func(r *raw) { r.open(1); _ = r.WriteData(1, true, message("x")) }, "ended"},
		"padded call": {func(r *raw) { r.open(1); _ = r.WriteDataPadded(1, true, message("x"), make([]byte, 200)) }, "ended"},
		"byte by byte": {func(r *raw) {
			r.open(1)
			for _, b := range message("xyz") {
				_ = r.WriteData(1, false, []byte{b})
			}
			_ = r.WriteData(1, true, nil)
		}, "ended"},
		"with trailers": {func(r *raw) {
			r.open(1)
			_ = r.WriteData(1, false, message("x"))
			_ = r.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: r.fields("k", "v"), EndHeaders: true, EndStream: true})
		}, "ended"},
		"continued headers": {func(r *raw) {
			b := r.fields(plain...)
			_ = r.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: b[:3], Priority: http2.PriorityParam{Weight: 3}, PadLength: 9})
			_ = r.WriteContinuation(1, false, b[3:8])
			_ = r.WriteContinuation(1, true, b[8:])
			_ = r.WriteData(1, true, message("x"))
		}, "ended"},
		"unknown frame": {func(r *raw) {
			_ = r.WriteRawFrame(77, 3, 9, []byte("x"))
			r.open(1)
			_ = r.WriteData(1, true, message("x"))
		}, "ended"},
		"no message":          {func(r *raw) { r.open(1); _ = r.WriteData(1, true, nil) }, "grpc-status 13"},
		"half a message":      {func(r *raw) { r.open(1); _ = r.WriteData(1, true, []byte{0, 0, 0, 0, 9, 1}) }, "grpc-status 13"},
		"compressed":          {func(r *raw) { r.open(1); _ = r.WriteData(1, true, []byte{1, 0, 0, 0, 1, 1}) }, "grpc-status 13"},
		"strange flags":       {func(r *raw) { r.open(1); _ = r.WriteData(1, true, []byte{7, 0, 0, 0, 1, 1}) }, "grpc-status 13"},
		"declared too large":  {func(r *raw) { r.open(1); _ = r.WriteData(1, false, []byte{0, 255, 0, 0, 1, 1}) }, "grpc-status 8"},
		"gzip":                {func(r *raw) { r.open(1, append([]string{}, append(plain, "grpc-encoding", "gzip")...)...) }, "grpc-status 12"},
		"bad timeout":         {func(r *raw) { r.open(1, append([]string{}, append(plain, "grpc-timeout", "soon")...)...) }, "grpc-status 13"},
		"no content type":     {func(r *raw) { r.open(1, plain[:6]...) }, ":status 415"},
		"a GET":               {func(r *raw) { r.open(1, append([]string{":method", "GET"}, plain[2:]...)...) }, ":status 405"},
		"no path":             {func(r *raw) { r.open(1, plain[:4]...) }, "reset PROTOCOL_ERROR"},
		"two paths":           {func(r *raw) { r.open(1, append([]string{":path", "/"}, plain...)...) }, "reset PROTOCOL_ERROR"},
		"late pseudo-header":  {func(r *raw) { r.open(1, append(append([]string{}, plain...), ":authority", "x")...) }, "reset PROTOCOL_ERROR"},
		"capitals":            {func(r *raw) { r.open(1, append(append([]string{}, plain...), "Big", "x")...) }, "reset PROTOCOL_ERROR"},
		"connection header":   {func(r *raw) { r.open(1, append(append([]string{}, plain...), "connection", "x")...) }, "reset PROTOCOL_ERROR"},
		"binary that is none": {func(r *raw) { r.open(1, append(append([]string{}, plain...), "x-bin", "*")...) }, "reset PROTOCOL_ERROR"},
		"wrong length": {func(r *raw) {
			r.open(1, append(append([]string{}, plain...), "content-length", "7")...)
			_ = r.WriteData(1, true, message("x"))
		}, "reset PROTOCOL_ERROR"},
		"long headers": {func(r *raw) { r.open(1, append(append([]string{}, plain...), "a", long, "b", long, "c", long)...) }, "grpc-status 8"},
		"one long header": {func(r *raw) {
			r.open(1, append(append([]string{}, plain...), "a", strings.Repeat("x", 9000))...)
		}, "away ENHANCE_YOUR_CALM"},
		"headers without end": {func(r *raw) {
			_ = r.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: r.fields(plain...)})
			for range 2000 {
				_ = r.WriteContinuation(1, false, nil)
			}
		}, "away ENHANCE_YOUR_CALM"},
		"headers interrupted": {func(r *raw) {
			_ = r.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: r.fields(plain...)})
			_ = r.WritePing(false, [8]byte{})
		}, "away PROTOCOL_ERROR"},
		"headers that are garbage": {func(r *raw) {
			_ = r.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, EndHeaders: true})
		}, "away COMPRESSION_ERROR"},
		"even stream":        {func(r *raw) { r.open(2) }, "away PROTOCOL_ERROR"},
		"stream 0":           {func(r *raw) { r.open(0) }, "away PROTOCOL_ERROR"},
		"older stream":       {func(r *raw) { r.open(5); r.open(3) }, "away STREAM_CLOSED"},
		"headers twice":      {func(r *raw) { r.open(1); r.open(1) }, "reset PROTOCOL_ERROR"},
		"too many calls":     {func(r *raw) { r.open(1); r.open(3); r.open(5); r.open(7) }, "reset REFUSED_STREAM"},
		"continuation alone": {func(r *raw) { _ = r.WriteContinuation(1, true, nil) }, "away PROTOCOL_ERROR"},
		"push": {func(r *raw) {
			_ = r.WritePushPromise(http2.PushPromiseParam{StreamID: 1, PromiseID: 2, EndHeaders: true})
		}, "away PROTOCOL_ERROR"},
		"data of nothing":  {func(r *raw) { _ = r.WriteData(9, true, nil) }, "away PROTOCOL_ERROR"},
		"data of stream 0": {func(r *raw) { _ = r.WriteData(0, true, nil) }, "away PROTOCOL_ERROR"},
		"data after the end": {func(r *raw) {
			r.open(1, append(append([]string{}, plain[:4]...), ":path", "/test.Echo/Chat", "content-type", "application/grpc")...)
			_ = r.WriteData(1, false, message("hold"))
			_ = r.WriteData(1, true, nil)
			_ = r.WriteData(1, true, nil)
		}, "reset STREAM_CLOSED"},
		"padding too long": {func(r *raw) { r.open(1); _ = r.WriteRawFrame(http2.FrameData, http2.FlagDataPadded, 1, []byte{9, 1}) }, "away PROTOCOL_ERROR"},
		"padding missing":  {func(r *raw) { r.open(1); _ = r.WriteRawFrame(http2.FrameData, http2.FlagDataPadded, 1, nil) }, "away PROTOCOL_ERROR"},
		"header padding": {func(r *raw) {
			_ = r.WriteRawFrame(http2.FrameHeaders, http2.FlagHeadersPadded|http2.FlagHeadersEndHeaders, 1, []byte{9, 1})
		}, "away PROTOCOL_ERROR"},
		"short priority": {func(r *raw) {
			_ = r.WriteRawFrame(http2.FrameHeaders, http2.FlagHeadersPriority|http2.FlagHeadersEndHeaders, 1, []byte{9, 1})
		}, "away FRAME_SIZE_ERROR"},
		"depends on itself": {func(r *raw) {
			_ = r.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: r.fields(plain...), EndHeaders: true, Priority: http2.PriorityParam{StreamDep: 1, Weight: 1}})
		}, "reset PROTOCOL_ERROR"},
		"priority of 4 bytes":   {func(r *raw) { _ = r.WriteRawFrame(http2.FramePriority, 0, 1, make([]byte, 4)) }, "reset FRAME_SIZE_ERROR"},
		"priority of nothing":   {func(r *raw) { _ = r.WriteRawFrame(http2.FramePriority, 0, 0, make([]byte, 5)) }, "away PROTOCOL_ERROR"},
		"large frame":           {func(r *raw) { r.open(1); _ = r.WriteRawFrame(http2.FrameData, 0, 1, make([]byte, maxFrame+1)) }, "away FRAME_SIZE_ERROR"},
		"ping of a stream":      {func(r *raw) { _ = r.WriteRawFrame(http2.FramePing, 0, 1, make([]byte, 8)) }, "away PROTOCOL_ERROR"},
		"ping of 7 bytes":       {func(r *raw) { _ = r.WriteRawFrame(http2.FramePing, 0, 0, make([]byte, 7)) }, "away FRAME_SIZE_ERROR"},
		"settings of a stream":  {func(r *raw) { _ = r.WriteRawFrame(http2.FrameSettings, 0, 1, nil) }, "away PROTOCOL_ERROR"},
		"settings of 5 bytes":   {func(r *raw) { _ = r.WriteRawFrame(http2.FrameSettings, 0, 0, make([]byte, 5)) }, "away FRAME_SIZE_ERROR"},
		"acknowledged settings": {func(r *raw) { _ = r.WriteRawFrame(http2.FrameSettings, http2.FlagSettingsAck, 0, make([]byte, 6)) }, "away FRAME_SIZE_ERROR"},
		"window setting":        {func(r *raw) { _ = r.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 31}) }, "away FLOW_CONTROL_ERROR"},
		"frame setting":         {func(r *raw) { _ = r.WriteSettings(http2.Setting{ID: http2.SettingMaxFrameSize, Val: 100}) }, "away PROTOCOL_ERROR"},
		"windows that overflow": {func(r *raw) {
			r.open(1)
			_ = r.WriteWindowUpdate(1, maxWindow-70_000)
			_ = r.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: maxWindow})
		}, "away FLOW_CONTROL_ERROR"},
		"no credit":              {func(r *raw) { _ = r.WriteWindowUpdate(0, 0) }, "away PROTOCOL_ERROR"},
		"no credit for a stream": {func(r *raw) { r.open(1); _ = r.WriteWindowUpdate(1, 0) }, "reset PROTOCOL_ERROR"},
		"too much credit":        {func(r *raw) { _ = r.WriteWindowUpdate(0, maxWindow) }, "away FLOW_CONTROL_ERROR"},
		"credit overflow":        {func(r *raw) { r.open(1); _ = r.WriteWindowUpdate(1, maxWindow) }, "reset FLOW_CONTROL_ERROR"},
		"credit for nothing":     {func(r *raw) { _ = r.WriteWindowUpdate(7, 1) }, "away PROTOCOL_ERROR"},
		"reset of nothing":       {func(r *raw) { _ = r.WriteRSTStream(7, http2.ErrCodeCancel) }, "away PROTOCOL_ERROR"},
		"reset of 3 bytes":       {func(r *raw) { r.open(1); _ = r.WriteRawFrame(http2.FrameRSTStream, 0, 1, make([]byte, 3)) }, "away FRAME_SIZE_ERROR"},
		"stream that goes away":  {func(r *raw) { _ = r.WriteRawFrame(http2.FrameGoAway, 0, 1, make([]byte, 8)) }, "away PROTOCOL_ERROR"},
		"window exceeded": {func(r *raw) {
			r.open(1, append(append([]string{}, plain[:4]...), ":path", "/test.Echo/Chat", "content-type", "application/grpc")...)
			_ = r.WriteData(1, false, message("hold"))
			b := append(message(strings.Repeat("x", 6<<20)), message(strings.Repeat("x", 6<<20))...)
			for len(b) > 0 {
				n := min(len(b), 16<<10)
				_ = r.WriteData(1, false, b[:n])
				b = b[n:]
			}
		}, "away FLOW_CONTROL_ERROR"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := dial(t, addr)
			defer r.Close()
			r.settings()
			test.do(r)
			if got := r.end(); got != test.want {
				t.Errorf("%s, not %s", got, test.want)
			}
		})
	}
}

// A client that asks and never reads is let go before its answers fill the memory.
func TestFlood(t *testing.T) {
	s, _, addr, _ := serve(t, Options{})
	r := dial(t, addr)
	r.settings()
	for i := 0; ; i++ {
		if err := r.WritePing(false, [8]byte{1}); err != nil {
			break
		}
		if i == 10_000_000 {
			t.Fatal("it takes pings for ever")
		}
	}
	eventually(t, "the connection is gone", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.conns) == 0
	})
}

// Calls that are opened and cancelled at once never run more than there may be.
func TestRapidReset(t *testing.T) {
	s, _, addr, c := serve(t, Options{MaxCalls: 16})
	r := dial(t, addr)
	r.settings()
	go func() { _, _ = io.Copy(io.Discard, r.Conn) }()
	for i := range uint32(20_000) {
		r.open(2*i + 1)
		_ = r.WriteData(2*i+1, true, message("wait"))
		_ = r.WriteRSTStream(2*i+1, http2.ErrCodeCancel)
		if n := s.Calls(); n > 16 {
			t.Fatalf("%d calls run", n)
		}
	}
	if _, err := call1(within(t, 10*time.Second), c, "x"); err != nil {
		t.Error(err)
	}
	eventually(t, "all have ended", func() bool { return s.Calls() == 0 })
}

// Whoever speaks HTTP/1.1 is told what this is, and whoever says something else let go.
func TestMisdialed(t *testing.T) {
	_, _, addr, _ := serve(t, Options{ConnectTime: 200 * time.Millisecond})
	for hello, want := range map[string]string{
		"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n":             "Flight SQL",
		"\x16\x03\x01\x02\x00" + strings.Repeat("x", 30):        "",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nno settings come here": "",
		"silence": "",
	} {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(c, hello)
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
		b, err := io.ReadAll(c)
		if ne := net.Error(nil); errors.As(err, &ne) && ne.Timeout() {
			t.Errorf("%.10q: the connection stays", hello)
		}
		if !strings.Contains(string(b), want) {
			t.Errorf("%.10q: %q", hello, b)
		}
		c.Close()
	}
}

// FuzzConnection: whatever a client writes, the connection ends with it, in time, and
// with all its calls.
func FuzzConnection(f *testing.F) {
	frames := func(do func(r *raw)) {
		a, b := net.Pipe()
		got := make(chan []byte)
		go func() {
			all, _ := io.ReadAll(b)
			got <- all
		}()
		r := wrap(nil, a)
		_ = r.WriteSettings()
		do(r)
		a.Close()
		f.Add(<-got)
	}
	frames(func(r *raw) { r.open(1); _ = r.WriteData(1, true, message("x")) })
	frames(func(r *raw) {
		r.open(1)
		_ = r.WriteDataPadded(1, false, message("xyz")[:6], []byte{0, 0})
		_ = r.WriteData(1, true, []byte("yz"))
	})
	frames(func(r *raw) {
		b := r.fields(plain...)
		_ = r.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: b[:3]})
		_ = r.WriteContinuation(1, true, b[3:])
		_ = r.WriteRSTStream(1, http2.ErrCodeCancel)
		_ = r.WriteWindowUpdate(0, 5)
		_ = r.WritePing(false, [8]byte{})
		_ = r.WriteGoAway(1, 0, nil)
	})
	f.Fuzz(func(t *testing.T, b []byte) {
		s := New(Options{Codec: rawCodec{}, MaxReceive: 1 << 16, MaxHeaders: 4096, MaxCalls: 4, ConnectTime: time.Second,
			Align: func(_ string, head []byte, size int) int { return min(len(head), size-1) }})
		e := &echo{hold: make(chan struct{})}
		close(e.hold)
		s.RegisterService(&grpc.ServiceDesc{ServiceName: "test.Echo", Methods: []grpc.MethodDesc{{MethodName: "Unary", Handler: e.unary}},
			Streams: []grpc.StreamDesc{{StreamName: "Chat", Handler: e.chat, ServerStreams: true, ClientStreams: true}}}, e)
		client, server := net.Pipe()
		s.serve(server)
		go func() { _, _ = io.Copy(io.Discard, client) }()
		_ = client.SetWriteDeadline(time.Now().Add(5 * time.Second))
		_, err := client.Write(append([]byte(preface), b...))
		if errors.Is(err, context.DeadlineExceeded) {
			t.Error("it stopped reading")
		}
		client.Close()
		ended := make(chan struct{})
		go func() {
			s.running.Wait()
			close(ended)
		}()
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			t.Fatal("something runs on")
		}
	})
}
