package workload

import (
	"slices"
	"strconv"
	"strings"

	"github.com/flightd/flightd/bench/gen"
)

var (
	anywhere = []Form{Memory, Files, Stream}
	pushed   = []Form{Memory, Files, Stream, Pushed}
	batches  = []Form{Memory, Files}
)

// All is the table of workloads.
func All() []Workload {
	return slices.Concat(filters(), groupings(), windows(), stateful(), nexmark(), json(), latency(), upserts(), tpch(), functions())
}

func filters() []Workload {
	const sql = "SELECT a + b AS p, a * 3 - k AS q, x * 1.5D + 2.0D AS r FROM {events} WHERE k < 100"
	const flink = "SELECT a + b AS p, a * 3 - k AS q, x * 1.5e0 + 2.0e0 AS r FROM events WHERE k < 100"
	const duck = "SELECT a + b AS p, a * 3 - k AS q, x * 1.5 + 2.0 AS r FROM events WHERE k < 100"
	k, a, b, x := gen.Uniform("k", 1000), gen.Uniform("a", 1_000_000), gen.Uniform("b", 1_000_000), gen.Real("x", 1)
	targets := map[Form]float64{Memory: 1.3, Files: 1, Stream: 8}
	return []Workload{{
		Name: "w1", Title: "filter 10 %, 3 expressions", SQL: sql, DuckDB: []string{duck}, FlinkSQL: flink, Forms: anywhere, Mode: "append", Targets: targets,
		Tables: []gen.Table{events(k, a, b, x)},
	}, {
		Name: "w1_nulls", Title: "the same, 10 % NULLs", SQL: sql, DuckDB: []string{duck}, FlinkSQL: flink, Forms: anywhere, Mode: "append", Targets: targets,
		Tables: []gen.Table{events(k.WithNulls(10), a.WithNulls(10), b.WithNulls(10), x.WithNulls(10))},
	}}
}

func events(cols ...gen.Column) gen.Table {
	return gen.Table{Name: "events", Columns: cols, Format: gen.Parquet}
}

// groupings are w2 and w3: count, sum, avg, min and max by integers and strings.
func groupings() []Workload {
	v, x := gen.Uniform("v", 1000), gen.Real("x", 1)
	var out []Workload
	add := func(name, title, keys string, targets map[Form]float64, cols ...gen.Column) {
		out = append(out, Workload{
			Name: name, Title: title, Forms: pushed, Mode: "update", Keys: 1 + strings.Count(keys, ","), Targets: targets,
			SQL:    "SELECT " + keys + ", count(*) AS n, sum(v) AS s, avg(x) AS a, min(v) AS lo, max(v) AS hi FROM {events} GROUP BY " + keys,
			Tables: []gen.Table{events(append(cols, v, x)...)},
		})
	}
	few := map[Form]float64{Memory: 2, Files: 1, Stream: 10}
	many := map[Form]float64{Memory: 2, Files: 1.3, Stream: 12}
	add("w2_10", "group by 10 integers", "k", few, gen.Uniform("k", 10))
	add("w2_1k", "group by 1 k integers", "k", few, gen.Uniform("k", 1000))
	add("w2_100k", "group by 100 k integers", "k", map[Form]float64{Memory: 1.3, Files: 1, Stream: 6}, gen.Uniform("k", 100_000))
	add("w2_1m", "group by 1 M integers", "k", many, gen.Uniform("k", 1_000_000))
	add("w2_10m", "group by 10 M integers", "k", many, gen.Uniform("k", 10_000_000))
	add("w3_1k", "group by 1 k strings", "k", map[Form]float64{Memory: 2, Files: 1, Stream: 20}, gen.Text("k", "campaign-", 4, 1000))
	add("w3_1m", "group by 1 M strings", "k", map[Form]float64{Memory: 1.5, Files: 1.2, Stream: 12}, gen.Text("k", "customer-", 11, 1_000_000))
	add("w3_pair", "group by integer and string, 100 k", "j, k", nil, gen.Uniform("j", 100), gen.Text("k", "campaign-", 4, 1000))
	return out
}

func windows() []Workload {
	ts := gen.Clock("ts", 100, 0)
	return []Workload{{
		Name: "w4", Title: "Yahoo streaming: views by campaign, 10 s", Forms: anywhere, Mode: "update", Keys: 2, EventTime: "ts", Delay: "10 SECONDS",
		Targets: map[Form]float64{Memory: 2, Files: 1, Stream: 9},
		Tables: []gen.Table{
			events(ts, gen.Uniform("ad_id", 1000), gen.Choice("event_type", "view", "click", "purchase")),
			{Name: "ads", Columns: []gen.Column{gen.Counter("ad_id", 1), gen.Counter("campaign_id", 10)}, Rows: 1000, Format: gen.Parquet},
		},
		SQL: `SELECT window(e.ts, '10 seconds').start AS start, a.campaign_id, count(*) AS n FROM {events} e JOIN ads a ON e.ad_id = a.ad_id
WHERE e.event_type = 'view' GROUP BY window(e.ts, '10 seconds'), a.campaign_id`,
		// A join with a table would keep every event in Flink's state.
		FlinkSQL: `SELECT window_start, ad_id / 10 AS campaign_id, COUNT(*) AS n
FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(ts), INTERVAL '10' SECOND))
WHERE event_type = 'view' GROUP BY window_start, window_end, ad_id / 10`,
		DuckDB: []string{
			`SELECT epoch_us(e.ts) // 10000000 * 10000000 AS start, a.campaign_id, count(*) AS n FROM events e JOIN ads a ON e.ad_id = a.ad_id
WHERE e.event_type = 'view' GROUP BY ALL`,
			// Counting by ad first makes the join small.
			`SELECT start, a.campaign_id, sum(n)::BIGINT FROM (SELECT epoch_us(ts) // 10000000 * 10000000 AS start, ad_id, count(*) AS n FROM events
WHERE event_type = 'view' GROUP BY ALL) e JOIN ads a ON e.ad_id = a.ad_id GROUP BY ALL`,
		},
	}, {
		Name: "w5", Title: "sliding 60 s / 10 s by 1 k keys", Forms: pushed, Mode: "update", Keys: 2, EventTime: "ts", Delay: "10 SECONDS",
		Targets: map[Form]float64{Memory: 2, Files: 1.2, Stream: 18},
		Tables:  []gen.Table{events(ts, gen.Uniform("k", 1000), gen.Uniform("v", 1000))},
		SQL: `SELECT window(ts, '60 seconds', '10 seconds').start AS start, k, count(*) AS n, sum(v) AS s FROM {events}
GROUP BY window(ts, '60 seconds', '10 seconds'), k`,
		FlinkSQL: `SELECT window_start, k, COUNT(*) AS n, SUM(v) AS s
FROM TABLE(HOP(TABLE events, DESCRIPTOR(ts), INTERVAL '10' SECOND, INTERVAL '60' SECOND)) GROUP BY window_start, window_end, k`,
		DuckDB: []string{`WITH panes AS (SELECT epoch_us(ts) // 10000000 AS pane, k, count(*) AS n, sum(v) AS s FROM events GROUP BY ALL)
SELECT (pane - o) * 10000000 AS start, k, sum(n)::BIGINT AS n, sum(s)::BIGINT AS s FROM panes, range(6) r(o) GROUP BY ALL`},
	}}
}

func json() []Workload {
	return []Workload{{
		Name: "w10", Title: "JSON lines, 6 fields", Forms: []Form{Files, Stream}, Mode: "update", Keys: 2, Targets: map[Form]float64{Files: 1.3, Stream: 10},
		Tables: []gen.Table{{Name: "events", Format: gen.JSON, Columns: []gen.Column{
			gen.Counter("id", 1), gen.Clock("ts", 1000, 0), gen.Choice("country", "at", "br", "ca", "de", "fr", "in", "jp", "us"),
			gen.Text("page", "/page/", 2, 100), gen.Uniform("qty", 100), gen.Real("amount", 100),
		}}},
		FlinkSQL: "SELECT country, page, COUNT(*) AS n, MAX(id) AS id, SUM(qty) AS qty, AVG(amount) AS amount, MIN(ts) AS fst, MAX(ts) AS lst FROM events GROUP BY country, page",
		SQL:      "SELECT country, page, count(*) AS n, max(id) AS id, sum(qty) AS qty, avg(amount) AS amount, min(ts) AS first, max(ts) AS last FROM {events} GROUP BY country, page",
	}}
}

// Keys is w12 with as many keys as rows; it is not in the table.
func Keys(rows int) Workload {
	w := upserts()[0]
	w.Name = "keys_" + strconv.Itoa(rows)
	w.Tables = []gen.Table{events(gen.Distinct("k", uint64(rows)), gen.Uniform("v", 1000))}
	return w
}

// latency are w11: ten seconds of rows that come at a steady pace.
func latency() []Workload {
	at := func(name, title string, rate int, goal string) Workload {
		return Workload{
			Name: name, Title: title, Forms: []Form{Latency}, Mode: "update", Keys: 2, EventTime: "ts", Delay: "10 SECONDS", Rows: 10 * rate, Rate: rate,
			Goals:  map[Form]string{Latency: goal},
			Tables: []gen.Table{events(gen.Clock("ts", uint64(1_000_000/rate), 0), gen.Uniform("k", 1000), gen.Uniform("v", 1000))},
			SQL:    "SELECT window(ts, '1 second').start AS start, k, count(*) AS n, sum(v) AS s FROM {events} GROUP BY window(ts, '1 second'), k",
		}
	}
	return []Workload{at("w11_10k", "latency at 10 k rows/s", 10_000, "p99 ≤ 10 ms"), at("w11_100k", "latency at 100 k rows/s", 100_000, "p99 ≤ 50 ms")}
}

func upserts() []Workload {
	return []Workload{{
		Name: "w12", Title: "10 M distinct keys", Forms: pushed, Mode: "update", Keys: 1, Targets: map[Form]float64{Stream: 20},
		Goals:  map[Form]string{Pushed: "15 M rows/s a core, 100 B a key"},
		Tables: []gen.Table{events(gen.Distinct("k", 10_000_000), gen.Uniform("v", 1000))},
		SQL:    "SELECT k, count(*) AS n, sum(v) AS s FROM {events} GROUP BY k",
	}}
}
