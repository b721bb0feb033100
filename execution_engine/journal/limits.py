"""Limits of functions as people set them; claims obey them in `journal/limited.py`."""

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
    """The limits as they stand, which nobody else changes until the transaction ends; claims of the function wait as long.

    Before any were set there is nothing to lock: the insert that follows decides between two who were first.
    """
    cursor.execute(statement("lock_limit"), {"function": function})
    row = cursor.fetchone()
    if row is None:
        return StoredLimits(function, Limits())
    return StoredLimits(function, Limits(*row[:6]), row[6], row[7])


def write(cursor: Cursor, function: str, limits: Limits, revision: int) -> bool:
    """Makes them count from the next claim on; False when somebody changed them since `revision`.

    What they hold already goes on; a bucket that is new, or whose rate changed, is full.
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
