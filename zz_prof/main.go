package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"time"
	"path/filepath"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/bench/proc"
)

func main() {
	rows := flag.Int("rows", 4000000, "")
	prof := flag.String("prof", "", "")
	runs := flag.Int("runs", 3, "")
	files := flag.String("files", "1", "")
	sqlf := flag.String("sql", "SELECT v.ad, v.price, c.cost FROM STREAM views WATERMARK ts DELAY OF INTERVAL 10 SECONDS AS v JOIN STREAM clicks WATERMARK ts DELAY OF INTERVAL 10 SECONDS AS c ON v.ad = c.ad AND c.ts >= v.ts AND c.ts <= v.ts + INTERVAL 3 SECONDS", "")
	flag.Parse()
	ctx := context.Background()
	dir, _ := os.MkdirTemp("/tmp", "cprof-")
	defer os.RemoveAll(dir)
	eng, err := flightd.Open(ctx, flightd.Options{DataDir: filepath.Join(dir, "e")})
	must(err)
	s := eng.NewSession()
	exec := func(q string) { _, err := s.Execute(ctx, q); must(err) }
	exec(fmt.Sprintf("CREATE TABLE clicks (ts TIMESTAMP, ad BIGINT, cost BIGINT) USING parquet OPTIONS ('path'='%s', 'maxFilesPerTrigger'='%s')", glob("clicks", *rows), *files))
	exec(fmt.Sprintf("CREATE TABLE views (ts TIMESTAMP, ad BIGINT, price BIGINT) USING parquet OPTIONS ('path'='%s', 'maxFilesPerTrigger'='%s')", glob("views", *rows), *files))
	if *prof != "" {
		f, err := os.Create(*prof)
		must(err)
		must(pprof.StartCPUProfile(f))
		defer pprof.StopCPUProfile()
	}
	for i := range *runs {
		runtime.GC()
		t, c := time.Now(), proc.CPUSeconds()
		q, err := s.SQL(*sqlf).WriteStream().OutputMode("append").Trigger(flightd.Trigger{Kind: flightd.AvailableNow}).
			Option("checkpointLocation", filepath.Join(dir, fmt.Sprint("cp", i))).Format("noop").Start(ctx)
		must(err)
		must(q.AwaitTermination(ctx))
		w := time.Since(t).Seconds()
		cpu := proc.CPUSeconds() - c
		fmt.Printf("wall %.2f cpu %.2f  %.2f M/s (of one stream), cpu ns/row %.0f\n", w, cpu, float64(*rows)/w/1e6, cpu*1e9/float64(*rows)/2)
		for _, p := range q.RecentProgress() {
			if i == *runs-1 { fmt.Println(p.BatchID, p.NumInputRows, p.DurationMs, p.Sink.NumOutputRows) }
		}
	}
}

func glob(name string, rows int) string {
	m, _ := filepath.Glob(fmt.Sprintf("/tmp/bench-data/%s-1-%d-1000000-*", name, rows))
	if len(m) == 0 { panic("no data for " + name) }
	return m[len(m)-1]
}
func must(err error) { if err != nil { panic(err) } }
