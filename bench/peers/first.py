"""Prints the peak of resident memory when an engine has the result of SELECT 1."""

import os
import sys

name = sys.argv[1]
if name == "duckdb":
    import duckdb
    duckdb.connect().execute("SELECT 1").fetchall()
elif name == "polars":
    import polars
    polars.select(polars.lit(1)).rows()
elif name == "spark":
    from pyspark.sql import SparkSession
    spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    spark.sql("SELECT 1").collect()
elif name == "flink":
    from pyflink.table import EnvironmentSettings, TableEnvironment
    list(TableEnvironment.create(EnvironmentSettings.in_batch_mode()).execute_sql("SELECT 1").collect())
from protocol import peak_rss, tree  # noqa: E402, after the clock

print(peak_rss(tree(os.getpid())), flush=True)
os._exit(0) if name in ("duckdb", "polars") else None
