// Command flightd is the engine as one binary: a Flight SQL server, a runner of
// SQL scripts and a shell.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/internal/headroom"
)

// cli is the command line. Every flag is also an environment variable: FLIGHTD_
// and its name in capitals.
type cli struct {
	LogFormat string `help:"How log lines look." enum:"text,json" default:"text"`
	LogLevel  string `help:"The least important line that is logged." enum:"debug,info,warn,error" default:"info"`

	Serve   serveCmd   `cmd:"" help:"Serve tables and streaming queries over Arrow Flight SQL."`
	Run     runCmd     `cmd:"" help:"Run a SQL script and, to their trigger's end, the streaming queries that it starts."`
	SQL     sqlCmd     `cmd:"" name:"sql" help:"A shell: statements end with a semicolon."`
	User    userCmd    `cmd:"" help:"Users of a server: add, remove, list."`
	Version versionCmd `cmd:"" help:"Print the version."`
}

// A terminal is where a command reads and writes.
type terminal struct {
	in       io.Reader
	out, err io.Writer
	// interactive: a person is typing.
	interactive bool
}

func main() {
	os.Exit(run(context.Background(), os.Args[1:], terminal{in: os.Stdin, out: os.Stdout, err: os.Stderr, interactive: isTerminal(os.Stdin) && isTerminal(os.Stdout)}))
}

// errSilent is an error whose text has been printed already.
var errSilent = errors.New("exit")

// run runs a command line and returns the exit code.
func run(ctx context.Context, args []string, term terminal) int {
	var c cli
	exit := -1
	k, err := kong.New(&c, kong.Name("flightd"), kong.Description("A streaming engine with Spark's semantics, served over Arrow Flight SQL."),
		kong.DefaultEnvars("FLIGHTD"), kong.Writers(term.out, term.err), kong.Exit(func(code int) { exit = code }), kong.UsageOnError(), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		fmt.Fprintln(term.err, "flightd:", err)
		return 2
	}
	parsed, err := k.Parse(args)
	if exit >= 0 {
		return exit
	}
	if err != nil {
		fmt.Fprintln(term.err, "flightd:", err)
		return 2
	}
	which := []os.Signal{syscall.SIGTERM, os.Interrupt}
	if parsed.Command() == "sql" && term.interactive {
		which = which[:1] // the shell has its own use for an interrupt
	}
	ctx, stop := untilSignal(ctx, term.err, which...)
	defer stop()
	headroom.Set(headroom.Default)
	err = parsed.Run(&session{ctx: ctx, term: term, log: logger(term.err, c.LogFormat, c.LogLevel)})
	if err == nil {
		return 0
	}
	if !errors.Is(err, errSilent) {
		fmt.Fprintln(term.err, "flightd:", display(err))
	}
	return 1
}

// A session is what a command runs with.
type session struct {
	ctx  context.Context // ends with the first signal
	term terminal
	log  *slog.Logger
}

func logger(w io.Writer, format, level string) *slog.Logger {
	var l slog.Level
	_ = l.UnmarshalText([]byte(level)) // an enum
	o := &slog.HandlerOptions{Level: l}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

func isTerminal(f *os.File) bool {
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0
}

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(s *session) error {
	_, err := fmt.Fprintln(s.term.out, "flightd", flightd.Version)
	return err
}
