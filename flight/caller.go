package flight

import (
	"context"
	"strings"

	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/internal/base"
)

// handshakeMethod is the one call of Flight that needs no token: it gives one.
const handshakeMethod = "/arrow.flight.protocol.FlightService/Handshake"

// healthPrefix begins the methods that tell a supervisor whether the server
// answers, and nothing else.
const healthPrefix = "/grpc.health.v1.Health/"

// A caller is who a call comes from.
type caller struct {
	user flightd.User
	// token is what the call carried as Bearer; it may be empty while there are no
	// users.
	token string
	// service is set if connections share the token: that of a service, or the one
	// behind a user and password that every call carries.
	service bool
}

type callerKey struct{}

// admit refuses a call whose token is not valid before anything that the client
// sends is read: a stranger's message takes no memory. What it lets pass carries
// its caller; a call without one goes no further than guarded.
func (s *Server) admit(ctx context.Context, method string, header metadata.MD) (context.Context, error) {
	if strings.HasPrefix(method, healthPrefix) || method == handshakeMethod {
		return ctx, nil
	}
	c, err := identify(ctx, s.opts, header)
	if err != nil {
		st, _ := toStatus(err)
		return nil, st.Err()
	}
	return context.WithValue(ctx, callerKey{}, c), nil
}

// identify returns who a call with the headers comes from. Clients that know no
// Handshake, such as the driver of Go's database/sql, send a user and password with
// every call.
func identify(ctx context.Context, o Options, md metadata.MD) (caller, error) {
	_, token, bearer := authorization(md, "bearer")
	if o.Access == nil {
		return caller{token: token}, nil
	}
	_, value, basic := authorization(md, "basic")
	basic = basic && !bearer
	if basic {
		user, password, err := basicUser(value)
		if err != nil {
			return caller{}, err
		}
		if token, err = o.Access.Basic(ctx, user, password, peerAddress(ctx)); err != nil {
			o.Logger.Warn("login refused", "user", clip(user), "from", peerAddress(ctx), "err", err)
			return caller{}, err
		}
	}
	if !bearer && !basic {
		e := base.UserError("AUTHENTICATION_REQUIRED", "28000", "The call has no token.").
			WithHint("log in with a user and password, or send authorization: Bearer and the token of a service")
		e.Code = base.CodeUnauthenticated
		return caller{}, e
	}
	id, err := o.Access.Check(token)
	if err != nil {
		return caller{}, err
	}
	role, err := flightd.ParseRole(id.Role)
	return caller{user: flightd.User{Name: id.Name, Role: role}, token: token, service: id.Service || basic}, err
}

// peerAddress is where a call comes from, for messages and limits.
func peerAddress(ctx context.Context) string {
	if p, ok := peer.FromContext(ctx); ok {
		return p.Addr.String()
	}
	return "unknown"
}
