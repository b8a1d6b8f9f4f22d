package flight

import (
	"encoding/base64"
	"errors"
	"io"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"google.golang.org/grpc/metadata"
)

// Handshake gives a client that sends a user and password a token for a session
// of its own. While there are no users, every handshake is accepted: with a
// token, which stays, or with nothing at all.
func (s *service) Handshake(stream flight.FlightService_HandshakeServer) error {
	md, _ := metadata.FromIncomingContext(stream.Context())
	token := ""
	if _, value, ok := authorization(md, "bearer"); ok {
		token = value
	} else {
		if _, value, ok := authorization(md, "basic"); ok {
			if _, _, err := basicUser(value); err != nil {
				return err
			}
		}
		token = newID()
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
