package flight

import (
	"strings"
	"sync"

	"github.com/flightd/flightd/internal/base"
)

// A turnstile counts what goes on at a time, in all and by user.
type turnstile struct {
	what      string // for the message
	all, each int    // 0 is no limit
	mu        sync.Mutex
	total     int
	byUser    map[string]int
}

func newTurnstile(what string, all, each int) *turnstile {
	return &turnstile{what: what, all: all, each: each, byUser: map[string]int{}}
}

// enter counts one more of the user, who calls leave when it is over.
func (t *turnstile) enter(user string) (leave func(), err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.all > 0 && t.total >= t.all {
		return nil, limited("the server has %d %s at a time already", t.total, t.what)
	}
	if user != "" && t.each > 0 && t.byUser[user] >= t.each {
		return nil, limited("the user %s has %d %s at a time already", user, t.byUser[user], t.what)
	}
	t.total++
	if user != "" {
		t.byUser[user]++
	}
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.total--
		if user == "" {
			return
		}
		if t.byUser[user]--; t.byUser[user] == 0 {
			delete(t.byUser, user)
		}
	}, nil
}

// limited is the error of a limit that was reached. The class stands in the text
// because drivers lose gRPC's code.
func limited(format string, args ...any) *base.Error {
	e := base.UserError("LIMIT_EXCEEDED", "53000", format, args...)
	e.Code = base.CodeExhausted
	return e.WithHint("wait until some have ended, or close those that are no longer used")
}

// isStream reports whether a method of Flight moves rows.
func isStream(method string) bool {
	name := method[strings.LastIndexByte(method, '/')+1:]
	return name == "DoGet" || name == "DoPut" || name == "DoExchange"
}
