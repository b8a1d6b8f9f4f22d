"""Writes the files of this folder: the same rows as other writers lay them out.

python write.py, with pyarrow 26, duckdb 2.0 and polars 2.1; what is missing is
left out.
"""

import datetime
import decimal

ROWS = 400


def columns():
    text = [None if i % 11 == 0 else f"text {i % 37} é" for i in range(ROWS)]
    return {
        "flag": [None if i % 7 == 0 else i % 3 == 0 for i in range(ROWS)],
        "small": [None if i % 5 == 0 else i % 100 for i in range(ROWS)],
        "whole": [i * 1_000_003 % 65_537 - 30_000 for i in range(ROWS)],
        "real": [i / 7 for i in range(ROWS)],
        "text": text,
        "unlike": [f"{i * 7919} of its own" for i in range(ROWS)],
        "code": [f"{i % 90:05d}".encode() for i in range(ROWS)],
        "price": [decimal.Decimal(i - 300).scaleb(-2) for i in range(ROWS)],
        "day": [datetime.date(1969, 12, 1) + datetime.timedelta(i) for i in range(ROWS)],
        "at": [datetime.datetime(1969, 12, 31, 23) + datetime.timedelta(seconds=i, microseconds=i) for i in range(ROWS)],
    }


def pyarrow_files():
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([
        ("flag", pa.bool_()), ("small", pa.int16()), ("whole", pa.int64()), ("real", pa.float64()), ("text", pa.string()),
        ("unlike", pa.string()), ("code", pa.binary(5)), ("price", pa.decimal128(20, 2)), ("day", pa.date32()), ("at", pa.timestamp("us")),
    ])
    table = pa.table(columns(), schema=schema)
    pq.write_table(table, "pyarrow-dictionary.parquet", compression="snappy", data_page_size=900)
    pq.write_table(table, "pyarrow-v2.parquet", compression="zstd", data_page_version="2.0", data_page_size=900, write_page_checksum=True)
    pq.write_table(table, "pyarrow-delta.parquet", compression="lz4", use_dictionary=False, data_page_version="2.0", data_page_size=2000, column_encoding={
        "flag": "RLE", "small": "DELTA_BINARY_PACKED", "whole": "DELTA_BINARY_PACKED", "real": "BYTE_STREAM_SPLIT", "text": "DELTA_BYTE_ARRAY",
        "unlike": "DELTA_LENGTH_BYTE_ARRAY", "code": "DELTA_BYTE_ARRAY", "price": "DELTA_BYTE_ARRAY", "day": "DELTA_BINARY_PACKED", "at": "BYTE_STREAM_SPLIT"})
    pq.write_table(table, "pyarrow-split.parquet", compression="gzip", use_dictionary=False, column_encoding={
        "small": "BYTE_STREAM_SPLIT", "whole": "BYTE_STREAM_SPLIT", "real": "PLAIN", "code": "BYTE_STREAM_SPLIT", "price": "BYTE_STREAM_SPLIT"})
    pq.write_table(table, "pyarrow-int96.parquet", compression="brotli", use_deprecated_int96_timestamps=True)
    return table


def others(table):
    try:
        import duckdb

        con = duckdb.connect()
        for name, more in {"duckdb.parquet": "", "duckdb-v2.parquet": ", PARQUET_VERSION V2, COMPRESSION zstd"}.items():
            con.sql(
                f"COPY (SELECT * FROM 'pyarrow-dictionary.parquet') TO '{name}' (FORMAT parquet{more})")
    except ImportError:
        pass
    try:
        import polars

        polars.from_arrow(table).write_parquet("polars.parquet", data_page_size=2000)
    except ImportError:
        pass


others(pyarrow_files())
