package main

import (
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/flight"
	"github.com/flightd/flightd/flight/access"
	"github.com/flightd/flightd/internal/base"
)

// watchEvery is how often the files of certificates and users are looked at.
const watchEvery = 2 * time.Second

// securityFlags say who may reach the server and what the server may reach.
type securityFlags struct {
	TLSCert     string        `name:"tls-cert" help:"PEM file of the server's certificate and what leads to its authority; read again when it changes, or on SIGHUP." type:"path"`
	TLSKey      string        `name:"tls-key" help:"PEM file of the certificate's key." type:"path"`
	TLSClientCA string        `name:"tls-client-ca" help:"PEM file of the authority that must have issued the certificate of every client." type:"path"`
	Users       string        `help:"File of users, made by flightd user; without it everybody who connects may do everything." type:"path"`
	TokenLife   time.Duration `help:"How long a login lasts after its last use." default:"12h"`
	Root        []string      `sep:"none" help:"Directory below which SQL may name files, besides the data folder and the working directory; it may be given again." type:"existingdir"`

	MaxConnections  int           `help:"Connections at a time." default:"10000"`
	MaxSessions     int           `help:"Sessions at a time." default:"10000"`
	MaxUserSessions int           `help:"Sessions of a user at a time." default:"1000"`
	MaxStatements   int           `help:"Statements at a time." default:"2000"`
	MaxUserStmts    int           `name:"max-user-statements" help:"Statements of a user at a time." default:"500"`
	MaxStreams      int           `help:"Results and uploads at a time." default:"10000"`
	MaxUserStreams  int           `help:"Results and uploads of a user at a time." default:"1000"`
	MaxStatement    int           `help:"Bytes of a statement's text." default:"1048576"`
	MaxResult       int64         `help:"Bytes of a result; 0 is no limit." default:"0"`
	SessionIdle     time.Duration `help:"How long a session with a token or cookie lives without a call." default:"24h"`
}

// options returns the server's options, and the paths that SQL must not reach.
func (c *securityFlags) options() (o flight.Options, private []string, err error) {
	for name, v := range map[string]int64{"max-connections": int64(c.MaxConnections), "max-sessions": int64(c.MaxSessions), "max-user-sessions": int64(c.MaxUserSessions),
		"max-statements": int64(c.MaxStatements), "max-user-statements": int64(c.MaxUserStmts), "max-streams": int64(c.MaxStreams), "max-user-streams": int64(c.MaxUserStreams),
		"max-statement": int64(c.MaxStatement), "max-result": c.MaxResult + 1, "session-idle": int64(c.SessionIdle)} {
		if v <= 0 {
			return o, nil, base.Errorf(base.CodeInvalid, "--%s must be positive", name)
		}
	}
	if c.TokenLife < time.Minute {
		return o, nil, base.Errorf(base.CodeInvalid, "--token-life %s: a login lasts at least a minute", c.TokenLife)
	}
	o = flight.Options{Version: flightd.Version, MaxConnections: c.MaxConnections, MaxSessions: c.MaxSessions, MaxUserSessions: c.MaxUserSessions,
		MaxStatements: c.MaxStatements, MaxUserStatements: c.MaxUserStmts, MaxStreams: c.MaxStreams, MaxUserStreams: c.MaxUserStreams,
		MaxStatement: c.MaxStatement, MaxResult: c.MaxResult, SessionIdle: c.SessionIdle}
	switch {
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return o, nil, base.Errorf(base.CodeInvalid, "--tls-cert and --tls-key go together")
	case c.TLSClientCA != "" && c.TLSCert == "":
		return o, nil, base.Errorf(base.CodeInvalid, "--tls-client-ca needs --tls-cert and --tls-key")
	case c.TLSCert != "":
		if o.Certificates, err = flight.LoadCertificates(flight.CertificateFiles{Cert: c.TLSCert, Key: c.TLSKey, ClientCA: c.TLSClientCA}); err != nil {
			return o, nil, err
		}
		private = append(private, c.TLSKey)
	}
	if c.Users != "" {
		if o.Access, err = access.Open(c.Users, flightd.Roles(), access.Options{TokenLife: c.TokenLife}); err != nil {
			return o, nil, err
		}
		private = append(private, c.Users)
	}
	return o, private, nil
}

// roots are the directories below which SQL may name files.
func (c *securityFlags) roots(data string) ([]string, error) {
	here, err := os.Getwd()
	if err != nil {
		return nil, base.Wrap(err, "finding the working directory")
	}
	if data, err = filepath.Abs(data); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(data, 0o755); err != nil {
		return nil, base.Errorf(base.CodeInvalid, "the data folder: %v", err)
	}
	// A service that is started in / does not mean all of the computer.
	out := append([]string{data}, c.Root...)
	if here != filepath.Dir(here) {
		out = append(out, here)
	}
	return out, nil
}

// guarded reports what keeps strangers out and listeners from understanding.
func (c *securityFlags) guarded(o flight.Options) string {
	var how []string
	if o.Certificates != nil {
		how = append(how, "tls")
	}
	if c.TLSClientCA != "" {
		how = append(how, "client certificates")
	}
	if o.Access != nil {
		how = append(how, "users")
	}
	if len(how) == 0 {
		return "nothing"
	}
	return strings.Join(how, ", ")
}

// watch reads certificates and users again when their files change, and on
// SIGHUP, until ctx ends.
func watch(ctx context.Context, s *session, srv *flight.Server) {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	failed := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
			failed = ""
		case <-tick.C:
			if !srv.Changed() {
				continue
			}
		}
		// A file that stays broken is told once.
		switch err := srv.Reload(); {
		case err == nil:
			failed = ""
			s.log.Info("certificates and users read again")
		case err.Error() != failed:
			failed = err.Error()
			s.log.Error("certificates or users not read again; those from before hold", "err", err)
		}
	}
}
