"""The rows of a statement."""

from __future__ import annotations

import html
import weakref
from types import TracebackType
from typing import Any, Iterator

import adbc_driver_manager
import pyarrow as pa

from ._errors import Canceled, Error, translated
from ._wait import interruptible

SHOWN = 20
"""How many rows a notebook shows."""


def _close(cursor: Any) -> None:
    """Closes the cursor. What was read stays good if the server is gone meanwhile."""
    try:
        cursor.close()
    except adbc_driver_manager.Error:
        cursor._closed = True  # or it is tried again when it is collected


class Result:
    """The rows of a statement, read when they are asked for.

    ``arrow``, ``pandas`` and ``polars`` read all and may be called again;
    ``batches`` and iteration give record batches as they come, once.
    """

    def __init__(self, cursor: Any, query: str, params: Any) -> None:
        self._cursor = cursor
        self._table: pa.Table | None = None
        self._head: list[pa.RecordBatch] = []
        self._state = "open"
        self._cut = False  # whether rows are missing because the statement was ended
        self._ends = weakref.finalize(self, _close, cursor)
        try:
            interruptible(lambda: cursor.execute(query, params), cursor.adbc_cancel)
            self._reader = cursor.fetch_record_batch()
        except BaseException:
            self._ends()
            raise
        self._endless = query.lstrip().upper().startswith("SUBSCRIBE")

    @property
    def schema(self) -> pa.Schema:
        """The names and types of the columns."""
        return self._reader.schema

    @property
    def rows_affected(self) -> int:
        """How many rows a statement without a result changed; -1 for a query."""
        return int(self._cursor.rowcount) if len(self.schema) == 0 else -1

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return list(self.schema.names)

    def arrow(self) -> pa.Table:
        """All rows as a pyarrow Table."""
        if self._table is None:
            self._table = pa.Table.from_batches(list(self.batches()), schema=self.schema)
        return self._table

    def pandas(self, **kwargs: Any) -> Any:
        """All rows as a pandas DataFrame; the arguments are those of pyarrow's to_pandas."""
        return self.arrow().to_pandas(**kwargs)

    def polars(self) -> Any:
        """All rows as a polars DataFrame."""
        import polars

        return polars.from_arrow(self.arrow())

    def rows(self) -> list[dict[str, Any]]:
        """All rows as dicts."""
        return list(self.arrow().to_pylist())

    def scalar(self) -> Any:
        """The first column of the first row; None without rows."""
        table = self.arrow()
        return table.column(0)[0].as_py() if table.num_rows else None

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The record batches as they come, once. Leaving the loop ends the statement."""
        if self._table is not None:
            yield from self._table.to_batches()
            return
        if self._state != "open":
            raise Error("the rows of this result were read already; keep what arrow() returns, or run the statement again")
        self._state = "reading"
        try:
            while self._head:
                yield self._head.pop(0)
            while (batch := self._next()) is not None:
                yield batch
        finally:
            self._state = "read"
            self._ends()

    __iter__ = batches

    def _next(self) -> pa.RecordBatch | None:
        try:
            with translated():
                return interruptible(self._reader.read_next_batch, self._cursor.adbc_cancel)
        except StopIteration:
            if self._cut:
                raise Canceled("the statement was cancelled") from None
            return None

    def cancel(self) -> None:
        """Ends the statement while another thread reads its rows, which gets Canceled."""
        self._cut = True
        self._cursor.adbc_cancel()

    def close(self) -> None:
        """Ends the statement; what was not read is not to be had any more."""
        if self._state == "open":
            self._state = "closed"
        elif self._state == "reading":  # by another thread
            self._cut = True
        self._ends()

    def __enter__(self) -> Result:
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def _peek(self) -> tuple[list[dict[str, Any]], bool]:
        """The first rows, which batches() gives again, and whether there are more."""
        if self._table is not None:
            return self._table.slice(0, SHOWN).to_pylist(), self._table.num_rows > SHOWN
        if self._state != "open" or self._endless:
            return [], False
        while sum(b.num_rows for b in self._head) <= SHOWN:
            batch = self._next()
            if batch is None:
                self._table = pa.Table.from_batches(self._head, schema=self.schema)
                self._head = []
                self.close()
                return self._peek()
            self._head.append(batch)
        return pa.Table.from_batches(self._head).slice(0, SHOWN).to_pylist(), True

    def __repr__(self) -> str:
        return f"<flightd.Result {', '.join(f'{f.name}: {f.type}' for f in self.schema)}>"

    def _repr_html_(self) -> str:
        rows, more = self._peek()
        out = ["<table><thead><tr>"]
        out += [f"<th>{html.escape(f.name)}<br><small>{html.escape(str(f.type))}</small></th>" for f in self.schema]
        out.append("</tr></thead><tbody>")
        for row in rows:
            out.append("<tr>" + "".join(f"<td>{'<i>null</i>' if v is None else html.escape(str(v))}</td>" for v in row.values()) + "</tr>")
        out.append("</tbody></table>")
        if self._endless:
            out.append("<small>an endless result: iterate over it</small>")
        elif self._state in ("reading", "read", "closed") and self._table is None:
            out.append("<small>the rows were read already</small>")
        elif more:
            out.append(f"<small>the first {len(rows)} rows</small>" if self._table is None else f"<small>{len(rows)} of {self._table.num_rows} rows</small>")
        return "".join(out)
