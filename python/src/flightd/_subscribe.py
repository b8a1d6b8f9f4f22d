"""Following a query, across broken connections."""

from __future__ import annotations

import enum
import json
import random
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from types import TracebackType
from typing import TYPE_CHECKING, Any, Iterator

import pyarrow as pa
import pyarrow.flight

from ._errors import AuthenticationError, Canceled, ConnectionLost, Error, InternalError, LimitExceeded, translated
from ._wait import interruptible

if TYPE_CHECKING:
    from ._connection import Connection


class Op(enum.IntEnum):
    """What a row of the column ``_op`` tells."""

    COMPLETE = 0
    """The epoch is complete; the row has no values."""
    INSERT = 1
    DELETE = 2
    UPDATE_AFTER = 3
    UPDATE_BEFORE = 4
    SKIPPED = 5
    """The epochs up to this one were left out."""


@dataclass(frozen=True)
class Batch:
    """Rows of one epoch."""

    data: pa.RecordBatch
    """The rows; with an envelope or progress, ``_epoch``, ``_op`` and ``_watermark`` come first."""
    epoch: int | None
    """The epoch that gave the rows."""
    watermark: datetime | None
    """The watermark that the epoch ran with."""
    lag: timedelta | None
    """The time from the commit of the epoch to this batch."""
    resume: str | None
    """The token for what comes after this batch; None for what cannot be resumed."""
    snapshot: bool
    """Whether the rows are of the result at the start."""
    skipped_from: int | None
    """The first epoch that was left out before this batch, if some were."""
    metadata: dict[str, Any]
    """All that the server said along with the batch."""

    @property
    def num_rows(self) -> int:
        """How many rows there are."""
        return int(self.data.num_rows)

    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows as dicts."""
        yield from self.data.to_pylist()

    def pandas(self) -> Any:
        """The rows as a pandas DataFrame."""
        return self.data.to_pandas()


@dataclass
class _Request:
    """A SUBSCRIBE statement, and how much of it is left."""

    what: str
    snapshot: bool
    progress: bool
    envelope: str | None
    from_epoch: int | None
    resume: str | None
    up_to_epoch: int | None
    limit: int | None
    ends: float | None

    def text(self) -> str:
        parts = ["SUBSCRIBE TO", self.what]
        if self.snapshot:
            parts.append("SNAPSHOT")
        if self.progress:
            parts.append("PROGRESS")
        if self.resume is not None:
            parts.append(f"RESUME '{self.resume}'")
        elif self.from_epoch is not None:
            parts.append(f"FROM EPOCH {self.from_epoch}")
        if self.up_to_epoch is not None:
            parts.append(f"UP TO EPOCH {self.up_to_epoch}")
        if self.ends is not None:
            parts.append(f"FOR INTERVAL '{max(1, round(1000 * (self.ends - time.monotonic())))} milliseconds'")
        if self.limit is not None:
            parts.append(f"LIMIT {self.limit}")
        if self.envelope:
            parts.append("ENVELOPE " + self.envelope)
        return " ".join(parts)


def subscription(connection: Connection, what: str, *, snapshot: bool, progress: bool, envelope: str | None, key: tuple[str, ...],
                 from_epoch: int | None, resume: str | None, up_to_epoch: int | None, interval: float | None, limit: int | None,
                 retry_for: float) -> Subscription:  # fmt: skip
    """Builds the statement and the iterator over it."""
    from ._queries import quoted

    if from_epoch is not None and resume is not None:
        raise ValueError("from_epoch and resume both say where to begin")
    if envelope is not None and envelope not in ("append", "upsert", "changelog"):
        raise ValueError(f"envelope {envelope!r} is none of append, upsert, changelog")
    if key and envelope != "upsert":
        raise ValueError("a key is for envelope='upsert'")
    for name, n in (("from_epoch", from_epoch), ("up_to_epoch", up_to_epoch), ("limit", limit)):
        if n is not None and (not isinstance(n, int) or n < 0):
            raise ValueError(f"{name} is a number from 0 on")
    if resume is not None and "'" in resume:
        raise ValueError("this is no resume token")
    if key:
        envelope = f"upsert({', '.join(map(quoted, key))})"
    head = what.lstrip().split(None, 1)[0].upper() if what.strip() else ""
    if head in ("SELECT", "WITH", "FROM", "VALUES"):
        what = f"({what.rstrip().rstrip(';')})"
    elif not what.strip().startswith("("):
        what = ".".join(quoted(p.strip("`")) for p in what.split("."))
    ends = None if interval is None else time.monotonic() + interval
    request = _Request(what, snapshot, progress, envelope, from_epoch, resume, up_to_epoch, limit, ends)
    return Subscription(connection, request, retry_for)


class Subscription:
    """An iterator over the batches of a subscription. Make one with Connection.subscribe.

    It is a context manager; ``close`` may be called from another thread and ends a
    loop that waits.
    """

    def __init__(self, connection: Connection, request: _Request, retry_for: float) -> None:
        self._conn = connection
        self._request = request
        self._retry_for = retry_for
        self._lock = threading.Lock()
        self._client: Any = None
        self._reader: Any = None
        self._closed = threading.Event()
        self._ended = False
        self._heard = False
        self.reconnects = 0
        """How often the connection was made anew."""
        self.end: str | None = None
        """Why the subscription ended: interval, epoch, limit, query stopped, closed; None before."""

    @property
    def resume(self) -> str | None:
        """The token for what comes after the last batch that was handed out."""
        return self._request.resume

    @property
    def schema(self) -> pa.Schema:
        """The names and types of the columns."""
        if self._reader is None:
            self._connect_until(time.monotonic() + self._retry_for)
        return self._reader.schema

    def __iter__(self) -> Subscription:
        return self

    def __next__(self) -> Batch:
        try:
            while not self._ended and not self._closed.is_set():
                batch = self._read()
                if batch is not None:
                    return batch
        except BaseException:
            self.close()
            raise
        if not self._ended:
            self.end = "closed"
        self.close()
        raise StopIteration

    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows one by one, as dicts."""
        try:
            for batch in self:
                yield from batch.rows()
        finally:
            self.close()

    def close(self) -> None:
        """Ends the subscription on the server."""
        self._closed.set()
        self._disconnect()

    def __enter__(self) -> Subscription:
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<flightd.Subscription {self._request.what}{' (closed)' if self._closed.is_set() else ''}>"

    def _read(self) -> Batch | None:
        """One batch; None for a message without rows. Reconnects if need be."""
        try:
            if self._reader is None:
                self._connect()
            reader = self._reader
            if reader is None:  # closed by another thread
                return None
            with translated():
                chunk = interruptible(reader.read_chunk, reader.cancel)
        except StopIteration:
            self._ended, self.end = True, self.end or "end"
            self._disconnect()
            return None
        except Error as e:
            if self._closed.is_set():
                return None
            self._disconnect()
            if not self._passing(e):
                raise
            if self._heard and self.resume is None:
                raise ConnectionLost(f"the connection broke, and the server gave no token for this subscription, so it cannot be resumed; one to a query INTO feed can: {e}") from e
            self._wait_and_connect(e)
            return None
        return self._take(chunk)

    def _take(self, chunk: Any) -> Batch | None:
        said: dict[str, Any] = json.loads(chunk.app_metadata.to_pybytes()) if chunk.app_metadata is not None else {}
        data = chunk.data
        self._heard = True
        if said.get("resume"):
            self._request.resume = said["resume"]
        end = said.get("end")
        if end == "drain":  # the server stops: go on with the next one
            self._disconnect()
            if self.resume is None:
                raise ConnectionLost("the server stops, and gave no token for this subscription, so it cannot be resumed; one to a query INTO feed can")
            self._wait_and_connect(ConnectionLost("the server stops"))
        elif end:
            self._ended, self.end = True, end
            self._disconnect()
        if data.num_rows == 0:
            return None
        if self._request.limit is not None:
            self._request.limit -= _counted(data)
        us = said.get("watermark_us")
        lag = said.get("lag_ms")
        return Batch(
            data, said.get("epoch"), None if us is None else datetime.fromtimestamp(us // 1_000_000, timezone.utc) + timedelta(microseconds=us % 1_000_000),
            None if lag is None else timedelta(milliseconds=lag), said.get("resume"), bool(said.get("snapshot")), said.get("skipped_from"), said,
        )  # fmt: skip

    @staticmethod
    def _passing(e: Error) -> bool:
        """Whether it may work again later."""
        if isinstance(e, (ConnectionLost, Canceled, AuthenticationError)):
            return True
        if isinstance(e, LimitExceeded):  # too slow, or too many at the moment; not the memory of a changelog
            return "flightd.memoryLimit" not in str(e)
        return isinstance(e, InternalError) and e.condition is None

    def _wait_and_connect(self, first: Error) -> None:
        """Connects again, waiting longer from try to try, until retry_for is over."""
        end = time.monotonic() + self._retry_for
        if isinstance(first, AuthenticationError):
            self._conn._login_again(first)
        self._connect_until(end, first)
        self.reconnects += 1

    def _connect_until(self, end: float, first: Error | None = None) -> None:
        wait, last = 0.05, first
        while not self._closed.is_set():
            if self._request.ends is not None and time.monotonic() > self._request.ends:
                self._ended, self.end = True, "interval"
                return
            if self._request.limit == 0 and self._heard:
                self._ended, self.end = True, "limit"
                return
            try:
                if last is None or not self._closed.wait(wait * (0.5 + random.random())):
                    self._connect()
                return
            except AuthenticationError as e:
                self._disconnect()
                self._conn._login_again(e)
                last = e
            except Error as e:
                self._disconnect()
                if not self._passing(e):
                    raise
                last = e
            if time.monotonic() > end:
                raise last
            wait = min(2 * wait, 5.0)

    def _connect(self) -> None:
        with translated():
            client, options = self._conn._stream()
            with self._lock:
                self._client = client
            if self._closed.is_set():
                return self._disconnect()
            command = pa.flight.FlightDescriptor.for_command(_command(self._request.text()))

            def call() -> Any:
                info = client.get_flight_info(command, options)
                return client.do_get(info.endpoints[0].ticket, options)

            reader = interruptible(call, client.close)
        with self._lock:
            if not self._closed.is_set():
                self._reader = reader
                return
        reader.cancel()
        self._disconnect()

    def _disconnect(self) -> None:
        with self._lock:
            reader, client = self._reader, self._client
            self._reader = self._client = None
        if reader is not None:
            reader.cancel()
        if client is not None:
            client.close()


def _counted(data: pa.RecordBatch) -> int:
    """How many rows count for LIMIT: markers do not."""
    if "_op" not in data.schema.names:
        return int(data.num_rows)
    return sum(op not in (Op.COMPLETE, Op.SKIPPED) for op in data.column("_op").to_pylist())


def _command(text: str) -> bytes:
    """A CommandStatementQuery in a protobuf Any."""

    def field(number: int, value: bytes) -> bytes:
        out, n = bytes([number << 3 | 2]), len(value)
        while n >= 0x80:
            out, n = out + bytes([n & 0x7F | 0x80]), n >> 7
        return out + bytes([n]) + value

    url = b"type.googleapis.com/arrow.flight.protocol.sql.CommandStatementQuery"
    return field(1, url) + field(2, field(1, text.encode()))
