"""What a data scientist does with adbc-driver-flightsql."""

import json
import os
import time
import unittest

import adbc_driver_flightsql.dbapi as dbapi
import adbc_driver_manager
import pyarrow as pa

from server import Server


class Connected(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def setUp(self):
        self.conn = dbapi.connect(self.server.uri, autocommit=True)
        self.cur = self.conn.cursor()

    def tearDown(self):
        self.cur.close()
        self.conn.close()

    def ask(self, text, params=None):
        self.cur.execute(text, params)
        return self.cur.fetchall()

    def arrow(self, text):
        self.cur.execute(text)
        return self.cur.fetch_arrow_table()


class Statements(Connected):
    def test_connects_without_autocommit(self):
        with self.assertWarns(Warning):  # there are no transactions
            with dbapi.connect(self.server.uri) as conn, conn.cursor() as cur:
                cur.execute("SELECT 1")
                self.assertEqual(cur.fetchone(), (1,))

    def test_connects_with_a_password(self):
        kwargs = {"username": "ann", "password": "secre"}
        with dbapi.connect(self.server.uri, db_kwargs=kwargs, autocommit=True) as conn, conn.cursor() as cur:
            cur.execute("SELECT 1")
            self.assertEqual(cur.fetchone(), (1,))

    def test_select(self):
        self.assertEqual(self.ask("SELECT 1 AS a, 'x' AS b, CAST(NULL AS STRING) AS c"), [(1, "x", None)])
        table = self.arrow("SELECT TIMESTAMP '2026-01-02 03:04:05' AS t, CAST(1.50 AS DECIMAL(10,2)) AS d, array(1, 2) AS l")
        self.assertEqual(table.schema.field("t").type, pa.timestamp("us", tz="UTC"))
        self.assertEqual(table.schema.field("d").type, pa.decimal128(10, 2))
        self.assertEqual(table.column("l").to_pylist(), [[1, 2]])

    def test_nothing(self):
        table = self.arrow("SELECT 1 AS a WHERE 1 = 2")
        self.assertEqual((table.num_rows, table.column_names), (0, ["a"]))

    def test_ddl_runs_once(self):
        self.ask("CREATE TABLE once AS SELECT 1 AS n")
        with self.assertRaises(adbc_driver_manager.Error):
            self.ask("CREATE TABLE once AS SELECT 1 AS n")
        self.cur.execute("INSERT INTO once VALUES (2), (3)")
        self.assertEqual(self.ask("SELECT count(*) FROM once"), [(3,)])
        self.ask("DROP TABLE once")

    def test_update_count(self):
        self.ask("CREATE TABLE counted AS SELECT 1 AS n")
        self.cur.executescript("INSERT INTO counted VALUES (4), (5)")
        self.assertEqual(self.ask("SELECT sum(n) FROM counted"), [(10,)])
        self.ask("DROP TABLE counted")

    def test_sets_and_views_belong_to_the_session(self):
        self.ask("CREATE TEMPORARY VIEW mine AS SELECT 42 AS n")
        self.assertEqual(self.ask("SELECT n FROM mine"), [(42,)])
        self.ask("SET spark.sql.session.timeZone = Europe/Berlin")
        with dbapi.connect(self.server.uri, autocommit=True) as other, other.cursor() as cur:
            with self.assertRaises(adbc_driver_manager.Error):
                cur.execute("SELECT n FROM mine")

    def test_show_describe_explain(self):
        self.ask("CREATE TABLE shown AS SELECT 1 AS n, 'a' AS s")
        self.assertIn("shown", [r[1] for r in self.ask("SHOW TABLES")])
        self.assertEqual([r[:2] for r in self.ask("DESCRIBE shown")], [("n", "int"), ("s", "string")])
        self.assertTrue(self.ask("EXPLAIN SELECT * FROM shown"))
        self.ask("DROP TABLE shown")

    def test_execute_schema(self):
        schema = self.cur.adbc_execute_schema("SELECT 1 AS n")
        self.assertEqual(schema.names, ["n"])

    def test_many_rows(self):
        rows = pa.table({"n": pa.array(range(200_000), pa.int64()), "s": ["row"] * 200_000})
        self.cur.adbc_ingest("many", rows, mode="create")
        table = self.arrow("SELECT * FROM many")
        self.assertEqual(table.num_rows, 200_000)
        self.assertEqual(sum(table.column("n").to_pylist()), 199_999 * 100_000)
        self.ask("DROP TABLE many")


class Errors(Connected):
    def fails(self, text):
        with self.assertRaises(adbc_driver_manager.Error) as caught:
            self.ask(text)
        return caught.exception

    def test_class_place_and_hint(self):
        e = self.fails("SELECT nam FROM (SELECT 1 AS name)")
        self.assertIn("[UNRESOLVED_COLUMN.WITH_SUGGESTION]", str(e))
        self.assertIn("line 1:8", str(e))
        self.assertIn("^^^", str(e))
        details = {k.decode(): v.decode() for k, v in e.details}
        self.assertEqual(details.get("x-flightd-sqlstate"), "42703")
        self.assertEqual(details.get("x-flightd-position"), "1:8")

    def test_syntax(self):
        e = self.fails("SELEC 1")
        self.assertIn("[PARSE_SYNTAX_ERROR]", str(e))
        self.assertNotIn(".go:", str(e))

    def test_no_such_table(self):
        self.assertIn("[TABLE_OR_VIEW_NOT_FOUND]", str(self.fails("SELECT * FROM nowhere")))

    def test_while_running(self):
        self.assertIn("[DIVIDE_BY_ZERO]", str(self.fails("SELECT 1 / (id - 1) FROM (SELECT 1 AS id)")))

    def test_deep_nesting_is_an_error(self):
        self.fails("SELECT " + "(" * 5000 + "1" + ")" * 5000)
        self.assertEqual(self.ask("SELECT 1"), [(1,)])

    def test_the_connection_goes_on(self):
        self.fails("SELECT")
        self.assertEqual(self.ask("SELECT 1"), [(1,)])


class Parameters(Connected):
    def test_query(self):
        self.assertEqual(self.ask("SELECT n FROM (SELECT 1 AS n UNION ALL SELECT 2 AS n) WHERE n > ?", (1,)), [(2,)])

    def test_insert_many(self):
        self.ask("CREATE TABLE bound (n BIGINT, s STRING)")
        self.cur.executemany("INSERT INTO bound VALUES (?, ?)", [(1, "a"), (2, None)])
        self.assertEqual(sorted(self.ask("SELECT n, s FROM bound")), [(1, "a"), (2, None)])
        self.ask("DROP TABLE bound")

    def test_the_schema_follows_the_parameter(self):
        self.assertEqual(self.ask("SELECT ? AS v", ("a",)), [("a",)])
        self.assertEqual(self.ask("SELECT ? AS v", (1,)), [(1,)])
        self.assertEqual(self.ask("SELECT ? AS v", (None,)), [(None,)])
        self.assertEqual(self.ask("SELECT ? AS v", (1.5,)), [(1.5,)])

    def test_wrong_number(self):
        with self.assertRaises(adbc_driver_manager.Error):
            self.ask("SELECT ?", (1, 2))


class Ingest(Connected):
    rows = pa.table({"n": pa.array([1, 2, 3], pa.int64()), "s": ["a", "b", None]})

    def test_modes(self):
        self.assertEqual(self.cur.adbc_ingest("t", self.rows, mode="create"), 3)
        with self.assertRaises(adbc_driver_manager.Error):
            self.cur.adbc_ingest("t", self.rows, mode="create")
        self.assertEqual(self.cur.adbc_ingest("t", self.rows, mode="append"), 3)
        self.assertEqual(self.ask("SELECT count(*), sum(n), count(s) FROM t"), [(6, 12, 4)])
        self.assertEqual(self.cur.adbc_ingest("t", self.rows, mode="replace"), 3)
        self.assertEqual(self.ask("SELECT count(*) FROM t"), [(3,)])
        self.assertEqual(self.cur.adbc_ingest("t", self.rows, mode="create_append"), 3)
        self.assertEqual(self.ask("SELECT count(*) FROM t"), [(6,)])
        self.ask("DROP TABLE t")
        with self.assertRaises(adbc_driver_manager.Error):
            self.cur.adbc_ingest("t", self.rows, mode="append")

    def test_wrong_columns(self):
        self.cur.adbc_ingest("w", self.rows, mode="create")
        with self.assertRaises(adbc_driver_manager.Error) as caught:
            self.cur.adbc_ingest("w", pa.table({"n": [1], "other": [2]}), mode="append")
        self.assertIn("other", str(caught.exception))
        self.ask("DROP TABLE w")

    def test_nothing(self):
        with self.assertRaises(adbc_driver_manager.Error) as caught:
            self.cur.adbc_ingest("e", pa.RecordBatchReader.from_batches(self.rows.schema, []), mode="create")
        self.assertIn("ended before its first message", str(caught.exception))


class Metadata(Connected):
    def test_objects(self):
        self.cur.adbc_ingest("seen", Ingest.rows, mode="create")
        objects = self.conn.adbc_get_objects(depth="all").read_all().to_pylist()
        self.assertEqual(objects[0]["catalog_name"], "spark_catalog")
        schemas = objects[0]["catalog_db_schemas"]
        self.assertEqual(schemas[0]["db_schema_name"], "default")
        tables = {t["table_name"]: t for t in schemas[0]["db_schema_tables"]}
        self.assertEqual([c["column_name"] for c in tables["seen"]["table_columns"]], ["n", "s"])
        self.assertEqual(tables["seen"]["table_type"], "BASE TABLE")
        self.assertEqual(self.conn.adbc_get_table_types(), ["BASE TABLE", "SYSTEM TABLE", "VIEW"])
        self.assertEqual(self.conn.adbc_get_table_schema("seen").names, ["n", "s"])
        self.ask("DROP TABLE seen")

    def test_info(self):
        self.assertEqual(self.conn.adbc_get_info()["vendor_name"], "flightd")

    def test_catalog_and_schema(self):
        self.assertEqual(self.conn.adbc_current_catalog, "spark_catalog")
        self.assertEqual(self.conn.adbc_current_db_schema, "default")


class Streaming(Connected):
    def test_results_of_a_running_query(self):
        folder = os.path.join(self.server.data, "in")
        os.makedirs(folder)

        def write(name, rows):
            with open(os.path.join(folder, "." + name), "w") as f:
                f.writelines(json.dumps(r) + "\n" for r in rows)
            os.rename(os.path.join(folder, "." + name), os.path.join(folder, name))

        write("1.json", [{"page": "a"}, {"page": "b"}, {"page": "a"}])
        self.ask("CREATE TABLE clicks (page STRING) USING json OPTIONS ('path' = '%s')" % folder)
        self.ask("CREATE STREAMING QUERY hits OUTPUT MODE complete TRIGGER PROCESSING TIME '100 milliseconds' INTO memory AS "
                 "SELECT page, count(*) AS n FROM STREAM clicks GROUP BY page")
        self.assertEqual(self.eventually("SELECT * FROM hits ORDER BY page", 2), [("a", 2), ("b", 1)])
        write("2.json", [{"page": "c"}])
        self.assertEqual(self.eventually("SELECT * FROM hits ORDER BY page", 3), [("a", 2), ("b", 1), ("c", 1)])
        self.assertIn("hits", [r[0] for r in self.ask("SHOW QUERIES")])

        # After a restart the query runs again, from its checkpoint.
        self.cur.close()
        self.conn.close()
        self.assertEqual(self.server.stop(), 0)
        self.server.start()
        self.conn = dbapi.connect(self.server.uri, autocommit=True)
        self.cur = self.conn.cursor()
        write("3.json", [{"page": "c"}])
        self.assertEqual(self.eventually("SELECT * FROM hits WHERE page = 'c' AND n = 2", 1), [("c", 2)])
        self.assertEqual(self.ask("SELECT sum(n) FROM hits"), [(5,)])
        self.ask("STOP QUERY hits")
        self.ask("DROP QUERY hits")

    def eventually(self, text, rows):
        for _ in range(200):
            try:
                got = self.ask(text)
            except adbc_driver_manager.Error:
                got = []
            if len(got) == rows:
                return got
            time.sleep(0.05)
        return got


if __name__ == "__main__":
    unittest.main()
