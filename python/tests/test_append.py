"""Ingest into stream tables: every row once, whoever was killed."""

import os
import random
import signal
import tempfile
import threading
import time
import unittest

import pyarrow as pa

from support import Served, Server, flightd
from test_security import user


def rows(first, count):
    return pa.record_batch([pa.array(range(first, first + count), pa.int64())], names=["n"])


class Append(Served):
    def setUp(self):
        super().setUp()
        self.conn.execute("DROP TABLE IF EXISTS t")
        self.conn.execute("CREATE TABLE t (n BIGINT) USING flight")

    def numbers(self, table="t"):
        return sorted(self.conn.sql(f"SELECT n FROM {table}").arrow().column("n").to_pylist())

    def producers(self, table="t"):
        return {p["producer"]: int(p["seq"]) for p in self.conn.sql(f"SHOW PRODUCERS {table}").rows()}

    def test_a_connection_has_a_name(self):
        for mode, first in (("append", 0), ("create_append", 6)):
            self.assertEqual(self.conn.ingest("t", [rows(first, 1), rows(first + 1, 2), rows(first + 3, 3)], mode=mode), 6)
        self.assertEqual(self.conn.ingest("t", rows(0, 0)), 0)
        self.assertEqual(self.numbers(), list(range(12)))
        [(name, seq)] = self.producers().items()
        self.assertTrue(name.startswith("~python-"))
        self.assertEqual(seq, 6)
        self.assertEqual(self.conn.ingest("t", [{"n": 12}]), 1)
        self.assertEqual(self.producers(), {name: 7})

    def test_a_producer_that_comes_back(self):
        told = []
        self.assertEqual(self.conn.ingest("t", [rows(0, 5), rows(5, 5)], producer="p", seq=0, on_durable=told.append), 10)
        self.assertEqual((told[-1].producer, told[-1].seq, told[-1].rows), ("p", 1, 10))
        self.assertGreaterEqual(told[-1].commit, 1)
        # It was stopped before it knew, and begins again one batch earlier.
        self.assertEqual(self.conn.ingest("t", [rows(5, 5), rows(10, 5)], producer="p", seq=1), 10)
        self.assertEqual(self.conn.ingest("t", [rows(15, 1)], producer="p"), 1)  # on behind the last
        self.assertEqual((self.numbers(), self.producers()), (list(range(16)), {"p": 3}))
        with self.assertRaises(flightd.StatementError) as caught:
            self.conn.ingest("t", rows(99, 1), producer="p", seq=9)
        self.assertEqual(caught.exception.condition, "INGEST_SEQUENCE_GAP")

    def test_a_table_that_is_made(self):
        self.conn.set("flightd.ingest.format", "flight")
        self.conn.execute("DROP TABLE IF EXISTS made")
        self.assertEqual(self.conn.ingest("made", [rows(0, 3)], producer="p", seq=0), 3)
        self.assertEqual(self.conn.ingest("made", [rows(0, 3)], producer="p", seq=0), 3)
        self.assertEqual((self.numbers("made"), self.producers("made")), ([0, 1, 2], {"p": 0}))
        with self.assertRaises(flightd.NotFound):
            self.conn.ingest("nowhere", rows(0, 1), mode="append")

    def test_arguments(self):
        self.conn.ingest("files", rows(0, 1))
        for kwargs in ({"seq": 1}, {"producer": ""}, {"producer": "p", "seq": -1}, {"producer": "p", "mode": "replace"}, {"on_durable": print, "mode": "create"}):
            with self.assertRaises(ValueError):
                self.conn.ingest("t", rows(0, 1), **kwargs)
        with self.assertRaisesRegex(flightd.StatementError, "not a stream table"):
            self.conn.ingest("files", rows(0, 1), producer="p")
        self.assertEqual(self.conn.ingest("files", rows(0, 2)), 2)

    def test_what_is_refused(self):
        with self.assertRaisesRegex(flightd.StatementError, "other"):
            self.conn.ingest("t", [{"other": 1}])
        with self.assertRaises(flightd.StatementError):
            self.conn.ingest("t", [{"n": "no number"}])

        def source():
            yield rows(0, 2)
            raise KeyError("the source failed")

        with self.assertRaises(KeyError):
            self.conn.ingest("t", source(), producer="p", seq=0)
        self.assertEqual(self.numbers(), [0, 1])  # what came before is there
        self.assertEqual(self.conn.ingest("t", [rows(2, 1)]), 1)
        self.assertEqual(self.numbers(), [0, 1, 2])

    def test_many_batches(self):
        self.assertEqual(self.conn.ingest("t", (rows(i * 10, 10) for i in range(3000))), 30_000)
        self.assertEqual(self.numbers(), list(range(30_000)))

    def test_on_durable_may_fail(self):
        def told(durable):
            raise KeyError("told")

        with self.assertRaises(KeyError):
            self.conn.ingest("t", [rows(0, 1)], on_durable=told)


class Killed(Served):
    """The server is killed with -9 while rows are sent."""

    setUpClass = tearDownClass = classmethod(lambda cls: None)

    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)
        super().setUp()
        self.server.args += ("--listen", self.server.uri.split("//")[1])
        self.conn.execute("CREATE TABLE t (n BIGINT) USING flight OPTIONS ('segmentBytes' = '100000')")

    def check(self, count):
        # The session's connection may have to notice first.
        with flightd.connect(self.server.uri) as conn:
            got = conn.sql("SELECT n FROM t").arrow().column("n").to_pylist()
        self.assertEqual(len(got), count)
        self.assertEqual(got, list(range(count)))  # in the order in which they were sent

    def test_nothing_is_lost_or_repeated(self):
        sent, stop, told = [0], threading.Event(), []

        def source():
            while not stop.is_set():
                count = random.randrange(0, 40)
                yield rows(sent[0], count)
                sent[0] += count
                if random.random() < 0.1:
                    time.sleep(0.002)

        done = []
        sending = threading.Thread(target=lambda: done.append(self.conn.ingest("t", source(), on_durable=told.append, retry_for=60)))
        sending.start()
        for _ in range(6):
            time.sleep(random.random() / 2)
            self.server.stop(signal.SIGKILL)
            self.server.start()
            before = len(told)
            self.until(lambda: len(told) > before, 30)  # it goes on
        stop.set()
        sending.join(60)
        self.assertFalse(sending.is_alive())
        self.assertEqual(done, [sent[0]])
        self.assertEqual([d.seq for d in told], sorted(d.seq for d in told))
        self.check(sent[0])

    def test_a_producer_that_is_stopped_itself(self):
        """Ends after each break, and begins again with batches that may be there."""
        batches = [rows(i * 7, 7) for i in range(400)]
        at = 0
        for _ in range(4):

            def source(first):
                for i, batch in enumerate(batches[first:], first):
                    if i == first + 60:
                        self.server.stop(signal.SIGKILL)
                    yield batch

            acked = []
            with self.assertRaises(flightd.ConnectionLost):
                self.conn.ingest("t", source(at), producer="p", seq=at, on_durable=acked.append, retry_for=0)
            self.server.start()
            self.conn = flightd.connect(self.server.uri)
            self.addCleanup(self.conn.close)
            at = acked[-1].seq + 1 if acked else at
            at = max(0, at - random.randrange(3))
        self.assertEqual(self.conn.ingest("t", batches[at:], producer="p", seq=at), 7 * (len(batches) - at))
        self.check(2800)

    def test_logs_in_again(self):
        """Tokens of users end with the server; those of services do not."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        users = os.path.join(folder.name, "users")
        user(users, "add", "ann", "--role", "writer", password="ann secret\n")
        token = user(users, "token", "service", "--role", "writer")
        self.server.args += ("--users", users)
        self.server.stop()
        self.server.start()
        sent = 0
        for login in ({"user": "ann", "password": "ann secret"}, {"token": token}):

            def source():
                nonlocal sent
                for i in range(300):
                    if i == 150:
                        self.server.stop(signal.SIGKILL)
                        self.server.start()
                    yield rows(sent, 3)
                    sent += 3

            with flightd.connect(self.server.uri, **login) as conn:
                self.assertEqual(conn.ingest("t", source(), retry_for=60), 900)
            with flightd.connect(self.server.uri, **login) as conn:
                self.assertEqual(conn.sql("SELECT n FROM t").arrow().column("n").to_pylist(), list(range(sent)))

    def test_gives_up(self):
        self.server.stop(signal.SIGKILL)
        began = time.monotonic()
        with self.assertRaises(flightd.ConnectionLost):
            self.conn.ingest("t", [rows(0, 1)], retry_for=0.5)
        self.assertLess(time.monotonic() - began, 30)
        self.server.start()


if __name__ == "__main__":
    unittest.main()
