package golden

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
	"unicode/utf16"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/internal/base"
)

// Statement is one recorded SQL statement.
type Statement struct {
	ID, SQL string
	Conf    map[string]string
	Schema  [][2]string
	Rows    [][]*string
	Ordered bool
	Error   *struct {
		Class    *string
		SQLState *string `json:"sql_state"`
		Context  *struct {
			Start, Stop int
			Fragment    string
		} `json:"query_context"`
	}
}

// SQL runs the recorded statements below dir (*.jsonl, views.sql) as batch
// queries. Compared are column names, types and rows; for errors condition,
// SQLSTATE and whether the place that flightd names lies in the recorded
// fragment.
func SQL(ctx context.Context, dir string, gaps map[string]string, only string) (*Report, error) {
	views, err := os.ReadFile(filepath.Join(dir, "views.sql"))
	if err != nil {
		return nil, err
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil || len(paths) == 0 {
		return nil, base.Errorf(base.CodeNotFound, "no recordings in %s", dir)
	}
	var cases []*Statement
	for _, p := range paths {
		if cases, err = readStatements(p, only, cases); err != nil {
			return nil, base.Wrap(err, "reading %s", p)
		}
	}
	eng, err := flightd.Open(ctx, flightd.Options{Clock: base.NewVirtualClock(time.UnixMilli(1_800_000_000_000))})
	if err != nil {
		return nil, err
	}
	defer eng.Close()
	r := &Report{Outcomes: make([]Outcome, len(cases))}
	next := make(chan int)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			w := asker{eng: eng, views: string(views)}
			for i := range next {
				c := cases[i]
				family, _, _ := strings.Cut(c.ID, "/")
				r.Outcomes[i] = Outcome{Family: family, ID: c.ID, Diff: w.ask(ctx, c), Gap: gaps[c.ID]}
			}
		}()
	}
	for i := range cases {
		next <- i
	}
	close(next)
	wg.Wait()
	return r, nil
}

func readStatements(path, only string, cases []*Statement) ([]*Statement, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 64<<20)
	for sc.Scan() {
		var s Statement
		if err := json.Unmarshal(sc.Bytes(), &s); err != nil {
			return nil, err
		}
		if strings.HasPrefix(s.ID, only) {
			cases = append(cases, &s)
		}
	}
	return cases, sc.Err()
}

// asker runs statements; those without settings share a session.
type asker struct {
	eng   *flightd.Engine
	views string
	plain *flightd.Session
}

// session returns a session with the views and settings of c.
func (a *asker) session(ctx context.Context, conf map[string]string) (*flightd.Session, error) {
	if len(conf) > 0 {
		return a.fresh(ctx, conf)
	}
	var err error
	if a.plain == nil {
		a.plain, err = a.fresh(ctx, nil)
	}
	return a.plain, err
}

// fresh is session with no state of other statements.
func (a *asker) fresh(ctx context.Context, conf map[string]string) (*flightd.Session, error) {
	s := a.eng.NewSession()
	err := s.ExecuteScript(ctx, a.views, func(_ string, _ *flightd.Result, err error) error { return err })
	if err != nil {
		return nil, fmt.Errorf("views: %w", err)
	}
	for k, v := range conf {
		if _, err := s.Set(k, v); err != nil {
			return nil, fmt.Errorf("setting: %w", err)
		}
	}
	return s, nil
}

// ask runs a statement and returns the first difference.
func (a *asker) ask(ctx context.Context, c *Statement) (diff string) {
	defer func() {
		if p := recover(); p != nil {
			diff = fmt.Sprintf("panic: %v", p)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	s, err := a.session(ctx, c.Conf)
	if err != nil {
		return err.Error()
	}
	d := s.SQL(c.SQL)
	fields, err := d.Fields()
	var rows [][]*string
	shift := 0
	if err == nil {
		rows, shift, err = rowsOf(ctx, s, c.SQL, fields)
	}
	if class, _ := conditionOf(err); err != nil && class == "" && isCommand(c.SQL) {
		// A session of its own: it may change what the others would see.
		if s, err = a.fresh(ctx, c.Conf); err != nil {
			return err.Error()
		}
		fields, rows, err = command(ctx, s, c.SQL)
	}
	if err != nil || c.Error != nil {
		return compareFailure(c, err, shift)
	}
	if want, got := schemaText(c.Schema), fieldsText(fields); want != got {
		return fmt.Sprintf("schema: want %s\n           got %s", want, got)
	}
	if !c.Ordered {
		sortRows(rows)
	}
	if want, got := rowsText(c.Rows), rowsText(rows); want != got {
		return fmt.Sprintf("rows:\n  want %s\n   got %s", want, got)
	}
	return ""
}

// rowsOf runs the statement with every column as text, binary in hexadecimal. An
// error's place is shifted by the text put in front.
func rowsOf(ctx context.Context, s *flightd.Session, sql string, fields []flightd.Field) ([][]*string, int, error) {
	cells, names := make([]string, len(fields)), make([]string, len(fields))
	for i, f := range fields {
		names[i] = fmt.Sprintf("c%d", i)
		cells[i] = fmt.Sprintf("CAST(c%d AS STRING)", i)
		if f.Type == "BINARY" {
			cells[i] = fmt.Sprintf("hex(c%d)", i)
		}
	}
	sql = strings.TrimRight(sql, "; \t\n")
	if len(fields) == 0 { // nothing to cast
		recs, err := s.SQL(sql).Collect(ctx)
		rows := [][]*string{}
		for _, rec := range recs {
			for range rec.NumRows() {
				rows = append(rows, []*string{})
			}
		}
		return rows, 0, err
	}
	prefix := "SELECT " + strings.Join(cells, ", ") + " FROM ("
	d := s.SQL(prefix + sql + "\n) AS t(" + strings.Join(names, ", ") + ")")
	recs, err := d.Collect(ctx)
	if err != nil {
		return nil, len(prefix), err
	}
	rows := [][]*string{}
	for _, rec := range recs {
		for i := range int(rec.NumRows()) {
			rows = append(rows, textRow(rec, i))
		}
	}
	return rows, 0, nil
}

func textRow(rec arrow.RecordBatch, i int) []*string {
	row := make([]*string, rec.NumCols())
	for c := range row {
		if col := rec.Column(c).(*array.String); col.IsValid(i) {
			v := strings.ToValidUTF8(col.Value(i), "\uFFFD")
			row[c] = &v
		}
	}
	return row
}

func schemaText(s [][2]string) string {
	parts := make([]string, len(s))
	for i, f := range s {
		parts[i] = f[0] + " " + f[1]
	}
	return ddl(strings.Join(parts, ", "))
}

func fieldsText(s []flightd.Field) string {
	parts := make([]string, len(s))
	for i, f := range s {
		parts[i] = f.Name + " " + f.Type
	}
	return ddl(strings.Join(parts, ", "))
}

func compareFailure(c *Statement, err error, shift int) string {
	switch {
	case err == nil:
		return "no error, want " + text(c.Error.Class)
	case c.Error == nil:
		return "error: " + err.Error()
	}
	class, state := conditionOf(err)
	if class != str(c.Error.Class) || state != str(c.Error.SQLState) {
		return fmt.Sprintf("error: want %s (%s)\n          got %s (%s): %v", text(c.Error.Class), text(c.Error.SQLState), class, state, err)
	}
	var e *base.Error
	if c.Error.Context == nil || c.Error.Context.Stop < 0 || !errors.As(err, &e) { // Stop is −1 where Spark knows no place
		return ""
	}
	at := base.AsError(err).Pos
	start := len(utf16.Encode([]rune(c.SQL[:min(len(c.SQL), max(0, at.Start-shift))])))
	if !at.Valid() || start < c.Error.Context.Start || start > c.Error.Context.Stop {
		return fmt.Sprintf("place: want %d to %d %q, got %d", c.Error.Context.Start, c.Error.Context.Stop, c.Error.Context.Fragment, start)
	}
	return ""
}
