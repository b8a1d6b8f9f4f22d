"""pyarrow.flight, the low level: commands of Flight SQL spelled by hand."""

import json
import time
import threading

import pyarrow as pa
import pyarrow.flight as fl

from adbc_clients import ROWS, VALUES
from checks import LARGE, LARGE_ROWS, LONG, TYPES, WRONG, Client, Unmet, fails, until, want


def field(number, value):
    """A field of a protobuf message: a number, a text, bytes, or a message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(n):
    out = b""
    while n >= 0x80:
        out, n = out + bytes([n & 0x7F | 0x80]), n >> 7
    return out + bytes([n])


def parse(message):
    """The fields of a message: numbers and bytes."""
    out, at = {}, 0

    def number():
        nonlocal at
        n = shift = 0
        while True:
            b = message[at]
            at, n, shift = at + 1, n | (b & 0x7F) << shift, shift + 7
            if b < 0x80:
                return n

    while at < len(message):
        key = number()
        if key & 7 == 0:
            out[key >> 3] = number()
        else:
            size = number()
            out[key >> 3], at = message[at : at + size], at + size
    return out


def command(name, *fields):
    """A message of Flight SQL in an Any."""
    return field(1, "type.googleapis.com/arrow.flight.protocol.sql." + name) + field(2, b"".join(fields))


class Pyarrow(Client):
    name = "pyarrow.flight"

    def __init__(self, env):
        super().__init__(env)
        self.client = fl.connect("grpc://" + env.plain)
        # The token names the session.
        self.options = fl.FlightCallOptions(headers=[self.client.authenticate_basic_token("any", "body")])

    def close(self):
        self.client.close()

    def planned(self, name, *fields, client=None, options=None):
        return (client or self.client).get_flight_info(fl.FlightDescriptor.for_command(command(name, *fields)), options or self.options)

    def reader(self, name, *fields, client=None, options=None):
        info = self.planned(name, *fields, client=client, options=options)
        return (client or self.client).do_get(info.endpoints[0].ticket, options or self.options)

    def table(self, text, **kwargs):
        return self.reader("CommandStatementQuery", field(1, text), **kwargs).read_all()

    def action(self, kind, body):
        return [r.body.to_pybytes() for r in self.client.do_action(fl.Action(kind, body), self.options)]

    def put(self, descriptor, rows):
        """What the server answers to rows."""
        writer, answers = self.client.do_put(descriptor, rows.schema, self.options)
        for batch in rows.to_batches():
            writer.write_batch(batch)
        writer.done_writing()
        got = answers.read()
        writer.close()
        return got.to_pybytes() if got is not None else None

    def one(self, client, options=None):
        want(self.table("SELECT 1 AS a", client=client, options=options or fl.FlightCallOptions()).to_pydict(), {"a": [1]})
        client.close()

    def connect(self):
        self.one(fl.connect("grpc://" + self.env.plain))

    def tls(self):
        self.one(fl.connect("grpc+tls://" + self.env.tls, tls_root_certs=self.env.ca_text()))

    def password(self):
        client = fl.connect("grpc://" + self.env.users)
        self.one(client, fl.FlightCallOptions(headers=[client.authenticate_basic_token(self.env.user, self.env.password)]))

    def token(self):
        self.one(fl.connect("grpc://" + self.env.users), fl.FlightCallOptions(headers=[(b"authorization", b"Bearer " + self.env.token.encode())]))

    def query(self):
        want(self.table("SELECT 7 AS a, 'x' AS b").to_pylist(), [{"a": 7, "b": "x"}])

    def types(self):
        want(self.table(TYPES).to_pylist(), [VALUES])

    def prepare(self, text):
        [answer] = self.action("CreatePreparedStatement", command("ActionCreatePreparedStatementRequest", field(1, text)))
        return parse(parse(answer)[2])

    def run(self, handle, *params):
        rows = pa.table([pa.array([p]) for p in params], names=[str(i) for i in range(len(params))])
        self.put(fl.FlightDescriptor.for_command(command("CommandPreparedStatementQuery", field(1, handle))), rows)
        return self.reader("CommandPreparedStatementQuery", field(1, handle)).read_all()

    def parameters(self):
        handle = self.prepare("SELECT id FROM range(5) WHERE id > ? AND 'b' = ?")[1]
        want(self.run(handle, 3, "b").to_pydict(), {"id": [4]})

    def prepared(self):
        handle = self.prepare("SELECT id FROM range(5) WHERE id = ?")[1]
        for n in (1, 4):
            want(self.run(handle, n).to_pydict(), {"id": [n]})
        self.action("ClosePreparedStatement", command("ActionClosePreparedStatementRequest", field(1, handle)))
        fails(lambda: self.run(handle, 1))

    def listed(self, name, *fields):
        return self.reader(name, *fields).read_all().to_pydict()

    def catalogs(self):
        want(self.listed("CommandGetCatalogs"), {"catalog_name": ["spark_catalog"]})

    def schemas(self):
        want("default" in self.listed("CommandGetDbSchemas")["db_schema_name"], True)

    def tables(self):
        want(self.listed("CommandGetTables", field(3, self.env.name("numbers")))["table_type"], ["BASE TABLE"])

    def columns(self):
        [schema] = self.listed("CommandGetTables", field(3, self.env.name("numbers")), field(5, 1))["table_schema"]
        want(pa.ipc.read_schema(pa.py_buffer(schema)).names, ["n"])

    def info(self):
        got = self.listed("CommandGetSqlInfo", field(1, 0))  # FLIGHT_SQL_SERVER_NAME
        want(got, {"info_name": [0], "value": ["flightd"]})

    def schema(self):
        got = self.client.get_schema(fl.FlightDescriptor.for_command(command("CommandStatementQuery", field(1, "SELECT 1 AS n"))), self.options)
        want(got.schema.names, ["n"])

    def update(self):
        def run(text):
            got = self.put(fl.FlightDescriptor.for_command(command("CommandStatementUpdate", field(1, text))), pa.table({}))
            return parse(got).get(1, 0)

        run(f"CREATE OR REPLACE TABLE {self.env.name('u')} (n INT)")
        want(run(f"INSERT INTO {self.env.name('u')} VALUES (1), (2)"), 2)

    def ingested(self, name, exists, absent, total, rows=ROWS):
        options = field(1, field(1, absent) + field(2, exists))
        got = self.put(fl.FlightDescriptor.for_command(command("CommandStatementIngest", options, field(2, self.env.name(name)))), rows)
        want(parse(got).get(1, 0), rows.num_rows)
        want(self.table(f"SELECT count(*) AS c FROM {self.env.name(name)}").to_pydict(), {"c": [total]})

    def create(self):
        self.ingested("t", 1, 1, 2)
        fails(lambda: self.ingested("t", 1, 1, 2), "TABLE_OR_VIEW_ALREADY_EXISTS")

    def append(self):
        self.ingested("t", 2, 2, 4)
        fails(lambda: self.ingested("absent", 2, 2, 2), "TABLE_OR_VIEW_NOT_FOUND")

    def replace(self):
        self.ingested("t", 3, 1, 2)

    def create_append(self):
        self.ingested("t", 2, 1, 4)
        self.ingested("t2", 2, 1, 2)

    def nothing(self):
        self.ingested("t3", 1, 1, 0, ROWS.schema.empty_table())

    def stream_append(self):
        self.table(f"CREATE TABLE {self.env.name('s')} (n BIGINT, s STRING) USING flight")
        got = json.loads(self.put(fl.FlightDescriptor.for_path(self.env.name("s")), ROWS))
        want(got["rows"], 2)

    def numbered(self):
        to, name = fl.FlightDescriptor.for_path(self.env.name("s")), {"producer": "p"}
        for last, numbers in ((-1, (0, 1)), (1, (1, 2))):  # it comes back and sends one again
            options = fl.FlightCallOptions(headers=[(b"x-flightd-producer", b"p")])
            writer, answers = self.client.do_put(to, ROWS.schema, options)
            want(json.loads(answers.read().to_pybytes())["seq"], last)
            for seq in numbers:
                writer.write_with_metadata(ROWS.to_batches()[0], json.dumps({**name, "seq": seq}).encode())
            writer.done_writing()
            got = {}
            while (answer := answers.read()) is not None:
                got = json.loads(answer.to_pybytes())
            writer.close()
            want(got["seq"], numbers[-1])
        want(self.table(f"SELECT count(*) AS c FROM {self.env.name('s')}").to_pydict(), {"c": [8]})

    def large(self):
        want(self.table(LARGE).num_rows, LARGE_ROWS)

    def cancel(self):
        reader = self.reader("CommandStatementQuery", field(1, LONG))
        threading.Timer(0.5, reader.cancel).start()
        began = time.monotonic()
        fails(lambda: [chunk for chunk in iter(reader.read_chunk, None)])  # read_all would raise KeyboardInterrupt
        if time.monotonic() - began > 8:
            raise Unmet("it took too long")

    def live(self):
        def count():
            return self.table(f"SELECT n FROM {self.env.counts}").to_pydict()["n"]

        before = until(lambda: count() and count()[0])
        self.env.add(2)
        until(lambda: count()[0] >= before + 2)

    def subscribe(self):
        want(self.table(f"SUBSCRIBE TO {self.env.live} FROM EPOCH 0 LIMIT 3").num_rows, 3)

    def follow(self, more, rows):
        """Reads a subscription up to so many rows; returns the token behind them."""
        reader, got, said = self.reader("CommandStatementQuery", field(1, f"SUBSCRIBE TO {self.env.live} {more}")), 0, {}
        try:
            while got < rows:
                chunk = reader.read_chunk()
                got, said = got + chunk.data.num_rows, json.loads(chunk.app_metadata.to_pybytes())
        finally:
            reader.cancel()
        return said

    def endless(self):
        threading.Timer(0.5, self.env.add, (3,)).start()
        self.follow("FROM EPOCH 0", 6)

    def resume(self):
        said = self.follow("FROM EPOCH 0", 6)
        self.env.add(2)
        again = self.follow(f"RESUME '{said['resume']}'", 2)
        want((again["epoch"], again["seq"]) > (said["epoch"], said["seq"]), True)

    def session(self):
        self.table("CREATE TEMPORARY VIEW mine AS SELECT 7 AS n")
        want(self.table("SELECT n FROM mine").to_pydict(), {"n": [7]})
        other = fl.connect("grpc://" + self.env.plain)
        fails(lambda: self.table("SELECT n FROM mine", client=other, options=fl.FlightCallOptions()), "TABLE_OR_VIEW_NOT_FOUND")
        other.close()

    def error_class(self):
        fails(lambda: self.table(WRONG), "[UNRESOLVED_COLUMN.WITH_SUGGESTION]", "SQLSTATE: 42703")

    def error_place(self):
        fails(lambda: self.table(WRONG), "line 1:8", "^^^")
