package flightd

import (
	"fmt"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/plan/expr"
	"github.com/flightd/flightd/plan/logical"
	"github.com/flightd/flightd/plan/sql"
)

// DataFrameReader describes what a DataFrame is read from.
type DataFrameReader struct {
	s      *Session
	stream bool
	format string
	opts   base.Options
	schema expr.Schema
	err    error
}

// Read begins a DataFrame over a bounded input.
func (s *Session) Read() *DataFrameReader { return &DataFrameReader{s: s, opts: base.Options{}} }

// ReadStream begins a DataFrame over a stream.
func (s *Session) ReadStream() *DataFrameReader {
	return &DataFrameReader{s: s, stream: true, opts: base.Options{}}
}

// Format names the connector: parquet, json, csv, text, kafka, rate …
func (r *DataFrameReader) Format(name string) *DataFrameReader { r.format = name; return r }

// Option sets an option of the connector.
func (r *DataFrameReader) Option(key string, value any) *DataFrameReader {
	r.opts[key] = fmt.Sprint(value)
	return r
}

// Schema declares the columns in DDL: "k STRING, v INT".
func (r *DataFrameReader) Schema(ddl string) *DataFrameReader {
	r.schema, r.err = sql.ParseSchema(ddl)
	return r
}

// Load finishes the description; a path, if given, is the option of that name.
func (r *DataFrameReader) Load(path ...string) *DataFrame {
	if len(path) > 0 {
		r.opts["path"] = path[0]
	}
	plan := &logical.Source{Format: r.format, Options: r.opts, Schema: r.schema, Stream: r.stream}
	return &DataFrame{s: r.s, plan: plan, err: r.err}
}

// Table reads a table of the catalog, as a stream after ReadStream.
func (r *DataFrameReader) Table(name string) *DataFrame {
	d := r.s.Table(name)
	d.plan.(*logical.Table).Stream = r.stream
	d.plan.(*logical.Table).Options = r.opts
	return d
}

// JSON reads JSON lines of a directory.
func (r *DataFrameReader) JSON(path string) *DataFrame { return r.Format("json").Load(path) }

// CSV reads comma-separated values of a directory.
func (r *DataFrameReader) CSV(path string) *DataFrame { return r.Format("csv").Load(path) }

// Parquet reads Parquet files of a directory.
func (r *DataFrameReader) Parquet(path string) *DataFrame { return r.Format("parquet").Load(path) }

// Text reads lines of text files of a directory.
func (r *DataFrameReader) Text(path string) *DataFrame { return r.Format("text").Load(path) }
