"""What pandas and polars do with ADBC, beyond reading a table."""

import datetime
import unittest

import pandas as pd
import polars as pl

from test_adbc import Connected


class Pandas(Connected):
    frame = pd.DataFrame({"n": [1, 2, 3], "s": ["a", "b", None], "t": pd.to_datetime(["2024-02-29 01:02:03", None, "2024-03-01 00:00:00"])})

    def test_write_and_read(self):
        self.assertEqual(self.frame.to_sql("p", self.conn, index=False), 3)
        with self.assertRaises(ValueError):  # pandas asks GetTables whether it exists
            self.frame.to_sql("p", self.conn, index=False)
        self.frame.to_sql("p", self.conn, index=False, if_exists="append")
        got = pd.read_sql("SELECT n, s, t FROM p ORDER BY n", self.conn)
        self.assertEqual(list(got["n"]), [1, 1, 2, 2, 3, 3])
        self.assertEqual(got["t"].iloc[0], pd.Timestamp("2024-02-29 01:02:03"))
        self.frame.to_sql("p", self.conn, index=False, if_exists="replace")
        self.assertEqual(len(pd.read_sql("p", self.conn)), 3)
        self.assertEqual(list(pd.read_sql("p", self.conn, columns=["s", "n"]).columns), ["s", "n"])
        self.ask("DROP TABLE p")

    def test_an_empty_frame(self):
        # pandas makes a reader without batches of it, of which the driver sends nothing.
        with self.assertRaises(pd.errors.DatabaseError) as caught:
            self.frame.iloc[:0].to_sql("nothing", self.conn, index=False)
        self.assertIn("ended before its first message", str(caught.exception.__cause__))

    def test_dtype_backends(self):
        got = pd.read_sql("SELECT CAST(1 AS TINYINT) AS a, CAST(1.50 AS DECIMAL(5,2)) AS d, array(1, 2) AS l", self.conn, dtype_backend="pyarrow")
        self.assertEqual([str(t) for t in got.dtypes][:2], ["int8[pyarrow]", "decimal128(5, 2)[pyarrow]"])

    def test_parameters_by_a_cursor(self):
        self.cur.execute("SELECT id FROM range(10) WHERE id >= ?", (8,))
        self.assertEqual(list(self.cur.fetch_df()["id"]), [8, 9])


class Polars(Connected):
    def test_read(self):
        got = pl.read_database("SELECT id AS n, CAST(id AS STRING) AS s FROM range(5)", self.conn)
        self.assertEqual(got["s"].to_list(), ["0", "1", "2", "3", "4"])
        batches = list(pl.read_database("SELECT id FROM range(300000)", self.conn, iter_batches=True, batch_size=1000))
        self.assertEqual(sum(len(b) for b in batches), 300_000)

    def test_parameters(self):
        got = pl.read_database("SELECT id FROM range(10) WHERE id > ?", self.conn, execute_options={"parameters": [7]})
        self.assertEqual(got["id"].to_list(), [8, 9])

    def test_uri(self):
        uri = "flightsql://" + self.server.uri.removeprefix("grpc://") + "?transport=tcp"
        got = pl.read_database_uri("SELECT 7 AS n", uri, engine="adbc")
        self.assertEqual(got["n"].to_list(), [7])

    def test_write(self):
        rows = pl.DataFrame({"n": [1, 2], "c": pl.Series(["a", "b"], dtype=pl.Categorical), "when": [datetime.datetime(2024, 2, 29), None]})
        self.assertEqual(rows.write_database("pw", self.conn, engine="adbc"), 2)
        self.assertEqual(rows.write_database("pw", self.conn, engine="adbc", if_table_exists="append"), 2)
        self.assertEqual(pl.read_database("SELECT n, c FROM pw ORDER BY n", self.conn)["c"].to_list(), ["a", "a", "b", "b"])
        self.ask("DROP TABLE pw")


if __name__ == "__main__":
    unittest.main()
