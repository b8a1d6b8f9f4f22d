"""ADBC from Python: the DB-API, and the level below it."""

import datetime
import decimal
import threading
import time

import adbc_driver_flightsql
import adbc_driver_flightsql.dbapi as dbapi
import adbc_driver_manager as manager
import pyarrow as pa
from adbc_driver_flightsql import DatabaseOptions

from checks import LARGE, LARGE_ROWS, LONG, TYPES, WRONG, Client, Unmet, epochs, fails, until, want

ROWS = pa.table({"n": pa.array([1, 2], pa.int64()), "s": ["a", None]})
VALUES = {
    "t01": True, "t02": 1, "t03": 2, "t04": 3, "t05": 4, "t06": 1.5, "t07": 2.5, "t08": decimal.Decimal("1.25"), "t09": "ü", "t10": b"ab",
    "t11": datetime.date(2024, 2, 29), "t12": datetime.datetime(2024, 2, 29, 1, 2, 3, tzinfo=datetime.timezone.utc), "t13": datetime.datetime(2024, 2, 29, 1, 2, 3),
    "t14": [1, 2], "t15": {"a": 1}, "t16": [("k", 1)], "t17": datetime.timedelta(days=1), "t18": None,
}  # fmt: skip


def cancels(run, cancel, seconds=8):
    """Whether run, which takes long, ends soon after cancel."""
    threading.Timer(0.5, cancel).start()
    began = time.monotonic()
    fails(run)
    if time.monotonic() - began > seconds:
        raise Unmet("it took %.1f s" % (time.monotonic() - began))


class Ingests(Client):
    """A client whose method ingested(name, mode, total, rows) ingests into a table, which has
    total rows then."""

    def create(self):
        self.ingested("t", "create", 2)
        fails(lambda: self.ingested("t", "create", 2), "TABLE_OR_VIEW_ALREADY_EXISTS")

    def append(self):
        self.ingested("t", "append", 4)
        fails(lambda: self.ingested("absent", "append", 2), "TABLE_OR_VIEW_NOT_FOUND")

    def replace(self):
        self.ingested("t", "replace", 2)

    def create_append(self):
        self.ingested("t", "create_append", 4)
        self.ingested("t2", "create_append", 2)

    def nothing(self):
        self.ingested("t3", "create", 0, ROWS.schema.empty_table())


class DBAPI(Ingests):
    name = "ADBC Python, dbapi"
    not_applicable = {"numbered": "the driver sends no app_metadata; each ingest is one commit"}

    def __init__(self, env):
        super().__init__(env)
        self.conn = self.open(env.plain)
        self.cur = self.conn.cursor()

    def close(self):
        self.cur.close()
        self.conn.close()

    @staticmethod
    def open(address, scheme="grpc", **kwargs):
        return dbapi.connect(f"{scheme}://{address}", db_kwargs=kwargs, autocommit=True)

    def one(self, conn):
        with conn, conn.cursor() as cur:
            cur.execute("SELECT 1")
            want(cur.fetchall(), [(1,)])

    def ask(self, text, params=None):
        self.cur.execute(text, params)
        return self.cur.fetchall()

    def connect(self):
        self.one(self.open(self.env.plain))

    def tls(self):
        self.one(self.open(self.env.tls, "grpc+tls", **{DatabaseOptions.TLS_ROOT_CERTS.value: self.env.ca_text()}))

    def password(self):
        self.one(self.open(self.env.users, username=self.env.user, password=self.env.password))

    def token(self):
        self.one(self.open(self.env.users, **{DatabaseOptions.AUTHORIZATION_HEADER.value: "Bearer " + self.env.token}))

    def query(self):
        want(self.ask("SELECT 7 AS a, 'x' AS b"), [(7, "x")])

    def types(self):
        self.cur.execute(TYPES)
        want(self.cur.fetch_arrow_table().to_pylist(), [VALUES])

    def parameters(self):
        want(self.ask("SELECT id FROM range(5) WHERE id > ? AND 'b' = ?", (3, "b")), [(4,)])
        want(self.ask("SELECT ? IS NULL", (None,)), [(True,)])

    def prepared(self):
        text = "SELECT id FROM range(5) WHERE id = ?"
        self.cur.adbc_prepare(text)
        for n in (1, 4):
            want(self.ask(text, (n,)), [(n,)])

    def objects(self, depth):
        return self.conn.adbc_get_objects(depth=depth).read_all().to_pylist()

    def catalogs(self):
        want([c["catalog_name"] for c in self.objects("catalogs")], ["spark_catalog"])

    def schemas(self):
        want("default" in [s["db_schema_name"] for s in self.objects("db_schemas")[0]["catalog_db_schemas"]], True)

    def tables(self):
        names = {s["db_schema_name"]: [t["table_name"] for t in s["db_schema_tables"]] for s in self.objects("tables")[0]["catalog_db_schemas"]}
        want(self.env.name("numbers") in names["default"], True)

    def columns(self):
        want(self.conn.adbc_get_table_schema(self.env.name("numbers")).names, ["n"])
        got = self.conn.adbc_get_objects(depth="columns", db_schema_filter="default", table_name_filter=self.env.name("numbers"))
        [schema] = got.read_all().to_pylist()[0]["catalog_db_schemas"]
        want([c["column_name"] for c in schema["db_schema_tables"][0]["table_columns"]], ["n"])

    def info(self):
        want(self.conn.adbc_get_info()["vendor_name"], "flightd")

    def schema(self):
        want(self.cur.adbc_execute_schema("SELECT 1 AS n, 'a' AS s").names, ["n", "s"])

    def update(self):
        self.cur.execute(f"CREATE OR REPLACE TABLE {self.env.name('u')} AS SELECT 1 AS n")
        self.cur.executemany(f"INSERT INTO {self.env.name('u')} VALUES (?)", [(2,), (3,)])
        want(self.cur.rowcount, 2)

    def ingested(self, name, mode, total, rows=ROWS):
        want(self.cur.adbc_ingest(self.env.name(name), rows, mode=mode), rows.num_rows)
        want(self.ask(f"SELECT count(*) FROM {self.env.name(name)}"), [(total,)])

    def stream_append(self):
        self.ask(f"CREATE TABLE {self.env.name('s')} (n BIGINT, s STRING) USING flight")
        self.ingested("s", "append", 2)

    def large(self):
        self.cur.execute(LARGE)
        want(self.cur.fetch_arrow_table().num_rows, LARGE_ROWS)

    def cancel(self):
        with self.conn.cursor() as cur:
            cancels(lambda: (cur.execute(LONG), cur.fetchall()), cur.adbc_cancel)

    def live(self):
        before = until(lambda: self.ask(f"SELECT n FROM {self.env.counts} WHERE n > 0"))[0][0]
        self.env.add(2)
        until(lambda: self.ask(f"SELECT n FROM {self.env.counts}")[0][0] >= before + 2)

    def subscribe(self):
        want(len(self.ask(f"SUBSCRIBE TO {self.env.live} FROM EPOCH 0 LIMIT 3")), 3)

    def endless(self):
        with self.conn.cursor() as cur:
            cur.execute(f"SUBSCRIBE TO {self.env.live} FROM EPOCH 0")
            batches, rows = cur.fetch_record_batch(), 0
            while rows < 3:
                rows += next(batches).num_rows
            self.env.add(4)
            want(until(lambda: next(batches).num_rows) > 0, True)

    def resume(self):
        def follow(more):
            with self.conn.cursor() as cur:
                cur.execute(f"SUBSCRIBE TO {self.env.live} PROGRESS {more}")
                rows = ((r["_epoch"], r["_op"], r["n"]) for b in cur.fetch_record_batch() for r in b.to_pylist())
                return epochs(rows, lambda got: len(got) >= 3)

        done, _ = follow("FROM EPOCH 0")
        self.env.add(3)
        want(follow(f"FROM EPOCH {done + 1}")[0] > done, True)

    def session(self):
        self.ask("CREATE TEMPORARY VIEW mine AS SELECT 7 AS n")
        self.ask("SET flightd.ingest.format = flight")
        want(self.ask("SELECT n FROM mine") + self.ask("SET flightd.ingest.format"), [(7,), ("flightd.ingest.format", "flight")])
        self.ask("SET flightd.ingest.format = table")
        want(self.conn.adbc_current_db_schema, "default")
        with self.open(self.env.plain) as other, other.cursor() as cur:
            fails(lambda: cur.execute("SELECT n FROM mine"), "TABLE_OR_VIEW_NOT_FOUND")

    def error_class(self):
        fails(lambda: self.ask(WRONG), "UNRESOLVED_COLUMN.WITH_SUGGESTION", "x-flightd-sqlstate=42703")

    def error_place(self):  # another text: a cursor does not prepare the same one again
        fails(lambda: self.ask(WRONG + " "), "x-flightd-position=1:8", "line 1:8", "^^^")


class LowLevel(DBAPI):
    """AdbcDatabase, AdbcConnection and AdbcStatement themselves."""

    name = "ADBC Python, low level"

    def __init__(self, env):
        Client.__init__(self, env)
        self.conn = self.open(env.plain)

    def close(self):
        self.conn.close()

    @staticmethod
    def open(address, scheme="grpc", **kwargs):
        return Link(adbc_driver_flightsql.connect(f"{scheme}://{address}", db_kwargs=kwargs))

    def one(self, conn):
        with conn:
            want(self.table("SELECT 1 AS a", conn=conn).to_pylist(), [{"a": 1}])

    def table(self, text, params=None, conn=None):
        with manager.AdbcStatement((conn or self.conn).adbc) as s:
            s.set_sql_query(text)
            if params:
                s.prepare()
                bind(s, params)
            return read(s)

    def ask(self, text, params=None):
        columns = self.table(text, params).to_pydict().values()
        return list(zip(*columns))

    def types(self):
        want(self.table(TYPES).to_pylist(), [VALUES])

    def prepared(self):
        with manager.AdbcStatement(self.conn.adbc) as s:
            s.set_sql_query("SELECT id FROM range(5) WHERE id = ?")
            s.prepare()
            schema = s.get_parameter_schema()
            want(len(pa.Schema._import_from_c(schema.address)), 1)
            for n in (1, 4):
                bind(s, (n,))
                want(read(s).to_pydict(), {"id": [n]})

    def objects(self, depth):
        kinds = {"catalogs": manager.GetObjectsDepth.CATALOGS, "db_schemas": manager.GetObjectsDepth.DB_SCHEMAS, "tables": manager.GetObjectsDepth.TABLES}
        return stream(self.conn.adbc.get_objects(kinds[depth])).to_pylist()

    def columns(self):
        schema = self.conn.adbc.get_table_schema(None, None, self.env.name("numbers"))
        want(pa.Schema._import_from_c(schema.address).names, ["n"])

    def info(self):
        want("flightd" in str(stream(self.conn.adbc.get_info()).to_pylist()), True)

    def schema(self):
        with manager.AdbcStatement(self.conn.adbc) as s:
            s.set_sql_query("SELECT 1 AS n")
            schema = s.execute_schema()
            want(pa.Schema._import_from_c(schema.address).names, ["n"])

    def update(self):
        for text, n in ((f"CREATE OR REPLACE TABLE {self.env.name('u')} (n INT)", None), (f"INSERT INTO {self.env.name('u')} VALUES (1), (2)", 2)):
            with manager.AdbcStatement(self.conn.adbc) as s:
                s.set_sql_query(text)
                got = s.execute_update()
                if n is not None:
                    want(got, n)

    def ingested(self, name, mode, total, rows=ROWS):
        with manager.AdbcStatement(self.conn.adbc) as s:
            s.set_options(**{manager.INGEST_OPTION_TARGET_TABLE: self.env.name(name), manager.INGEST_OPTION_MODE: "adbc.ingest.mode." + mode})
            s.bind_stream(rows.to_reader())
            want(s.execute_update(), rows.num_rows)
        want(self.ask(f"SELECT count(*) FROM {self.env.name(name)}"), [(total,)])

    def large(self):
        want(self.table(LARGE).num_rows, LARGE_ROWS)

    def cancel(self):
        with manager.AdbcStatement(self.conn.adbc) as s:
            s.set_sql_query(LONG)
            cancels(lambda: read(s), s.cancel)

    def endless(self):
        with manager.AdbcStatement(self.conn.adbc) as s:
            s.set_sql_query(f"SUBSCRIBE TO {self.env.live} FROM EPOCH 0")
            batches, rows = reader(s), 0
            while rows < 3:
                rows += next(batches).num_rows
            self.env.add(4)
            want(until(lambda: next(batches).num_rows) > 0, True)
            batches.close()

    def resume(self):
        def follow(more):
            with manager.AdbcStatement(self.conn.adbc) as s:
                s.set_sql_query(f"SUBSCRIBE TO {self.env.live} PROGRESS {more}")
                batches = reader(s)
                try:
                    return epochs(((r["_epoch"], r["_op"], r["n"]) for b in batches for r in b.to_pylist()), lambda got: len(got) >= 3)
                finally:
                    batches.close()

        done, _ = follow("FROM EPOCH 0")
        self.env.add(3)
        want(follow(f"FROM EPOCH {done + 1}")[0] > done, True)

    def session(self):
        self.ask("CREATE TEMPORARY VIEW mine AS SELECT 7 AS n")
        want(self.ask("SELECT n FROM mine"), [(7,)])
        want(self.conn.adbc.get_option("adbc.connection.db_schema"), "default")
        with self.open(self.env.plain) as other:
            fails(lambda: self.table("SELECT n FROM mine", conn=other), "TABLE_OR_VIEW_NOT_FOUND")


class Link:
    """A database and a connection to it."""

    def __init__(self, database):
        self.database = database
        try:
            self.adbc = manager.AdbcConnection(database)
        except BaseException:
            database.close()
            raise

    def close(self):
        self.adbc.close()
        self.database.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def bind(statement, params):
    batch = pa.record_batch([pa.array([p]) for p in params], names=[str(i) for i in range(len(params))])
    statement.bind(*exported(batch))


def exported(batch):
    array, schema = manager.ArrowArrayHandle(), manager.ArrowSchemaHandle()
    batch._export_to_c(array.address, schema.address)
    return array, schema


def reader(statement):
    handle, _ = statement.execute_query()
    return pa.RecordBatchReader._import_from_c(handle.address)


def read(statement):
    return reader(statement).read_all()


def stream(handle):
    return pa.RecordBatchReader._import_from_c(handle.address).read_all()
