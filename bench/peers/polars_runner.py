"""Polars: forms (a) DataFrames in memory and (b) files. The function of a
workload's name is its idiom: it gets the tables as lazy frames."""

import os

import polars as pl
from polars import col

from checksum import checksum
from protocol import Engine, serve

TYPES = {"int64": pl.Int64, "int32": pl.Int32, "float64": pl.Float64, "utf8": pl.String, "bool": pl.Boolean}
MICROS = 1_000_000


def w1(t):
    return t["events"].filter(col("k") < 100).select(
        (col("a") + col("b")).alias("p"), (col("a") * 3 - col("k")).alias("q"), (col("x") * 1.5 + 2.0).alias("r"))


def group(*keys):
    def grouped(t):
        return t["events"].group_by(*keys).agg(
            pl.len().alias("n"), col("v").sum().alias("s"), col("x").mean().alias("a"), col("v").min().alias("lo"), col("v").max().alias("hi"))
    return grouped


def window_start(name, seconds):
    """The start of a tumbling window by integer arithmetic, in microseconds."""
    step = seconds * MICROS
    return (col(name).to_physical() // step * step).alias("start")


def w4(t):
    views = t["events"].filter(col("event_type") == "view")
    return views.join(t["ads"], on="ad_id").group_by(window_start("ts", 10), "campaign_id").agg(pl.len().alias("n"))


def w4_ads_first(t):
    views = t["events"].filter(col("event_type") == "view").group_by(window_start("ts", 10), "ad_id").agg(pl.len().alias("n"))
    return views.join(t["ads"], on="ad_id").group_by("start", "campaign_id").agg(col("n").sum())


def w5(t):
    panes = t["events"].group_by(window_start("ts", 10), "k").agg(pl.len().alias("n"), col("v").sum().alias("s"))
    each = panes.with_columns((col("start") - pl.lit([o * 10 * MICROS for o in range(6)], dtype=pl.List(pl.Int64))).alias("start"))
    return each.explode("start").group_by("start", "k").agg(col("n").sum(), col("s").sum())


def w5_shifted(t):
    panes = t["events"].group_by(window_start("ts", 10), "k").agg(pl.len().alias("n"), col("v").sum().alias("s"))
    each = pl.concat([panes.with_columns(col("start") - o * 10 * MICROS) for o in range(6)])
    return each.group_by("start", "k").agg(col("n").sum(), col("s").sum())


def w6(t):
    gap = (col("ts") - col("ts").shift(1).over("user")) > pl.duration(seconds=10)
    cut = t["events"].sort("ts").with_columns(gap.fill_null(True).cum_sum().over("user").alias("session"))
    return cut.group_by("user", "session").agg(col("ts").min().alias("start"), pl.len().alias("n"), col("v").sum().alias("s")).select(
        "start", "user", "n", "s")


def w7(t):
    both = t["views"].join(t["clicks"], on="ad", suffix="_c")
    return both.filter((col("ts_c") >= col("ts")) & (col("ts_c") <= col("ts") + pl.duration(seconds=3))).select("ad", "price", "cost")


def w8(t):
    return t["events"].select("id").unique()


def q0(t):
    return t["bid"].select("auction", "bidder", "price", "channel", "url", "ts")


def q1(t):
    return t["bid"].select("auction", "bidder", (col("price") * 0.908).alias("price"), "channel", "url", "ts")


def q2(t):
    return t["bid"].filter(col("auction") % 123 == 0).select("auction", "price")


def q5(t):
    panes = t["bid"].group_by(window_start("ts", 2), "auction").agg(pl.len().alias("n"))
    counts = pl.concat([panes.with_columns(col("start") - o * 2 * MICROS) for o in range(5)]).group_by("start", "auction").agg(col("n").sum())
    return counts.filter(col("n") == col("n").max().over("start"))


def q5_join(t):
    panes = t["bid"].group_by(window_start("ts", 2), "auction").agg(pl.len().alias("n"))
    counts = pl.concat([panes.with_columns(col("start") - o * 2 * MICROS) for o in range(5)]).group_by("start", "auction").agg(col("n").sum())
    return counts.join(counts.group_by("start").agg(col("n").max()), on=["start", "n"]).select("start", "auction", "n")


def q7(t):
    bid = t["bid"].with_columns(window_start("ts", 10))
    top = bid.group_by("start").agg(col("price").max())
    return bid.join(top, on=["start", "price"]).select("auction", "price", "bidder", "ts")


def w10(t):
    return t["events"].group_by("country", "page").agg(
        pl.len().alias("n"), col("id").max(), col("qty").sum(), col("amount").mean(),
        col("ts").min().alias("first"), col("ts").max().alias("last"))


def w12(t):
    return t["events"].group_by("k").agg(pl.len().alias("n"), col("v").sum().alias("s"))


IDIOMS = {
    "w1": [w1], "w1_nulls": [w1], "w3_pair": [group("j", "k")], "w4": [w4, w4_ads_first], "w5": [w5, w5_shifted], "w6": [w6], "w7": [w7], "w8": [w8],
    "w9_q0": [q0], "w9_q1": [q1], "w9_q2": [q2], "w9_q5": [q5, q5_join], "w9_q7": [q7], "w10": [w10], "w12": [w12],
    **{name: [group("k")] for name in ["w2_10", "w2_1k", "w2_100k", "w2_1m", "w2_10m", "w3_1k", "w3_1m"]},
}


def scan(t):
    path = os.path.join(t["path"], "*." + t["format"])
    if t["format"] == "json":
        # Timestamps are parsed from strings afterwards: the reader does not know zones.
        frame = pl.scan_ndjson(path, schema={n: TYPES.get(typ, pl.String) for n, typ in t["columns"]})
        times = [n for n, typ in t["columns"] if typ not in TYPES]
        return frame.with_columns(col(n).str.to_datetime("%Y-%m-%dT%H:%M:%S%.3fZ", time_unit="us") for n in times)
    return pl.scan_parquet(path)


class Polars(Engine):
    version = "Polars " + pl.__version__

    def load(self, spec):
        tables = {}
        for t in spec["tables"]:
            frame = scan(t)
            tables[t["name"]] = frame.collect().lazy() if spec["form"] == "a" else frame
        for idiom in IDIOMS[spec["name"]]:
            for engine in ["streaming", "in-memory"]:
                self.ways.append((f"{idiom.__name__} {engine}", lambda i=idiom, e=engine: i(tables).collect(engine=e)))

    def check(self):
        return checksum(self.result.to_arrow())


serve(Polars())
