"""Every type of docs/types.md goes in and comes back equal, by ADBC and by pyarrow."""

import datetime
import decimal
import random
import unittest

import adbc_driver_flightsql.dbapi as dbapi
import adbc_driver_manager
import pyarrow as pa
import pyarrow.flight as fl

from server import Server
from test_subscribe import command

SEED = 20261122


def values(t, rng):
    """A value of the type t, or None."""
    if rng.random() < 0.2 or pa.types.is_null(t):
        return None
    ty = pa.types
    if ty.is_boolean(t):
        return rng.random() < 0.5
    if ty.is_integer(t):
        low, high = (-(2 ** (t.bit_width - 1)), 2 ** (t.bit_width - 1) - 1) if ty.is_signed_integer(t) else (0, 2**t.bit_width - 1)
        return rng.choice((low, high, 0, 1, rng.randint(low, high)))
    if ty.is_floating(t):
        return rng.choice((0.0, -0.0, 1.5, -2.25, float("inf"), 1024.0))
    if ty.is_decimal(t):
        n = rng.choice((0, 1, 10**t.precision - 1, 1 - 10**t.precision, rng.randint(0, 10 ** min(t.precision, 30) - 1)))
        return decimal.Decimal(n).scaleb(-t.scale, decimal.Context(prec=80))
    if ty.is_string(t) or ty.is_large_string(t) or ty.is_string_view(t):
        return rng.choice(("", "a", "ü€😀", "longer than the twelve bytes of a view", "\x00", "x" * rng.randint(0, 300)))
    if ty.is_fixed_size_binary(t):
        return rng.randbytes(t.byte_width)
    if ty.is_binary(t) or ty.is_large_binary(t) or ty.is_binary_view(t):
        return rng.choice((b"", b"\x00\xff", rng.randbytes(rng.randint(0, 100))))
    if ty.is_date(t):
        return datetime.date(1, 1, 1) + datetime.timedelta(days=rng.randint(0, 3_000_000))
    if ty.is_timestamp(t) or ty.is_duration(t):
        n = rng.randint(-(2**40), 2**40)
        return n * 1000 if t.unit == "ns" else n // 10**6 if t.unit == "s" else n
    if ty.is_time(t):
        us = rng.randint(0, 86_399) * 10**6
        return (datetime.datetime.min + datetime.timedelta(microseconds=us)).time()
    if ty.is_struct(t):
        return {f.name: values(f.type, rng) for f in t}
    if ty.is_map(t):
        return [(k, values(t.item_type, rng)) for k in rng.sample(["a", "b", "c", "d"], rng.randint(0, 3))]
    if ty.is_fixed_size_list(t):
        return [values(t.value_type, rng) for _ in range(t.list_size)]
    return [values(t.value_type, rng) for _ in range(rng.randint(0, 4))]


PLAIN = [pa.null(), pa.bool_(), pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.float32(), pa.float64(), pa.decimal128(10, 2), pa.decimal128(38, 0),
         pa.decimal128(38, 38), pa.string(), pa.binary(), pa.date32(), pa.timestamp("us", "UTC"), pa.timestamp("us"), pa.duration("us")]  # fmt: skip
# Type that is sent, type that comes back.
OTHERS = [
    (pa.uint8(), pa.int16()), (pa.uint16(), pa.int32()), (pa.uint32(), pa.int64()), (pa.uint64(), pa.decimal128(20, 0)), (pa.float16(), pa.float32()),
    (pa.large_string(), pa.string()), (pa.string_view(), pa.string()), (pa.large_binary(), pa.binary()), (pa.binary_view(), pa.binary()), (pa.binary(3), pa.binary()),
    (pa.decimal32(9, 2), pa.decimal128(9, 2)), (pa.decimal64(18, 2), pa.decimal128(18, 2)), (pa.decimal256(38, 3), pa.decimal128(38, 3)), (pa.date64(), pa.date32()),
    *[(pa.timestamp(u, z), pa.timestamp("us", z and "UTC")) for u in ("s", "ms", "ns") for z in (None, "UTC", "Europe/Berlin")],
    (pa.timestamp("us", "America/New_York"), pa.timestamp("us", "UTC")), *[(pa.duration(u), pa.duration("us")) for u in ("s", "ms", "ns")],
]  # fmt: skip


def element(t):
    return pa.list_(pa.field("element", t))


def nested(rng, pair, depth):
    """A type around another, and what comes back for it."""
    t, back = pair
    if depth == 0 or pa.types.is_null(t) or pa.types.is_duration(t):
        return pair
    inner = nested(rng, pair, depth - 1)
    t, back = inner
    return rng.choice((
        (pa.list_(t), element(back)), (pa.large_list(t), element(back)), (pa.list_(t, 2), element(back)), (pa.list_view(t), element(back)),
        (pa.large_list_view(t), element(back)), (pa.struct([("x", t), ("y", pa.large_string())]), pa.struct([("x", back), ("y", pa.string())])),
        (pa.map_(pa.large_string(), t), pa.map_(pa.string(), back)),
    ))  # fmt: skip


class Types(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.conn = dbapi.connect(cls.server.uri, autocommit=True)
        cls.client = fl.connect(cls.server.uri)

    @classmethod
    def tearDownClass(cls):
        cls.client.close()
        cls.conn.close()
        cls.server.close()

    def there_and_back(self, table, back, fmt="table"):
        """Sends the table, reads it by both clients and compares."""
        with self.conn.cursor() as cur:
            cur.execute("DROP TABLE IF EXISTS t")
            cur.execute("SET flightd.ingest.format = " + fmt)
            # ADBC sends nothing for a table without record batches, not even the schema.
            rows = table if table.num_rows else pa.RecordBatchReader.from_batches(table.schema, [pa.RecordBatch.from_pylist([], schema=table.schema)])
            self.assertEqual(cur.adbc_ingest("t", rows, mode="create"), table.num_rows)
            cur.execute("SELECT * FROM t")
            by_adbc = cur.fetch_arrow_table()
        info = self.client.get_flight_info(fl.FlightDescriptor.for_command(command("SELECT * FROM t")))
        by_pyarrow = self.client.do_get(info.endpoints[0].ticket).read_all()
        self.assertEqual(by_adbc.num_rows, table.num_rows)
        for got in (by_adbc, by_pyarrow):
            got.validate(full=True)
            for i, name in enumerate(table.column_names):
                self.assertEqual(got.schema.field(i).type, back[i], name)
                if same(got.column(i)) != same(table.column(i)):
                    at = next(k for k, (g, w) in enumerate(zip(same(got.column(i)), same(table.column(i)))) if g != w)
                    self.fail(f"{name}, {table.schema.field(i).type}, row {at}: got {got.column(i)[at]}, want {table.column(i)[at]}")

    def test_random_tables(self):
        rng = random.Random(SEED)
        pairs = [(t, t) for t in PLAIN] + OTHERS
        for round in range(18):
            chosen = rng.sample(pairs, 8) if round > 8 else pairs[round::9]
            chosen = [nested(rng, p, min(round // 6, 2)) for p in chosen]
            rows = rng.choice((0, 1, 7, 8, 200))
            cols = [pa.array([values(t, rng) for _ in range(rows)], t) for t, _ in chosen]
            table = pa.table(cols, names=["c%d" % i for i in range(len(cols))])
            if round < 6 and rng.random() < 0.5:  # the driver cuts nested columns wrongly
                table = table.slice(rows // 3, rows // 2)
            with self.subTest(round=round, seed=SEED, types=[str(t) for t, _ in chosen]):
                self.there_and_back(table, [b for _, b in chosen])

    def test_dictionaries_and_runs(self):
        words = ["a", None, "b", "a", "", "a"]
        for index in (pa.int8(), pa.uint16(), pa.int32(), pa.int64(), pa.uint64()):
            for value in (pa.string(), pa.large_string(), pa.string_view()):
                col = pa.DictionaryArray.from_arrays(pa.array([0, None, 1, 0, 2, 0], index), pa.array(["a", "b", ""], value))
                self.there_and_back(pa.table({"d": col}), [pa.string()])
        codes = pa.chunked_array([pa.array(words).dictionary_encode(), pa.array(["z", "a"]).dictionary_encode()])
        self.there_and_back(pa.table({"d": codes}), [pa.string()])
        self.there_and_back(pa.table({"d": pa.array([1.5, None, 1.5]).dictionary_encode()}), [pa.float64()])
        for ends in (pa.int16(), pa.int32(), pa.int64()):
            runs = pa.RunEndEncodedArray.from_arrays(pa.array([2, 3, 7], ends), pa.array(["x", None, "y"]))
            self.there_and_back(pa.table({"r": runs}), [pa.string()])
        self.there_and_back(pa.table({"l": pa.array([["a", "b"], None, ["a"]], pa.list_(pa.dictionary(pa.int8(), pa.string())))}), [element(pa.string())])

    def test_extensions(self):
        uuid = pa.array([b"0123456789abcdef", None], pa.uuid())
        bools = pa.ExtensionArray.from_storage(pa.bool8(), pa.array([1, None], pa.int8()))
        text = pa.array(['{"a":1}', None], pa.json_())
        with self.conn.cursor() as cur:
            cur.adbc_ingest("e", pa.table({"u": uuid, "b": bools, "j": text}), mode="replace")
            cur.execute("SELECT * FROM e")
            got = cur.fetch_arrow_table()
        self.assertEqual(got.schema.types, [pa.binary(), pa.bool_(), pa.string()])
        self.assertEqual(got.to_pylist(), [{"u": b"0123456789abcdef", "b": True, "j": '{"a":1}'}, {"u": None, "b": None, "j": None}])

    def test_times_and_intervals(self):
        """A stream table keeps what a table of Parquet files cannot."""
        table = pa.table({
            "s": pa.array([datetime.time(1, 2, 3), None], pa.time32("s")), "ms": pa.array([datetime.time(1, 2, 3), None], pa.time32("ms")),
            "us": pa.array([datetime.time(1, 2, 3), None], pa.time64("us")), "ns": pa.array([datetime.time(1, 2, 3), None], pa.time64("ns")),
            "i": pa.array([pa.MonthDayNano([1, 2, 3000]), None]), "d": pa.array([[datetime.timedelta(seconds=1)], None], pa.list_(pa.duration("us"))),
        })  # fmt: skip
        self.there_and_back(table, [pa.time64("ns")] * 4 + [pa.month_day_nano_interval(), element(pa.duration("us"))], "flight")
        for name in table.column_names:
            with self.assertRaisesRegex(adbc_driver_manager.Error, "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE.*`%s`" % name), self.conn.cursor() as cur:
                cur.execute("SET flightd.ingest.format = table")
                cur.adbc_ingest("refused", table.select([name]), mode="create")

    def test_refusals_name_the_column(self):
        union = pa.UnionArray.from_dense(pa.array([0, 1], pa.int8()), pa.array([0, 0], pa.int32()), [pa.array([1]), pa.array(["a"])])
        for bad, want in (
            (union, "union"), (pa.array([decimal.Decimal(1)], pa.decimal256(50, 2)), "38"), (pa.array([1001], pa.timestamp("ns")), "row 0"),
            (pa.array([2**60], pa.timestamp("s")), "row 0"), (pa.array([[1001]], pa.list_(pa.timestamp("ns"))), "row 0"),
        ):  # fmt: skip
            with self.assertRaises(adbc_driver_manager.Error) as caught, self.conn.cursor() as cur:
                cur.adbc_ingest("refused", pa.table({"fine": pa.nulls(len(bad), pa.int64()), "bad": bad}), mode="create")
            self.assertIn('"bad', str(caught.exception))
            self.assertIn(want, str(caught.exception))

    def test_no_columns(self):
        with self.assertRaises(adbc_driver_manager.Error) as caught, self.conn.cursor() as cur:
            cur.adbc_ingest("none", pa.table({}), mode="create")
        self.assertNotIn(".go", str(caught.exception))


def same(col):
    """Values to compare: the same for equal values of different types."""
    def norm(v):
        if isinstance(v, datetime.datetime) and v.tzinfo:
            return v.astimezone(datetime.timezone.utc)
        if hasattr(v, "to_pydatetime"):
            return norm(v.to_pydatetime())
        if hasattr(v, "to_pytimedelta"):
            return v.to_pytimedelta()
        if isinstance(v, dict):
            return {k: norm(x) for k, x in v.items()}
        if isinstance(v, (list, tuple)) and not isinstance(v, pa.MonthDayNano):
            return [norm(x) for x in v]
        return decimal.Decimal(v) if isinstance(v, int) and not isinstance(v, bool) else v
    if pa.types.is_timestamp(col.type) or pa.types.is_duration(col.type):
        return [in_us(v, col.type.unit) for v in col.cast(pa.int64()).to_pylist()]
    return [norm(v) for v in col.to_pylist()]


def in_us(v, unit):
    return None if v is None else {"s": v * 10**6, "ms": v * 10**3, "us": v, "ns": v // 1000}[unit]


if __name__ == "__main__":
    unittest.main()
