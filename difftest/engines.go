package difftest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/big"
	"path/filepath"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/duckdb/duckdb-go/v2"

	"github.com/flightd/flightd"
)

// An answer is the rows of a query, or the error. Values are nil, bool, string,
// float64, *big.Rat for exact numbers and moment for dates and timestamps.
type answer struct {
	rows [][]any
	err  error
	// broken says that DuckDB has met a fault of its own, after which it answers
	// nothing until it is opened anew.
	broken bool
}

// A moment is a date in days or a timestamp in microseconds, from 1970 on.
type moment struct {
	date bool
	at   int64
}

// engines are the two, over the same files.
type engines struct {
	flightd *flightd.Engine
	session *flightd.Session
	duck    *sql.DB
	// setup opens DuckDB's tables.
	setup []string
}

// open opens both over the tables in dir, a folder of Parquet files each, of which
// DuckDB sees columns.
func open(ctx context.Context, dir, columns string, tables []string) (*engines, error) {
	eng, err := flightd.Open(ctx, flightd.Options{})
	if err != nil {
		return nil, err
	}
	e := &engines{flightd: eng, session: eng.NewSession(), setup: []string{"SET threads = 2", "SET TimeZone = 'UTC'"}}
	for _, t := range tables {
		files := filepath.Join(dir, t)
		if _, err := e.session.Execute(ctx, fmt.Sprintf("CREATE TABLE %s USING parquet OPTIONS (path '%s')", t, files)); err != nil {
			e.close()
			return nil, err
		}
		e.setup = append(e.setup, fmt.Sprintf("CREATE VIEW %s AS SELECT %s FROM '%s/*.parquet'", t, columns, files))
	}
	if err := e.openDuck(ctx); err != nil {
		e.close()
		return nil, err
	}
	return e, nil
}

func (e *engines) openDuck(ctx context.Context) (err error) {
	if e.duck != nil {
		e.duck.Close()
	}
	if e.duck, err = sql.Open("duckdb", ""); err != nil {
		return err
	}
	e.duck.SetMaxOpenConns(1)
	for _, s := range e.setup {
		if _, err := e.duck.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func (e *engines) close() {
	if e.duck != nil {
		e.duck.Close()
	}
	e.session.Close()
	e.flightd.Close()
}

// ours answers a query with flightd.
func (e *engines) ours(ctx context.Context, text string) answer {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	res, err := e.session.Execute(ctx, text)
	if err != nil {
		return answer{err: err}
	}
	recs, err := res.Collect(ctx)
	if err != nil {
		return answer{err: err}
	}
	out := answer{rows: [][]any{}}
	for _, rec := range recs {
		for i := range int(rec.NumRows()) {
			row := make([]any, rec.NumCols())
			for c, col := range rec.Columns() {
				if row[c], err = valueOf(col, i); err != nil {
					return answer{err: err}
				}
			}
			out.rows = append(out.rows, row)
		}
		rec.Release()
	}
	return out
}

func valueOf(col arrow.Array, i int) (any, error) {
	if col.IsNull(i) {
		return nil, nil
	}
	switch a := col.(type) {
	case *array.Boolean:
		return a.Value(i), nil
	case *array.Int8:
		return new(big.Rat).SetInt64(int64(a.Value(i))), nil
	case *array.Int16:
		return new(big.Rat).SetInt64(int64(a.Value(i))), nil
	case *array.Int32:
		return new(big.Rat).SetInt64(int64(a.Value(i))), nil
	case *array.Int64:
		return new(big.Rat).SetInt64(a.Value(i)), nil
	case *array.Float64:
		return a.Value(i), nil
	case *array.Decimal128:
		return scaled(a.Value(i).BigInt(), int(a.DataType().(*arrow.Decimal128Type).Scale)), nil
	case *array.String:
		return strings.Clone(a.Value(i)), nil
	case *array.Date32:
		return moment{true, int64(a.Value(i))}, nil
	case *array.Timestamp:
		return moment{false, int64(a.Value(i))}, nil
	}
	return nil, fmt.Errorf("a column of %s", col.DataType())
}

func scaled(v *big.Int, scale int) *big.Rat {
	return new(big.Rat).SetFrac(v, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil))
}

// ducks answers a query with DuckDB.
func (e *engines) ducks(ctx context.Context, text string) answer {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	rows, err := e.duck.QueryContext(ctx, text)
	if err != nil && strings.Contains(err.Error(), "INTERNAL Error") {
		return answer{err: errors.Join(err, e.openDuck(ctx)), broken: true}
	}
	if err != nil {
		return answer{err: err}
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		return answer{err: err}
	}
	out := answer{rows: [][]any{}}
	for rows.Next() {
		row, into := make([]any, len(types)), make([]any, len(types))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return answer{err: err}
		}
		for i, v := range row {
			if row[i], err = plain(v, types[i].DatabaseTypeName()); err != nil {
				return answer{err: err}
			}
		}
		out.rows = append(out.rows, row)
	}
	out.err = rows.Err()
	return out
}

// plain is a value of DuckDB's driver as an answer has it.
func plain(v any, name string) (any, error) {
	switch v := v.(type) {
	case nil, bool, string, float64:
		return v, nil
	case float32:
		return float64(v), nil
	case int8:
		return new(big.Rat).SetInt64(int64(v)), nil
	case int16:
		return new(big.Rat).SetInt64(int64(v)), nil
	case int32:
		return new(big.Rat).SetInt64(int64(v)), nil
	case int64:
		return new(big.Rat).SetInt64(v), nil
	case uint8:
		return new(big.Rat).SetInt64(int64(v)), nil
	case uint32:
		return new(big.Rat).SetInt64(int64(v)), nil
	case uint64:
		return new(big.Rat).SetUint64(v), nil
	case *big.Int:
		return new(big.Rat).SetInt(v), nil
	case duckdb.Decimal:
		return scaled(v.Value, int(v.Scale)), nil
	case time.Time:
		if name == "DATE" {
			return moment{true, v.Unix() / 86_400}, nil
		}
		return moment{false, v.UnixMicro()}, nil
	}
	return nil, fmt.Errorf("a value of %T", v)
}
