package access

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

// A throttle counts failed logins by user and by address, in counters that are
// shared by what hashes to the same one: its memory does not grow, whatever is
// tried, and a stranger shares a counter with one in thousands.
type throttle struct {
	seed maphash.Seed

	mu       sync.Mutex
	counters [1 << 14]counter
}

type counter struct {
	failures uint32
	until    int64 // no login before, in nanoseconds
	last     int64 // of the last failure
}

// How many failures are free, and what the next ones cost: twice as long each.
const (
	freeByUser    = 5
	freeByAddress = 20
	firstWait     = time.Second
	longestWait   = 5 * time.Minute
	// forgetAfter is how long failures are remembered after the last one.
	forgetAfter = 15 * time.Minute
)

func newThrottle() *throttle { return &throttle{seed: maphash.MakeSeed()} }

func (t *throttle) at(kind, name string) *counter {
	return &t.counters[maphash.String(t.seed, kind+"\x00"+name)%uint64(len(t.counters))]
}

// wait returns how long a login of the user from the address must wait; 0 is not
// at all. A login that may begin counts as failed until forgive, so that many at
// once are no way around.
func (t *throttle) wait(user, address string, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	u, a := t.at("user", user), t.at("address", network(address))
	if until := max(u.until, a.until); until > now.UnixNano() {
		return time.Duration(until - now.UnixNano())
	}
	u.fail(freeByUser, now)
	a.fail(freeByAddress, now)
	return 0
}

func (c *counter) fail(free uint32, now time.Time) {
	if now.UnixNano()-c.last > int64(forgetAfter) {
		c.failures = 0
	}
	c.last = now.UnixNano()
	c.failures++
	if c.failures > free {
		c.until = now.Add(min(firstWait<<min(c.failures-free-1, 20), longestWait)).UnixNano()
	}
}

// forgive takes back what wait counted, for a login that succeeded: the user's
// failures are over, the address's are one fewer.
func (t *throttle) forgive(user, address string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	*t.at("user", user) = counter{}
	a := t.at("address", network(address))
	a.failures -= min(1, a.failures)
	if a.failures <= freeByAddress {
		a.until = 0
	}
}

// network is what counts as one address: of IPv6 the /64 that a single customer
// has.
func network(address string) string {
	host := address
	if ap, err := netip.ParseAddrPort(address); err == nil {
		host = ap.Addr().String()
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return address
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is6() {
		if p, err := ip.Prefix(64); err == nil {
			return p.String()
		}
	}
	return ip.String()
}
