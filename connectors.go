package flightd

import (
	"cmp"
	"context"
	"os"
	"slices"
	"strings"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/physical"
	"github.com/flightd/flightd/sinks"
	consolesink "github.com/flightd/flightd/sinks/console"
	sinkfile "github.com/flightd/flightd/sinks/file"
	kafkasink "github.com/flightd/flightd/sinks/kafka"
	sinkmemory "github.com/flightd/flightd/sinks/memory"
	"github.com/flightd/flightd/sinks/noop"
	"github.com/flightd/flightd/sources"
	"github.com/flightd/flightd/sources/file"
	"github.com/flightd/flightd/sources/kafka"
	"github.com/flightd/flightd/sources/rate"
	"github.com/flightd/flightd/sources/ratemicrobatch"
	"github.com/flightd/flightd/sources/socket"
)

// builtinSources are the connectors that rows can come from.
func builtinSources() []sources.Provider {
	return slices.Concat(file.Providers(), rate.Providers(), ratemicrobatch.Providers(), socket.Providers(), []sources.Provider{kafka.Provider()})
}

// builtinSinks are the connectors that rows can go to.
func builtinSinks(e *Engine) []sinks.Provider {
	console := e.opts.Console
	if console == nil {
		console = os.Stdout
	}
	return slices.Concat(sinkfile.Providers(), noop.Providers(), consolesink.Providers(console),
		[]sinks.Provider{sinkmemory.Provider(e.publishResult), kafkasink.Provider(), e.feedProvider()})
}

// sinkProvider finds the query's sink.
func (r *run) sinkProvider() (sinks.Provider, error) {
	if f := r.q.spec.foreachBatch; f != nil {
		return sinks.Provider{Name: "foreachBatch", Volatile: true,
			Open: func(context.Context, sinks.Config) (sinks.Sink, error) { return &functionSink{f: f}, nil }}, nil
	}
	if r.q.spec.scratch {
		return r.scratchFeed(), nil
	}
	if r.q.spec.table != "" {
		return sinks.Provider{Name: managedFormat}, nil
	}
	if err := refused(r.q.spec.format); err != nil {
		return sinks.Provider{}, err
	}
	return r.eng.sinks.Lookup(r.q.spec.format)
}

// refused names connectors that Spark has and flightd has not, with what to use
// instead.
func refused(format string) error {
	advice := map[string]string{
		"orc":     "use parquet, which holds the same types",
		"kinesis": "read the stream into Kafka, or write it as files and read those",
		"avro":    "use parquet or json",
		"xml":     "use json",
		"delta":   "use parquet, or a table under the data folder (CREATE TABLE without USING)",
	}[strings.ToLower(format)]
	if advice == "" {
		return nil
	}
	return base.UserError("UNSUPPORTED_FEATURE", "0A000", "flightd has no connector %s.", format).WithHint("%s", advice)
}

// openSink opens the query's sink. A table under the data folder, and the result
// of a query into memory, are known to the catalog as well.
func (r *run) openSink(ctx context.Context, p sinks.Provider) error {
	spec := &r.q.spec
	r.sinkMode = sinks.Mode{Kind: spec.mode, Keys: r.keyColumns()}
	if spec.table != "" {
		return r.openTableSink(ctx)
	}
	options := base.Options{}
	for k, v := range spec.options {
		if !strings.EqualFold(k, "checkpointLocation") {
			options[k] = v
		}
	}
	if err := options.CheckKeys("sink "+p.Name, p.Options); err != nil && p.Name != "foreachBatch" {
		return err
	}
	sink, err := p.Open(ctx, sinks.Config{Query: cmp.Or(spec.name, r.q.id), QueryID: r.q.id, Options: options, Schema: r.arrowSchema,
		OutputMode: spec.mode, PartitionBy: spec.partitionBy, Clock: r.eng.clock, Disk: r.eng.disk})
	if err != nil {
		return base.Wrap(err, "opening the sink %s", p.Name)
	}
	r.sink = sink
	return nil
}

// keyColumns are the columns of the result that identify a row in update mode:
// those of the topmost aggregation's keys, if all of them reach the result
// unchanged (of a time window its start or end will do). Without grouping keys
// the one row has no key columns; nil means that rows cannot be told apart.
func (r *run) keyColumns() []int {
	n := r.plan.Root
	from := make([]int, len(n.Schema())) // the column of n that a result column comes from, or -1
	for i := range from {
		from[i] = i
	}
	for {
		switch x := n.(type) {
		case *physical.Project:
			for i, at := range from {
				if at >= 0 {
					from[i] = keyRef(x.Exprs[at])
				}
			}
			n = x.Input
		case *physical.Filter:
			n = x.Input
		case *physical.Sort:
			n = x.Input
		case *physical.Aggregate:
			keys, found := []int{}, map[int]bool{}
			for i, at := range from {
				if at >= 0 && at < len(x.Keys) {
					keys, found[at] = append(keys, i), true
				}
			}
			if len(found) < len(x.Keys) {
				return nil
			}
			return keys
		default:
			return nil
		}
	}
}

// keyRef is the input column that e passes on, or an end of the time window that
// it is; else -1.
func keyRef(e expr.Expr) int {
	if c, ok := e.(*expr.Call); ok && c.Fn == "getfield" && len(c.Args[0].Type().Fields) == 2 && c.Args[0].Type().Equal(expr.TimeWindow(c.Typ)) {
		e = c.Args[0]
	}
	if ref, ok := e.(*expr.Ref); ok {
		return ref.Index
	}
	return -1
}

func (r *run) openTableSink(ctx context.Context) error {
	t := r.eng.table(r.q.spec.table)
	if t == nil {
		def := tableDef{Name: r.q.spec.table, Schema: slices.Clone(r.schema)}
		if err := r.eng.createManaged(&def, false); err != nil {
			return err
		}
		t = r.eng.table(def.Name)
	}
	if t.def.Format != managedFormat && t.def.Format != flightFormat {
		return base.Errorf(base.CodeInvalid, "the table %s is not under the data folder", t.def.Name).
			WithHint("INTO %s OPTIONS (…) writes with the connector itself", t.def.Format)
	}
	if !sameColumns(t.def.Schema, r.schema) {
		return base.Errorf(base.CodeInvalid, "the table %s has the columns (%s), the query gives (%s)", t.def.Name, ddl(t.def.Schema), ddl(r.schema))
	}
	var err error
	if t.def.Format == flightFormat {
		r.sink, err = r.eng.openStreamSink(t, sinks.Config{QueryID: r.q.id, Schema: r.arrowSchema, OutputMode: r.q.spec.mode})
		return err
	}
	r.sink, err = r.eng.openManagedSink(t, r.q.id, r.arrowSchema, r.q.spec.mode)
	return err
}
