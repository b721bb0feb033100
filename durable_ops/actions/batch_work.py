"""The duty behind batches: a worker does their items one by one (for exports, several at once), each exactly once.

The lock of an item's row, the act with its audit row and the item's outcome are one transaction: a worker killed in the middle leaves the
item as it was. Lock order: item, execution, operations.
"""

import json
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import OperationalError, connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from durable_ops.actions import batch_export, executions, repairs
from durable_ops.actions.actor import Actor
from durable_ops.audit import log
from durable_ops.models import Batch, BatchItem
from execution_engine.core.errors import CommandError, ExecutionNotFoundError

logger = logging.getLogger(__name__)

TURN_SECONDS = 3.0
MOST_ATTEMPTS = 5
KEPT = timedelta(days=90)
DRAFT_KEPT = timedelta(days=1)

_ACTS: dict[str, Callable[..., Any]] = {
    Batch.Act.REDRIVE: repairs.redrive_execution,
    Batch.Act.STOP: executions.stop_execution,
    Batch.Act.PAUSE: repairs.pause_execution,
    Batch.Act.RESUME: repairs.resume_execution,
    Batch.Act.DELETE: repairs.delete_execution,
    Batch.Act.MOVE: repairs.move_execution,
}


_SETTLE = """
update durable_ops_batch_item as t
   set outcome = a.outcome, code = a.code, message = a.message, row = a.row::jsonb, at = statement_timestamp()
  from unnest(%s::int8[], %s::text[], %s::text[], %s::text[], %s::text[]) as a(id, outcome, code, message, "row")
 where t.id = a.id"""


@dataclass(frozen=True, slots=True)
class _Result:
    outcome: str
    code: str = ""
    message: str = ""
    row: dict[str, Any] | None = None


def work(_: Any = None) -> int:
    """Works for at most three seconds; returns how many items were tried. Turns may overlap in several processes."""
    ends, tried = time.monotonic() + TURN_SECONDS, 0
    for batch in Batch.objects.filter(status=Batch.Status.RUNNING).select_related("user", "key").order_by("id"):
        while now := _try_next(batch):
            tried += now
            if time.monotonic() > ends:
                return tried
        _end(batch)
    return tried


def forget_old(_: Any = None) -> None:
    """Ended batches after 90 days, drafts that nobody confirmed after one; their items go with them."""
    Batch.objects.filter(ended_at__lt=Now() - KEPT).delete()
    Batch.objects.filter(status=Batch.Status.DRAFT, created_at__lt=Now() - DRAFT_KEPT).delete()


def _try_next(batch: Batch) -> int:
    """How many items were tried; 0 when none is left that nobody else has locked, or when the batch was aborted."""
    ids: list[int] = []
    try:
        with transaction.atomic():
            waiting = BatchItem.objects.filter(batch=batch, batch__status=Batch.Status.RUNNING, outcome=BatchItem.Outcome.PENDING)
            size = batch_export.CHUNK if batch.act == Batch.Act.EXPORT else 1
            items = list(waiting.select_for_update(skip_locked=True, of=("self",)).order_by("id")[:size])
            ids = [item.pk for item in items]
            _settle(items, _do(batch, [item.execution_id for item in items]) if items else [])
    except OperationalError as error:
        _put_off(ids, error)
    return len(ids)


def _do(batch: Batch, execution_ids: Sequence[UUID]) -> list[_Result]:
    """The result of each item: an export reads many at once, other acts do one. A refusal undoes the act but not the item's transaction."""
    if batch.key is not None and batch.key.revoked_at is not None:
        revoked = _Result(BatchItem.Outcome.FAILED, "key_revoked", "The API key that confirmed this batch was revoked.")
        return [revoked] * len(execution_ids)
    try:
        with transaction.atomic():
            return _act(batch, execution_ids)
    except CommandError as refusal:
        found = _Result(BatchItem.Outcome.FAILED, refusal.code, refusal.message)
    except PermissionDenied as denied:
        found = _Result(BatchItem.Outcome.FAILED, "permission_denied", str(denied))
    except OperationalError:
        raise
    except Exception as error:  # one execution that breaks the act must not keep the others from their turn
        logger.exception("batch %d failed on execution %s", batch.pk, execution_ids[0])
        found = _Result(BatchItem.Outcome.FAILED, "internal_error", f"{type(error).__name__}: {error}"[:500])
    return [found] * len(execution_ids)


def _act(batch: Batch, execution_ids: Sequence[UUID]) -> list[_Result]:
    actor = _actor_of(batch)
    if batch.act == Batch.Act.EXPORT:
        rows = batch_export.read_rows(actor, execution_ids)
        gone = _Result(BatchItem.Outcome.FAILED, ExecutionNotFoundError.code, "There is no such execution.")
        return [_Result(BatchItem.Outcome.DONE, row=rows[one]) if one in rows else gone for one in execution_ids]
    wishes = {"version": batch.to_version} if batch.act == Batch.Act.MOVE else {}
    _ACTS[batch.act](actor, execution_ids[0], reason=f"{batch.reason} (batch {batch.pk})", **wishes)
    return [_Result(BatchItem.Outcome.DONE)]


def _actor_of(batch: Batch) -> Actor:
    return Actor(user=batch.user, key=batch.key, channel=batch.channel, address=batch.address)


def _settle(items: Sequence[BatchItem], results: Sequence[_Result]) -> None:
    """One statement, however many. Plain SQL: `bulk_update` would write JSON's null where there is no row."""
    columns = ([getattr(one, name) for one in results] for name in ("outcome", "code", "message"))
    rows = [None if one.row is None else json.dumps(one.row) for one in results]
    with connection.cursor() as cursor:
        cursor.execute(_SETTLE, [[item.pk for item in items], *columns, rows])


def _put_off(item_ids: Sequence[int], error: OperationalError) -> None:
    """For a locked row, a deadlock or a lost connection: the item is tried again, but not for ever. Raises when the database is away."""
    if not item_ids:
        raise error
    BatchItem.objects.filter(pk__in=item_ids).update(attempts=F("attempts") + 1)
    given_up = BatchItem.objects.filter(pk__in=item_ids, attempts__gte=MOST_ATTEMPTS, outcome=BatchItem.Outcome.PENDING)
    given_up.update(outcome=BatchItem.Outcome.FAILED, code="database_unavailable", message=str(error)[:500], at=Now())


def _end(batch: Batch) -> None:
    """Ends the batch when no item waits; an item that another process has locked still does."""
    with transaction.atomic():
        locked = Batch.objects.select_for_update().filter(pk=batch.pk, status=Batch.Status.RUNNING).first()
        if locked is None or locked.items.filter(outcome=BatchItem.Outcome.PENDING).exists():
            return
        Batch.objects.filter(pk=batch.pk).update(status=Batch.Status.DONE, ended_at=Now())
        failed = locked.items.filter(outcome=BatchItem.Outcome.FAILED).count()
        facts = {"act": batch.act, "done": locked.total - failed, "failed": failed}
        log.append(_actor_of(batch), log.Act("batch.end", "batch", str(batch.pk), reason=batch.reason, facts=facts))
