package file

import (
	"bytes"
	"context"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/roots"
	"github.com/flightd/flightd/sources"
	"github.com/flightd/flightd/sources/columnar"
	"github.com/flightd/flightd/sources/csvtext"
	"github.com/flightd/flightd/sources/jsonlines"
)

func jsonFormat() format {
	return format{name: "json", options: jsonlines.OptionNames(), open: func(cfg sources.Config) (opener, error) {
		opt, err := jsonlines.ReadOptions(cfg.Options, cfg.Zone)
		return jsonOpener{cfg.Disk, opt}, err
	}}
}

type jsonOpener struct {
	disk *roots.Set
	opt  jsonlines.Options
}

func (o jsonOpener) infer(ctx context.Context, files []fileInfo) (*arrow.Schema, error) {
	inf := jsonlines.NewInferrer(o.opt)
	err := eachFile(ctx, o.disk, files, func(r io.Reader, path string) (bool, error) { return true, inf.Add(r, path) })
	return inf.Schema(), err
}

func (o jsonOpener) check(schema *arrow.Schema) error {
	d, err := jsonlines.NewDecoder(bytes.NewReader(nil), "json", schema, o.opt)
	if err == nil {
		d.Close()
	}
	return err
}

func (o jsonOpener) splits(_ context.Context, p *part) ([]sources.Split, error) {
	schema, project := p.wantedSchema(), false
	if o.opt.Malformed.Mode != columnar.Permissive || indexFold(schema, o.opt.Malformed.Column) >= 0 {
		// Whether a record is malformed must not depend on the columns wanted.
		schema, project = p.data, true
	}
	return p.textSplits(o.opt.LineSep, func(r io.Reader, in columnar.Range) (func(int) (arrow.RecordBatch, error), error) {
		d, err := jsonlines.NewRangeDecoder(r, in, p.file.Path, schema, o.opt)
		if err != nil {
			return nil, err
		}
		return p.projected(d.Next, project), nil
	}), nil
}

func csvFormat() format {
	return format{name: "csv", options: csvtext.OptionNames(), open: func(cfg sources.Config) (opener, error) {
		opt, err := csvtext.ReadOptions(cfg.Options, cfg.Zone)
		return csvOpener{cfg.Disk, opt}, err
	}}
}

type csvOpener struct {
	disk *roots.Set
	opt  csvtext.Options
}

func (o csvOpener) infer(ctx context.Context, files []fileInfo) (*arrow.Schema, error) {
	inf := csvtext.NewInferrer(o.opt)
	err := eachFile(ctx, o.disk, files, inf.Add)
	return inf.Schema(), err
}

func (o csvOpener) check(schema *arrow.Schema) error {
	_, err := csvtext.NewDecoder(bytes.NewReader(nil), "csv", schema, nil, o.opt)
	return err
}

func (o csvOpener) splits(_ context.Context, p *part) ([]sources.Split, error) {
	columns, project := p.wanted, false
	if columns == nil {
		columns = []int{}
	}
	if o.opt.Malformed.Mode != columnar.Permissive || indexFold(p.wantedSchema(), o.opt.Malformed.Column) >= 0 {
		columns, project = nil, true
	}
	return p.textSplits(o.opt.LineSep, func(r io.Reader, in columnar.Range) (func(int) (arrow.RecordBatch, error), error) {
		d, err := csvtext.NewRangeDecoder(r, in, p.file.Path, p.data, columns, o.opt)
		if err != nil {
			return nil, err
		}
		return p.projected(d.Next, project), nil
	}), nil
}

// projected takes the wanted columns out of record batches that have all.
func (p *part) projected(next func(int) (arrow.RecordBatch, error), project bool) func(int) (arrow.RecordBatch, error) {
	if !project || len(p.wanted) == p.data.NumFields() {
		return next
	}
	schema := p.wantedSchema()
	return func(rows int) (arrow.RecordBatch, error) {
		rec, err := next(rows)
		if err != nil {
			return nil, err
		}
		defer rec.Release()
		var cols []arrow.Array
		for _, i := range p.wanted {
			cols = append(cols, rec.Column(i))
		}
		return array.NewRecordBatch(schema, cols, rec.NumRows()), nil
	}
}

// eachFile opens files in order until add wants no more.
func eachFile(ctx context.Context, disk *roots.Set, files []fileInfo, add func(r io.Reader, path string) (bool, error)) error {
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		r, err := openText(disk, f.path)
		if err != nil {
			return err
		}
		more, err := add(r, f.path)
		r.Close()
		if err != nil || !more {
			return err
		}
	}
	return nil
}

func textFormat() format {
	value := arrow.NewSchema([]arrow.Field{{Name: "value", Type: arrow.BinaryTypes.String, Nullable: true}}, nil)
	return format{name: "text", options: []string{"lineSep", "wholetext", "encoding"}, fixed: value, open: func(cfg sources.Config) (opener, error) {
		return textOpener{cfg.Options.String("lineSep", "")}, columnar.RefuseOptions("text", cfg.Options, []columnar.Refusal{
			{Name: "wholetext", Unless: "false"}, {Name: "encoding", Unless: "UTF-8"},
		})
	}}
}

// textOpener reads each line as one string.
type textOpener struct{ sep string }

func (textOpener) infer(context.Context, []fileInfo) (*arrow.Schema, error) { return nil, nil }

func (textOpener) check(schema *arrow.Schema) error {
	n := 0
	for _, f := range schema.Fields() {
		if f.Type.ID() == arrow.STRING {
			n++
		}
	}
	if n == 0 {
		return base.Errorf(base.CodeInvalid, "format text has one column of type STRING, not %v", schema)
	}
	return nil
}

func (o textOpener) splits(_ context.Context, p *part) ([]sources.Split, error) {
	if p.data.NumFields() != 1 || p.data.Field(0).Type.ID() != arrow.STRING {
		return nil, base.Errorf(base.CodeInvalid, "reading %s: format text has one column of type STRING beside those of the directories", p.file.Path)
	}
	schema := p.wantedSchema()
	return p.textSplits(o.sep, func(r io.Reader, in columnar.Range) (func(int) (arrow.RecordBatch, error), error) {
		lines := columnar.NewLinesIn(r, o.sep, in)
		batch, err := columnar.NewBatch(schema)
		return func(rows int) (arrow.RecordBatch, error) {
			n, size := 0, 0
			for n < rows && size < columnar.MaxBatchBytes {
				line, err := lines.Next()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					return nil, base.Wrap(err, "reading %s", p.file.Path)
				}
				if len(batch.Columns) > 0 {
					if !utf8.Valid(line) {
						line = bytes.ToValidUTF8(line, []byte("\uFFFD"))
					}
					batch.Columns[0].AppendBytes(line)
				}
				size += len(line)
				n++
			}
			if n == 0 {
				return nil, io.EOF
			}
			return batch.Record(n), nil
		}, err
	}), nil
}
