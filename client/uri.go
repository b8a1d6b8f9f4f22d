package client

import (
	"fmt"
	"net"
	"net/url"
	"strings"
)

// defaultPort is where flightd serve listens.
const defaultPort = "8815"

// parseURI returns the address of a server and whether it is encrypted: grpc://,
// grpc+tcp:// and flightd:// are plain text, grpc+tls:// and flightd+tls:// are
// not; flightsql:// is encrypted unless ?transport=tcp follows.
func parseURI(uri string) (addr string, encrypted bool, err error) {
	if !strings.Contains(uri, "://") {
		uri = "flightd://" + uri
	}
	u, err := url.Parse(uri)
	if err != nil || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" {
		return "", false, fmt.Errorf("flightd: %q is not the URI of a server; write grpc://host:port", uri)
	}
	if u.User != nil {
		return "", false, fmt.Errorf("flightd: a user and password belong into the options: URIs end up in logs")
	}
	switch u.Scheme {
	case "grpc", "grpc+tcp", "flightd":
	case "grpc+tls", "flightd+tls":
		encrypted = true
	case "flightsql":
		encrypted = u.Query().Get("transport") != "tcp"
	default:
		return "", false, fmt.Errorf("flightd: %q: there is no transport %s; write grpc://host:port", uri, u.Scheme)
	}
	port := u.Port()
	if port == "" {
		port = defaultPort
	}
	return net.JoinHostPort(u.Hostname(), port), encrypted, nil
}
