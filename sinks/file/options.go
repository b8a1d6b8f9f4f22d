package file

import (
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/roots"
	"github.com/flightd/flightd/sinks"
	"github.com/flightd/flightd/sinks/parquetfile"
	"github.com/flightd/flightd/sinks/rowtext"
)

// settings are the options of a sink, read and checked.
type settings struct {
	root        string
	disk        *roots.Set
	format      string
	compression string // "none", "snappy", "zstd", "gzip"
	retention   time.Duration
	maxRecords  int64 // rows of a file; 0 is no limit
	keepNulls   bool  // JSON
	header      bool  // CSV
	csv         rowtext.CSV
	lineSep     string
	// data are the columns inside files, partition those of the directories.
	data, partition []int
	dataSchema      *arrow.Schema
}

func optionNames(format string) []string {
	common := []string{"path", "compression", "retention", "maxRecordsPerFile"}
	switch format {
	case "json":
		return append(common, "ignoreNullFields", "lineSep")
	case "csv":
		return append(common, "header", "sep", "delimiter", "quote", "escape", "quoteAll", "nullValue", "emptyValue",
			"ignoreLeadingWhiteSpace", "ignoreTrailingWhiteSpace", "lineSep")
	case "text":
		return append(common, "lineSep")
	}
	return common
}

func readSettings(format string, cfg sinks.Config) (*settings, error) {
	o, what := cfg.Options, "sink "+format
	// A batch statement has the options of a table, which also say how to read it.
	if err := o.CheckKeys(what, optionNames(format)); err != nil && !cfg.Batch {
		return nil, err
	}
	s := &settings{format: format, disk: cfg.Disk, lineSep: o.String("lineSep", "\n"), csv: rowtext.DefaultCSV()}
	var err error
	if s.root, err = localPath(what, o.String("path", "")); err != nil {
		return nil, err
	}
	if err := s.disk.Check(s.root); err != nil {
		return nil, err
	}
	if s.retention, err = o.Duration("retention", 0); err != nil {
		return nil, err
	}
	if s.maxRecords, err = o.Int("maxRecordsPerFile", 0); err != nil {
		return nil, err
	}
	ignoreNulls, err := o.Bool("ignoreNullFields", true)
	if err != nil {
		return nil, err
	}
	s.keepNulls = !ignoreNulls
	for name, to := range map[string]*bool{"header": &s.header, "quoteAll": &s.csv.QuoteAll,
		"ignoreLeadingWhiteSpace": &s.csv.TrimLeft, "ignoreTrailingWhiteSpace": &s.csv.TrimRight} {
		if *to, err = o.Bool(name, *to); err != nil {
			return nil, err
		}
	}
	s.csv.Sep = strings.ReplaceAll(o.String("sep", o.String("delimiter", ",")), `\t`, "\t")
	s.csv.Null, s.csv.Empty = o.String("nullValue", ""), o.String("emptyValue", `""`)
	for name, to := range map[string]*byte{"quote": &s.csv.Quote, "escape": &s.csv.Escape} {
		v, ok := o.Lookup(name)
		if ok && len(v) > 1 {
			return nil, base.Errorf(base.CodeInvalid, "option %s: %q is not one character", name, v)
		}
		if ok {
			*to = 0
			if v != "" {
				*to = v[0]
			}
		}
	}
	if err := s.readCompression(o); err != nil {
		return nil, err
	}
	return s, s.readColumns(cfg, what)
}

func (s *settings) readCompression(o base.Options) error {
	known := []string{"none", "uncompressed", "gzip", "zstd"}
	s.compression = "none"
	if s.format == "parquet" {
		known, s.compression = append(known, "snappy"), "snappy"
	}
	v, ok := o.Lookup("compression")
	if !ok {
		return nil
	}
	s.compression = strings.ToLower(v)
	if !slices.Contains(known, s.compression) {
		return base.Errorf(base.CodeInvalid, "option compression: %q is none of %s", v, strings.Join(known, ", "))
	}
	if s.compression == "uncompressed" {
		s.compression = "none"
	}
	return nil
}

// readColumns parts the columns into those of directories and those of files.
func (s *settings) readColumns(cfg sinks.Config, what string) error {
	if cfg.OutputMode != base.Append && !cfg.Batch {
		return base.UserError("STREAMING_OUTPUT_MODE.UNSUPPORTED_DATASOURCE", "42KDE", "Data source %s does not support %s output mode.", s.format, cfg.OutputMode).
			WithHint("files are never changed: use the output mode append, or a table")
	}
	isPartition := map[int]bool{}
	for _, name := range cfg.PartitionBy {
		i := slices.IndexFunc(cfg.Schema.Fields(), func(f arrow.Field) bool { return strings.EqualFold(f.Name, name) })
		if i < 0 {
			return base.UserError("COLUMN_NOT_FOUND", "42703", "%s: there is no column %s to partition by", what, name)
		}
		switch cfg.Schema.Field(i).Type.ID() {
		case arrow.LIST, arrow.MAP, arrow.STRUCT, arrow.BINARY:
			return base.Errorf(base.CodeInvalid, "%s: column %s of type %s cannot name directories", what, name, cfg.Schema.Field(i).Type)
		}
		if isPartition[i] {
			return base.Errorf(base.CodeInvalid, "%s: column %s is partitioned by twice", what, name)
		}
		isPartition[i] = true
		s.partition = append(s.partition, i)
	}
	var fields []arrow.Field
	for i, f := range cfg.Schema.Fields() {
		if !isPartition[i] {
			s.data = append(s.data, i)
			fields = append(fields, f)
		}
	}
	if len(fields) == 0 {
		return base.Errorf(base.CodeInvalid, "%s: every column is partitioned by, so there is nothing to write", what)
	}
	s.dataSchema = arrow.NewSchema(fields, nil)
	switch s.format {
	case "parquet":
		if err := parquetfile.Check(s.dataSchema); err != nil {
			return base.Errorf(base.CodeInvalid, "%s cannot store the columns", what).Because(err)
		}
	case "json":
		return rowtext.Check(s.dataSchema, true)
	case "csv":
		return rowtext.Check(s.dataSchema, false)
	case "text":
		if len(fields) != 1 || fields[0].Type.ID() != arrow.STRING {
			return base.Errorf(base.CodeInvalid, "%s takes one column of type STRING beside those it is partitioned by, not %d columns", what, len(fields))
		}
	}
	return nil
}

func localPath(what, s string) (string, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return "", base.Errorf(base.CodeInvalid, "%s needs the option path", what)
	}
	if scheme, _, ok := strings.Cut(s, ":/"); ok && !strings.Contains(scheme, "/") {
		u, err := url.Parse(s)
		if err != nil || scheme != "file" || u.Host != "" {
			return "", base.Errorf(base.CodeInvalid, "path %s: only local files are written", s)
		}
		s = u.Path
	}
	if strings.ContainsRune(s, 0) {
		return "", base.Errorf(base.CodeInvalid, "path %q holds a zero byte", s)
	}
	abs, err := filepath.Abs(s)
	return abs, base.Wrap(err, "path %s", s)
}
