"""The columns of the list of executions: which exist, and which are shown."""

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """`look` are the CSS classes of its head and cells."""

    key: str
    words: str
    look: str


COLUMNS = {
    column.key: column
    for column in (
        Column("state", "State", "cell-state"),
        Column("name", "Name", "cell-name"),
        Column("error", "Error", "from-m cell-error"),
        Column("function", "Function", "from-m cell-function"),
        Column("version", "Version", "from-m soft"),
        Column("attributes", "Attributes", "from-xl cell-attributes"),
        Column("started_by", "Started by", "from-l soft cell-by"),
        Column("asked", "Asked", "from-m cell-by"),
        Column("asked_since", "Asked since", "number soft from-m"),
        Column("decide_by", "Decide by", "number soft from-m"),
        Column("invocations", "Invocations", "number from-m"),
        Column("started", "Started", "number soft"),
        Column("ended", "Ended", "number soft from-m"),
        Column("deadline", "Must end", "number soft from-m"),
        Column("duration", "Duration", "number from-m"),
        Column("id", "Id", "mono from-m"),
    )
}
USUAL = ("state", "name", "function", "attributes", "started_by", "started", "duration")
USUAL_OF_FAILURES = ("state", "name", "error", "function", "started", "duration")
"""For executions that ended badly, where the reason is what people look for first."""

ALWAYS = ("state", "name")
OF_APPROVALS = frozenset({"asked", "asked_since", "decide_by"})
"""Columns about pending approvals, which are read only if one of these is shown."""


def chosen_columns(text: str, usual: Collection[str] = USUAL) -> tuple[Column, ...]:
    """The columns named in `function,started`, in their fixed order. Unknown names are ignored; state and name are always there."""
    wanted = {part.strip() for part in text.split(",")} & COLUMNS.keys() or usual
    return tuple(column for key, column in COLUMNS.items() if key in wanted or key in ALWAYS)
