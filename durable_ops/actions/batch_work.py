"""The duty behind batches: whichever worker looks does items one by one, each exactly once.

An item's row lock, the act with its audit row, and the item's outcome are one transaction: a worker that is killed in the middle
leaves the item as it was. Lock order: item, execution, operations.
"""

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import OperationalError, transaction
from django.db.models import F
from django.db.models.functions import Now

from durable_ops.actions import executions, repairs
from durable_ops.actions.actor import Actor
from durable_ops.audit import log
from durable_ops.models import Batch, BatchItem
from execution_engine.core.errors import CommandError

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
}


def work(_: Any = None) -> int:
    """A turn of at most three seconds; answers how many items were tried. Several turns may overlap, in different processes."""
    ends, tried = time.monotonic() + TURN_SECONDS, 0
    for batch in Batch.objects.filter(status=Batch.Status.RUNNING).select_related("user", "key").order_by("id"):
        while _try_next(batch):
            tried += 1
            if time.monotonic() > ends:
                return tried
        _end(batch)
    return tried


def forget_old(_: Any = None) -> None:
    """Ended batches after 90 days, drafts that nobody confirmed after one; their items go with them."""
    Batch.objects.filter(ended_at__lt=Now() - KEPT).delete()
    Batch.objects.filter(status=Batch.Status.DRAFT, created_at__lt=Now() - DRAFT_KEPT).delete()


def _try_next(batch: Batch) -> bool:
    """False when nothing is left that nobody else has at hand, or the batch was aborted."""
    item_id = None
    try:
        with transaction.atomic():
            waiting = BatchItem.objects.filter(batch=batch, batch__status=Batch.Status.RUNNING, outcome=BatchItem.Outcome.PENDING)
            item = waiting.select_for_update(skip_locked=True, of=("self",)).order_by("id").first()
            if item is None:
                return False
            item_id = item.pk
            _settle(item_id, *_do(batch, item.execution_id))
    except OperationalError as error:
        _put_off(item_id, error)
    return True


def _do(batch: Batch, execution_id: UUID) -> tuple[str, str, str]:
    """Outcome, code and message. A refusal undoes the act alone, not the item's transaction."""
    actor = Actor(user=batch.user, key=batch.key, channel=batch.channel, address=batch.address)
    if batch.key is not None and batch.key.revoked_at is not None:
        return BatchItem.Outcome.FAILED, "key_revoked", "The API key that confirmed this batch was revoked."
    try:
        with transaction.atomic():
            _ACTS[batch.act](actor, execution_id, reason=f"{batch.reason} (batch {batch.pk})")
    except CommandError as refusal:
        return BatchItem.Outcome.FAILED, refusal.code, refusal.message
    except PermissionDenied as denied:
        return BatchItem.Outcome.FAILED, "permission_denied", str(denied)
    except OperationalError:
        raise
    except Exception as error:  # one execution that breaks the act must not keep the others from their turn
        logger.exception("batch %d failed on execution %s", batch.pk, execution_id)
        return BatchItem.Outcome.FAILED, "internal_error", f"{type(error).__name__}: {error}"[:500]
    return BatchItem.Outcome.DONE, "", ""


def _settle(item_id: int, outcome: str, code: str, message: str) -> None:
    BatchItem.objects.filter(pk=item_id).update(outcome=outcome, code=code, message=message, at=Now())


def _put_off(item_id: int | None, error: OperationalError) -> None:
    """Locked elsewhere, a deadlock, a lost connection: tried again, but not for ever. Without a database this raises, too."""
    if item_id is None:
        raise error
    BatchItem.objects.filter(pk=item_id).update(attempts=F("attempts") + 1)
    given_up = BatchItem.objects.filter(pk=item_id, attempts__gte=MOST_ATTEMPTS, outcome=BatchItem.Outcome.PENDING)
    given_up.update(outcome=BatchItem.Outcome.FAILED, code="database_unavailable", message=str(error)[:500], at=Now())


def _end(batch: Batch) -> None:
    """Done when no item waits; one that another process has at hand still does."""
    with transaction.atomic():
        locked = Batch.objects.select_for_update().filter(pk=batch.pk, status=Batch.Status.RUNNING).first()
        if locked is None or locked.items.filter(outcome=BatchItem.Outcome.PENDING).exists():
            return
        Batch.objects.filter(pk=batch.pk).update(status=Batch.Status.DONE, ended_at=Now())
        failed = locked.items.filter(outcome=BatchItem.Outcome.FAILED).count()
        actor = Actor(user=batch.user, key=batch.key, channel=batch.channel, address=batch.address)
        facts = {"act": batch.act, "done": locked.total - failed, "failed": failed}
        log.append(actor, log.Act("batch.end", "batch", str(batch.pk), reason=batch.reason, facts=facts))
