"""Appending to a stream table: numbered record batches, each of them stored once."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable

import pyarrow as pa
import pyarrow.flight

from ._errors import AuthenticationError, Canceled, ConnectionLost, DataLoss, Error, InternalError, LimitExceeded, translated

if TYPE_CHECKING:
    from ._connection import Connection

UNACKNOWLEDGED = 64
"""How many record batches are kept to be sent again; and, unless it is one alone, their bytes:"""
UNACKNOWLEDGED_BYTES = 64 << 20


@dataclass(frozen=True)
class Durable:
    """What is on the server's disk."""

    producer: str
    seq: int
    """All record batches of the producer up to this number are durable."""
    commit: int
    """The commit of the table since when they are."""
    rows: int
    """How many rows of this call are durable."""


class Appending:
    """One ingest into a stream table (docs/ingest.md), across broken connections.

    A record batch is kept until the server has said that it is on disk. After a
    break the server is asked what is durable of the producer, and what is not is sent
    again, with its number: so nothing is lost and nothing is there twice.
    """

    def __init__(self, connection: Connection, table: str, rows: pa.RecordBatchReader, producer: str, seq: int | None,
                 retry_for: float, told: Callable[[Durable], None] | None) -> None:  # fmt: skip
        self._conn, self._table, self._source, self._producer = connection, table, rows, producer
        self._retry_for, self._told = retry_for, told
        self._canceled = threading.Event()
        self._changed = threading.Condition()
        # Below, what _changed guards.
        self._next = seq  # of the next batch of the source; None: behind what is durable
        self._durable = -1
        self._pending: deque[tuple[int, pa.RecordBatch]] = deque()  # in the order of their numbers
        self._bytes = 0
        self._rows = 0  # durable ones of the source
        self._read_all = False
        self._heard_all = True  # the answers of the call came to an end
        self._failure: BaseException | None = None  # of reading answers

    def run(self) -> int:
        """Sends everything and returns the number of its rows once they are durable."""
        failing: float | None = None
        wait = 0.05
        while True:
            before = self._durable
            try:
                with translated():
                    self._call()
                return self._rows
            except Error as e:
                if self._read_all and not self._pending:
                    return self._rows
                if self._canceled.is_set() or not _passing(e):
                    raise
                now = time.monotonic()
                if failing is None or self._durable > before:
                    failing, wait = now, 0.05
                if now - failing > self._retry_for:
                    raise
                if isinstance(e, AuthenticationError):
                    self._conn._login_again(e)
                self._canceled.wait(wait * (0.5 + random.random()))
                wait = min(2 * wait, 5.0)

    def cancel(self) -> None:
        """Ends run with an error. What was sent may be durable."""
        self._canceled.set()
        with self._changed:
            self._changed.notify_all()

    def _call(self) -> None:
        """One DoPut."""
        client, options = self._conn._stream([(b"x-flightd-producer", self._producer.encode())])
        try:
            writer, answers = client.do_put(pa.flight.FlightDescriptor.for_path(self._table), self._source.schema, options)
            failure: BaseException | None = None
            listening: threading.Thread | None = None
            try:
                if self._begin(answers):
                    listening = threading.Thread(target=self._listen, args=(answers,), name="flightd", daemon=True)
                    listening.start()
                    self._send(writer)
                    writer.done_writing()
            except BaseException as e:
                failure = e
            try:
                if isinstance(failure, _Source):
                    writer.done_writing()
                if listening:
                    listening.join()
                writer.close()  # has the server's error, which reading and writing may not show
            except BaseException as e:
                failure = e if failure is None or isinstance(failure, pa.ArrowException) else failure
            failure = failure or self._failure
            if isinstance(failure, _Source):
                raise failure.error
            if failure:
                raise failure
            if self._canceled.is_set():
                raise Canceled("the ingest was cancelled; what was sent before may be durable")
            if self._pending:
                raise ConnectionLost("the server ended the ingest before everything was durable")
        finally:
            client.close()

    def _begin(self, answers: Any) -> bool:
        """Reads what is durable of the producer; False if the server refuses the call."""
        first = answers.read()
        if first is None:
            return False
        said = json.loads(first.to_pybytes())
        with self._changed:
            if said["seq"] < self._durable:
                raise DataLoss(f"batch {self._durable} of producer {self._producer!r} was acknowledged, and table {self._table} has them up to {said['seq']} only")
            if self._next is None:
                self._next = said["seq"] + 1
            self._heard_all, self._failure = False, None
            self._settle(said["seq"])
        return True

    def _settle(self, seq: int) -> None:
        """Forgets what is durable. The caller holds _changed."""
        self._durable = max(self._durable, seq)
        while self._pending and self._pending[0][0] <= seq:
            batch = self._pending.popleft()[1]
            self._rows += batch.num_rows
            self._bytes -= batch.nbytes

    def _listen(self, answers: Any) -> None:
        try:
            while (answer := answers.read()) is not None:
                said = json.loads(answer.to_pybytes())
                with self._changed:
                    self._settle(said["seq"])
                    durable = Durable(self._producer, self._durable, said["durable"], self._rows)
                    self._changed.notify_all()
                if self._told:
                    self._told(durable)
        except BaseException as e:
            self._failure = e
        finally:
            with self._changed:
                self._heard_all = True
                self._changed.notify_all()

    def _send(self, writer: Any) -> None:
        for seq, batch in list(self._pending):
            self._write(writer, seq, batch)
        while not self._read_all:
            with self._changed:
                self._changed.wait_for(self._may_go_on)
                if self._heard_all or self._canceled.is_set():
                    return
            try:
                batch = self._source.read_next_batch()
            except StopIteration:
                self._read_all = True
                return
            except BaseException as e:
                raise _Source(e) from e
            with self._changed:
                seq = self._next or 0
                self._next = seq + 1
                if seq <= self._durable:  # an earlier call has sent it
                    self._rows += batch.num_rows
                    continue
                self._pending.append((seq, batch))
                self._bytes += batch.nbytes
            self._write(writer, seq, batch)

    def _may_go_on(self) -> bool:
        room = not self._pending or len(self._pending) < UNACKNOWLEDGED and self._bytes < UNACKNOWLEDGED_BYTES
        return room or self._heard_all or self._canceled.is_set()

    def _write(self, writer: Any, seq: int, batch: pa.RecordBatch) -> None:
        if seq > self._durable and not self._canceled.is_set():
            writer.write_with_metadata(batch, json.dumps({"producer": self._producer, "seq": seq}).encode())


class _Source(Exception):
    """The rows could not be read."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


def _passing(e: Error) -> bool:
    """Whether it may work again later."""
    if isinstance(e, LimitExceeded):
        return e.condition == "LIMIT_EXCEEDED"  # of calls or connections; a record batch that is too large stays so
    if isinstance(e, InternalError):
        return e.condition is None
    return isinstance(e, (ConnectionLost, Canceled, AuthenticationError))
