"""Limits of functions: read under the lock and changed."""

from django.db import connection, transaction

from execution_engine.core.errors import ChangedMeanwhileError
from execution_engine.core.limits import Limits
from execution_engine.invocation.versions import version_to_start
from execution_engine.journal import limits as rows
from execution_engine.journal.bell import ring_after_commit
from execution_engine.journal.limits import StoredLimits


def set_limits(function: str, limits: Limits, *, revision: int | None = None) -> StoredLimits:
    """Counts from the next claim on; what runs goes on. Answers the limits as they were. With `revision` only if nobody changed them
    since. Raises `InvalidInputError`, `FunctionNotFoundError`, `ChangedMeanwhileError`."""
    limits.check()
    with transaction.atomic(), connection.cursor() as cursor:
        version_to_start(cursor, function, None)
        before = rows.lock(cursor, function)
        if (revision is not None and revision != before.revision) or not rows.write(cursor, function, limits, before.revision):
            raise ChangedMeanwhileError("somebody else changed these limits meanwhile", revision=before.revision)
    ring_after_commit()
    return before
