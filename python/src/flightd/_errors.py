"""The errors of a server, as exceptions with what it says about them."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import Any, Iterator
from urllib.parse import unquote

import adbc_driver_manager
import pyarrow
import pyarrow.flight


class Error(Exception):
    """What went wrong, in the server's words.

    ``condition`` is the class of the error, such as
    ``UNRESOLVED_COLUMN.WITH_SUGGESTION``, ``sqlstate`` its five characters,
    ``position`` the place in the statement as (line, column), counted from 1, and
    ``hint`` what to do about it. Each is None where the server has none.
    """

    def __init__(
        self,
        message: str,
        *,
        condition: str | None = None,
        sqlstate: str | None = None,
        position: tuple[int, int] | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.condition = condition
        self.sqlstate = sqlstate
        self.position = position
        self.hint = hint


class StatementError(Error):
    """The statement, its parameters or its rows are wrong."""


class NotFound(StatementError):
    """There is no such table, query or handle."""


class AlreadyExists(StatementError):
    """There is one of that name already."""


class NotSupported(Error):
    """The server does not have this part of the protocol."""


class AuthenticationError(Error):
    """The server does not know who calls."""


class PermissionDenied(Error):
    """The user's role does not allow it."""


class LimitExceeded(Error):
    """A limit was reached: of memory, sessions, rows or patience."""


class OutOfRange(Error):
    """The epoch is not kept any more, or is not there yet."""


class Canceled(Error):
    """The statement was cancelled."""


class ConnectionLost(Error):
    """The server is not there, or went away."""


class DataLoss(Error):
    """What the server has stored is damaged."""


class InternalError(Error):
    """A bug of the server, or a failure that it has no class for."""


class QueryFailed(Error):
    """A streaming query stopped with an error."""


# By gRPC's names of codes, which ADBC puts behind the text, with what was being done.
_BY_CODE: dict[str, type[Error]] = {
    "Canceled": Canceled, "DeadlineExceeded": Canceled, "InvalidArgument": StatementError, "NotFound": NotFound, "AlreadyExists": AlreadyExists,
    "PermissionDenied": PermissionDenied, "Unauthenticated": AuthenticationError, "ResourceExhausted": LimitExceeded, "OutOfRange": OutOfRange,
    "Unimplemented": NotSupported, "Internal": InternalError, "Unavailable": ConnectionLost, "DataLoss": DataLoss,
}  # fmt: skip
_CODE = re.compile(r".*\(([A-Z][A-Za-z]+); [^()]*(?:\([^()]*\))?[^()]*\)", re.S)

_BY_FLIGHT: list[tuple[Any, type[Error]]] = [
    (pyarrow.flight.FlightUnauthenticatedError, AuthenticationError),
    (pyarrow.flight.FlightUnauthorizedError, PermissionDenied),
    (pyarrow.flight.FlightUnavailableError, ConnectionLost),
    (pyarrow.flight.FlightCancelledError, Canceled),
    (pyarrow.flight.FlightTimedOutError, Canceled),
    (pyarrow.ArrowNotImplementedError, NotSupported),
    (pyarrow.ArrowKeyError, NotFound),
    (pyarrow.ArrowInvalid, StatementError),
    (pyarrow.ArrowCancelled, Canceled),
]

# The words that the libraries put around the server's text.
_BEFORE = re.compile(r"^(?:[A-Z_]+: )?\[FlightSQL\] |^(?:Flight [^:\[]*: |gRPC returned [^:\[]*: |Flight returned [^:\[]*: )+")
_BEHIND = re.compile(
    r"(?: \([A-Za-z]+; [^()]*(?:\([^()]*\))?[^()]*\)| \([A-Za-z]+\))?(?:\. Vendor code: \d+\S*)?"
    r"(?:\. gRPC client debug context:.*|\. Client context:.*|\. Detail:.*)*$",
    re.S,
)


def _clean(text: str) -> str:
    return _BEHIND.sub("", _BEFORE.sub("", text)).strip()


def _from_text(cls: type[Error], text: str, said: dict[str, str]) -> Error:
    """Makes the error; what the trailers do not say is read from the text."""
    text = _clean(text)
    condition = said.get("condition") or _search(r"\[([A-Z][A-Z0-9_]*(?:\.[A-Z0-9_]+)*)\]", text)
    sqlstate = said.get("sqlstate") or _search(r"SQLSTATE: ([0-9A-Z]{5})", text)
    place = said.get("position") or _search(r"^line (\d+:\d+): ", text)
    hint = said.get("hint") or _search(r"^hint: (.*)\Z", text)
    position = None
    if place and (at := re.fullmatch(r"(\d+):(\d+)", place)):
        position = (int(at[1]), int(at[2]))
    if cls is StatementError and condition:
        if condition.split(".")[0].endswith("_NOT_FOUND"):
            cls = NotFound
        elif condition.split(".")[0].endswith("_ALREADY_EXISTS"):
            cls = AlreadyExists
    return cls(text, condition=condition, sqlstate=sqlstate, position=position, hint=hint)


def _search(pattern: str, text: str) -> str | None:
    found = re.search(pattern, text, re.M | re.S if pattern.startswith("^hint") else re.M)
    return found[1] if found else None


def from_adbc(e: Any) -> Error:
    """The error of an ADBC call."""
    said: dict[str, str] = {}
    for key, value in getattr(e, "details", None) or []:
        name = key.decode() if isinstance(key, bytes) else key
        if name.lower().startswith("x-flightd-"):
            text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
            said[name.lower()[len("x-flightd-") :]] = unquote(text)
    return _from_text(_by_code(str(e)) or _by_status(e), str(e), said)


def _by_code(text: str) -> type[Error] | None:
    found = _CODE.match(text)
    return _BY_CODE.get(found[1]) if found else None


def _by_status(e: Any) -> type[Error]:
    status = adbc_driver_manager.AdbcStatusCode
    kinds: dict[Any, type[Error]] = {
        status.UNAUTHENTICATED: AuthenticationError, status.UNAUTHORIZED: PermissionDenied, status.IO: ConnectionLost, status.CANCELLED: Canceled,
        status.NOT_IMPLEMENTED: NotSupported, status.NOT_FOUND: NotFound, status.ALREADY_EXISTS: AlreadyExists, status.INVALID_ARGUMENT: StatementError,
    }  # fmt: skip
    return kinds.get(getattr(e, "status_code", None), InternalError)


def from_arrow(e: Exception) -> Error:
    """The error of a pyarrow call."""
    text = str(e)
    cls = _by_code(text) or next((c for kind, c in _BY_FLIGHT if isinstance(e, kind)), None) or _by_words(text)
    return _from_text(cls, text, {})


def _by_words(text: str) -> type[Error]:
    """The kind of an error for whose code pyarrow has no class."""
    for cls, words in (
        (LimitExceeded, ("RESOURCE_EXHAUSTED", "LIMIT_EXCEEDED", "UNABLE_TO_ACQUIRE_MEMORY")),
        (OutOfRange, ("OUT_OF_RANGE", "earliest epoch")),
        (ConnectionLost, ("Connection reset", "Socket closed", "Stream removed", "Connection refused")),
    ):
        if any(w in text for w in words):
            return cls
    return StatementError if "SQLSTATE: " in text else InternalError


@contextmanager
def translated() -> Iterator[None]:
    """Turns the exceptions of the libraries underneath into those of this one."""
    try:
        yield
    except Error:
        raise
    except adbc_driver_manager.Error as e:
        raise from_adbc(e) from None
    except (pyarrow.ArrowException, pyarrow.flight.FlightError) as e:
        raise from_arrow(e) from None
