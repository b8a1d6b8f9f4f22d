package access

import (
	"context"

	"github.com/flightd/flightd/internal/base"
)

// A basicLogin is a login with a user and password that calls carry, under way or
// done.
type basicLogin struct {
	done  chan struct{} // closes when the rest is set
	token string
	err   error
}

// Basic returns a token for a user and password that every call of a client carries,
// as some drivers have it: the password is hashed for the first call, and again once
// the token of that is over. Calls that come meanwhile wait for the same answer: they
// are one login, also where failed ones are counted.
func (k *Keeper) Basic(ctx context.Context, name, password, address string) (string, error) {
	d := digestOf(name + "\x00" + password)
	for {
		k.mu.Lock()
		l := k.basics[d]
		mine := l == nil
		if mine {
			l = &basicLogin{done: make(chan struct{})}
			k.basics[d] = l
		}
		k.mu.Unlock()
		if mine {
			// Others wait for it too, so it does not end with the first one's call.
			l.token, l.err = k.Login(context.WithoutCancel(ctx), name, password, address)
			if l.err != nil {
				k.forgetBasic(d, l)
			}
			close(l.done)
			return l.token, l.err
		}
		select {
		case <-l.done:
		case <-ctx.Done():
			return "", base.AsError(ctx.Err())
		}
		if l.err != nil || k.Keep(l.token, true) {
			return l.token, l.err
		}
		k.forgetBasic(d, l) // its token is over: log in once more
	}
}

// forgetBasic forgets a login that is of no use any more.
func (k *Keeper) forgetBasic(d digest, l *basicLogin) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.basics[d] == l {
		delete(k.basics, d)
	}
}
