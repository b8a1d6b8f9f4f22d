"""Statements, parameters, ingest and errors."""

import datetime
import decimal
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import pyarrow as pa

from support import ROOT, Served, flightd
from server import BIN, Server


class Statements(Served):
    def test_rows(self):
        result = self.conn.sql("SELECT * FROM VALUES (1, 'a'), (2, NULL) AS t(n, s)")
        self.assertEqual(result.columns, ["n", "s"])
        self.assertEqual(result.arrow().to_pylist(), [{"n": 1, "s": "a"}, {"n": 2, "s": None}])
        self.assertEqual(result.rows(), result.arrow().to_pylist())  # again
        self.assertEqual(result.pandas()["n"].tolist(), [1, 2])
        self.assertEqual(result.polars()["s"].to_list(), ["a", None])
        self.assertEqual(self.conn.sql("SELECT 7").scalar(), 7)
        self.assertIsNone(self.conn.sql("SELECT 7 WHERE false").scalar())

    def test_batches_come_once(self):
        result = self.conn.sql("SELECT id FROM range(100000)")
        self.assertEqual(sum(b.num_rows for b in result), 100_000)
        with self.assertRaisesRegex(flightd.Error, "read already"):
            result.arrow()

    def test_leaving_early(self):
        for batch in self.conn.sql("SELECT id FROM range(10000000000)"):
            self.assertGreater(batch.num_rows, 0)
            break
        self.assertEqual(self.conn.sql("SELECT 1").scalar(), 1)

    def test_html(self):
        result = self.conn.sql("SELECT id, '<b>' AS s FROM range(100)")
        shown = result._repr_html_()
        self.assertIn("first 20 rows" if result._table is None else "20 of 100 rows", shown)
        self.assertIn("&lt;b&gt;", shown)
        self.assertEqual(result.arrow().num_rows, 100)  # looking took nothing away
        self.assertIn("20 of 100 rows", result._repr_html_())
        self.assertIn("<i>null</i>", self.conn.sql("SELECT NULL AS x")._repr_html_())

    def test_execute_counts(self):
        self.assertEqual(self.conn.execute("CREATE TABLE counted (n BIGINT)"), 0)
        self.assertEqual(self.conn.execute("INSERT INTO counted VALUES (1), (2)"), 2)
        self.assertEqual(self.conn.execute("SELECT 1"), -1)
        self.assertIn("counted", self.conn.tables())
        self.conn.execute("DROP TABLE counted")

    def test_parameters(self):
        self.assertEqual(self.conn.sql("SELECT ? + 1", [41]).scalar(), 42)
        self.assertEqual(self.conn.sql("SELECT :a || :b", {"b": "y", "a": "x"}).scalar(), "xy")
        for value in (True, 2**40, 1.5, "ü", b"\0\1", decimal.Decimal("1.25"), datetime.date(2026, 1, 2), datetime.datetime(2026, 1, 2, 3, 4, 5),
                      datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc), [1, 2], {"a": 1}, None):  # fmt: skip
            self.assertEqual(self.conn.sql("SELECT ?", [value]).scalar(), value)
        rows = pa.table({"a": [1, 2, 3]})
        self.assertEqual(self.conn.sql("SELECT ? * 10 AS x", rows).arrow().column(0).to_pylist(), [10, 20, 30])
        with self.assertRaises(TypeError):
            self.conn.sql("SELECT ?", "abc")

    def test_settings_and_views_are_the_sessions(self):
        self.conn.set("spark.sql.session.timeZone", "Europe/Berlin")
        self.conn.execute("CREATE TEMPORARY VIEW mine AS SELECT 42 AS n")
        self.assertEqual(self.conn.sql("SELECT n FROM mine").scalar(), 42)
        with flightd.connect(self.server.uri) as other, self.assertRaises(flightd.NotFound):
            other.sql("SELECT n FROM mine")

    def test_closed(self):
        conn = flightd.connect(self.server.uri)
        conn.close()
        conn.close()
        with self.assertRaisesRegex(flightd.Error, "closed"):
            conn.sql("SELECT 1")

    def test_interrupt_cancels_on_the_server(self):
        code = (
            "import sys; sys.path.insert(0, sys.argv[2])\n"
            "import flightd\n"
            "conn = flightd.connect(sys.argv[1])\n"
            "print('begun', flush=True)\n"
            "try:\n"
            "    conn.sql('SELECT count(*) FROM range(10000000) a CROSS JOIN range(10000000) b').arrow()\n"
            "except KeyboardInterrupt:\n"
            "    print('interrupted', conn.sql('SELECT 1').scalar())\n"
        )
        p = subprocess.Popen([sys.executable, "-c", code, self.server.uri, os.path.join(ROOT, "python/src")], stdout=subprocess.PIPE, text=True)
        self.assertEqual(p.stdout.readline(), "begun\n")
        time.sleep(0.7)
        began = time.monotonic()
        p.send_signal(signal.SIGINT)
        self.assertEqual(p.communicate(timeout=20)[0], "interrupted 1\n")
        self.assertLess(time.monotonic() - began, 5)

        def cpu():
            with open(f"/proc/{self.server.process.pid}/stat") as f:
                return sum(map(int, f.read().rsplit(")", 1)[1].split()[11:13]))

        def idle():
            before = cpu()
            time.sleep(0.2)
            return cpu() - before <= 4

        if sys.platform == "linux":
            self.until(idle)


class Locations(unittest.TestCase):
    def test_uris(self):
        from flightd._uri import parse

        for uri, want in {
            "grpc://h:1": "grpc+tcp://h:1", "grpc+tcp://h:1": "grpc+tcp://h:1", "flightd://h": "grpc+tcp://h:8815", "h:1": "grpc+tcp://h:1",
            "grpc+tls://h:1": "grpc+tls://h:1", "flightd+tls://h": "grpc+tls://h:8815", "flightsql://h:1": "grpc+tls://h:1",
            "flightsql://h:1?transport=tcp": "grpc+tcp://h:1", "grpc://[::1]:1": "grpc+tcp://[::1]:1",
        }.items():  # fmt: skip
            self.assertEqual(parse(uri).uri, want)
        for uri in ("http://h", "grpc://ann:pw@h:1", "grpc://h/x", "grpc://", "grpc://h?x=1"):
            with self.assertRaises(ValueError):
                parse(uri)

    def test_arguments(self):
        for kwargs in ({"user": "a"}, {"user": "a", "password": "b", "token": "c"}, {"tls_cert": b"x"}, {"tls_ca": b"x"}):
            with self.assertRaises(ValueError):
                flightd.connect("grpc://127.0.0.1:1", **kwargs)

    def test_nobody_there(self):
        with self.assertRaises(flightd.ConnectionLost):
            flightd.connect("grpc://127.0.0.1:9")


class Errors(Served):
    def fails(self, text, kind=flightd.StatementError):
        with self.assertRaises(kind) as caught:
            self.conn.sql(text).arrow()
        return caught.exception

    def test_parts(self):
        e = self.fails("SELECT nam FROM (SELECT 1 AS name)")
        self.assertEqual((e.condition, e.sqlstate, e.position), ("UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703", (1, 8)))
        self.assertIn("name", e.hint)
        self.assertTrue(str(e).startswith("[UNRESOLVED_COLUMN.WITH_SUGGESTION]"), str(e))
        self.assertIn("^^^", str(e))
        self.assertNotIn("Vendor code", str(e))

    def test_while_reading(self):
        e = self.fails("SELECT 1 / (id - 1) FROM range(3)")
        self.assertEqual((e.condition, e.sqlstate), ("DIVIDE_BY_ZERO", "22012"))
        self.assertIsNotNone(e.position)

    def test_kinds(self):
        self.assertEqual(self.fails("SELECT * FROM nowhere", flightd.NotFound).sqlstate, "42P01")
        self.conn.execute("CREATE TABLE here AS SELECT 1 AS a")
        self.fails("CREATE TABLE here AS SELECT 1 AS a", flightd.AlreadyExists)
        self.fails("SELECT 'a%20b' + nix", flightd.StatementError)

    def test_hints_arrive_as_they_are(self):
        e = self.fails("SELECT `100%25ü` FROM (SELECT 1 AS `100%25u`)")
        self.assertIn("100%25u", e.hint)

    def test_subscriptions_have_them_too(self):
        with self.assertRaises(flightd.NotFound) as caught:
            next(self.conn.subscribe("nowhere"))
        self.assertEqual(caught.exception.condition, "TABLE_OR_VIEW_NOT_FOUND")


class Ingest(Served):
    def check(self, data, rows, **kwargs):
        self.assertEqual(self.conn.ingest("t", data, mode="replace", **kwargs), len(rows))
        self.assertEqual(self.conn.sql("SELECT * FROM t").rows(), rows)

    def test_kinds_of_rows(self):
        import pandas as pd
        import polars as pl

        rows = [{"n": 1, "s": "a"}, {"n": 2, "s": None}]
        table = pa.Table.from_pylist(rows)
        self.check(table, rows)
        self.check(table.to_batches()[0], rows)
        self.check(table.to_reader(), rows)
        self.check(iter(table.to_batches()), rows)
        self.check(rows, rows)
        self.check([{"n": 1, "s": "a"}, {"n": 2}], rows)
        self.check({"n": [1, 2], "s": ["a", None]}, rows)
        self.check(pl.DataFrame(rows), rows)
        self.check(pl.DataFrame(rows).lazy(), rows)
        self.check(pl.DataFrame({"c": pl.Series(["x", "y", "x"], dtype=pl.Categorical)}), [{"c": c} for c in "xyx"])
        self.check(pd.DataFrame({"n": [1, 2], "s": ["a", None]}), rows)
        self.check(pd.DataFrame({"n": [1, 2], "s": ["a", None]}).set_index("n"), rows)
        self.check(pd.DataFrame({"n": [1, 2]}, index=[7, 9]), [{"n": 1}, {"n": 2}])
        self.check(pd.DataFrame({"c": pd.Categorical(["x", "y"]), "t": pd.to_datetime(["2026-01-02", None])}),
                   [{"c": "x", "t": datetime.datetime(2026, 1, 2)}, {"c": "y", "t": None}])  # fmt: skip

    def test_nothing(self):
        import pandas as pd

        self.check(pa.schema([("n", pa.int64()), ("d", pa.dictionary(pa.int8(), pa.string()))]).empty_table(), [])
        self.check(pd.DataFrame({"n": pd.Series([], dtype="int64")}), [])
        self.assertEqual(self.conn.sql("SELECT * FROM t").schema, pa.schema([("n", pa.int64())]))
        for nothing in ([], iter([])):
            with self.assertRaisesRegex(ValueError, "no columns"):
                self.conn.ingest("t", nothing)
        for wrong in ("text", 5, [1, 2]):
            with self.assertRaises(TypeError):
                self.conn.ingest("t", wrong)

    def test_modes(self):
        rows = [{"n": 1}]
        with self.assertRaises(flightd.NotFound):
            self.conn.ingest("m", rows, mode="append")
        self.conn.ingest("m", rows, mode="create")
        with self.assertRaises(flightd.AlreadyExists):
            self.conn.ingest("m", rows, mode="create")
        self.conn.ingest("m", rows, mode="append")
        self.conn.ingest("m", rows)
        self.assertEqual(self.conn.sql("SELECT count(*) FROM m").scalar(), 3)
        with self.assertRaises(ValueError):
            self.conn.ingest("m", rows, mode="upsert")

    def test_large_batches_are_cut(self):
        rows = pa.table({"s": ["x" * 1000] * 150_000})  # one record batch of 150 MB
        self.assertEqual(self.conn.ingest("large", rows), 150_000)
        self.assertEqual(self.conn.sql("SELECT count(*), sum(length(s)) FROM large").rows()[0].popitem()[1], 150_000_000)
        self.conn.execute("DROP TABLE large")

    def test_refusals_name_the_column(self):
        union = pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1])])
        with self.assertRaisesRegex(flightd.StatementError, '"bad"'):
            self.conn.ingest("r", pa.table({"good": [1], "bad": union}))
        self.conn.ingest("r", [{"good": 1}])
        with self.assertRaisesRegex(flightd.StatementError, "other"):
            self.conn.ingest("r", [{"good": 1, "other": 2}])


class Logins(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.users = os.path.join(folder.name, "users")
        self.user("add", "ann", "--role", "admin", password="ann secret\n")
        self.token = self.user("token", "service", "--role", "reader")
        self.server = Server("--users", self.users)
        self.addCleanup(self.server.close)

    def user(self, *args, password=None):
        done = subprocess.run([BIN, "user", *args, "--users", self.users], input=password, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def test_password_and_token(self):
        with flightd.connect(self.server.uri, user="ann", password="ann secret") as conn:
            self.assertEqual(conn.execute("CREATE TABLE t AS SELECT 1 AS a"), 1)
        with flightd.connect(self.server.uri, token=self.token) as conn:
            self.assertEqual(conn.sql("SELECT a FROM t").scalar(), 1)
            with self.assertRaises(flightd.PermissionDenied) as caught:
                conn.execute("DROP TABLE t")
            self.assertEqual(caught.exception.sqlstate, "42501")
        for kwargs in ({"user": "ann", "password": "wrong"}, {"token": "wrong"}, {}):
            with self.assertRaises(flightd.AuthenticationError):
                flightd.connect(self.server.uri, **kwargs)

    def test_logs_in_again_after_a_restart(self):
        uri = self.server.uri
        self.server.args += ("--listen", uri.split("//")[1])
        with flightd.connect(uri, user="ann", password="ann secret") as conn:
            self.assertEqual(conn.sql("SELECT 1").scalar(), 1)
            self.server.stop(signal.SIGKILL)
            self.server.start()
            deadline = time.monotonic() + 20
            while True:
                try:
                    self.assertEqual(conn.sql("SELECT 2").scalar(), 2)
                    break
                except flightd.ConnectionLost:
                    self.assertLess(time.monotonic(), deadline)
                    time.sleep(0.1)


if __name__ == "__main__":
    unittest.main()
