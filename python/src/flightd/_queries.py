"""Streaming queries, as the server reports on them."""

from __future__ import annotations

import html
import json
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ._errors import NotFound, QueryFailed

if TYPE_CHECKING:
    from ._connection import Connection


@dataclass(frozen=True)
class Status:
    """What a streaming query does now."""

    name: str
    id: str
    run_id: str
    active: bool
    """Whether it runs."""
    message: str
    """What it does, in words."""
    epoch: int | None
    """The last epoch that it reported on; None before the first."""
    output_mode: str
    sink: str
    exception: str | None
    """Why it stopped, if that was an error."""


def quoted(name: str) -> str:
    """The name as SQL has it."""
    return "`" + name.replace("`", "``") + "`"


class Query:
    """A streaming query of the server. It holds nothing but the name: each method asks."""

    def __init__(self, connection: Connection, name: str) -> None:
        self._conn = connection
        self.name = name

    def _properties(self) -> dict[str, Any]:
        table = self._conn.sql(f"DESCRIBE QUERY {quoted(self.name)}").arrow()
        return dict(zip(table.column(0).to_pylist(), table.column(1).to_pylist()))

    def status(self) -> Status:
        """What the query does now."""
        return _status(self._properties())

    def progress(self) -> dict[str, Any] | None:
        """The report of the last epoch, with Spark's names; None before the first."""
        text = self._properties().get("lastProgress")
        report: dict[str, Any] | None = json.loads(text) if text else None
        return report

    @property
    def statement(self) -> str | None:
        """The statement that made the query."""
        return self._properties().get("statement")

    def stop(self) -> None:
        """Stops the query. It stays on the server, and runs again after a restart only if it is started."""
        self._conn.execute(f"STOP QUERY {quoted(self.name)}")

    def drop(self) -> None:
        """Stops the query and forgets it, with its checkpoint."""
        self._conn.execute(f"DROP QUERY {quoted(self.name)}")

    def await_termination(self, timeout: timedelta | float | None = None) -> bool:
        """Waits until the query has stopped and returns True, or False after ``timeout``
        seconds. Raises QueryFailed if it stopped with an error."""
        seconds = timeout.total_seconds() if isinstance(timeout, timedelta) else timeout
        end = None if seconds is None else time.monotonic() + seconds
        wait = 0.05
        while True:
            s = self.status()
            if not s.active:
                if s.exception:
                    raise QueryFailed(f"query {self.name}: {s.exception}")
                return True
            left = wait if end is None else min(wait, end - time.monotonic())
            if left <= 0:
                return False
            time.sleep(left)
            wait = min(wait * 1.5, 1.0)

    def subscribe(self, **options: Any) -> Any:
        """Follows the query's output; the arguments are those of Connection.subscribe."""
        return self._conn.subscribe(self.name, **options)

    def __repr__(self) -> str:
        return f"<flightd.Query {self.name}>"

    def _repr_html_(self) -> str:
        try:
            properties = self._properties()
        except NotFound:
            return f"<b>{html.escape(self.name)}</b> is gone"
        s = _status(properties)
        text = properties.get("lastProgress")
        p: dict[str, Any] = json.loads(text) if text else {}
        colour = "#2a7d2e" if s.active else "#b3261e" if s.exception else "#666"
        facts: list[tuple[str, object]] = [("state", "running" if s.active else "failed" if s.exception else "stopped"), ("doing", s.message),
                 ("epoch", "none yet" if s.epoch is None else s.epoch)]  # fmt: skip
        if p:
            facts.append(("rows in", f"{p.get('numInputRows', 0)} ({p.get('processedRowsPerSecond') or 0:.0f}/s)"))
            facts.append(("took", f"{(p.get('durationMs') or {}).get('triggerExecution', 0)} ms"))
            if mark := (p.get("eventTime") or {}).get("watermark"):
                facts.append(("watermark", mark))
            if operators := p.get("stateOperators"):
                facts.append(("rows of state", sum(o.get("numRowsTotal", 0) for o in operators)))
        facts += [("sink", f"{s.sink}, {s.output_mode}")]
        if s.exception:
            facts.append(("error", s.exception))
        rows = "".join(f"<tr><td><small>{html.escape(k)}</small></td><td>{html.escape(str(v))}</td></tr>" for k, v in facts)
        return (f"<div style='border-left:4px solid {colour};padding-left:8px'><b>{html.escape(s.name)}</b>"
                f"<table>{rows}</table></div>")  # fmt: skip


def _status(p: dict[str, Any]) -> Status:
    epoch = p.get("batchId")
    return Status(str(p["name"]), str(p["id"]), str(p["runId"]), str(p["isActive"]) == "true", str(p["status"]),
                  None if epoch in (None, "") else int(epoch), str(p["outputMode"]), str(p["sink"]), p.get("exception") or None)  # fmt: skip


class Queries(list[Query]):
    """A list of streaming queries, which a notebook shows as cards."""

    def _repr_html_(self) -> str:
        return "".join(q._repr_html_() for q in self) or "<i>no streaming queries</i>"
