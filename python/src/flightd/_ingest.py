"""Rows of every library as an Arrow stream."""

from __future__ import annotations

import itertools
import sys
from typing import Any, Iterable, Iterator

import pyarrow as pa

Rows = Any
"""A pyarrow Table, RecordBatch or RecordBatchReader, a pandas or polars DataFrame, a
list of dicts, an iterable of record batches, or what exports an Arrow stream."""

MESSAGE = 16 << 20
"""Bytes of a record batch beyond which it is sent in parts: a server admits 64 MiB."""


def to_reader(data: Rows) -> pa.RecordBatchReader:
    """Returns the rows as a reader of record batches that fit into a message each. It
    has at least one record batch: an ingest of none sends nothing, not even a schema."""
    schema, batches = _batches(data)
    return pa.RecordBatchReader.from_batches(schema, _never_none(schema, itertools.chain.from_iterable(map(_parts, batches))))


def _batches(data: Rows) -> tuple[pa.Schema, Iterable[pa.RecordBatch]]:
    if isinstance(data, pa.RecordBatch):
        return data.schema, [data]
    if isinstance(data, pa.Table):
        return data.schema, data.to_batches()
    if isinstance(data, pa.RecordBatchReader):
        return data.schema, data
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(data, pandas.DataFrame):
        return _batches(_from_pandas(data))
    polars = sys.modules.get("polars")
    if polars is not None and isinstance(data, polars.LazyFrame):
        data = data.collect()
    if hasattr(data, "__arrow_c_stream__"):
        reader = pa.RecordBatchReader.from_stream(data)
        return reader.schema, reader
    if isinstance(data, (str, bytes)):
        raise TypeError("the rows are a text; give a table, a data frame or a list of dicts")
    if isinstance(data, dict):
        return _batches(pa.table(data))
    if isinstance(data, Iterable):
        return _from_iterable(data)
    raise TypeError(f"a {type(data).__name__} has no rows; give a table, a data frame or a list of dicts")


def _from_pandas(frame: Any) -> pa.Table:
    # An index with a name is a column; one without is only the order of the rows.
    named = [n for n in frame.index.names if n is not None]
    if named and len(named) < frame.index.nlevels:
        raise ValueError("some levels of the index have a name and some have none; call reset_index, or name them all")
    if named:
        frame = frame.reset_index()
    return pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)


def _from_iterable(data: Iterable[Any]) -> tuple[pa.Schema, Iterable[pa.RecordBatch]]:
    items = iter(data)
    first = next(items, None)
    if first is None:
        raise ValueError("no rows, and so no columns: give a pyarrow Table with a schema, which may be empty")
    rest = itertools.chain([first], items)
    if isinstance(first, pa.RecordBatch):
        return first.schema, rest
    if isinstance(first, dict):
        rows = list(rest)
        names = dict.fromkeys(itertools.chain.from_iterable(rows))
        return _batches(pa.table({n: pa.array([r.get(n) for r in rows]) for n in names}))
    raise TypeError(f"a row is a {type(first).__name__}; give dicts or record batches")


def _parts(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    rows = batch.num_rows
    if batch.nbytes <= MESSAGE or rows <= 1:
        yield batch
        return
    step = max(1, rows * MESSAGE // batch.nbytes)
    for at in range(0, rows, step):
        yield batch.slice(at, step)


def _never_none(schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    some = False
    for batch in batches:
        some = True
        yield batch
    if not some:
        yield from schema.empty_table().to_batches() or [pa.RecordBatch.from_arrays([pa.nulls(0, f.type) for f in schema], schema=schema)]
