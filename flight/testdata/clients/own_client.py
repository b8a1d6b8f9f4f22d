"""The package flightd for Python."""

import threading
import time

import flightd
import pyarrow as pa

from adbc_clients import ROWS, VALUES, Ingests
from checks import LARGE, LARGE_ROWS, LONG, TYPES, WRONG, Unmet, fails, until, want


class Own(Ingests):
    name = "flightd for Python"

    def __init__(self, env):
        super().__init__(env)
        self.conn = flightd.connect("grpc://" + env.plain)

    def close(self):
        self.conn.close()

    def one(self, uri, **kwargs):
        with flightd.connect(uri, **kwargs) as conn:
            want(conn.sql("SELECT 1").scalar(), 1)

    def connect(self):
        self.one("grpc://" + self.env.plain)

    def tls(self):
        self.one("grpc+tls://" + self.env.tls, tls_ca=self.env.ca)

    def password(self):
        self.one("grpc://" + self.env.users, user=self.env.user, password=self.env.password)

    def token(self):
        self.one("grpc://" + self.env.users, token=self.env.token)

    def query(self):
        want(self.conn.sql("SELECT 7 AS a, 'x' AS b").rows(), [{"a": 7, "b": "x"}])

    def types(self):
        want(self.conn.sql(TYPES).rows(), [VALUES])

    def parameters(self):
        want(self.conn.sql("SELECT id FROM range(5) WHERE id > :n", {"n": 3}).rows(), [{"id": 4}])
        want(self.conn.sql("SELECT ? || ?", ["a", "b"]).scalar(), "ab")

    def prepared(self):
        got = self.conn.sql("SELECT id FROM range(5) WHERE id = ?", pa.table({"n": [1, 4]})).rows()
        want(got, [{"id": 1}, {"id": 4}])

    def catalogs(self):
        want([c["catalog_name"] for c in self.conn.adbc.adbc_get_objects(depth="catalogs").read_all().to_pylist()], ["spark_catalog"])

    def schemas(self):
        want("default" in [s["namespace"] for s in self.conn.sql("SHOW SCHEMAS").rows()], True)

    def tables(self):
        want(self.env.name("numbers") in self.conn.tables(), True)

    def columns(self):
        want([c["col_name"] for c in self.conn.sql("DESCRIBE " + self.env.name("numbers")).rows()], ["n"])

    def info(self):
        want(self.conn.adbc.adbc_get_info()["vendor_name"], "flightd")

    def schema(self):
        with self.conn.adbc.cursor() as cur:
            want(cur.adbc_execute_schema("SELECT 1 AS n").names, ["n"])

    def update(self):
        self.conn.execute(f"CREATE OR REPLACE TABLE {self.env.name('u')} (n INT)")
        want(self.conn.execute(f"INSERT INTO {self.env.name('u')} VALUES (1), (2)"), 2)

    def ingested(self, name, mode, total, rows=ROWS, **kwargs):
        want(self.conn.ingest(self.env.name(name), rows, mode=mode, **kwargs), rows.num_rows)
        want(self.conn.sql(f"SELECT count(*) FROM {self.env.name(name)}").scalar(), total)

    def stream_append(self):
        self.conn.execute(f"CREATE TABLE {self.env.name('s')} (n BIGINT, s STRING) USING flight")
        told = []
        self.ingested("s", "append", 2, on_durable=told.append)
        want(told[-1].rows, 2)

    def numbered(self):
        for _ in range(2):  # it was stopped, and sends the same again
            self.ingested("s", "append", 4, producer="p", seq=0)

    def large(self):
        want(self.conn.sql(LARGE).arrow().num_rows, LARGE_ROWS)

    def cancel(self):
        result = self.conn.sql(LONG)
        threading.Timer(0.5, result.cancel).start()
        began = time.monotonic()
        fails(result.arrow)
        if time.monotonic() - began > 8:
            raise Unmet("it took too long")

    def live(self):
        def count():
            return self.conn.sql(f"SELECT n FROM {self.env.counts}").scalar()

        before = until(count)
        self.env.add(2)
        until(lambda: count() >= before + 2)

    def subscribe(self):
        want(len(list(self.conn.subscribe(self.env.live, from_epoch=0, limit=3).rows())), 3)

    def endless(self):
        with self.conn.subscribe(self.env.live, from_epoch=0) as sub:
            rows = 0
            while rows < 3:
                rows += next(sub).num_rows
            self.env.add(4)
            want(next(sub).num_rows > 0, True)

    def resume(self):
        with self.conn.subscribe(self.env.live, from_epoch=0) as sub:
            first = next(sub)
        self.env.add(3)
        with self.conn.subscribe(self.env.live, resume=first.resume) as sub:
            want(next(sub).epoch > first.epoch, True)

    def session(self):
        self.conn.execute("CREATE TEMPORARY VIEW mine AS SELECT 7 AS n")
        self.conn.set("flightd.ingest.format", "flight")
        want((self.conn.sql("SELECT n FROM mine").scalar(), self.conn.sql("SET flightd.ingest.format").rows()[0]["value"]), (7, "flight"))
        self.conn.set("flightd.ingest.format", "table")
        with flightd.connect("grpc://" + self.env.plain) as other:
            fails(lambda: other.sql("SELECT n FROM mine"), "TABLE_OR_VIEW_NOT_FOUND")

    def error(self):
        try:
            self.conn.sql(WRONG)
        except flightd.Error as e:
            return e
        raise Unmet("no error")

    def error_class(self):
        want((self.error().condition, self.error().sqlstate), ("UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703"))

    def error_place(self):
        want(self.error().position, (1, 8))
