package workload

import (
	"github.com/flightd/flightd/bench/gen"
)

// stateful are sessions, the join of two streams, and duplicates.
func stateful() []Workload {
	ts := gen.Clock("ts", 100, 0)
	return []Workload{{
		Name: "w6", Title: "sessions, gap 10 s, 100 k users", Forms: anywhere, Mode: "append", EventTime: "ts", Delay: "10 SECONDS",
		Tables: []gen.Table{events(ts, gen.Uniform("user", 100_000), gen.Uniform("v", 1000))},
		SQL: `SELECT session_window(ts, '10 seconds').start AS start, user, count(*) AS n, sum(v) AS s FROM {events}
GROUP BY session_window(ts, '10 seconds'), user`,
		Ended: `SELECT w.start AS start, user, n, s FROM (SELECT session_window AS w, user, count(*) AS n, sum(v) AS s FROM {events}
GROUP BY session_window(ts, '10 seconds'), user) WHERE w.end <= (SELECT date_trunc('MILLISECOND', max(ts)) - INTERVAL 10 SECONDS FROM {events})`,
		Targets: map[Form]float64{Memory: 1, Files: 1, Stream: 15},
		// Sessions that touch are one.
		DuckDB: []string{`WITH cut AS (SELECT user, ts, v, CASE WHEN ts - lag(ts) OVER w <= INTERVAL 10 SECONDS THEN 0 ELSE 1 END AS fresh
FROM events WINDOW w AS (PARTITION BY user ORDER BY ts)),
numbered AS (SELECT user, ts, v, sum(fresh) OVER (PARTITION BY user ORDER BY ts ROWS UNBOUNDED PRECEDING) AS session FROM cut)
SELECT min(ts) AS start, user, count(*) AS n, sum(v) AS s FROM numbered GROUP BY user, session`},
		FlinkSQL: "SELECT window_start, `user`, COUNT(*) AS n, SUM(v) AS s\nFROM TABLE(SESSION(TABLE events PARTITION BY `user`, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end, `user`",
	}, {
		Name: "w7", Title: "interval join of two streams", Forms: anywhere, Mode: "append", EventTime: "ts", Delay: "10 SECONDS",
		Tables: []gen.Table{
			{Name: "clicks", Format: gen.Parquet, Columns: []gen.Column{ts, gen.Repeated("ad", 50, 50_000), gen.Uniform("cost", 100)}},
			{Name: "views", Format: gen.Parquet, Columns: []gen.Column{ts, gen.Counter("ad", 1), gen.Uniform("price", 100)}},
		},
		SQL: `SELECT v.ad, v.price, c.cost FROM {views} v JOIN {clicks} c ON v.ad = c.ad
AND c.ts >= v.ts AND c.ts <= v.ts + INTERVAL 3 SECONDS`,
		Targets:  map[Form]float64{Stream: 40},
		FlinkSQL: "SELECT v.ad, v.price, c.cost FROM `views` v JOIN clicks c ON v.ad = c.ad\nAND c.ts BETWEEN v.ts AND v.ts + INTERVAL '3' SECOND",
		DuckDB:   []string{`SELECT v.ad, v.price, c.cost FROM views v JOIN clicks c ON v.ad = c.ad AND c.ts >= v.ts AND c.ts <= v.ts + INTERVAL 3 SECONDS`},
	}, {
		Name: "w8", Title: "duplicates within the watermark, 10 %", Forms: anywhere, Mode: "append", EventTime: "ts", Delay: "10 SECONDS",
		Tables:    []gen.Table{events(ts, gen.Repeated("id", 10, 10_000))},
		SQL:       "SELECT DISTINCT id FROM {events}",
		StreamSQL: "SELECT id FROM {events} DEDUPLICATE WITHIN WATERMARK ON (id)",
		SparkSQL:  "SELECT id FROM events",
		FlinkSQL:  `SELECT id FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY id ORDER BY PROCTIME() ASC) AS nth FROM events) WHERE nth = 1`,
		Dedup:     []string{"id"},
		Targets:   map[Form]float64{Stream: 12},
	}}
}
