"""Rows of the limits that people set; `journal/limited.py` makes claims obey them."""

from dataclasses import dataclass
from datetime import datetime

from execution_engine.core.limits import Limits
from execution_engine.journal.present import present
from execution_engine.journal.statements import statement
from execution_engine.journal.store import Cursor


@dataclass(frozen=True, slots=True)
class StoredLimits:
    """`revision` counts the changes by people; 0 while nobody has set anything, and then `changed_at` is None."""

    function: str
    limits: Limits
    revision: int = 0
    changed_at: datetime | None = None


def lock(cursor: Cursor, function: str) -> StoredLimits:
    """The limits as they stand. Nobody can change them, and no claim of the function can be made, until the transaction ends.

    Before any were set there is no row to lock: of two first changes, the insert that follows lets one through.
    """
    cursor.execute(statement("lock_limit"), {"function": function})
    row = cursor.fetchone()
    if row is None:
        return StoredLimits(function, Limits())
    return StoredLimits(function, Limits(*row[:6]), row[6], row[7])


def write(cursor: Cursor, function: str, limits: Limits, revision: int) -> bool:
    """Writes limits, which count from the next claim on. False when somebody changed them since `revision`.

    Claims that exist go on. A bucket that is new, or whose rate changed, starts full.
    """
    params = {
        "function": function,
        "concurrency": limits.concurrency,
        "per_key": limits.per_key,
        "starts": limits.starts,
        "seconds": limits.seconds,
        "burst": limits.burst,
        "priority": limits.priority,
        "revision": revision,
        "now": present(),
    }
    cursor.execute(statement("write_limit"), params)
    return cursor.fetchone() is not None
