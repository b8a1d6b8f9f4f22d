"""Checksums of Arrow tables, the same as those of bench/checksum: change both."""

import zlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

EPOCH_2026 = 1767225600_000_000
PRIME = 1_000_003


def fold(values):
    """Makes integers exact in doubles."""
    out = values.astype(np.float64)
    time = (values >= 1_700_000_000_000_000) & (values < 1_900_000_000_000_000)
    out[time] = (values[time] - EPOCH_2026).astype(np.float64)
    big = ~time & (values >= 1 << 53)
    out[big] = (values[big] % PRIME).astype(np.float64)
    return out


def numbers(column):
    """The values of a column as doubles; NULLs have any."""
    t = column.type
    if pa.types.is_dictionary(t):
        column, t = column.cast(t.value_type), t.value_type
    if pa.types.is_string(t) or pa.types.is_large_string(t) or pa.types.is_string_view(t):
        d = pc.dictionary_encode(column.cast(pa.string())).combine_chunks()
        if isinstance(d, pa.ChunkedArray):
            d = d.chunk(0)
        words = np.array([zlib.crc32(v.encode()) for v in d.dictionary.to_pylist()] or [0], dtype=np.float64)
        return words[d.indices.fill_null(0).to_numpy()]
    if pa.types.is_timestamp(t):
        # Which zone does not matter, the instant does.
        return fold(column.cast(pa.timestamp("us", t.tz)).cast(pa.int64()).fill_null(0).to_numpy())
    if pa.types.is_date(t):
        return column.cast(pa.date32()).cast(pa.int32()).fill_null(0).to_numpy().astype(np.float64)
    if pa.types.is_decimal(t) and t.scale > 0:
        return column.cast(pa.float64()).fill_null(0).to_numpy()
    if pa.types.is_decimal(t) or pa.types.is_integer(t):
        return fold(column.cast(pa.int64()).fill_null(0).to_numpy())
    if pa.types.is_floating(t):
        return column.cast(pa.float64()).fill_null(0).to_numpy()
    raise TypeError(f"values of {t} cannot be summed up")


def checksum(table):
    columns, weights = [], None
    for i, column in enumerate(table.columns):
        values = numbers(column)
        valid = column.is_valid().to_numpy().astype(bool)
        if i == 0:
            weights = np.where(valid, 1 + np.mod(np.floor(values), 1021), 0)
        columns.append({
            "count": int(valid.sum()),
            "sum": float(values[valid].sum()),
            "weighted": float((values * weights)[valid].sum()),
        })
    return {"rows": table.num_rows, "columns": columns}
