"""Endless results: SUBSCRIBE by ADBC and by pyarrow, with cancelling and resuming."""

import json
import os
import signal
import threading
import time
import unittest

import adbc_driver_flightsql.dbapi as dbapi
import pyarrow as pa
import pyarrow.flight as fl

from server import Server


class Source:
    """A folder of JSON files that a stream reads: numbers from 0 on."""

    def __init__(self, data):
        self.path = os.path.join(data, "in")
        os.makedirs(self.path)
        self.n = 0

    def add(self, count):
        part = os.path.join(self.path, ".part")
        with open(part, "w") as f:
            for _ in range(count):
                f.write('{"n":%d}\n' % self.n)
                self.n += 1
        os.rename(part, os.path.join(self.path, "%09d.json" % self.n))


def command(text):
    """A CommandStatementQuery, spelled by hand: Any{type_url, CommandStatementQuery{query}}."""
    def field(number, value):
        out, n = bytes([number << 3 | 2]), len(value)
        while n >= 0x80:
            out, n = out + bytes([n & 0x7F | 0x80]), n >> 7
        return out + bytes([n]) + value
    url = b"type.googleapis.com/arrow.flight.protocol.sql.CommandStatementQuery"
    return field(1, url) + field(2, field(1, text.encode()))


class Subscribed(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)
        self.source = Source(self.server.data)
        self.conn = dbapi.connect(self.server.uri, autocommit=True)
        self.addCleanup(lambda: self.conn.close())
        self.run_sql("CREATE TABLE numbers (n BIGINT) USING json OPTIONS ('path' = '%s')" % self.source.path)
        self.run_sql("CREATE STREAMING QUERY live INTO feed AS SELECT n FROM STREAM numbers")

    def run_sql(self, text):
        with self.conn.cursor() as cur:
            cur.execute(text)
            return cur.fetchall() if cur.description else None

    def queries(self):
        return len(self.run_sql("SHOW QUERIES"))

    def until(self, what):
        deadline = time.monotonic() + 20
        while not what():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)

    def reader(self, text):
        client = fl.connect(self.server.uri)
        self.addCleanup(client.close)
        info = client.get_flight_info(fl.FlightDescriptor.for_command(command(text)))
        return client.do_get(info.endpoints[0].ticket)


class ADBC(Subscribed):
    def numbers(self, batches, count):
        out = []
        while len(out) < count:
            out.extend(next(batches).column("n").to_pylist())
        return out

    def test_batches_as_they_come(self):
        with self.conn.cursor() as cur:
            began = time.monotonic()
            cur.execute("SUBSCRIBE TO live FROM EPOCH 0")
            batches = cur.fetch_record_batch()
            self.assertLess(time.monotonic() - began, 5)
            for count in (3, 1000, 1):
                self.source.add(count)
                self.assertEqual(self.numbers(batches, count), list(range(self.source.n - count, self.source.n)))

    def test_columns_tell_where_one_is(self):
        self.source.add(2)
        with self.conn.cursor() as cur:
            cur.execute("SUBSCRIBE TO live PROGRESS FROM EPOCH 0 UP TO EPOCH 0")
            table = cur.fetch_arrow_table()  # it ends
        self.assertEqual(table.schema.field("_epoch").type, pa.uint64())
        self.assertEqual(table.schema.field("_op").type, pa.int8())
        self.assertEqual(table.schema.field("_watermark").type, pa.timestamp("us", tz="UTC"))
        self.assertEqual(table.select(["_epoch", "_op", "n"]).to_pylist(),
                         [{"_epoch": 0, "_op": 1, "n": 0}, {"_epoch": 0, "_op": 1, "n": 1}, {"_epoch": 0, "_op": 0, "n": None}])

    def test_resumes_by_epoch(self):
        self.source.add(2)
        got, done = [], -1
        with self.conn.cursor() as cur:
            cur.execute("SUBSCRIBE TO live PROGRESS FROM EPOCH 0")
            for batch in cur.fetch_record_batch():
                for row in batch.to_pylist():
                    if row["_op"] == 0:
                        done = row["_epoch"]
                    else:
                        got.append(row["n"])
                if done == 0:
                    break
        self.conn.close()
        self.server.stop(signal.SIGKILL)
        self.source.add(2)
        self.server.start()
        self.conn = dbapi.connect(self.server.uri, autocommit=True)
        with self.conn.cursor() as cur:
            cur.execute("SUBSCRIBE TO live PROGRESS FROM EPOCH %d UP TO EPOCH 1" % (done + 1))
            got += [n for n in cur.fetch_arrow_table().column("n").to_pylist() if n is not None]
        self.assertEqual(got, [0, 1, 2, 3])

    def test_closing_the_cursor_stops_the_work(self):
        for _ in range(3):
            cur = self.conn.cursor()
            cur.execute("SUBSCRIBE TO SELECT n + 1 AS n FROM STREAM numbers")
            batches = cur.fetch_record_batch()
            self.source.add(1)
            self.numbers(batches, 1)
            self.assertEqual(self.queries(), 2)
            batches.close()
            cur.close()
            self.until(lambda: self.queries() == 1)

    def test_ends_by_interval_and_setting(self):
        began = time.monotonic()
        self.assertEqual(self.run_sql("SUBSCRIBE TO live FOR INTERVAL '300 milliseconds'"), [])
        self.run_sql("SET flightd.subscribe.maxDuration = 300ms")
        self.assertEqual(self.run_sql("SUBSCRIBE TO live"), [])
        self.assertLess(time.monotonic() - began, 10)

    def test_changelog(self):
        self.run_sql("CREATE STREAMING QUERY sums OUTPUT MODE update INTO feed AS SELECT n % 2 AS k, count(*) AS c FROM STREAM numbers GROUP BY n % 2")
        with self.conn.cursor() as cur:
            cur.execute("SUBSCRIBE TO sums SNAPSHOT ENVELOPE changelog")
            batches, state = cur.fetch_record_batch(), {}
            for count in (3, 2, 5):
                self.source.add(count)
                while sum(state.values()) < self.source.n:
                    for row in next(batches).to_pylist():
                        if row["_op"] in (2, 4):
                            self.assertEqual(state.pop(row["k"]), row["c"])
                        else:
                            self.assertNotIn(row["k"], state)
                            state[row["k"]] = row["c"]
        self.assertEqual(state, {0: 5, 1: 5})

    def test_errors(self):
        for text, want in {"SUBSCRIBE TO live RESUME 'x'": "SUBSCRIBE_INVALID_TOKEN", "SUBSCRIBE TO nowhere": "TABLE_OR_VIEW_NOT_FOUND",
                           "SUBSCRIBE TO live FROM EPOCH 9 ENVELOPE upsert(m)": "did you mean"}.items():
            with self.conn.cursor() as cur, self.assertRaisesRegex(Exception, want):
                cur.execute(text)
                cur.fetchall()


class Pyarrow(Subscribed):
    def read(self, reader, count, got):
        said = None
        while len(got) < count:
            chunk = reader.read_chunk()
            got.extend(chunk.data.column("n").to_pylist())
            said = json.loads(chunk.app_metadata.to_pybytes())
            self.assertEqual(said["v"], 1)
            self.assertEqual(said["rows"], chunk.data.num_rows)
        return said

    def test_resumes_after_both_were_killed(self):
        self.source.add(5)
        got = []
        reader = self.reader("SUBSCRIBE TO live FROM EPOCH 0")
        said = self.read(reader, 5, got)
        self.assertGreaterEqual(said["lag_ms"], 0)
        for _ in range(3):
            reader.cancel()
            self.server.stop(signal.SIGKILL)
            self.source.add(7)
            self.server.start()
            reader = self.reader("SUBSCRIBE TO live RESUME '%s'" % said["resume"])
            said = self.read(reader, self.source.n, got)
        self.assertEqual(got, list(range(self.source.n)))

    def test_the_end_of_the_server_leaves_a_token(self):
        self.source.add(2)
        reader, got = self.reader("SUBSCRIBE TO live FROM EPOCH 0"), []
        self.read(reader, 2, got)
        stopping = threading.Thread(target=self.server.stop)
        stopping.start()
        chunk = reader.read_chunk()
        said = json.loads(chunk.app_metadata.to_pybytes())
        self.assertEqual((chunk.data.num_rows, said["end"]), (0, "drain"))
        with self.assertRaises(StopIteration):
            reader.read_chunk()
        stopping.join()
        self.source.add(1)
        self.server.start()
        self.read(self.reader("SUBSCRIBE TO live RESUME '%s'" % said["resume"]), 3, got)
        self.assertEqual(got, [0, 1, 2])


if __name__ == "__main__":
    unittest.main()
