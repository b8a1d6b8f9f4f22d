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
	who  caller
	conn string // that it hung on at first, or ""
	Session
	// ctx ends with the session and takes its running calls along.
	ctx    context.Context
	cancel context.CancelFunc

	mu         sync.Mutex
	calls      int
	lastCall   time.Time
	sticky     bool // outlives its connection; guarded by sessions.mu
	maxMessage int
	parallel   int // endpoints of a result; 0 is one
	prepared   map[string]*prepared
	tickets    map[string]*ticket
	order      []string // of tickets, oldest first
	jobs       map[string]*job
	running    sync.WaitGroup // of jobs
}

// sessions are the sessions of a server.
type sessions struct {
	backend Backend
	opts    Options

	mu    sync.Mutex
	byKey map[string]*session
	// byConn are the sessions that hang on a connection.
	byConn map[string][]*session
	byUser map[string]int
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
func (s *sessions) enter(ctx context.Context, who caller) (*session, error) {
	key, conn := s.keyOf(ctx, who)
	s.mu.Lock()
	defer s.mu.Unlock()
	ses := s.byKey[key]
	if ses == nil {
		if len(s.byKey) >= s.opts.MaxSessions {
			return nil, base.Errorf(base.CodeExhausted, "there are %d sessions already", len(s.byKey)).
				WithHint("close sessions that are no longer used, or try again later")
		}
		if name := who.user.Name; name != "" && s.byUser[name] >= s.opts.MaxUserSessions {
			return nil, limited("the user %s has %d sessions already", name, s.byUser[name])
		}
		ctx, cancel := context.WithCancel(context.Background())
		ses = &session{keys: []string{key}, who: who, conn: conn, Session: s.backend.NewSession(who.user), ctx: ctx, cancel: cancel, sticky: conn == "",
			maxMessage: s.opts.MaxMessage, prepared: map[string]*prepared{}, tickets: map[string]*ticket{}, jobs: map[string]*job{}}
		s.byKey[key] = ses
		s.byUser[who.user.Name]++
		if conn != "" {
			s.byConn[conn] = append(s.byConn[conn], ses)
		}
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

// keyOf returns what identifies the session of a call, which is part of who
// calls: nobody finds another's session. conn is the connection that it hangs on,
// or empty if it outlives that.
func (s *sessions) keyOf(ctx context.Context, who caller) (key, conn string) {
	owner := who.user.Name + "\x00"
	// The token of a service is many clients'.
	if who.token != "" && !who.service {
		return owner + "token:" + who.token, ""
	}
	if p, ok := peer.FromContext(ctx); ok {
		conn = connKey(p.Addr)
	}
	md, _ := metadata.FromIncomingContext(ctx)
	if id := cookie(md, cookieName); id != "" {
		key := owner + "cookie:" + id
		s.mu.Lock()
		known := s.byKey[key] != nil
		s.mu.Unlock()
		if known {
			return key, ""
		}
	}
	return owner + conn, conn
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
	key := ses.who.user.Name + "\x00cookie:" + id
	ses.keys = append(ses.keys, key)
	s.byKey[key] = ses
	return id
}

// drop ends the session.
func (s *sessions) drop(ses *session) {
	s.mu.Lock()
	if ses.keys != nil {
		for _, key := range ses.keys {
			delete(s.byKey, key)
		}
		ses.keys = nil
		if ses.conn != "" {
			s.byConn[ses.conn] = slices.DeleteFunc(s.byConn[ses.conn], func(x *session) bool { return x == ses })
			if len(s.byConn[ses.conn]) == 0 {
				delete(s.byConn, ses.conn)
			}
		}
		if s.byUser[ses.who.user.Name]--; s.byUser[ses.who.user.Name] == 0 {
			delete(s.byUser, ses.who.user.Name)
		}
	}
	s.mu.Unlock()
	ses.cancel()
	ses.mu.Lock()
	ses.prepared, ses.tickets, ses.order, ses.jobs = map[string]*prepared{}, map[string]*ticket{}, nil, map[string]*job{}
	ses.mu.Unlock()
	ses.running.Wait()
	_ = ses.Session.Close()
}

// dropConn ends the sessions that hang on a connection, unless they have a name
// besides.
func (s *sessions) dropConn(conn string) {
	s.mu.Lock()
	var ended []*session
	for _, ses := range s.byConn[conn] {
		key := ses.who.user.Name + "\x00" + conn
		switch {
		case s.byKey[key] != ses: // ended already
		case ses.sticky:
			delete(s.byKey, key)
			ses.keys = slices.DeleteFunc(ses.keys, func(k string) bool { return k == key })
		default:
			ended = append(ended, ses)
		}
	}
	delete(s.byConn, conn)
	s.mu.Unlock()
	for _, ses := range ended {
		s.drop(ses)
	}
}

// sweep ends sessions and tickets that nobody asked for in a long time, and those
// whose user or token is gone.
func (s *sessions) sweep(now time.Time) {
	for _, ses := range s.all() {
		ses.mu.Lock()
		running := ses.calls > 0
		idle := !running && now.Sub(ses.lastCall) > s.opts.SessionIdle
		ses.expire(now)
		ses.mu.Unlock()
		if idle && s.named(ses) || s.opts.Access != nil && !s.opts.Access.Keep(ses.who.token, running) {
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
