package flight

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/flightd/flightd/internal/base"
)

// cookieName is the cookie by which a client without a token keeps its session
// over connections.
const cookieName = "arrow_flight_session_id"

// A session is one client's session: found by its bearer token, else its cookie,
// else its connection.
type session struct {
	keys []string // in sessions.byKey
	Session
	// ctx ends with the session and takes its running calls along.
	ctx    context.Context
	cancel context.CancelFunc

	mu         sync.Mutex
	calls      int
	lastCall   time.Time
	sticky     bool // outlives its connection; guarded by sessions.mu
	maxMessage int
	prepared   map[string]*prepared
	tickets    map[string]*ticket
	order      []string // of tickets, oldest first
}

// sessions are the sessions of a server.
type sessions struct {
	backend Backend
	opts    Options

	mu    sync.Mutex
	byKey map[string]*session
}

type sessionKey struct{}

// sessionOf returns the session that the interceptor put into ctx.
func sessionOf(ctx context.Context) *session { return ctx.Value(sessionKey{}).(*session) }

// newID returns 128 random bits as hexadecimal digits.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// enter finds or makes the session of a call. The caller calls leave after it.
func (s *sessions) enter(ctx context.Context) (*session, error) {
	key, sticky := s.keyOf(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	ses := s.byKey[key]
	if ses == nil {
		if len(s.byKey) >= s.opts.MaxSessions {
			return nil, base.Errorf(base.CodeExhausted, "there are %d sessions already", len(s.byKey)).
				WithHint("close sessions that are no longer used, or try again later")
		}
		ctx, cancel := context.WithCancel(context.Background())
		ses = &session{keys: []string{key}, Session: s.backend.NewSession(), ctx: ctx, cancel: cancel, sticky: sticky,
			maxMessage: s.opts.MaxMessage, prepared: map[string]*prepared{}, tickets: map[string]*ticket{}}
		s.byKey[key] = ses
	}
	ses.mu.Lock()
	ses.calls++
	ses.lastCall = time.Now()
	ses.mu.Unlock()
	return ses, nil
}

func (ses *session) leave() {
	ses.mu.Lock()
	ses.calls--
	ses.lastCall = time.Now()
	ses.mu.Unlock()
}

// keyOf returns what identifies the session of a call, and whether that outlives
// the connection.
func (s *sessions) keyOf(ctx context.Context) (key string, sticky bool) {
	md, _ := metadata.FromIncomingContext(ctx)
	if _, token, ok := authorization(md, "bearer"); ok {
		return "token:" + token, true
	}
	conn := ""
	if p, ok := peer.FromContext(ctx); ok {
		conn = connKey(p.Addr)
	}
	if id := cookie(md, cookieName); id != "" {
		s.mu.Lock()
		known := s.byKey["cookie:"+id] != nil
		s.mu.Unlock()
		if known {
			return "cookie:" + id, true
		}
	}
	return conn, false
}

// stick gives a session that hangs on a connection a cookie, under which it is
// found from then on as well, and after the connection's end. It returns "" if
// the session has a name already.
func (s *sessions) stick(ses *session) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ses.sticky {
		return ""
	}
	id := newID()
	ses.sticky = true
	ses.keys = append(ses.keys, "cookie:"+id)
	s.byKey["cookie:"+id] = ses
	return id
}

// drop ends the session.
func (s *sessions) drop(ses *session) {
	s.mu.Lock()
	for _, key := range ses.keys {
		delete(s.byKey, key)
	}
	ses.keys = nil
	s.mu.Unlock()
	ses.cancel()
	ses.mu.Lock()
	ses.prepared, ses.tickets, ses.order = map[string]*prepared{}, map[string]*ticket{}, nil
	ses.mu.Unlock()
	_ = ses.Session.Close()
}

// dropConn ends the session that hangs on a connection, unless it has a name
// besides.
func (s *sessions) dropConn(key string) {
	s.mu.Lock()
	ses := s.byKey[key]
	sticky := ses != nil && ses.sticky
	if sticky {
		delete(s.byKey, key)
		ses.keys = slices.DeleteFunc(ses.keys, func(k string) bool { return k == key })
	}
	s.mu.Unlock()
	if ses != nil && !sticky {
		s.drop(ses)
	}
}

// sweep ends sessions and tickets that nobody asked for in a long time.
func (s *sessions) sweep(now time.Time) {
	for _, ses := range s.all() {
		ses.mu.Lock()
		idle := ses.calls == 0 && now.Sub(ses.lastCall) > s.opts.SessionIdle
		ses.expire(now)
		ses.mu.Unlock()
		if idle && s.named(ses) {
			s.drop(ses)
		}
	}
}

func (s *sessions) closeAll() {
	for _, ses := range s.all() {
		s.drop(ses)
	}
}

// named reports whether ses outlives its connection.
func (s *sessions) named(ses *session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return ses.sticky
}

// all lists the sessions; one with two keys comes once.
func (s *sessions) all() []*session {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := map[*session]bool{}
	var out []*session
	for _, ses := range s.byKey {
		if !seen[ses] {
			seen[ses] = true
			out = append(out, ses)
		}
	}
	return out
}

// authorization splits the authorization header if it has the scheme, whose case
// does not matter.
func authorization(md metadata.MD, scheme string) (given, value string, ok bool) {
	for _, h := range md.Get("authorization") {
		if given, value, found := strings.Cut(h, " "); found && strings.EqualFold(given, scheme) {
			return given, strings.TrimSpace(value), true
		}
	}
	return "", "", false
}

func cookie(md metadata.MD, name string) string {
	for _, h := range md.Get("cookie") {
		for part := range strings.SplitSeq(h, ";") {
			if k, v, ok := strings.Cut(strings.TrimSpace(part), "="); ok && k == name {
				return strings.Trim(v, `"`)
			}
		}
	}
	return ""
}

// connKey identifies a connection that connListener accepted.
func connKey(a net.Addr) string {
	if c, ok := a.(connAddr); ok {
		return "conn:" + c.id
	}
	return "conn:" + a.String()
}
