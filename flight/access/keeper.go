package access

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/flightd/flightd/internal/base"
)

// An Identity is who a call comes from.
type Identity struct {
	Name string
	// Role is the name of its role.
	Role string
	// Service is set for a token of the file, which connections share.
	Service bool
}

// Options say how a Keeper behaves.
type Options struct {
	// TokenLife is how long a token lives after its last use: 12 h.
	TokenLife time.Duration
	// MaxTokens is the number of tokens of a user at a time, of which those unused
	// for longest make room: 1,000.
	MaxTokens int
	// Now is the time; nil is the computer's.
	Now func() time.Time
}

// maxHashing is how many passwords are hashed at a time; each takes 19 MiB.
// maxWaiting is how many logins wait for that.
const (
	maxHashing = 4
	maxWaiting = 64
)

// A Keeper decides who may enter. Its methods may be called from any goroutine.
type Keeper struct {
	path     string
	roles    []string
	opts     Options
	throttle *throttle
	hashing  chan struct{}
	waiting  chan struct{}
	nobody   *verifier // what the password of a user that there is not is held against

	mu       sync.Mutex
	stamp    os.FileInfo
	users    map[string]*Account
	services map[digest]*Account
	tokens   map[digest]*token
	perUser  map[string]int
	basics   map[digest]*basicLogin // by user and password
}

// token is what a login gave.
type token struct {
	account *Account
	used    time.Time
}

// Open reads a file of users. A file of nobody is an error: nobody could enter.
func Open(path string, roles []string, o Options) (*Keeper, error) {
	if o.TokenLife == 0 {
		o.TokenLife = 12 * time.Hour
	}
	if o.MaxTokens == 0 {
		o.MaxTokens = 1000
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	nobody, err := parseHash(hashPassword(newToken("")))
	if err != nil {
		return nil, err
	}
	k := &Keeper{path: path, roles: roles, opts: o, throttle: newThrottle(), nobody: nobody, hashing: make(chan struct{}, maxHashing),
		waiting: make(chan struct{}, maxHashing+maxWaiting), tokens: map[digest]*token{}, perUser: map[string]int{}, basics: map[digest]*basicLogin{}}
	if err := k.Reload(); err != nil {
		return nil, err
	}
	return k, nil
}

// Reload reads the file again. If it cannot be read, who could enter still can.
// Tokens of users who changed are gone.
func (k *Keeper) Reload() error {
	st, _ := os.Stat(k.path)
	f, err := Read(k.path, k.roles, false)
	if err != nil {
		return err
	}
	if len(f.accounts) == 0 {
		return base.Errorf(base.CodeInvalid, "the file of users %s has no users", k.path).WithHint("flightd user add NAME --users %s adds one", k.path)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.stamp, k.users, k.services = st, map[string]*Account{}, map[digest]*Account{}
	for _, a := range f.accounts {
		if a.Service {
			k.services[a.token] = a
		} else {
			k.users[a.Name] = a
		}
	}
	for d, t := range k.tokens {
		now := k.users[t.account.Name]
		if now == nil || now.secret != t.account.secret || now.Role != t.account.Role {
			k.forget(d)
		}
	}
	return nil
}

// Changed reports whether the file is another than the one that was read.
func (k *Keeper) Changed() bool {
	st, err := os.Stat(k.path)
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil || k.stamp == nil {
		return err == nil
	}
	return !os.SameFile(st, k.stamp) || !st.ModTime().Equal(k.stamp.ModTime()) || st.Size() != k.stamp.Size() || st.Mode() != k.stamp.Mode()
}

// errLogin is the one answer to what is wrong with a name or password.
func errLogin() error {
	e := base.UserError("AUTHENTICATION_FAILED", "28P01", "The user or the password is wrong.")
	e.Code = base.CodeUnauthenticated
	return e
}

// Login returns a new token of the user, who calls from address.
func (k *Keeper) Login(ctx context.Context, name, password, address string) (string, error) {
	if d := k.throttle.wait(name, address, k.opts.Now()); d > 0 {
		e := base.UserError("TOO_MANY_FAILED_LOGINS", "28000", "There were too many failed logins; try again in %s.", d.Round(time.Second)+time.Second)
		e.Code = base.CodeExhausted
		return "", e
	}
	select {
	case k.waiting <- struct{}{}:
		defer func() { <-k.waiting }()
	default:
		return "", base.Errorf(base.CodeExhausted, "too many logins at a time").WithHint("try again in a second")
	}
	select {
	case k.hashing <- struct{}{}:
		defer func() { <-k.hashing }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	k.mu.Lock()
	a := k.users[name]
	k.mu.Unlock()
	held := k.nobody
	if a != nil {
		held = a.password
	}
	if !held.matches(password[:min(len(password), MaxPassword+1)]) || a == nil {
		return "", errLogin()
	}
	k.throttle.forgive(name, address)
	return k.issue(a)
}

// issue makes a token of the account, unless the account has changed meanwhile.
func (k *Keeper) issue(a *Account) (string, error) {
	text, now := newToken("fdt_"), k.opts.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	if cur := k.users[a.Name]; cur == nil || cur.secret != a.secret {
		return "", errLogin()
	}
	if k.perUser[a.Name] >= k.opts.MaxTokens {
		k.makeRoom(a.Name)
	}
	k.tokens[digestOf(text)] = &token{account: k.users[a.Name], used: now}
	k.perUser[a.Name]++
	return text, nil
}

// makeRoom forgets the user's token that was not used for longest.
func (k *Keeper) makeRoom(name string) {
	var oldest digest
	var used time.Time
	for d, t := range k.tokens {
		if t.account.Name == name && (used.IsZero() || t.used.Before(used)) {
			oldest, used = d, t.used
		}
	}
	k.forget(oldest)
}

func (k *Keeper) forget(d digest) {
	t := k.tokens[d]
	if t == nil {
		return
	}
	delete(k.tokens, d)
	if k.perUser[t.account.Name]--; k.perUser[t.account.Name] <= 0 {
		delete(k.perUser, t.account.Name)
	}
}

// Check returns whose token it is. The token's life begins anew.
func (k *Keeper) Check(text string) (Identity, error) {
	d, now := digestOf(text), k.opts.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	if a := k.services[d]; a != nil {
		return Identity{Name: a.Name, Role: a.Role, Service: true}, nil
	}
	t := k.tokens[d]
	if t != nil && now.Sub(t.used) > k.opts.TokenLife {
		k.forget(d)
		t = nil
	}
	if t == nil {
		e := base.UserError("INVALID_TOKEN", "28000", "The token is not valid, or not any more.").WithHint("log in again: Handshake with user and password gives a token")
		e.Code = base.CodeUnauthenticated
		return Identity{}, e
	}
	t.used = now
	return Identity{Name: t.account.Name, Role: t.account.Role}, nil
}

// Keep reports whether a token is still valid. Its life begins anew if it is in
// use.
func (k *Keeper) Keep(text string, used bool) bool {
	d, now := digestOf(text), k.opts.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	t := k.tokens[d]
	if t == nil {
		return k.services[d] != nil
	}
	if used {
		t.used = now
	}
	return now.Sub(t.used) <= k.opts.TokenLife
}

// Revoke ends a token that a login gave.
func (k *Keeper) Revoke(text string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.forget(digestOf(text))
}

// Sweep forgets tokens that nobody used for their life.
func (k *Keeper) Sweep() {
	now := k.opts.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	for d, t := range k.tokens {
		if now.Sub(t.used) > k.opts.TokenLife {
			k.forget(d)
		}
	}
	for d, l := range k.basics {
		select {
		case <-l.done:
			if k.tokens[digestOf(l.token)] == nil {
				delete(k.basics, d)
			}
		default: // under way
		}
	}
}

// String says whose users they are, and nothing about them.
func (k *Keeper) String() string { return fmt.Sprintf("users of %s", k.path) }
