package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/flight"
	"github.com/flightd/flightd/internal/base"
)

// drain is how long a stop waits for running calls.
const drain = 10 * time.Second

type serveCmd struct {
	Listen     string   `help:"Address and port to listen on." default:"127.0.0.1:8815"`
	Data       string   `help:"Folder of the catalog, tables and checkpoints." default:"flightd-data" type:"path"`
	Script     []string `sep:"none" help:"SQL script to run at the start; it may be given again." type:"existingfile"`
	ShowEpochs bool     `help:"Print a line for every epoch."`
	Insecure   bool     `help:"Allow other computers to connect in plain text."`
	securityFlags
}

// Run serves until a signal comes.
func (c *serveCmd) Run(s *session) error {
	options, private, err := c.options()
	if err != nil {
		return err
	}
	options.Logger = s.log
	l, err := c.listen()
	if err != nil {
		return err
	}
	defer l.Close()
	roots, err := c.roots(c.Data)
	if err != nil {
		return err
	}
	eng, err := flightd.Open(s.ctx, flightd.Options{DataDir: c.Data, Logger: s.log, Console: s.term.out, Roots: roots, Private: private})
	if err != nil {
		return err
	}
	epochs := &epochPrinter{w: s.term.out, show: c.ShowEpochs}
	eng.AddListener(epochs)
	srv := flight.New(flight.Engine(eng), options)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	scheme := "grpc://"
	if options.Certificates != nil {
		scheme = "grpc+tls://"
	}
	s.log.Info("serving", "uri", scheme+l.Addr().String(), "data", c.Data, "guarded by", c.guarded(options), "version", flightd.Version)
	if a, ok := l.Addr().(*net.TCPAddr); ok && !a.IP.IsLoopback() && options.Access == nil && c.TLSClientCA == "" {
		s.log.Warn("everybody who reaches the port may do everything: there are no users (--users) and no client certificates (--tls-client-ca)")
	}
	watching, unwatch := context.WithCancel(s.ctx)
	defer unwatch()
	go watch(watching, s, srv)

	err = c.scripts(s, eng)
	if err == nil {
		select {
		case <-s.ctx.Done():
		case err = <-served:
		}
	}
	s.log.Info("stopping")
	ctx, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	srv.Stop(ctx)
	return errors.Join(err, eng.Close())
}

// listen opens the port. In plain text other computers are kept out, unless they
// were asked in.
func (c *serveCmd) listen() (net.Listener, error) {
	addr, err := net.ResolveTCPAddr("tcp", c.Listen)
	if err != nil {
		return nil, base.Errorf(base.CodeInvalid, "listening on %q: %v", c.Listen, err).WithHint("give an address and a port, as in 127.0.0.1:8815")
	}
	if !addr.IP.IsLoopback() && !c.Insecure && c.TLSCert == "" {
		return nil, base.Errorf(base.CodeInvalid, "listening on %s: other computers could connect, and everybody between could read and change what is sent", c.Listen).
			WithHint("encrypt with --tls-cert and --tls-key, listen on 127.0.0.1, or allow plain text with --insecure")
	}
	l, err := net.ListenTCP("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, base.Errorf(base.CodeConflict, "listening on %s: the port is taken", c.Listen).
			WithHint("another flightd may be running; --listen 127.0.0.1:0 takes a free port")
	}
	if err != nil {
		return nil, base.Errorf(base.CodeInvalid, "listening on %s: %v", c.Listen, err)
	}
	return l, nil
}

// scripts runs the scripts; a statement that fails ends the start.
func (c *serveCmd) scripts(s *session, eng *flightd.Engine) error {
	for _, path := range c.Script {
		text, err := os.ReadFile(path)
		if err != nil {
			return base.Errorf(base.CodeInvalid, "reading the script: %v", err)
		}
		ses := eng.NewSession()
		err = ses.ExecuteScript(s.ctx, string(text), func(_ string, r *flightd.Result, err error) error {
			if err != nil {
				return err
			}
			return printResult(s, local{r}, ses.Settings()[zoneSetting])
		})
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}
