package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"

	"github.com/flightd/flightd"
)

type sqlCmd struct {
	Connect string   `help:"Server to talk to, as grpc://host:port; without it the engine runs here." placeholder:"URI"`
	User    string   `help:"User of the server; the password is FLIGHTD_PASSWORD, or is asked for."`
	TLSCA   string   `name:"tls-ca" help:"PEM file of the authority of the server's certificate; without it those that this computer trusts." type:"existingfile"`
	TLSCert string   `name:"tls-cert" help:"PEM file of a certificate to show to the server." type:"existingfile"`
	TLSKey  string   `name:"tls-key" help:"PEM file of its key." type:"existingfile"`
	Data    string   `help:"Folder of the catalog, tables and checkpoints of the engine here; without it they are gone afterwards." type:"path"`
	Command []string `short:"c" sep:"none" help:"Statements to run instead of reading them; it may be given again." placeholder:"SQL"`
}

// An executor runs statements, here or on a server.
type executor interface {
	execute(ctx context.Context, text string) (rows, error)
	// zone is the session's time zone, or "".
	zone(ctx context.Context) string
	close() error
}

// Run reads statements and prints their answers. Read from a file or pipe, the
// first error ends it.
func (c *sqlCmd) Run(s *session) (err error) {
	x, err := c.open(s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, x.close()) }()
	if len(c.Command) > 0 {
		s.term.interactive = false
		for _, text := range c.Command {
			var sp splitter
			statements := sp.add(text)
			if last := sp.rest(); last != "" {
				statements = append(statements, last)
			}
			for _, stmt := range statements {
				if err := c.one(s, x, stmt); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return c.read(s, x)
}

func (c *sqlCmd) open(s *session) (executor, error) {
	if c.Connect != "" {
		return c.dialServer(s)
	}
	eng, err := flightd.Open(s.ctx, flightd.Options{DataDir: c.Data, Logger: s.log, Console: s.term.out})
	if err != nil {
		return nil, err
	}
	return embedded{eng, eng.NewSession()}, nil
}

// embedded is an engine in this process.
type embedded struct {
	eng *flightd.Engine
	ses *flightd.Session
}

func (e embedded) execute(ctx context.Context, text string) (rows, error) {
	r, err := e.ses.Execute(ctx, text)
	if err != nil {
		return nil, err
	}
	return local{r}, nil
}

func (e embedded) zone(context.Context) string { return e.ses.Settings()[zoneSetting] }

func (e embedded) close() error { return errors.Join(e.ses.Close(), e.eng.Close()) }

// one runs a statement and prints its answer.
func (c *sqlCmd) one(s *session, x executor, text string) error {
	r, err := x.execute(s.ctx, text)
	if err != nil {
		return err
	}
	zone := ""
	if showsTime(r.Schema()) {
		zone = x.zone(s.ctx)
	}
	return printResult(s, r, zone)
}

// read runs the statements that the terminal or a pipe delivers.
func (c *sqlCmd) read(s *session, x executor) error {
	in := bufio.NewReader(s.term.in)
	var sp splitter
	var ints interrupts
	if s.term.interactive {
		defer ints.listen(func() { _ = x.close() })()
	}
	for {
		c.prompt(s, sp.waiting())
		line, err := in.ReadString('\n')
		if err != nil && err != io.EOF {
			return err
		}
		statements := sp.add(line)
		if err == io.EOF {
			if last := sp.rest(); last != "" {
				statements = append(statements, last)
			}
		}
		for _, text := range statements {
			ctx, done := ints.running(s.ctx)
			failed := c.one(&session{ctx: ctx, term: s.term, log: s.log}, x, text)
			done()
			if failed != nil {
				if !s.term.interactive {
					return failed
				}
				fmt.Fprintln(s.term.err, display(failed))
			}
		}
		if err == io.EOF || s.ctx.Err() != nil {
			return nil
		}
	}
}

func (c *sqlCmd) prompt(s *session, waiting bool) {
	if !s.term.interactive {
		return
	}
	if waiting {
		fmt.Fprint(s.term.out, "     ...> ")
	} else {
		fmt.Fprint(s.term.out, "flightd=> ")
	}
}

// interrupts sends an interrupt to the statement that runs; without one it ends
// the shell.
type interrupts struct {
	mu     sync.Mutex
	cancel context.CancelFunc
}

func (i *interrupts) listen(end func()) (stop func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	go func() {
		for range signals {
			i.mu.Lock()
			cancel := i.cancel
			i.mu.Unlock()
			if cancel == nil {
				end()
				os.Exit(130)
			}
			cancel()
		}
	}()
	return func() {
		signal.Stop(signals)
		close(signals)
	}
}

// running makes ctx end with an interrupt until the returned function is called.
func (i *interrupts) running(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	i.mu.Lock()
	i.cancel = cancel
	i.mu.Unlock()
	return ctx, func() {
		i.mu.Lock()
		i.cancel = nil
		i.mu.Unlock()
		cancel()
	}
}
