"""Columns of the list of executions: which there are, and which are shown."""

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """`look` are CSS classes of head and cells."""

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
"""Who looks at what ended badly asks first why."""

ALWAYS = ("state", "name")
OF_APPROVALS = frozenset({"asked", "asked_since", "decide_by"})
"""What is read of pending approvals, and only when one of them is shown."""


def chosen_columns(text: str, usual: Collection[str] = USUAL) -> tuple[Column, ...]:
    """Of `function,started`, in their order here; unknown names are left out, state and name are always there."""
    wanted = {part.strip() for part in text.split(",")} & COLUMNS.keys() or usual
    return tuple(column for key, column in COLUMNS.items() if key in wanted or key in ALWAYS)
