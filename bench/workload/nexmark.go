package workload

import (
	"fmt"
	"strings"

	"github.com/flightd/flightd/bench/gen"
)

// bidsPerAuction is about the proportion of the Nexmark generator, 46 to 3.
const bidsPerAuction = 15

// nexmark are the queries over bids of the Nexmark suite that the dialect can
// say.
func nexmark() []Workload {
	bid := []gen.Table{{Name: "bid", Format: gen.Parquet, Columns: []gen.Column{
		gen.Lots("auction", bidsPerAuction, 100, 100), gen.Uniform("bidder", 1_000_000), gen.Uniform("price", 10_000_000),
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
		hotItems(bid), highestBid(bid), averagePrice(bid[0]),
	}
}

// hotItems are the auctions with the most bids of a sliding window: the counts are
// joined with their maximum.
func hotItems(bid []gen.Table) Workload {
	const counts = `WITH counts AS (SELECT window AS w, auction, count(*) AS n FROM {bid} GROUP BY window(ts, '10 seconds', '2 seconds'), auction),
top AS (SELECT w, max(n) AS most FROM counts GROUP BY w)
SELECT c.w.start AS start, c.auction, c.n FROM counts c JOIN top t ON c.w = t.w AND c.n = t.most`
	const counted = "SELECT auction, COUNT(*) AS n, window_start, window_end FROM TABLE(HOP(TABLE bid, DESCRIPTOR(ts), INTERVAL '2' SECOND, INTERVAL '10' SECOND)) GROUP BY auction, window_start, window_end"
	return Workload{Name: "w9_q5", Title: "Nexmark q5: hot items", Forms: anywhere, Mode: "append", Tables: bid, EventTime: "ts", Delay: "10 SECONDS",
		SQL: `WITH counts AS (SELECT window(ts, '10 seconds', '2 seconds').start AS start, auction, count(*) AS n FROM {bid}
GROUP BY window(ts, '10 seconds', '2 seconds'), auction), top AS (SELECT start, max(n) AS most FROM counts GROUP BY start)
SELECT c.start, c.auction, c.n FROM counts c JOIN top t ON c.start = t.start AND c.n = t.most`,
		StreamSQL: counts, SparkSQL: strings.ReplaceAll(counts, "{bid}", "bid"), Targets: map[Form]float64{Stream: 10},
		Ended: counts + " WHERE c.w.end <= (SELECT max(ts) - INTERVAL 10 SECONDS FROM {bid})",
		DuckDB: []string{`WITH panes AS (SELECT epoch_us(ts) // 2000000 AS pane, auction, count(*) AS n FROM bid GROUP BY ALL),
counts AS (SELECT (pane - o) * 2000000 AS start, auction, sum(n)::BIGINT AS n FROM panes, range(5) r(o) GROUP BY ALL),
top AS (SELECT start, max(n) AS most FROM counts GROUP BY start)
SELECT c.start, c.auction, c.n FROM counts c JOIN top t ON c.start = t.start AND c.n = t.most`},
		FlinkSQL: fmt.Sprintf(`SELECT c.window_start, c.auction, c.n FROM (%s) c
JOIN (SELECT MAX(n) AS most, window_start, window_end FROM (%s) GROUP BY window_start, window_end) t
ON c.window_start = t.window_start AND c.window_end = t.window_end AND c.n = t.most`, counted, counted)}
}

// highestBid are the bids of the highest price of a window. A side of a join has one
// event time: as a stream the bid's own goes along as a number.
func highestBid(bid []gen.Table) Workload {
	const top = `WITH top AS (SELECT window AS w, max(price) AS most FROM {bid} GROUP BY window(ts, '10 seconds'))
SELECT b.auction, b.price, b.bidder, timestamp_micros(b.at) AS ts
FROM (SELECT auction, price, bidder, unix_micros(ts) AS at, window(ts, '10 seconds') AS w FROM {bid}) b JOIN top t ON b.w = t.w AND b.price = t.most`
	const tumbled = "TABLE(TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '10' SECOND))"
	return Workload{Name: "w9_q7", Title: "Nexmark q7: highest bid", Forms: anywhere, Mode: "append", Tables: bid, EventTime: "ts", Delay: "10 SECONDS",
		SQL: `WITH top AS (SELECT window(ts, '10 seconds').start AS start, max(price) AS most FROM {bid} GROUP BY window(ts, '10 seconds'))
SELECT b.auction, b.price, b.bidder, b.ts FROM {bid} b JOIN top t ON b.price = t.most AND b.ts >= t.start AND b.ts < t.start + INTERVAL 10 SECONDS`,
		StreamSQL: top, SparkSQL: strings.ReplaceAll(top, "{bid}", "bid"),
		Ended: top + " WHERE b.w.end <= (SELECT max(ts) - INTERVAL 10 SECONDS FROM {bid})",
		DuckDB: []string{`WITH top AS (SELECT epoch_us(ts) // 10000000 AS pane, max(price) AS most FROM bid GROUP BY ALL)
SELECT b.auction, b.price, b.bidder, b.ts FROM bid b JOIN top t ON b.price = t.most AND epoch_us(b.ts) // 10000000 = t.pane`},
		FlinkSQL: fmt.Sprintf(`SELECT b.auction, b.price, b.bidder, b.ts FROM (SELECT auction, price, bidder, ts, window_start, window_end FROM %s) b
JOIN (SELECT MAX(price) AS most, window_start, window_end FROM %s GROUP BY window_start, window_end) t
ON b.window_start = t.window_start AND b.window_end = t.window_end AND b.price = t.most`, tumbled, tumbled)}
}

// averagePrice is the average of the auctions' highest bids by category. It has no
// form as a stream: Spark refuses an aggregation above one that may change its rows.
func averagePrice(bid gen.Table) Workload {
	auction := gen.Table{Name: "auction", Format: gen.Parquet, Columns: []gen.Column{gen.Counter("id", 1), gen.Uniform("category", 20), gen.Clock("ts", 100*bidsPerAuction, 0)}}
	return Workload{Name: "w9_q4", Title: "Nexmark q4: average price for a category", Forms: batches, Mode: "append", Tables: []gen.Table{bid, auction},
		SQL: `SELECT category, avg(final) AS price FROM (SELECT a.id, a.category, max(b.price) AS final FROM {auction} a JOIN {bid} b
ON a.id = b.auction AND b.ts >= a.ts AND b.ts <= a.ts + INTERVAL 60 SECONDS GROUP BY a.id, a.category) GROUP BY category`}
}
