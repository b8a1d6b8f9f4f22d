"""Data frames: pandas and polars, over ADBC."""

import datetime

import pandas as pd
import polars as pl
from adbc_driver_flightsql import DatabaseOptions

from adbc_clients import DBAPI
from checks import LARGE, LARGE_ROWS, LONG, TYPES, WRONG, Client, epochs, fails, until, want

CURSOR = "there is no function for it; the cursor of the ADBC connection does it"


class Frames(Client):
    """What both have: a connection of ADBC that they read and write through. frame is what
    they write, exists what the error of a table that is there says."""

    def __init__(self, env):
        super().__init__(env)
        self.conn = DBAPI.open(env.plain)

    def close(self):
        self.conn.close()

    def read(self, text, conn=None):
        raise NotImplementedError

    def write(self, frame, name, mode):
        raise NotImplementedError

    def rows(self, text, conn=None):
        return list(self.read(text, conn).itertuples(index=False, name=None))

    def one(self, conn):
        with conn:
            want(self.rows("SELECT 1 AS a", conn), [(1,)])

    def connect(self):
        self.one(DBAPI.open(self.env.plain))

    def tls(self):
        self.one(DBAPI.open(self.env.tls, "grpc+tls", **{DatabaseOptions.TLS_ROOT_CERTS.value: self.env.ca_text()}))

    def password(self):
        self.one(DBAPI.open(self.env.users, username=self.env.user, password=self.env.password))

    def token(self):
        self.one(DBAPI.open(self.env.users, **{DatabaseOptions.AUTHORIZATION_HEADER.value: "Bearer " + self.env.token}))

    def query(self):
        want(self.rows("SELECT 7 AS a, 'x' AS b"), [(7, "x")])

    def statement(self, text):
        with self.conn.cursor() as cur:
            cur.execute(text)

    def create(self):
        want(self.write(self.frame, "t", "create"), 2)
        fails(lambda: self.write(self.frame, "t", "create"), self.exists)

    def append(self):
        self.write(self.frame, "t", "append")
        want(self.count("t"), 4)

    def replace(self):
        self.write(self.frame, "t", "replace")
        want(self.count("t"), 2)

    def nothing(self):
        self.write(self.frame.head(0), "t3", "create")
        want(self.count("t3"), 0)

    def count(self, name):
        return self.rows(f"SELECT count(*) AS c FROM {self.env.name(name)}")[0][0]

    def large(self):
        want(len(self.read(LARGE)), LARGE_ROWS)

    def live(self):
        def count():
            return self.rows(f"SELECT n FROM {self.env.counts} WHERE n > 0")

        before = until(count)[0][0]
        self.env.add(2)
        until(lambda: count()[0][0] >= before + 2)

    def subscribe(self):
        want(len(self.read(f"SUBSCRIBE TO {self.env.live} FROM EPOCH 0 LIMIT 3")), 3)

    def session(self):
        self.statement("CREATE TEMPORARY VIEW mine AS SELECT 7 AS n")
        want(self.rows("SELECT n FROM mine"), [(7,)])

    def error_class(self):
        fails(lambda: self.read(WRONG), "UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703")

    def error_place(self):
        fails(lambda: self.read(WRONG), "line 1:8", "^^^")

    def stream_append(self):
        self.statement(f"CREATE TABLE {self.env.name('s')} (n BIGINT, s STRING) USING flight")
        self.write(self.frame, "s", "append")
        want(self.count("s"), 2)


class Pandas(Frames):
    name = "pandas"
    not_applicable = {
        **dict.fromkeys(("prepared", "catalogs", "schemas", "columns", "info", "schema", "update", "cancel"), CURSOR),
        "create_append": "to_sql has fail, append and replace; append makes the table if need be",
        "numbered": "the driver sends no app_metadata; each ingest is one commit",
    }
    frame = pd.DataFrame({"n": [1, 2], "s": ["a", None]})
    exists = "already exists"

    def read(self, text, conn=None):
        return pd.read_sql(text, conn or self.conn)

    def write(self, frame, name, mode):
        return frame.to_sql(self.env.name(name), self.conn, if_exists={"create": "fail"}.get(mode, mode), index=False)

    def types(self):
        got = self.read(TYPES).iloc[0].to_dict()
        want((got["t01"], got["t05"], got["t09"], got["t10"], list(got["t14"]), got["t15"]), (True, 4, "ü", b"ab", [1, 2], {"a": 1}))
        want((got["t11"], got["t12"], got["t17"]), (datetime.date(2024, 2, 29), pd.Timestamp("2024-02-29 01:02:03", tz="UTC"), pd.Timedelta(days=1)))

    def parameters(self):
        want(len(pd.read_sql("SELECT id FROM range(5) WHERE id > ?", self.conn, params=(3,))), 1)

    def tables(self):
        from pandas.io.sql import has_table

        want((has_table(self.env.name("numbers"), self.conn), has_table("absent", self.conn)), (True, False))

    def endless(self):
        next(pd.read_sql(f"SUBSCRIBE TO {self.env.live} FROM EPOCH 0", self.conn, chunksize=1))

    def resume(self):
        first = self.read(f"SUBSCRIBE TO {self.env.live} PROGRESS FROM EPOCH 0 UP TO EPOCH 0")
        self.env.add(3)
        done = int(first["_epoch"].max())
        want(len(self.read(f"SUBSCRIBE TO {self.env.live} FROM EPOCH {done + 1} LIMIT 2")), 2)


class Polars(Frames):
    name = "polars"
    not_applicable = {
        **dict.fromkeys(("prepared", "catalogs", "schemas", "tables", "columns", "info", "schema", "update", "cancel"), CURSOR),
        "create_append": "write_database has fail, append and replace; append makes the table if need be",
        "numbered": "the driver sends no app_metadata; each ingest is one commit",
    }
    frame = pl.DataFrame({"n": [1, 2], "s": ["a", None]})
    exists = "TABLE_OR_VIEW_ALREADY_EXISTS"

    def read(self, text, conn=None):
        return pl.read_database(text, conn or self.conn)

    def rows(self, text, conn=None):
        return self.read(text, conn).rows()

    def write(self, frame, name, mode):
        return frame.write_database(self.env.name(name), self.conn, engine="adbc", if_table_exists={"create": "fail"}.get(mode, mode))

    def connect(self):
        super().connect()
        uri = f"flightsql://{self.env.plain}?transport=tcp"
        want(pl.read_database_uri("SELECT 1 AS a", uri, engine="adbc").rows(), [(1,)])

    def types(self):
        got = self.read(TYPES.replace("INTERVAL '1' DAY", "1")).rows()[0]
        want((got[0], got[4], got[8], got[9], got[10], got[13], got[14], got[15]),
             (True, 4, "ü", b"ab", datetime.date(2024, 2, 29), [1, 2], {"a": 1}, {"k": 1}))  # fmt: skip
        want(self.rows("SELECT INTERVAL '1' DAY AS d"), [(datetime.timedelta(days=1),)])

    def parameters(self):
        got = pl.read_database("SELECT id FROM range(5) WHERE id > ?", self.conn, execute_options={"parameters": (3,)})
        want(got.rows(), [(4,)])

    def batches(self, more):
        """The frames of a subscription, and the end of it."""
        with self.conn.cursor() as cur:
            yield from pl.read_database(f"SUBSCRIBE TO {self.env.live} {more}", cur, iter_batches=True)

    def endless(self):
        frames, rows = self.batches("FROM EPOCH 0"), 0
        while rows < 3:
            rows += len(next(frames))
        self.env.add(2)
        want(until(lambda: len(next(frames))) > 0, True)
        frames.close()

    def resume(self):
        def follow(more):
            frames = self.batches("PROGRESS " + more)
            try:
                return epochs((r for f in frames for r in f.select("_epoch", "_op", "n").rows()), lambda got: len(got) >= 2)
            finally:
                frames.close()

        done, _ = follow("FROM EPOCH 0")
        self.env.add(3)
        want(follow(f"FROM EPOCH {done + 1}")[0] > done, True)
