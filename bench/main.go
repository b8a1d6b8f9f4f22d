package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"runtime"
	"runtime/pprof"
	"sort"
	"strings"
	"syscall"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/flightd/flightd"
)

type workload struct{ name, sql string }

var workloads = []workload{
	{"filter+project 10 %", "SELECT k1k + 1 AS a, v * 2 AS b, x * x + 1 AS c FROM events WHERE v < 100"},
	{"group by 1 k", "SELECT k1k, count(*) AS n, sum(v) AS s, avg(x) AS a, min(v) AS lo, max(v) AS hi FROM events GROUP BY k1k"},
	{"group by 1 M", "SELECT k1m, count(*) AS n, sum(v) AS s, avg(x) AS a, min(v) AS lo, max(v) AS hi FROM events GROUP BY k1m"},
}

func main() {
	rows := flag.Int("rows", 4_000_000, "rows of each workload")
	runs := flag.Int("runs", 5, "counted runs after one warm-up")
	dir := flag.String("dir", os.TempDir(), "where generated files are kept")
	only := flag.Int("only", -1, "only the workload of this number")
	profile := flag.String("cpuprofile", "", "write a CPU profile of the counted runs to this file")
	first := flag.Bool("first", false, "print the result of SELECT 1 and end: what the start-up time is measured on")
	flag.Parse()
	if err := run(*rows, *runs, *dir, *only, *profile, *first); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(rows, runs int, dir string, only int, profile string, first bool) error {
	ctx := context.Background()
	if first {
		return firstResult(ctx)
	}
	eng, err := flightd.Open(ctx, flightd.Options{})
	if err != nil {
		return err
	}
	defer eng.Close()
	files, err := parquetFiles(dir, 1, rows)
	if err != nil {
		return err
	}
	mem, err := eng.NewSession().FromRecords("events", schema, records(1, rows))
	if err != nil {
		return err
	}
	disk := eng.NewSession()
	if err := disk.Read().Parquet(files).CreateOrReplaceTempView("events"); err != nil {
		return err
	}
	fmt.Printf("%s, GOMAXPROCS %d, %d rows, %d runs\n", runtime.Version(), runtime.GOMAXPROCS(0), rows, runs)
	fmt.Printf("%-22s %-8s %12s %10s %10s %14s  %s\n", "workload", "from", "M rows/s", "wall s", "cpu s", "rows out", "checksum")
	if profile != "" {
		f, err := os.Create(profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	for i, w := range workloads {
		if only >= 0 && only != i {
			continue
		}
		for _, from := range []struct {
			name string
			s    *flightd.Session
		}{{"memory", mem.Session()}, {"parquet", disk}} {
			if err := measure(ctx, w, from.name, from.s, rows, runs); err != nil {
				return fmt.Errorf("%s from %s: %w", w.name, from.name, err)
			}
		}
	}
	return startup(runs)
}

// measure runs a workload once to warm up and then runs times, and prints the
// medians.
func measure(ctx context.Context, w workload, from string, s *flightd.Session, rows, runs int) error {
	var walls, cpus []float64
	var sum checksum
	for i := range runs + 1 {
		begun, cpu := time.Now(), cpuSeconds()
		got, err := drain(ctx, s, w.sql)
		if err != nil {
			return err
		}
		if i > 0 {
			walls, cpus = append(walls, time.Since(begun).Seconds()), append(cpus, cpuSeconds()-cpu)
			if got != sum {
				return fmt.Errorf("run %d has checksum %v, the one before %v", i, got, sum)
			}
		}
		sum = got
	}
	wall := median(walls)
	fmt.Printf("%-22s %-8s %12.1f %10.3f %10.3f %14d  %016x\n", w.name, from, float64(rows)/wall/1e6, wall, median(cpus), sum.rows, sum.bits)
	return nil
}

// checksum does not depend on the order of rows; doubles count to nine digits.
type checksum struct {
	rows int64
	bits uint64
}

func drain(ctx context.Context, s *flightd.Session, query string) (checksum, error) {
	var c checksum
	r, err := s.Execute(ctx, query)
	if err != nil {
		return c, err
	}
	defer r.Close()
	for {
		rec, err := r.Next(ctx)
		if err == io.EOF {
			return c, nil
		}
		if err != nil {
			return c, err
		}
		c.add(rec)
		rec.Release()
	}
}

// add adds a cheap hash of each column's sum: enough to notice a wrong answer
// without costing as much as the query.
func (c *checksum) add(rec arrow.RecordBatch) {
	c.rows += rec.NumRows()
	for i := range int(rec.NumCols()) {
		var sum uint64
		switch col := rec.Column(i).(type) {
		case *array.Int32:
			for _, v := range col.Int32Values() {
				sum += uint64(v)
			}
		case *array.Int64:
			for _, v := range col.Int64Values() {
				sum += uint64(v)
			}
		case *array.Float64:
			for _, v := range col.Float64Values() {
				sum += uint64(math.Round(v * 1e6))
			}
		}
		c.bits += sum * (uint64(i)*2 + 1)
	}
}

func median(v []float64) float64 {
	sort.Float64s(v)
	return v[len(v)/2]
}

func cpuSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

func firstResult(ctx context.Context) error {
	eng, err := flightd.Open(ctx, flightd.Options{})
	if err != nil {
		return err
	}
	defer eng.Close()
	if _, err = drain(ctx, eng.NewSession(), "SELECT 1"); err != nil {
		return err
	}
	// Not from the parent: a child's resource usage begins with the parent's size.
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return nil
	}
	for _, line := range strings.Split(string(status), "\n") {
		if name, value, ok := strings.Cut(line, ":"); ok && name == "VmHWM" {
			fmt.Print(strings.TrimSpace(value))
		}
	}
	return nil
}

// startup measures a whole process from its start to the result of SELECT 1 and
// its end.
func startup(runs int) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	var walls []float64
	var peak []byte
	for range runs {
		cmd := exec.Command(exe, "-first")
		begun := time.Now()
		if peak, err = cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, peak)
		}
		walls = append(walls, time.Since(begun).Seconds())
	}
	fmt.Printf("process start to the result of SELECT 1 and exit: %.0f ms, peak memory %s\n", median(walls)*1000, peak)
	return nil
}
