package flight

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"google.golang.org/grpc/metadata"
)

// Handshake gives a client that sends a user and password a token for a session
// of its own. With a token, which stays, it is accepted as well. While there are
// no users, every handshake is: with anything, or with nothing at all.
func (s *service) Handshake(stream flight.FlightService_HandshakeServer) error {
	token, err := s.login(stream.Context())
	if err != nil {
		return err
	}
	if err := stream.SendHeader(metadata.Pairs("authorization", "Bearer "+token)); err != nil {
		return err
	}
	// Clients of the first version of the protocol send their credentials as a
	// message and take the token from one; others close their side at once.
	if _, err := stream.Recv(); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return stream.Send(&flight.HandshakeResponse{Payload: []byte(token)})
}

// login returns the token for who shakes hands. Nothing that a stranger sends but
// the headers is looked at.
func (s *service) login(ctx context.Context) (string, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	if _, value, ok := authorization(md, "bearer"); ok {
		_, err := identify(ctx, s.opts, md)
		return value, err
	}
	_, value, basic := authorization(md, "basic")
	if !basic {
		if s.opts.Access == nil {
			return newID(), nil
		}
		_, err := identify(ctx, s.opts, md)
		return "", err
	}
	user, password, err := basicUser(value)
	if err != nil || s.opts.Access == nil {
		return newID(), err
	}
	token, err := s.opts.Access.Login(ctx, user, password, peerAddress(ctx))
	if err != nil {
		s.log.Warn("login refused", "user", clip(user), "from", peerAddress(ctx), "err", err)
		return "", err
	}
	s.log.Info("login", "user", user, "from", peerAddress(ctx))
	return token, nil
}

// basicUser reads the value of a Basic authorization: base64 of user:password,
// with padding from Java and C++, without from Go.
func basicUser(value string) (user, password string, err error) {
	b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(value, "="))
	if err != nil {
		return "", "", invalid("the Basic authorization is not base64")
	}
	user, password, ok := strings.Cut(string(b), ":")
	if !ok {
		return "", "", invalid("the Basic authorization is not user:password")
	}
	return user, password, nil
}
