"""The README's Python snippet, against what `make run` starts."""

import contextlib
import io
import os
import re
import signal
import time
import unittest

import adbc_driver_flightsql.dbapi as dbapi
import adbc_driver_manager

from server import ROOT, Server


class Readme(unittest.TestCase):
    def test_snippet(self):
        with open(os.path.join(ROOT, "README.md")) as f:
            code = re.search(r"```python\n(.*?)```", f.read(), re.S).group(1)
        self.assertLessEqual(len(code.splitlines()), 6)
        server = Server("--script", "examples/flights/flights.sql")
        try:
            before = self.departures(server, 5_000)
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(code.replace("grpc://127.0.0.1:8815", server.uri), {})
            self.assertIn("EWR", printed.getvalue())
            # Killed and started again, it has what it would have had.
            server.stop(signal.SIGKILL)
            server.start()
            self.assertEqual(self.departures(server, before), before)
        finally:
            server.close()

    def departures(self, server, enough):
        """Waits until all windows that can close are closed, and counts."""
        last = None
        for _ in range(300):
            with contextlib.suppress(adbc_driver_manager.Error), dbapi.connect(server.uri, autocommit=True) as conn, conn.cursor() as cur:
                cur.execute("SELECT CAST(sum(departures) AS BIGINT), count(DISTINCT origin) FROM hourly_departures")
                got, origins = cur.fetchone()
                if got and got >= enough and got == last:
                    self.assertEqual(origins, 3)
                    return got
                last = got
            time.sleep(1.2)
        self.fail("only %s departures" % last)


if __name__ == "__main__":
    unittest.main()
