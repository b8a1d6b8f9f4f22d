"""Spark Structured Streaming: form (c). One child keeps one JVM, so only its
first run pays for warming up; a run's time is that of the micro-batches after
the first, for as many rows as there are in all."""

import glob
import os
import shutil
import sys
import time

import duckdb
import pyspark
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from checksum import checksum
from protocol import Engine, Usage, cpu_seconds, serve

TYPES = {"int64": "BIGINT", "int32": "INT", "float64": "DOUBLE", "utf8": "STRING", "bool": "BOOLEAN"}


class Spark(Engine):
    version = "Spark " + pyspark.__version__

    def load(self, spec):
        self.spec, self.runs = spec, 0
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        self.spark = (
            SparkSession.builder.master(f"local[{spec['threads']}]").appName("bench")
            .config("spark.driver.memory", "4g")
            .config("spark.sql.shuffle.partitions", "2")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.session.timeZone", "UTC")
            .config("spark.sql.streaming.numRecentProgressUpdates", "100000")
            .config("spark.local.dir", os.path.join(spec["scratch"], "local"))
            .config("spark.sql.warehouse.dir", os.path.join(spec["scratch"], "warehouse"))
            .getOrCreate())
        self.spark.sparkContext.setLogLevel("ERROR")
        self.ways = [(way["name"], lambda way=way: self.stream(way)) for way in spec["ways"]]

    def question(self, way):
        for t in self.spec["tables"]:
            schema = ", ".join(f"`{n}` {TYPES.get(typ, 'TIMESTAMP')}" for n, typ in t["columns"])
            if t.get("static"):
                self.spark.read.schema(schema).format(t["format"]).load(t["path"]).createOrReplaceTempView(t["name"])
                continue
            path = t["smallPath"] if way.get("small") else t["path"]
            df = self.spark.readStream.schema(schema).format(t["format"]).option("maxFilesPerTrigger", way["files"]).load(path)
            if self.spec.get("eventTime"):
                df = df.withWatermark(self.spec["eventTime"], self.spec["delay"])
            if self.spec.get("dedup"):
                df = df.dropDuplicatesWithinWatermark(self.spec["dedup"])
            df.createOrReplaceTempView(t["name"])
        return self.spark.sql(self.spec["queries"][0])

    def checkpoint(self):
        self.runs += 1
        return os.path.join(self.spec["scratch"], f"checkpoint-{self.runs}")

    def stream(self, way):
        where = self.checkpoint()
        q = (self.question(way).writeStream.format("noop").outputMode(self.spec["mode"])
             .option("checkpointLocation", where).trigger(availableNow=True).start())
        self.first_cpu = None
        while q.isActive:
            if self.first_cpu is None and q.lastProgress is not None:
                self.first_cpu = cpu_seconds(self.usage.pids)
            time.sleep(0.05)
        q.awaitTermination()
        shutil.rmtree(where, ignore_errors=True)
        return [p for p in q.recentProgress]

    def run(self):
        self.usage = Usage()
        progress = self.ways[self.way][1]()
        reply = self.usage.end(note=self.ways[self.way][0])
        rows, first = sum(p["numInputRows"] for p in progress), progress[0]["numInputRows"]
        if not rows or rows % self.spec["streamed"]:  # a stream that the query reads twice counts twice
            raise ValueError(f"{rows} of {self.spec['streamed']} rows were read")
        reply["metrics"] = {"whole s": reply["wall"]}
        if rows > first:
            scale = rows / (rows - first)
            reply["wall"] = sum(p["durationMs"]["triggerExecution"] for p in progress[1:]) / 1000 * scale
            reply["cpu"] = (cpu_seconds(self.usage.pids) - self.first_cpu) * scale
        state = progress[-1]["stateOperators"]
        if state and state[0]["numRowsTotal"]:
            total = sum(s["numRowsTotal"] for s in state)
            reply["metrics"]["state rows"] = total
            reply["metrics"]["state B/row"] = sum(s["memoryUsedBytes"] for s in state) / total
        return reply

    def choose(self):
        best = []
        for i, _ in enumerate(self.ways):
            self.way = i
            best.append((self.run()["wall"], i))
        self.way = min(best)[1]
        return {"note": self.ways[self.way][0]}

    def check(self):
        """Runs once more into files and sums up the last row of each key."""
        out, where = os.path.join(self.spec["scratch"], "out"), self.checkpoint()

        def write(df, epoch):
            df.write.mode("overwrite").parquet(os.path.join(out, f"{epoch:06}"))

        way = self.spec["ways"][self.way]
        question = self.question(way)
        names = question.columns
        question.writeStream.foreachBatch(write).outputMode(self.spec["mode"]).option("checkpointLocation", where) \
            .trigger(availableNow=True).start().awaitTermination()
        files = glob.glob(os.path.join(out, "*", "*.parquet"))
        con = duckdb.connect()
        con.execute("SET TimeZone = 'UTC'")
        keys = ", ".join(f'"{n}"' for n in names[:self.spec.get("keys", 0)])
        columns = ", ".join(f'"{n}"' for n in names)
        last = f"QUALIFY row_number() OVER (PARTITION BY {keys} ORDER BY filename DESC) = 1" if keys else ""
        table = con.execute(f"SELECT {columns} FROM read_parquet($1, filename = true) {last}", [files]).to_arrow_table()
        shutil.rmtree(out)
        return checksum(table)


serve(Spark())
