package flight

import (
	"log/slog"
	"time"

	"github.com/flightd/flightd/flight/access"
	"github.com/flightd/flightd/flight/guard"
)

// Options say how a Server behaves. The zero value is what `flightd serve` uses.
type Options struct {
	// Logger gets what happens; nil discards it.
	Logger *slog.Logger
	// Version is what clients see as the server's version.
	Version string
	// SliceBytes is the size that messages of a result aim at: 2 MiB.
	SliceBytes int
	// MaxMessage is the size that no message of a result exceeds: 3.5 MiB, because
	// a gRPC client that was not told otherwise refuses 4 MiB. A session may raise
	// it with the option max_message_bytes.
	MaxMessage int
	// MaxReceive is the largest message that is read from a client: 64 MiB.
	MaxReceive int
	// MaxStatement is the longest statement in bytes: 1 MiB.
	MaxStatement int
	// MaxSessions is the number of sessions at a time: 10,000.
	MaxSessions int
	// MaxHandles is the number of prepared statements of a session, and of its
	// tickets, of which the oldest make room for new ones: 4,096.
	MaxHandles int
	// MaxParameters is the size of the parameters bound to a statement: 64 MiB.
	MaxParameters int64
	// SessionIdle is how long a session with a token or cookie lives without a
	// call: 24 h. One without ends with its connection.
	SessionIdle time.Duration
	// TicketLife is how long a ticket can be read: 1 h.
	TicketLife time.Duration
	// Quiet is how long a result may have nothing to send before an empty record
	// batch shows proxies that it lives: 15 s.
	Quiet time.Duration
	// Stuck is how long a subscriber may leave a message unread: 60 s.
	Stuck time.Duration
	// Access knows the users; nil lets everybody in, who may then do everything.
	Access *access.Keeper
	// Certificates make the server speak TLS; nil is plain text.
	Certificates *Certificates
	// MaxConnections is the number of connections at a time: 10,000.
	MaxConnections int
	// MaxUserSessions is the number of sessions of a user at a time: 1,000. It,
	// MaxUserStatements and MaxUserStreams hold where there are users.
	MaxUserSessions int
	// MaxStatements and MaxUserStatements are how many calls other than those that
	// move rows are answered at a time, in all and of a user: 2,000 and 500.
	MaxStatements, MaxUserStatements int
	// MaxStreams and MaxUserStreams are how many results and uploads are moved at a
	// time: 10,000 and 1,000.
	MaxStreams, MaxUserStreams int
	// MaxResult is the most bytes of one result; 0 is no limit.
	MaxResult int64
	// Guard limits inbound streams.
	Guard guard.Limits
}

func (o Options) withDefaults() Options {
	def := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	dur := func(v *time.Duration, d time.Duration) {
		if *v == 0 {
			*v = d
		}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	def(&o.SliceBytes, 2<<20)
	def(&o.MaxMessage, 7<<19)
	def(&o.MaxReceive, 64<<20)
	def(&o.MaxStatement, 1<<20)
	def(&o.MaxSessions, 10_000)
	def(&o.MaxHandles, 4096)
	def(&o.MaxConnections, 10_000)
	def(&o.MaxUserSessions, 1000)
	def(&o.MaxStatements, 2000)
	def(&o.MaxUserStatements, 500)
	def(&o.MaxStreams, 10_000)
	def(&o.MaxUserStreams, 1000)
	if o.MaxParameters == 0 {
		o.MaxParameters = 64 << 20
	}
	dur(&o.SessionIdle, 24*time.Hour)
	dur(&o.TicketLife, time.Hour)
	dur(&o.Quiet, 15*time.Second)
	dur(&o.Stuck, time.Minute)
	return o
}
