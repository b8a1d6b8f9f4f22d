"""DuckDB: forms (a) in-memory tables and (b) files."""

import os

import duckdb

from checksum import checksum
from protocol import Engine, serve

TYPES = {"int64": "BIGINT", "int32": "INTEGER", "float64": "DOUBLE", "utf8": "VARCHAR", "bool": "BOOLEAN"}


def scan(t):
    path = os.path.join(t["path"], "*." + t["format"])
    if t["format"] == "json":
        columns = ", ".join(f"'{n}': '{TYPES.get(typ, 'TIMESTAMP')}'" for n, typ in t["columns"])
        return f"read_json('{path}', format='newline_delimited', columns={{{columns}}})"
    return f"read_parquet('{path}')"


class DuckDB(Engine):
    version = "DuckDB " + duckdb.__version__

    def load(self, spec):
        self.con = con = duckdb.connect()
        con.execute(f"SET threads = {spec['threads']}")
        con.execute("SET preserve_insertion_order = false")
        con.execute("SET TimeZone = 'UTC'")
        for t in spec["tables"]:
            kind = "TABLE" if spec["form"] == "a" else "VIEW"
            con.execute(f"CREATE {kind} {t['name']} AS SELECT * FROM {scan(t)}")
        for i, q in enumerate(spec["queries"]):
            which = f" {i + 1}" if len(spec["queries"]) > 1 else ""
            self.ways.append(("arrow" + which, lambda q=q: con.execute(q).to_arrow_table()))
            self.ways.append(("table" + which, lambda q=q: con.execute("CREATE OR REPLACE TEMP TABLE result AS " + q)))

    def check(self):
        if self.ways[self.way][0].startswith("table"):
            return checksum(self.con.execute("SELECT * FROM result").to_arrow_table())
        return checksum(self.result)


serve(DuckDB())
