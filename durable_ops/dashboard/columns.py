"""Columns of the list of executions: which there are, which are shown, and what an export says in them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from execution_engine.selectors.executions import ExecutionSummary


@dataclass(frozen=True, slots=True)
class Column:
    """`look` are CSS classes of head and cells; `text` is the plain value for exports."""

    key: str
    words: str
    look: str
    text: Callable[[ExecutionSummary], Any]


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="milliseconds") if moment else None


COLUMNS = {
    column.key: column
    for column in (
        Column("state", "State", "cell-state", lambda item: item.state.code.value),
        Column("name", "Name", "cell-name", lambda item: item.name),
        Column("function", "Function", "from-m cell-function", lambda item: item.function),
        Column("version", "Version", "from-m soft", lambda item: item.version),
        Column("attributes", "Attributes", "from-xl cell-attributes", lambda item: dict(item.attributes)),
        Column("started_by", "Started by", "from-l soft cell-by", lambda item: item.started_by),
        Column("invocations", "Invocations", "number from-m", lambda item: item.invocations),
        Column("started", "Started", "number soft", lambda item: _time(item.started_at)),
        Column("ended", "Ended", "number soft from-m", lambda item: _time(item.ended_at)),
        Column("deadline", "Must end", "number soft from-m", lambda item: _time(item.deadline_at)),
        Column("duration", "Duration", "number from-m", lambda item: round(item.duration.total_seconds(), 3)),
        Column("id", "Id", "mono from-m", lambda item: str(item.id)),
    )
}
USUAL = ("state", "name", "function", "attributes", "started_by", "started", "duration")
ALWAYS = ("state", "name")


def chosen_columns(text: str) -> tuple[Column, ...]:
    """Of `function,started`, in the usual order; unknown names are left out, state and name are always there."""
    wanted = {part.strip() for part in text.split(",")} & COLUMNS.keys() or USUAL
    return tuple(column for key, column in COLUMNS.items() if key in wanted or key in ALWAYS)


EXPORTED = ("id", "name", "function", "version", "status", "state", "state_label")
EXPORTED += ("started", "ended", "duration", "attributes", "started_by")


def exported(item: ExecutionSummary) -> dict[str, Any]:
    """One execution as plain values, keys as in `EXPORTED`; times ISO 8601 in UTC, duration in seconds."""
    others = {"status": item.status, "state_label": item.state.label}
    return {key: others[key] if key in others else COLUMNS[key].text(item) for key in EXPORTED}
