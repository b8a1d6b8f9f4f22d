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


def asked(*exprs):
    def ask(t):
        return t["t"].select(*exprs)
    return ask


def where(cond):
    def count(t):
        return t["t"].filter(cond).select(pl.len().alias("r"))
    return count


def latest(e):
    return asked(e.max().alias("r"), e.min().alias("s"))


def size(e):
    return asked(e.str.len_bytes().cast(pl.Int64).sum().alias("r"))


def total(e):
    return asked(e.cast(pl.Int64).sum().alias("r"))


s, d, k, v, x, ts, tz = (col(n) for n in ["s", "d", "k", "v", "x", "ts", "tz"])

# The functions of w16 that have an equal here.
FUNCTIONS = {
    "substring": size(s.str.slice(2, 8)), "upper": size(s.str.to_uppercase()), "lower": size(s.str.to_lowercase()), "length": total(s.str.len_chars()),
    "concat": size(pl.concat_str([s, pl.lit("-"), d])), "replace": size(s.str.replace_all("er", "xyz", literal=True)), "reverse": size(s.str.reverse()),
    "lpad": size(d.str.pad_start(12, "*")), "rpad": size(d.str.pad_end(12, "*")), "left": size(s.str.head(4)), "right": size(s.str.tail(4)),
    "trim": size(col("p").str.strip_chars(" ")), "ltrim": size(col("p").str.strip_chars_start(" ")), "split": total(s.str.split(" ").list.len()),
    "split_get": size(s.str.split(" ").list.get(1)), "like_prefix": where(s.str.starts_with("Al")), "like_contains": where(s.str.contains("ver", literal=True)),
    "like_suffix": where(s.str.ends_with("er")), "like_pieces": where(s.str.contains("(?s)il.*ow")), "rlike": where(s.str.contains("[A-Z][a-z]+ b")),
    "rlike_ends": where(s.str.contains("^(Al|be).*er$")), "regexp_extract": size(s.str.extract("([a-z]+) ([A-Z][a-z]+)", 2).fill_null("")),
    "regexp_replace": size(s.str.replace_all("[aeiou]", "*")), "regexp_digits": size(col("j").str.extract("[0-9]+", 0)),
    "json_field": size(col("j").str.json_path_match("$.user.name")), "json_item": size(col("j").str.json_path_match("$.user.tags[1]")),
    "case_numbers": total(pl.when(k < 100).then(1).when(k < 300).then(v).when(v < 500000).then(k).when(k < 600).then(7).otherwise(0)),
    "case_texts": size(pl.when(s.str.starts_with("Al")).then(pl.lit("first")).when(k < 500).then(s).when(d < "3").then(d).otherwise(pl.lit("other"))),
    "if": total(pl.when(k < 500).then(k).otherwise(v)), "in_numbers": where(k.is_in([1, 5, 17, 99, 500, 731])),
    "trunc_hour": latest(ts.dt.truncate("1h")), "trunc_day": latest(ts.dt.truncate("1d")), "trunc_month": latest(ts.dt.truncate("1mo")),
    "trunc_month_zone": latest(tz.dt.truncate("1mo")), "year": total(ts.dt.year()), "month": total(ts.dt.month()), "day": total(ts.dt.day()), "hour": total(ts.dt.hour()),
    "minute": total(ts.dt.minute()), "dayofyear": total(ts.dt.ordinal_day()), "quarter": total(ts.dt.quarter()), "weekofyear": total(ts.dt.week()),
    "year_zone": total(tz.dt.year()), "date_format": size(ts.dt.strftime("%Y-%m-%d %H:%M:%S")),
    "cast_text_int": total(d.cast(pl.Int32)), "cast_text_double": asked(col("f").cast(pl.Float64).sum().alias("r")), "cast_int_text": size(v.cast(pl.String)),
    "cast_int_double": asked(v.cast(pl.Float64).sum().alias("r")), "add": total(v + k), "multiply": total(v * k), "divide": asked((v / (k + 1)).sum().alias("r")),
    "modulo": total(v % 97), "round": asked(x.round(2).sum().alias("r")), "floor": total(x.floor()), "abs": total((k - 500).abs()), "sqrt": asked(x.sqrt().sum().alias("r")),
    "pow": asked((x ** 1.5).sum().alias("r")), "ln": asked((x + 1).log().sum().alias("r")), "exp": asked((x / 1000).exp().sum().alias("r")), "sin": asked(x.sin().sum().alias("r")),
    "greatest": total(pl.max_horizontal(k, v, pl.lit(500))), "least": total(pl.min_horizontal(k, v, pl.lit(500))), "between": where(v.is_between(1000, 400000) & (x > 250)),
    "stddev": asked(x.std().alias("r")), "corr": asked(pl.corr(x, v).alias("r")), "count_distinct": asked(v.n_unique().cast(pl.Int64).alias("r")),
    "percentile": asked(x.median().alias("r")),
}

IDIOMS = {
    **{"w16_" + name: [ask] for name, ask in FUNCTIONS.items()},
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
        if spec["name"] not in IDIOMS:
            raise NotImplementedError("it has no such function")
        tables = {}
        for t in spec["tables"]:
            frame = scan(t)
            tables[t["name"]] = frame.collect().lazy() if spec["form"] == "a" else frame
        for idiom in IDIOMS.get(spec["name"], []):
            for engine in ["streaming", "in-memory"]:
                self.ways.append((f"{idiom.__name__} {engine}", lambda i=idiom, e=engine: i(tables).collect(engine=e)))

    def check(self):
        return checksum(self.result.to_arrow())


serve(Polars())
