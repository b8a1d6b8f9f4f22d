"""Connecting, and running statements."""

from __future__ import annotations

import secrets
import threading
import time
import warnings
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Callable, Iterable, Mapping, Sequence, TypeAlias, TypeVar

import adbc_driver_flightsql
import adbc_driver_flightsql.dbapi
import pyarrow as pa
import pyarrow.flight

from . import _uri
from ._append import Appending, Durable
from ._errors import AuthenticationError, ConnectionLost, Error, StatementError, translated
from ._ingest import to_reader
from ._queries import Queries, Query, quoted
from ._result import Result
from ._subscribe import Subscription, subscription
from ._wait import interruptible

if TYPE_CHECKING:
    from ._ingest import Rows

T = TypeVar("T")

Params: TypeAlias = "Sequence[Any] | Mapping[str, Any] | pa.RecordBatch | pa.Table"
"""Values for the ? of a statement, for its :names, or a row of columns for each run of it."""


def connect(
    uri: str = "grpc://127.0.0.1:8815",
    *,
    user: str | None = None,
    password: str | None = None,
    token: str | None = None,
    tls_ca: str | bytes | Path | None = None,
    tls_cert: str | bytes | Path | None = None,
    tls_key: str | bytes | Path | None = None,
    tls_skip_verify: bool = False,
    max_message: int = 64 << 20,
) -> Connection:
    """Connects to a server.

    ``uri`` is ``grpc://host:port`` or ``flightd://host:port`` in plain text,
    ``grpc+tls://host:port`` encrypted. Give ``user`` and ``password``, or the
    ``token`` of a service, where the server asks for them. ``tls_ca`` is the
    authority of the server's certificate, ``tls_cert`` and ``tls_key`` the
    client's own certificate: each a path, or the PEM text as bytes.
    ``max_message`` is the most bytes that a message of a result may have.

    The connection is one session of the server: settings and temporary views stay
    until it is closed. Use it in a ``with`` statement, or call ``close``.
    """
    if token is not None and (user is not None or password is not None):
        raise ValueError("give a user and password, or a token")
    if (user is None) != (password is None):
        raise ValueError("user and password go together")
    if (tls_cert is None) != (tls_key is None):
        raise ValueError("tls_cert and tls_key go together")
    at = _uri.parse(uri)
    if not at.tls and (tls_ca or tls_cert or tls_skip_verify):
        raise ValueError(f"{uri!r} is in plain text and TLS options were given; grpc+tls://{at.host}:{at.port} is encrypted")
    return Connection(_Login(at, user, password, token, _pem(tls_ca), _pem(tls_cert), _pem(tls_key), tls_skip_verify, max_message))


def _pem(given: str | bytes | Path | None) -> str | None:
    if given is None:
        return None
    return given.decode() if isinstance(given, bytes) else Path(given).read_text()


class _Login:
    """What is needed to log in, and the pyarrow client and token of the last time."""

    def __init__(self, at: _uri.Location, user: str | None, password: str | None, token: str | None, ca: str | None,
                 cert: str | None, key: str | None, skip_verify: bool, max_message: int) -> None:  # fmt: skip
        self.at, self.user, self.password, self.given = at, user, password, token
        self.ca, self.cert, self.key, self.skip_verify, self.max_message = ca, cert, key, skip_verify, max_message

    def flight(self) -> Any:
        """A new pyarrow client."""
        options: dict[str, Any] = {}
        if self.ca:
            options["tls_root_certs"] = self.ca
        if self.cert:
            options.update(cert_chain=self.cert, private_key=self.key)
        if self.skip_verify:
            options["disable_server_verification"] = True
        return pa.flight.FlightClient(self.at.uri, **options)

    def header(self, client: Any) -> str:
        """The value of the authorization header for a new session."""
        if self.given is not None:
            value = "Bearer " + self.given
            list(client.list_actions(_authorized(value)))  # a token that is not known is refused here
            return value
        if self.user is not None:
            _, token = client.authenticate_basic_token(self.user, self.password)
            return str(token.decode())
        # Without users a token only names the session. With users this call is refused.
        list(client.list_actions())
        return "Bearer " + secrets.token_hex(16)

    def adbc(self, header: str) -> Any:
        """A new ADBC connection."""
        o = adbc_driver_flightsql.DatabaseOptions
        kwargs = {o.AUTHORIZATION_HEADER.value: header, o.WITH_MAX_MSG_SIZE.value: str(self.max_message)}
        if self.ca:
            kwargs[o.TLS_ROOT_CERTS.value] = self.ca
        if self.cert and self.key:
            kwargs.update({o.MTLS_CERT_CHAIN.value: self.cert, o.MTLS_PRIVATE_KEY.value: self.key})
        if self.skip_verify:
            kwargs[o.TLS_SKIP_VERIFY.value] = "true"
        return adbc_driver_flightsql.dbapi.connect(self.at.uri, db_kwargs=kwargs, autocommit=True)


class Connection:
    """A session of a server. Make one with :func:`connect`."""

    def __init__(self, login: _Login) -> None:
        self._login = login
        self._lock = threading.Lock()
        self._closed = False
        self._producer = _made_up()
        self._numbering = threading.Lock()
        self._open()

    def _open(self) -> None:
        with translated():
            self._client = self._login.flight()
            try:
                self._header = self._login.header(self._client)
                self._adbc = self._login.adbc(self._header)
            except BaseException:
                self._client.close()
                raise

    # Statements.

    def sql(self, query: str, params: Params | None = None) -> Result:
        """Runs a statement and returns its rows.

        ``params`` are the values of its ``?`` in order, or of its ``:names`` by name.
        Nothing is read before it is asked for. ``SUBSCRIBE`` works as well, but
        :meth:`subscribe` goes on after a broken connection.
        """
        return self._retried(lambda: Result(self._cursor(), query, _bound(params)))

    def execute(self, statement: str, params: Params | None = None) -> int:
        """Runs a statement for its effect and returns how many rows it changed;
        -1 if it is one that has rows of its own, which are not read."""
        with self.sql(statement, params) as result:
            return result.rows_affected

    def set(self, key: str, value: object) -> None:
        """Sets a setting of the session, as SET does."""
        self.execute(f"SET {key} = {value}")

    def ingest(
        self,
        table: str,
        data: Rows,
        mode: str = "create_append",
        *,
        producer: str | None = None,
        seq: int | None = None,
        on_durable: Callable[[Durable], None] | None = None,
        retry_for: timedelta | float = 300.0,
    ) -> int:
        """Writes rows into a table and returns their number once they are durable.

        ``data`` is a pyarrow Table, RecordBatch or RecordBatchReader, a pandas or
        polars DataFrame, a list of dicts, an iterable of record batches, or anything
        else that exports an Arrow stream. ``mode`` is ``create`` (the table must not
        exist), ``append`` (it must), ``replace`` or ``create_append``. Columns go by
        name. Every type of docs/types.md is taken; one that is not names its column.

        A stream table (``CREATE TABLE … USING flight``) that is appended to takes the
        rows record batch by record batch, each durable by itself and numbered: the
        ingest goes on by itself after a broken connection or a restart of the server,
        for ``retry_for`` seconds without success, and every row is there once.
        ``on_durable`` is told how far it is, from a thread of its own. Any other table
        gets the rows as one commit.

        ``producer`` names the sender in a stream table; without it the connection has a
        name of its own. One that was stopped itself comes back by its name with
        ``seq``, the number of the first record batch of ``data``: those that are
        durable already are not sent again. Without ``seq`` the numbers go on behind
        the last durable one.
        """
        if mode not in ("create", "append", "replace", "create_append"):
            raise ValueError(f"mode {mode!r} is none of create, append, replace, create_append")
        if producer is None and seq is not None:
            raise ValueError("seq is the number of a producer's record batch; name the producer")
        if producer == "" or seq is not None and seq < 0:
            raise ValueError("a producer has a name, and its record batches have numbers from 0 on")
        if mode in ("create", "replace") and (producer or on_durable):
            raise ValueError(f"mode {mode!r} writes the rows as one commit; a producer appends to a stream table")
        reader = to_reader(data)
        if mode in ("append", "create_append") and self._patient(lambda: self._is_stream(table, mode, reader.schema), _seconds(retry_for) or 0.0):
            return self._append(table, reader, producer, seq, _seconds(retry_for) or 0.0, on_durable)
        if producer or on_durable:
            raise StatementError(f"the table {table} is not a stream table, so it knows no producers; CREATE TABLE {quoted(table)} (…) USING flight makes one")
        return self._ingest(table, reader, mode)

    def _append(self, table: str, reader: pa.RecordBatchReader, producer: str | None, seq: int | None, retry_for: float,
                on_durable: Callable[[Durable], None] | None) -> int:  # fmt: skip
        if producer is not None:
            appending = Appending(self, table, reader, producer, seq, retry_for, on_durable)
            return interruptible(appending.run, appending.cancel)
        with self._numbering:
            appending = Appending(self, table, reader, self._producer, None, retry_for, on_durable)
            try:
                return interruptible(appending.run, appending.cancel)
            except BaseException:
                # Numbers that this call has sent may become durable yet; the next call must
                # not give them to other rows.
                self._producer = _made_up()
                raise

    def _ingest(self, table: str, reader: pa.RecordBatchReader, mode: str) -> int:
        with translated():
            cur = self._cursor()
            try:
                return int(interruptible(lambda: cur.adbc_ingest(table, reader, mode=mode), cur.adbc_cancel))
            finally:
                cur.close()

    def _patient(self, call: Callable[[], T], retry_for: float) -> T:
        """call(), which may be repeated, until the server is there."""
        end, wait = time.monotonic() + retry_for, 0.05
        while True:
            try:
                return call()
            except ConnectionLost:
                if time.monotonic() > end:
                    raise
            time.sleep(wait)
            wait = min(2 * wait, 5.0)

    def _is_stream(self, table: str, mode: str, schema: pa.Schema) -> bool:
        """Whether the table takes numbered record batches. One that is to be made as
        such is made here: an empty ingest may be repeated."""
        for made in (False, True):
            try:
                self.sql(f"SHOW PRODUCERS {quoted(table)} LIKE ''").arrow()
                return True
            except StatementError as e:
                if e.condition == "NOT_A_STREAM_TABLE":
                    return False
                if e.condition != "TABLE_OR_VIEW_NOT_FOUND":
                    raise
            if made or mode == "append" or self.sql("SET flightd.ingest.format").rows()[0]["value"] != "flight":
                return False
            self._ingest(table, to_reader(schema.empty_table()), mode)
        return False

    # Subscriptions.

    def subscribe(
        self,
        what: str,
        *,
        snapshot: bool = False,
        progress: bool = False,
        envelope: str | None = None,
        key: Iterable[str] = (),
        from_epoch: int | None = None,
        resume: str | None = None,
        up_to_epoch: int | None = None,
        interval: timedelta | float | None = None,
        limit: int | None = None,
        retry_for: timedelta | float = 300.0,
    ) -> Subscription:
        """Follows a query, a view or a SELECT over a stream.

        The iterator gives a :class:`Batch` as soon as its epoch is done, and goes on
        by itself after a broken connection or a restart of the server, without losing
        or repeating a row: for ``retry_for`` seconds without success, waiting longer
        from try to try. Leaving the loop early, Ctrl-C and ``close`` end the
        subscription on the server; ``Subscription.resume`` is then where to go on.

        ``snapshot`` gives the present result first. ``envelope`` is ``append``,
        ``upsert`` (with ``key``, if not what the query groups by) or ``changelog``.
        ``from_epoch`` or ``resume`` say where to begin, ``up_to_epoch``, ``interval``
        (seconds) and ``limit`` (rows) where to end. docs/subscribe.md has the details.
        """
        return subscription(
            self, what, snapshot=snapshot, progress=progress, envelope=envelope, key=tuple(key), from_epoch=from_epoch,
            resume=resume, up_to_epoch=up_to_epoch, interval=_seconds(interval), limit=limit, retry_for=_seconds(retry_for) or 0.0,
        )  # fmt: skip

    # Streaming queries.

    def queries(self) -> Queries:
        """The streaming queries of the server, those that stopped included."""
        return Queries(Query(self, str(name)) for name in self.sql("SHOW QUERIES").arrow().column("name").to_pylist() if name)

    def query(self, name: str) -> Query:
        """The streaming query of that name; NotFound if there is none."""
        q = Query(self, name)
        q.status()
        return q

    def tables(self) -> list[str]:
        """The names of the tables and views."""
        return [str(name) for name in self.sql("SHOW TABLES").arrow().column("tableName").to_pylist()]

    # The rest.

    @property
    def adbc(self) -> Any:
        """The ADBC connection underneath (DB-API 2.0), for what this class does not have."""
        return self._adbc

    def close(self) -> None:
        """Ends the session. What is still read from it fails."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        try:
            with translated():
                self._adbc.close()
        except Error as e:
            warnings.warn(f"closing the connection: {e}", stacklevel=2)
        finally:
            self._client.close()

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        user = f" as {self._login.user}" if self._login.user else ""
        return f"<flightd.Connection {self._login.at.uri}{user}{' (closed)' if self._closed else ''}>"

    def _cursor(self) -> Any:
        if self._closed:
            raise Error("the connection is closed")
        return self._adbc.cursor()

    def _retried(self, call: Callable[[], T]) -> T:
        """call(), once more after a login if the token is not known any more: they end
        with the server that gave them."""
        try:
            with translated():
                return call()
        except AuthenticationError:
            if self._login.user is None:
                raise
        self._reopen()
        with translated():
            return call()

    def _reopen(self) -> None:
        with self._lock:
            if self._closed:
                raise Error("the connection is closed")
            old, client = self._adbc, self._client
            self._open()
        try:
            old.close()
        except Exception:
            pass  # its session is gone
        client.close()

    def _login_again(self, e: Error) -> None:
        """For a stream whose token is not valid any more: e is why, and stays where nobody can log in."""
        if self._login.user is None:
            raise e
        try:
            self._reopen()
        except ConnectionLost:
            pass  # the next try finds out

    def _stream(self, headers: Iterable[tuple[bytes, bytes]] = ()) -> tuple[Any, Any]:
        """A new pyarrow client and the options of its calls, for one subscription or ingest."""
        with self._lock:
            if self._closed:
                raise Error("the connection is closed")
            header = self._header
        return self._login.flight(), _authorized(header, *headers)


def _made_up() -> str:
    """The name of a producer that is this connection's alone; the ~ says so to the server."""
    return "~python-" + secrets.token_hex(8)


def _authorized(header: str, *more: tuple[bytes, bytes]) -> Any:
    """The options of pyarrow's calls with the authorization header."""
    return pa.flight.FlightCallOptions(headers=[(b"authorization", header.encode()), *more])


def _seconds(t: timedelta | float | None) -> float | None:
    return t.total_seconds() if isinstance(t, timedelta) else t


def _bound(params: Params | None) -> Any:
    """Parameters as ADBC binds them: a record batch, whose columns go by position or name."""
    if params is None or isinstance(params, (pa.RecordBatch, pa.Table)):
        return params
    if isinstance(params, (str, bytes)):
        raise TypeError("params is a list of values, or a dict of them by name")
    if isinstance(params, Mapping):
        names, values = list(params), list(params.values())
    else:
        values = list(params)
        names = [str(i) for i in range(len(values))]
    if not values:
        return None
    return pa.record_batch([pa.array([v]) for v in values], names=names)
