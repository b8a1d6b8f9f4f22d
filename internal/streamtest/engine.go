package streamtest

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/sinks"
)

// open opens the engine on the script's folder, if it is not open.
func (s *script) open(ctx context.Context) error {
	if s.eng != nil {
		return nil
	}
	eng, err := flightd.Open(ctx, flightd.Options{DataDir: filepath.Join(s.home, "data"), Clock: s.clock, CheckpointFS: s.disk,
		Sinks: []sinks.Provider{s.provider()}, BeforeStep: s.fuse.before})
	if err != nil {
		return err
	}
	s.eng, s.session = eng, eng.NewSession()
	for _, kv := range append(append([][2]string(nil), s.extra...), s.conf...) {
		if _, err := s.session.Set(kv[0], kv[1]); err != nil {
			return err
		}
	}
	for name := range s.streams {
		if err := s.viewStream(name); err != nil {
			return err
		}
	}
	for name := range s.tables {
		if err := s.viewTable(name); err != nil {
			return err
		}
	}
	return nil
}

// sink is what the query of the present checkpoint has put out. It outlives the
// engine, as a disk would.
func (s *script) sink() *store {
	if s.sinks[s.folder] == nil {
		s.sinks[s.folder] = &store{}
	}
	return s.sinks[s.folder]
}

// provider is the sink "script": a store for each checkpoint.
func (s *script) provider() sinks.Provider {
	return sinks.Provider{Name: "script", Options: []string{"checkpointLocation"},
		Open: func(context.Context, sinks.Config) (sinks.Sink, error) { return &sink{store: s.sink()}, nil }}
}

// viewStream names the folder of a stream in the session.
func (s *script) viewStream(name string) error {
	in := s.streams[name]
	r := s.session.ReadStream().Schema(in.ddl).Option("mode", "FAILFAST").Option("pathGlobFilter", "*.json")
	for _, kv := range in.options {
		r = r.Option(kv[0], kv[1])
	}
	return r.JSON(filepath.Join(s.home, "in", name)).CreateOrReplaceTempView(name)
}

// viewTable names the folder of a static table in the session.
func (s *script) viewTable(name string) error {
	return s.session.Read().Schema(s.tables[name]).JSON(filepath.Join(s.home, "tables", name)).CreateOrReplaceTempView(name)
}

// start starts the query.
func (s *script) start(ctx context.Context) error {
	if err := s.open(ctx); err != nil {
		return err
	}
	q, err := s.session.SQL(s.sql).WriteStream().OutputMode(s.mode).QueryName("q").Format(s.format).Trigger(s.trigger).LateRowsInto(s.late).
		Option("checkpointLocation", filepath.Join(s.home, s.folder)).Start(ctx)
	if err != nil {
		return err
	}
	s.query = q
	return nil
}

// reopen ends the engine, opens its folder again and starts the query.
func (s *script) reopen(ctx context.Context) error {
	if s.eng != nil {
		if err := s.eng.Close(); err != nil {
			return err
		}
	}
	s.eng, s.session, s.query = nil, nil, nil
	return s.start(ctx)
}

// drain lets the query work until it is idle, or ends.
func (s *script) drain(ctx context.Context) error {
	var err error
	if s.trigger.Kind == flightd.ProcessingTime {
		err = s.query.ProcessAllAvailable(ctx)
	} else {
		err = s.query.AwaitTermination(ctx)
	}
	for _, p := range s.query.RecentProgress() {
		s.marks[p.BatchID] = ""
		if w, ok := p.EventTime["watermark"]; ok {
			s.marks[p.BatchID] = fmt.Sprintf("  watermark %s -> %s", moment(w), moment(p.NextWatermark))
		}
		s.last = &p
	}
	return err
}

// settle is drain that recovers from a crash which the script did not order.
func (s *script) settle(ctx context.Context) error {
	err := s.drain(ctx)
	if s.recover && errors.Is(err, errCrash) {
		if err = s.reopen(ctx); err == nil {
			err = s.drain(ctx)
		}
	}
	return err
}
