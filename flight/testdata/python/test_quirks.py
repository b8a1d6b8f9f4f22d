"""What the contract knows of ADBC and pyarrow, tried with them; docs/flight-sql.md lists it."""

import datetime
import decimal
import unittest
import warnings

import adbc_driver_flightsql.dbapi as dbapi
import adbc_driver_manager
import pyarrow as pa
import pyarrow.flight as fl

from test_adbc import Connected


class Bound(Connected):
    """Parameters that the driver sends with the types that it has."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with dbapi.connect(cls.server.uri, autocommit=True) as conn, conn.cursor() as cur:
            cur.execute("CREATE TABLE b (n INT, y TINYINT, d DECIMAL(10,2), f FLOAT, s STRING, day DATE, ts TIMESTAMP, bin BINARY)")

    def fails(self, text, params, want):
        with self.assertRaises(adbc_driver_manager.Error) as caught:
            self.ask(text, params)
        self.assertIn(want, str(caught.exception))

    def test_schema_of_parameters(self):
        schema = self.cur.adbc_prepare("SELECT n FROM b WHERE n > ? AND s LIKE ? AND ts BETWEEN ? AND ? LIMIT ?")
        self.assertEqual([f.type for f in schema], [pa.int32(), pa.string(), pa.timestamp("us", "UTC"), pa.timestamp("us", "UTC"), pa.int32()])
        schema = self.cur.adbc_prepare("INSERT INTO b (y, d, day) VALUES (?, ?, ?)")
        self.assertEqual([f.type for f in schema], [pa.int8(), pa.decimal128(10, 2), pa.date32()])
        schema = self.cur.adbc_prepare("SELECT ? AS a, CAST(? AS DOUBLE) AS b")
        self.assertEqual([f.type for f in schema], [pa.string(), pa.float64()])

    def test_values(self):
        day = datetime.date(2024, 2, 29)
        noon = datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.timezone.utc)
        self.cur.execute("INSERT INTO b VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (1, 2, decimal.Decimal("1.25"), 0.1, "a", day, noon, b"x"))
        self.assertEqual(self.cur.rowcount, 1)
        for where, value in [("n = ?", 1), ("n < ?", 3_000_000_000), ("n < ?", 1.5), ("y = ?", 2), ("d = ?", decimal.Decimal("1.25")), ("? > d", decimal.Decimal("1.2555")),
                             ("s = ?", "a"), ("day = ?", day), ("day = ?", "2024-02-29"), ("ts = ?", noon), ("ts > ?", day), ("bin = ?", b"x"), ("n IN (2, ?)", 1),
                             ("coalesce(?, n) = 1", None), ("n + ? = 3", 2), ("s LIKE ?", "%"), ("substring(s, ?) = 'a'", 1)]:
            self.assertEqual(self.ask(f"SELECT count(*) FROM b WHERE {where}", (value,)), [(1,)], where)
        self.assertEqual(self.ask("SELECT n FROM b LIMIT ?", (1,)), [(1,)])
        self.assertEqual(self.ask("SELECT n FROM b LIMIT ?", (0,)), [])

    def test_losses_are_errors(self):
        self.fails("INSERT INTO b (n) VALUES (?)", (3_000_000_000,), "[CAST_OVERFLOW]")
        self.fails("INSERT INTO b (n) VALUES (?)", (1.5,), "[CAST_INVALID_INPUT]")
        self.fails("INSERT INTO b (d) VALUES (?)", (decimal.Decimal("1.255"),), "[CAST_INVALID_INPUT]")
        self.fails("INSERT INTO b (n) VALUES (?)", ("1",), "[INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST]")
        self.fails("SELECT n FROM b LIMIT ?", (3_000_000_000,), "[CAST_OVERFLOW]")
        self.fails("SELECT n FROM b WHERE n = ?", (True,), "[DATATYPE_MISMATCH")

    def test_names(self):
        # The driver cannot bind a dict, but the names of a table's columns count.
        self.cur.execute("SELECT :a || :b || :a AS t", pa.table({"b": ["x"], "a": ["y"]}))
        self.assertEqual(self.cur.fetchall(), [("yxy",)])
        self.assertEqual(self.ask("SELECT :a || :b AS t", ("x", "y")), [("xy",)])

    def test_rows_of_parameters(self):
        self.ask("CREATE TABLE many (n INT, s STRING)")
        self.cur.executemany("INSERT INTO many VALUES (?, ?)", [(i, str(i)) for i in range(20)])
        self.assertEqual(self.cur.rowcount, 20)
        self.assertEqual(self.ask("SELECT count(*), sum(n) FROM many"), [(20, 190)])
        self.cur.execute("SELECT s FROM many WHERE n = ?", pa.table({"0": pa.array([3, 5, 7], pa.int8())}))
        self.assertEqual(self.cur.fetchall(), [("3",), ("5",), ("7",)])


class Statements(Connected):
    def test_autocommit_off_goes_on(self):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with dbapi.connect(self.server.uri) as conn, conn.cursor() as cur:
                cur.execute("SELECT 1")
                self.assertEqual(cur.fetchone(), (1,))

    def test_uris(self):
        address = self.server.uri.removeprefix("grpc://")
        for uri in [f"grpc://{address}", f"grpc+tcp://{address}", f"flightsql://{address}?transport=tcp"]:
            with dbapi.connect(uri, autocommit=True) as conn, conn.cursor() as cur:
                cur.execute("SELECT 7")
                self.assertEqual(cur.fetchall(), [(7,)], uri)

    def test_partitions(self):
        parts, schema = self.cur.adbc_execute_partitions("SELECT id FROM range(10)")
        self.assertEqual((len(parts), schema.names), (1, ["id"]))
        self.cur.adbc_read_partition(parts[0])
        self.assertEqual(self.cur.fetch_arrow_table().num_rows, 10)

    def test_partitions_one_by_one(self):
        self.cur.adbc_statement.set_options(**{"adbc.statement.exec.incremental": "true"})
        parts, _ = self.cur.adbc_execute_partitions("SELECT id FROM range(10)")
        self.assertEqual(len(parts), 1)
        parts, _ = self.cur.adbc_execute_partitions("SELECT id FROM range(10)")
        self.assertEqual(parts, [])  # that was all

    def test_catalog_and_schema(self):
        self.conn.adbc_current_catalog = "spark_catalog"
        self.conn.adbc_current_db_schema = "default"
        with self.assertRaises(adbc_driver_manager.Error):
            self.conn.adbc_current_catalog = "elsewhere"

    def test_objects_by_type_and_pattern(self):
        self.ask("CREATE TABLE t_1 AS SELECT 1 AS n")
        self.ask("CREATE TABLE tx1 AS SELECT 1 AS n")

        def names(**filters):
            catalogs = self.conn.adbc_get_objects(depth="tables", **filters).read_all().to_pylist()
            return sorted(t["table_name"] for c in catalogs for s in c["catalog_db_schemas"] or [] for t in s["db_schema_tables"] or [])

        self.assertEqual(names(table_name_filter="t\\_1"), ["t_1"])
        self.assertEqual(names(table_name_filter="t_1"), ["t_1", "tx1"])
        self.assertEqual(names(table_types_filter=["table"]), ["t_1", "tx1"])
        self.assertEqual(names(table_types_filter=["VIEW"]), [])

    def test_timestamps_without_a_zone(self):
        self.ask("SET flightd.client.timestampZone = none")
        table = self.arrow("SELECT TIMESTAMP '2024-02-29 01:02:03' AS t")
        self.assertEqual(table.schema.field("t").type, pa.timestamp("us"))
        self.assertEqual(table.column("t").to_pylist(), [datetime.datetime(2024, 2, 29, 1, 2, 3)])

    def test_details_of_errors(self):
        with self.assertRaises(adbc_driver_manager.Error) as caught:
            self.ask("SELECT nam FROM (SELECT 1 AS name)")
        details = dict(caught.exception.details)
        for key in ["sqlstate", "condition", "position", "hint", "query-id"]:
            self.assertIn(f"x-flightd-{key}".encode(), {k.encode() if isinstance(k, str) else k for k in details})


class LowLevel(Connected):
    def test_raw_sql_is_no_ticket(self):
        with fl.connect(self.server.uri) as client:
            with self.assertRaises(pa.ArrowInvalid):
                client.do_get(fl.Ticket(b"SELECT 1")).read_all()
            with self.assertRaises(pa.ArrowInvalid):
                client.get_flight_info(fl.FlightDescriptor.for_command(b"SELECT 1"))
            with self.assertRaises(NotImplementedError):
                list(client.list_flights())

    def test_large_puts(self):
        rows = pa.table({"s": ["x" * 1_000_000] * 40})  # one message of 40 MB
        kwargs = {"adbc.flight.sql.client_option.with_max_msg_size": str(64 << 20)}
        with dbapi.connect(self.server.uri, db_kwargs=kwargs, autocommit=True) as conn, conn.cursor() as cur:
            self.assertEqual(cur.adbc_ingest("large", rows, mode="create"), 40)
            cur.execute("SELECT s FROM large")
            self.assertEqual(cur.fetch_arrow_table().num_rows, 40)

    def test_handshake_with_anything(self):
        with fl.connect(self.server.uri) as client:
            header, value = client.authenticate_basic_token("a", "ab")  # two paddings
            self.assertTrue(value.startswith(b"Bearer "))


if __name__ == "__main__":
    unittest.main()
