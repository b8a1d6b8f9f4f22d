"""What the tests of the package share: servers, and streams to follow."""

import os
import sys
import time
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
sys.path += [os.path.join(ROOT, "python/src"), os.path.join(ROOT, "flight/testdata/python")]

import flightd  # noqa: E402
from server import Server  # noqa: E402


class Served(unittest.TestCase):
    """Tests against a server of their class."""

    args = ()

    @classmethod
    def setUpClass(cls):
        cls.server = Server(*cls.args)

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def setUp(self):
        self.conn = flightd.connect(self.server.uri)
        self.addCleanup(lambda: self.conn.close())

    def until(self, what, seconds=20):
        end = time.monotonic() + seconds
        while not what():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)


class Streamed(Served):
    """Tests with a server each, a folder of numbers, and the query live that feeds them."""

    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)
        super().setUp()
        self.folder = os.path.join(self.server.data, "in")
        os.makedirs(self.folder)
        self.n = 0
        self.conn.execute(f"CREATE TABLE numbers (n BIGINT) USING json OPTIONS ('path' = '{self.folder}')")
        self.conn.execute("CREATE STREAMING QUERY live INTO feed AS SELECT n FROM STREAM numbers")

    setUpClass = tearDownClass = classmethod(lambda cls: None)

    def add(self, count):
        part = os.path.join(self.folder, ".part")
        with open(part, "w") as f:
            for _ in range(count):
                f.write('{"n":%d}\n' % self.n)
                self.n += 1
        os.rename(part, os.path.join(self.folder, "%09d.json" % self.n))
