package main

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/internal/base"
)

type runCmd struct {
	File string `arg:"" help:"The script; - reads standard input."`
	Data string `help:"Folder of the catalog, tables and checkpoints; without it they are gone afterwards." type:"path"`
}

// Run runs the script. A query with an end (AVAILABLE NOW, ONCE) ends before the
// next statement runs; one without is left running until a signal comes.
func (c *runCmd) Run(s *session) error {
	text, err := c.read(s.term.in)
	if err != nil {
		return base.Errorf(base.CodeInvalid, "reading the script: %v", err)
	}
	eng, err := flightd.Open(s.ctx, flightd.Options{DataDir: c.Data, Logger: s.log, Console: s.term.out})
	if err != nil {
		return err
	}
	epochs := &epochPrinter{w: s.term.err, show: true}
	eng.AddListener(epochs)
	ses := eng.NewSession()
	err = ses.ExecuteScript(s.ctx, string(text), func(_ string, r *flightd.Result, err error) error {
		if err != nil {
			return err
		}
		if err := printResult(s, local{r}, ses.Settings()[zoneSetting]); err != nil {
			return err
		}
		return settle(s.ctx, eng, false)
	})
	if err == nil {
		err = settle(s.ctx, eng, true)
	}
	if err != nil && s.ctx.Err() != nil {
		err = nil // a signal is how an endless script ends
	}
	closed := eng.Close()
	failed := epochs.failures()
	if errors.Is(err, errFailed) && len(failed) > 0 {
		err = nil // the failures themselves say it
	}
	if len(failed) == 1 && err == nil && closed == nil {
		return failed[0]
	}
	return errors.Join(append([]error{err, closed}, failed...)...)
}

// errFailed is what settle says of a failed query.
var errFailed = errors.New("a query failed")

func (c *runCmd) read(in io.Reader) ([]byte, error) {
	if c.File == "-" {
		return io.ReadAll(in)
	}
	return os.ReadFile(c.File)
}

// settle waits for the end of the running queries that have one, or of all. A
// failed query is its listener's to report.
func settle(ctx context.Context, eng *flightd.Engine, all bool) error {
	for _, q := range eng.AllQueries() {
		if q.IsActive() && !all && q.Trigger().Kind == flightd.ProcessingTime {
			continue
		}
		if err := q.AwaitTermination(ctx); err != nil && ctx.Err() != nil {
			return ctx.Err()
		}
		if q.Exception() != nil {
			return errFailed
		}
	}
	return nil
}
