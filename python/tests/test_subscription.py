"""Subscriptions: they go on by themselves, and end when they should."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
import unittest


from support import ROOT, Streamed, flightd


class Subscriptions(Streamed):
    def numbers(self, sub, count):
        out = []
        while len(out) < count:
            out += next(sub).data.column("n").to_pylist()
        return out

    def queries(self):
        return self.conn.sql("SHOW QUERIES").arrow().num_rows

    def test_batches(self):
        sub = self.conn.subscribe("live", from_epoch=0)
        self.add(3)
        batch = next(sub)
        self.assertEqual((batch.data.column("n").to_pylist(), batch.epoch, batch.num_rows, batch.snapshot), ([0, 1, 2], 0, 3, False))
        self.assertGreaterEqual(batch.lag.total_seconds(), 0)
        self.assertEqual(sub.resume, batch.resume)
        self.add(2)
        self.assertEqual(next(sub).epoch, 1)
        sub.close()
        self.assertEqual(list(sub), [])
        self.assertEqual(list(self.conn.subscribe("live", resume=batch.resume, up_to_epoch=1).rows()), [{"n": 3}, {"n": 4}])

    def test_envelope(self):
        self.add(4)
        rows = list(self.conn.subscribe("live", from_epoch=0, up_to_epoch=0, progress=True).rows())
        self.assertEqual([(r["_epoch"], r["_op"], r["n"]) for r in rows], [(0, 1, n) for n in range(4)] + [(0, flightd.Op.COMPLETE, None)])
        self.conn.execute("CREATE STREAMING QUERY sums OUTPUT MODE update INTO feed AS SELECT n % 2 AS k, count(*) AS c FROM STREAM numbers GROUP BY n % 2")
        with self.conn.subscribe("sums", snapshot=True, envelope="changelog") as sub:
            state = {}
            for row in sub.rows():
                if row["_op"] in (flightd.Op.DELETE, flightd.Op.UPDATE_BEFORE):
                    del state[row["k"]]
                else:
                    state[row["k"]] = row["c"]
                if self.n == 4 and state == {0: 2, 1: 2}:
                    self.add(3)
                if state == {0: 4, 1: 3}:
                    break
        with self.conn.subscribe("sums", snapshot=True, envelope="upsert", key=["k"], limit=2) as sub:
            self.assertEqual({r["k"]: r["c"] for r in sub.rows()}, {0: 4, 1: 3})
            self.assertEqual(sub.end, "limit")

    def test_ends(self):
        sub = self.conn.subscribe("live", interval=0.3)
        self.assertEqual((list(sub), sub.end), ([], "interval"))
        self.add(10)
        sub = self.conn.subscribe("live", from_epoch=0, limit=4)
        self.assertEqual(([r["n"] for r in sub.rows()], sub.end), ([0, 1, 2, 3], "limit"))
        sub = self.conn.subscribe("live", from_epoch=0)
        self.numbers(sub, 10)
        self.conn.query("live").stop()
        self.assertEqual((list(sub), sub.end), ([], "query stopped"))

    def test_a_select(self):
        with self.conn.subscribe("SELECT n * 2 AS d FROM STREAM numbers;") as sub:
            self.assertEqual(sub.schema.names, ["d"])
            self.add(2)
            self.assertEqual(next(sub).data.column("d").to_pylist(), [0, 2])
            self.assertEqual(self.queries(), 2)
            self.assertIsNone(sub.resume)  # which files were read is known to its query alone
        self.until(lambda: self.queries() == 1)

    def test_the_loop_is_left(self):
        self.add(1)
        for _ in self.conn.subscribe("SELECT n + 1 AS m FROM STREAM numbers"):
            break
        self.until(lambda: self.queries() == 1)
        for _ in self.conn.subscribe("SELECT n + 1 AS m FROM STREAM numbers").rows():
            break
        self.until(lambda: self.queries() == 1)

    def test_closed_from_another_thread(self):
        sub = self.conn.subscribe("live")
        threading.Timer(0.5, sub.close).start()
        began = time.monotonic()
        self.assertEqual((list(sub), sub.end), ([], "closed"))
        self.assertLess(time.monotonic() - began, 10)

    def test_interrupt(self):
        code = (
            "import sys; sys.path.insert(0, sys.argv[2])\n"
            "import flightd\n"
            "conn = flightd.connect(sys.argv[1])\n"
            "try:\n"
            "    for batch in conn.subscribe('SELECT n FROM STREAM numbers'):\n"
            "        print(batch.num_rows, flush=True)\n"
            "except KeyboardInterrupt:\n"
            "    print('interrupted', conn.sql('SELECT 1').scalar(), flush=True)\n"
        )
        self.add(5)
        p = subprocess.Popen([sys.executable, "-c", code, self.server.uri, os.path.join(ROOT, "python/src")], stdout=subprocess.PIPE, text=True)
        self.assertEqual(p.stdout.readline(), "5\n")
        began = time.monotonic()
        p.send_signal(signal.SIGINT)
        self.assertEqual(p.communicate(timeout=20)[0], "interrupted 1\n")
        self.assertLess(time.monotonic() - began, 5)
        self.until(lambda: self.queries() == 1)

    def test_as_a_statement(self):
        self.add(3)
        result = self.conn.sql("SUBSCRIBE TO live FROM EPOCH 0")
        self.assertIn("endless", result._repr_html_())
        for batch in result:
            if batch.num_rows:
                self.assertEqual(batch.column("n").to_pylist(), [0, 1, 2])
                break

    def test_arguments(self):
        for kwargs in ({"from_epoch": 0, "resume": "x"}, {"envelope": "x"}, {"key": ["k"]}, {"limit": -1}, {"resume": "x'y"}):
            with self.assertRaises(ValueError):
                self.conn.subscribe("live", **kwargs)
        with self.assertRaises(flightd.StatementError) as caught:
            next(self.conn.subscribe("live", resume="AAAA"))
        self.assertEqual(caught.exception.condition, "SUBSCRIBE_INVALID_TOKEN")


class Restarts(Streamed):
    def setUp(self):
        super().setUp()
        self.server.args += ("--listen", self.server.uri.split("//")[1])

    def test_every_row_once(self):
        """The server is killed and stopped while rows come."""
        got = []
        sub = self.conn.subscribe("live", from_epoch=0, retry_for=60)
        reading = threading.Thread(target=lambda: [got.extend(b.data.column("n").to_pylist()) for b in sub])
        reading.start()
        for how in (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL, signal.SIGKILL):
            for _ in range(random.randrange(1, 4)):
                self.add(random.randrange(1, 300))
                time.sleep(random.random() / 4)
            self.server.stop(how)
            self.add(random.randrange(1, 300))
            self.server.start()
        self.add(1)
        self.until(lambda: len(got) >= self.n, 60)
        sub.close()
        reading.join(20)
        self.assertFalse(reading.is_alive())
        self.assertEqual(got, list(range(self.n)))
        self.assertGreaterEqual(sub.reconnects, 2)

    def test_every_row_of_a_select_once(self):
        """Its query ends with the server; the token has the place in the table."""
        self.conn.execute("CREATE TABLE events (n BIGINT) USING flight OPTIONS ('maxRowsPerTrigger' = '40')")
        got = []
        sub = self.conn.subscribe("SELECT n FROM STREAM events WHERE n % 3 <> 1", retry_for=60)
        reading = threading.Thread(target=lambda: [got.extend(b.data.column("n").to_pylist()) for b in sub])
        reading.start()
        n = 0
        for how in (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL):
            for _ in range(random.randrange(1, 4)):
                count = random.randrange(1, 300)
                self.conn.execute(f"INSERT INTO events SELECT id FROM range({n}, {n + count})")
                n += count
                time.sleep(random.random() / 4)
            self.server.stop(how)
            self.server.start()
        self.conn.execute(f"INSERT INTO events VALUES ({n})")
        want = [i for i in range(n + 1) if i % 3 != 1]
        self.until(lambda: len(got) >= len(want), 60)
        sub.close()
        reading.join(20)
        self.assertFalse(reading.is_alive())
        self.assertEqual(got, want)
        self.assertGreaterEqual(sub.reconnects, 2)

    def test_limit_counts_across_restarts(self):
        self.add(3)
        sub = self.conn.subscribe("live", from_epoch=0, limit=5, retry_for=60)
        got = next(sub).data.column("n").to_pylist()
        self.server.stop(signal.SIGKILL)
        self.add(7)
        self.server.start()
        got += [r["n"] for r in sub.rows()]
        self.assertEqual((got, sub.end), ([0, 1, 2, 3, 4], "limit"))

    def test_gives_up(self):
        self.add(1)
        sub = self.conn.subscribe("live", from_epoch=0, retry_for=1)
        next(sub)
        self.server.stop(signal.SIGKILL)
        began = time.monotonic()
        with self.assertRaises(flightd.ConnectionLost):
            list(sub)
        self.assertLess(time.monotonic() - began, 15)
        self.server.start()

    def test_what_cannot_be_resumed_says_so(self):
        self.add(1)
        sub = self.conn.subscribe("SELECT n FROM STREAM numbers")
        next(sub)
        self.server.stop(signal.SIGKILL)
        with self.assertRaisesRegex(flightd.ConnectionLost, "cannot be resumed"):
            list(sub)
        self.server.start()


class Queries(Streamed):
    def test_handle(self):
        self.add(5)
        [q] = self.conn.queries()
        self.until(lambda: (q.progress() or {}).get("numInputRows") == 5 or q.status().epoch is not None)
        s = q.status()
        self.assertEqual((s.name, s.active, s.output_mode, s.exception), ("live", True, "append", None))
        self.assertIn("CREATE STREAMING QUERY", q.statement)
        self.assertFalse(q.await_termination(0.2))
        self.assertIn("running", q._repr_html_())
        self.assertIn("live", self.conn.queries()._repr_html_())
        q.stop()
        self.assertTrue(q.await_termination(10))
        self.assertFalse(q.status().active)
        q.drop()
        self.assertIn("is gone", q._repr_html_())
        self.assertEqual(self.conn.queries()._repr_html_(), "<i>no streaming queries</i>")
        with self.assertRaises(flightd.NotFound):
            self.conn.query("live")

    def test_failure(self):
        self.conn.execute("CREATE STREAMING QUERY broken INTO feed AS SELECT 1 / n AS x FROM STREAM numbers")
        self.add(1)
        with self.assertRaisesRegex(flightd.QueryFailed, "DIVIDE_BY_ZERO"):
            self.conn.query("broken").await_termination(20)
        self.assertIn("failed", self.conn.query("broken")._repr_html_())


if __name__ == "__main__":
    unittest.main()
