package workload

import (
	"fmt"

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

// nexmark are the queries over bids of the Nexmark suite that the dialect can
// say.
func nexmark() []Workload {
	bid := []gen.Table{{Name: "bid", Format: gen.Parquet, Columns: []gen.Column{
		gen.Uniform("auction", 100_000), gen.Uniform("bidder", 1_000_000), gen.Uniform("price", 10_000_000),
		gen.Choice("channel", "Apple", "Baidu", "Facebook", "Google"), gen.Text("url", "https://www.nexmark.com/item.htm?id=", 4, 1000),
		gen.Clock("ts", 100, 0),
	}}}
	query := func(name, title, sql, duck, flink string, forms []Form) Workload {
		w := Workload{Name: "w9_" + name, Title: "Nexmark " + name + ": " + title, Forms: forms, Mode: "append", Tables: bid, SQL: sql, FlinkSQL: flink}
		if duck != "" {
			w.DuckDB = []string{duck}
		}
		return w
	}
	person := gen.Table{Name: "person", Format: gen.Parquet, Columns: []gen.Column{gen.Counter("id", 1), gen.Text("name", "person ", 4, 1000),
		gen.Choice("city", "Boise", "Portland", "Phoenix", "Cheyenne"), gen.Choice("state", "AZ", "CA", "ID", "OR", "WA", "WY"), gen.Clock("ts", 100, 0)}}
	auction := gen.Table{Name: "auction", Format: gen.Parquet, Columns: []gen.Column{gen.Counter("id", 1), gen.Repeated("seller", 50, 50_000),
		gen.Uniform("category", 20), gen.Clock("ts", 100, 0)}}
	const sellers = `SELECT p.id, p.name FROM
(SELECT id, name, window AS w FROM {person} GROUP BY id, name, window(ts, '10 seconds')) p JOIN
(SELECT seller, window AS w FROM {auction} GROUP BY seller, window(ts, '10 seconds')) a ON p.id = a.seller AND p.w = a.w`
	const tumbled = "FROM TABLE(TUMBLE(TABLE %s, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end"
	return []Workload{
		{Name: "w9_q3", Title: "Nexmark q3: local item suggestion", Forms: anywhere, Mode: "append", Tables: []gen.Table{auction, person},
			SQL: `SELECT p.name, p.city, p.state, a.id FROM {auction} a JOIN {person} p ON a.seller = p.id
WHERE a.category = 10 AND p.state IN ('OR', 'ID', 'CA')`},
		{Name: "w9_q8", Title: "Nexmark q8: new users that sell", Forms: anywhere, Mode: "append", EventTime: "ts", Delay: "10 SECONDS",
			Tables: []gen.Table{auction, person}, Targets: map[Form]float64{Stream: 20}, SQL: sellers,
			Ended: sellers + " WHERE p.w.end <= (SELECT least((SELECT max(ts) FROM {auction}), (SELECT max(ts) FROM {person})) - INTERVAL 10 SECONDS)",
			DuckDB: []string{`WITH p AS (SELECT DISTINCT id, name, epoch_us(ts) // 10000000 AS w FROM person),
a AS (SELECT DISTINCT seller, epoch_us(ts) // 10000000 AS w FROM auction) SELECT p.id, p.name FROM p JOIN a ON p.id = a.seller AND p.w = a.w`},
			FlinkSQL: fmt.Sprintf(`SELECT p.id, p.name FROM (SELECT id, name, window_start, window_end %s, id, name) p
JOIN (SELECT seller, window_start, window_end %s, seller) a
ON p.id = a.seller AND p.window_start = a.window_start AND p.window_end = a.window_end`, fmt.Sprintf(tumbled, "person"), fmt.Sprintf(tumbled, "auction"))},
		// From memory there would be nothing to do: who copies nothing wins.
		query("q0", "pass through", "SELECT auction, bidder, price, channel, url, ts FROM {bid}", "", "", []Form{Files, Stream}),
		query("q1", "currencies", "SELECT auction, bidder, 0.908D * price AS price, channel, url, ts FROM {bid}",
			"SELECT auction, bidder, 0.908::DOUBLE * price AS price, channel, url, ts FROM bid",
			"SELECT auction, bidder, 0.908e0 * price AS price, channel, url, ts FROM bid", anywhere),
		query("q2", "selection", "SELECT auction, price FROM {bid} WHERE auction % 123 = 0", "", "", anywhere),
		query("q5", "hot items", `WITH counts AS (SELECT window(ts, '10 seconds', '2 seconds').start AS start, auction, count(*) AS n FROM {bid}
GROUP BY window(ts, '10 seconds', '2 seconds'), auction), top AS (SELECT start, max(n) AS most FROM counts GROUP BY start)
SELECT c.start, c.auction, c.n FROM counts c JOIN top t ON c.start = t.start AND c.n = t.most`,
			`WITH panes AS (SELECT epoch_us(ts) // 2000000 AS pane, auction, count(*) AS n FROM bid GROUP BY ALL),
counts AS (SELECT (pane - o) * 2000000 AS start, auction, sum(n)::BIGINT AS n FROM panes, range(5) r(o) GROUP BY ALL),
top AS (SELECT start, max(n) AS most FROM counts GROUP BY start)
SELECT c.start, c.auction, c.n FROM counts c JOIN top t ON c.start = t.start AND c.n = t.most`, "", batches),
		query("q7", "highest bid", `WITH top AS (SELECT window(ts, '10 seconds').start AS start, max(price) AS most FROM {bid} GROUP BY window(ts, '10 seconds'))
SELECT b.auction, b.price, b.bidder, b.ts FROM {bid} b JOIN top t ON b.price = t.most AND b.ts >= t.start AND b.ts < t.start + INTERVAL 10 SECONDS`,
			`WITH top AS (SELECT epoch_us(ts) // 10000000 AS pane, max(price) AS most FROM bid GROUP BY ALL)
SELECT b.auction, b.price, b.bidder, b.ts FROM bid b JOIN top t ON b.price = t.most AND epoch_us(b.ts) // 10000000 = t.pane`, "", batches),
	}
}
