"""Flink SQL in an embedded mini-cluster: form (c). The whole job is timed: Flink
has no micro-batches, and the first run, which warms up the JVM, does not count.
The input is two files, one for each reader and each in the order of time, since
the reader hands out files in no order, which would break watermarks."""

import glob
import os
import pathlib

JARS = pathlib.Path(__file__).resolve().parent.parent / ".venv-flink" / "jars"
os.environ.setdefault("JVM_ARGS", "-Xmx4g")

import pyflink.version
from pyflink.common import Configuration
from pyflink.table import EnvironmentSettings, TableEnvironment

from protocol import Engine, Usage, serve

TYPES = {"int64": "BIGINT", "int32": "INT", "float64": "DOUBLE", "utf8": "STRING", "bool": "BOOLEAN"}
EPOCH_2026 = 1767225600_000_000
PRIME = 1_000_003


class Flink(Engine):
    version = "Flink " + pyflink.version.__version__

    def load(self, spec):
        self.spec = spec
        conf = Configuration()
        for key, value in {
            "pipeline.jars": ";".join("file://" + str(j) for j in sorted(JARS.glob("*.jar"))),
            "parallelism.default": str(spec["threads"]),
            "taskmanager.numberOfTaskSlots": str(spec["threads"]),
            "pipeline.object-reuse": "true",
            "state.backend.type": "hashmap",
            "execution.checkpointing.interval": "10 s",
            "execution.checkpointing.storage": "filesystem",
            "execution.checkpointing.dir": "file://" + os.path.join(spec["scratch"], "checkpoints"),
            "table.exec.mini-batch.enabled": "true",
            "table.exec.mini-batch.allow-latency": "1 s",
            "table.exec.mini-batch.size": "50000",
            "table.optimizer.agg-phase-strategy": "TWO_PHASE",
            "table.local-time-zone": "UTC",
            "taskmanager.memory.managed.size": "512m",
            "taskmanager.memory.network.max": "256m",
        }.items():
            conf.set_string(key, value)
        self.env = TableEnvironment.create(EnvironmentSettings.new_instance().in_streaming_mode().with_configuration(conf).build())
        for t in spec["tables"]:
            self.table(t)
        self.ways = [("", self.job)]

    def table(self, t):
        columns = [f"`{n}` {TYPES.get(typ, 'TIMESTAMP_LTZ(3)')}" for n, typ in t["columns"]]
        if self.spec.get("eventTime") in [n for n, _ in t["columns"]]:
            columns.append(f"WATERMARK FOR {self.spec['eventTime']} AS {self.spec['eventTime']} - INTERVAL '10' SECOND")
        options = {"connector": "filesystem", "path": "file://" + (t.get("halvesPath") or t["path"]), "format": t["format"]}
        if t["format"] == "json":
            options["json.timestamp-format.standard"] = "ISO-8601"
        text = ", ".join(f"'{k}' = '{v}'" for k, v in options.items())
        self.env.execute_sql(f"CREATE TABLE `{t['name']}` ({', '.join(columns)}) WITH ({text})")

    def job(self):
        self.runs = getattr(self, "runs", 0) + 1
        question = self.env.sql_query(self.spec["queries"][0])
        schema = question.get_resolved_schema()
        columns = ", ".join(f"`{n}` {sql_type(t)}" for n, t in zip(schema.get_column_names(), schema.get_column_data_types()))
        self.env.execute_sql(f"CREATE TEMPORARY TABLE hole{self.runs} ({columns}) WITH ('connector' = 'blackhole')")
        self.env.execute_sql(f"INSERT INTO hole{self.runs} {self.spec['queries'][0]}").wait()

    def check(self):
        """Sums up the answer by a query over it, whose last row is the sum over the
        final state. There is no CRC in Flink SQL, so strings and event
        times are only counted."""
        question = self.env.sql_query(self.spec["queries"][0])
        schema = question.get_resolved_schema()
        names = schema.get_column_names()
        exprs, strings = ["COUNT(*)"], []
        weight = None
        for i, (name, typ) in enumerate(zip(names, map(sql_type, schema.get_column_data_types()))):
            value = number(name, typ)
            strings.append(value is None)
            if i == 0 and value is not None:
                weight = f"CAST(1 + (CAST(FLOOR({value}) AS BIGINT) % 1021 + 1021) % 1021 AS DOUBLE)"
            exprs.append(f"COUNT(`{name}`)")
            exprs.append(f"SUM({value})" if value else "CAST(0 AS DOUBLE)")
            exprs.append(f"SUM({value} * {weight})" if value and weight else "CAST(0 AS DOUBLE)")
        rows = self.env.execute_sql(f"SELECT {', '.join(exprs)} FROM ({self.spec['queries'][0]})").collect()
        last = None
        for row in rows:
            last = list(row)
        columns = [{"count": last[1 + 3 * i], "sum": last[2 + 3 * i] or 0, "weighted": last[3 + 3 * i] or 0,
                    "counted": s or weight is None} for i, s in enumerate(strings)]
        return {"rows": last[0], "columns": columns}


def sql_type(t):
    """A data type in SQL: its text leaves out length and precision."""
    name = str(t).split(" ")[0]
    return {"LOCALZONEDTIMESTAMP": "TIMESTAMP_LTZ(3)", "TIMESTAMP": "TIMESTAMP(3)", "VARCHAR": "STRING", "CHAR": "STRING"}.get(name, name)


def number(name, typ):
    """A column as a double, folded as bench/checksum does, or None."""
    name = f"`{name}`"
    # Event times have lost their microseconds.
    if typ in ("STRING", "TIMESTAMP_LTZ(3)"):
        return None
    if typ.startswith("TIMESTAMP"):
        # Seconds are enough: these are starts of windows.
        return f"CAST(TIMESTAMPDIFF(SECOND, TIMESTAMP '2026-01-01 00:00:00', {name}) * CAST(1000000 AS BIGINT) AS DOUBLE)"
    if typ == "BIGINT":
        return (f"CAST(CASE WHEN {name} >= 9007199254740992 THEN {name} % {PRIME} "
                f"WHEN {name} >= 1700000000000000 AND {name} < 1900000000000000 THEN {name} - {EPOCH_2026} ELSE {name} END AS DOUBLE)")
    return f"CAST({name} AS DOUBLE)"


serve(Flink())
