"""One act on many executions: a set is frozen, looked at and confirmed with a reason; workers then do it (`batch_work.py`)."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from durable_ops.actions.actor import Actor
from durable_ops.audit import log
from durable_ops.models import Batch, BatchItem, Right
from durable_ops.permissions import Access
from durable_ops.selectors.searches import read_search, told
from execution_engine.core.errors import CommandError, ExecutionNotFoundError, InvalidInputError
from execution_engine.models import Execution, FunctionVersion
from execution_engine.selectors.executions import matching_ids

LARGEST = 50_000
"""Executions in one batch: what is frozen in a few seconds, and what a person can still be said to have meant."""

LONGEST_REASON = 1_000
_CHUNK = 5_000

RIGHTS = {
    Batch.Act.REDRIVE: Right.REDRIVE_EXECUTION,
    Batch.Act.STOP: Right.STOP_EXECUTION,
    Batch.Act.PAUSE: Right.PAUSE_EXECUTION,
    Batch.Act.RESUME: Right.PAUSE_EXECUTION,
    Batch.Act.DELETE: Right.DELETE_EXECUTION,
    Batch.Act.MOVE: Right.REDRIVE_EXECUTION,
    Batch.Act.EXPORT: Right.VIEW_EXECUTION,
}


class BatchNotFoundError(CommandError):
    code = "batch_not_found"
    status = 404


class BatchStateError(CommandError):
    """The batch is not in the state that this act needs."""

    code = "batch_state"
    status = 409


def draft_batch(actor: Actor, *, act: str, ids: Sequence[UUID] = (), query: dict[str, str] | None = None, to_version: str = "") -> Batch:
    """Freezes a set of executions, given by id or by a search with the keys of `searches.KEYS`. Nothing is done to them yet.

    The version to move to can be given here or when the batch is confirmed. Raises PermissionDenied, and InvalidInputError for the act, the
    version, an empty choice, a search that is not understood or matches everything, or more than 50,000 executions.
    """
    right = RIGHTS.get(Batch.Act(act)) if act in Batch.Act.values else None
    if right is None:
        raise InvalidInputError(f"act is one of {', '.join(Batch.Act.values)}.", field="act", value=act[:100])
    actor.require(Right.VIEW_EXECUTION)
    actor.require(right)
    chosen = _visible_ids(actor, list(dict.fromkeys(ids))) if query is None else _matching(actor, query)
    if len(chosen) > LARGEST:
        raise InvalidInputError(f"A batch takes at most {LARGEST:,} executions: narrow the search.", field="ids", limit=LARGEST)
    with transaction.atomic():
        batch = _freeze(actor, Batch(act=act, query="" if query is None else _text(query)), chosen)
        return _leading_to(batch, to_version) if to_version else batch


def confirm_batch(actor: Actor, batch_id: int, *, reason: str, to_version: str = "") -> Batch:
    """Lets workers begin. Raises PermissionDenied, BatchNotFoundError, BatchStateError, and InvalidInputError for reason and version."""
    _check_reason(reason)
    with transaction.atomic():
        batch = _locked(actor, batch_id)
        if batch.status != Batch.Status.DRAFT:
            raise BatchStateError("This batch was confirmed already.", batch_id=batch_id, batch_status=batch.status)
        if to_version or batch.act == Batch.Act.MOVE:
            batch = _leading_to(batch, to_version or batch.to_version)
        return _begin(actor, batch, reason)


def abort_batch(actor: Actor, batch_id: int, *, reason: str = "") -> Batch:
    """Ends a batch: what is done stays done, the rest is not done any more. A draft is discarded this way too.

    Raises PermissionDenied, BatchNotFoundError, BatchStateError.
    """
    with transaction.atomic():
        batch = _locked(actor, batch_id)
        if batch.status not in (Batch.Status.DRAFT, Batch.Status.RUNNING):
            raise BatchStateError("This batch has ended already.", batch_id=batch_id, batch_status=batch.status)
        was_draft = batch.status == Batch.Status.DRAFT
        Batch.objects.filter(pk=batch_id).update(status=Batch.Status.ABORTED, ended_at=Now())
        left = batch.items.filter(outcome=BatchItem.Outcome.PENDING).update(outcome=BatchItem.Outcome.SKIPPED)
        if not was_draft:
            log.append(actor, _act("batch.abort", batch, reason, not_tried=left))
    return Batch.objects.get(pk=batch_id)


def retry_batch(actor: Actor, batch_id: int, *, reason: str) -> Batch:
    """Makes and begins a new batch of what failed or was not tried in one that has ended. Raises as `confirm_batch`."""
    _check_reason(reason)
    with transaction.atomic():
        batch = _locked(actor, batch_id)
        if batch.status not in (Batch.Status.DONE, Batch.Status.ABORTED) or batch.confirmed_at is None:
            raise BatchStateError("Only a batch that has ended can be tried again.", batch_id=batch_id, batch_status=batch.status)
        again = [BatchItem.Outcome.FAILED, BatchItem.Outcome.SKIPPED]
        ids = list(batch.items.filter(outcome__in=again).order_by("id").values_list("execution_id", flat=True))
        fresh = _freeze(actor, Batch(act=batch.act, to_version=batch.to_version, query=batch.query, retry_of=batch), ids)
        return _begin(actor, fresh, reason)


def versions_of(batch: Batch) -> list[str]:
    """The versions to which a batch can be moved: all of its executions' functions, last registered first. One query."""
    functions = Execution.objects.filter(id__in=batch.items.values("execution_id")).values("function")
    found = FunctionVersion.objects.filter(function__in=functions).order_by("-id").values_list("version", flat=True)
    return list(dict.fromkeys(found))


def _leading_to(batch: Batch, version: str) -> Batch:
    if batch.act != Batch.Act.MOVE:
        raise InvalidInputError("Only a move leads to another version.", field="version", value=version)
    if not version:
        raise InvalidInputError("Choose the version to move to.", field="version")
    if version not in versions_of(batch):
        words = f"None of the functions of these executions has a version {version[:200]}."
        raise InvalidInputError(words, field="version", value=version[:200])
    batch.to_version = version
    batch.save(update_fields=["to_version"])
    return batch


def _begin(actor: Actor, batch: Batch, reason: str) -> Batch:
    changes = {"status": Batch.Status.RUNNING, "reason": reason, "confirmed_at": Now(), **_identity(actor)}
    Batch.objects.filter(pk=batch.pk).update(**changes)
    leads = {"to_version": batch.to_version} if batch.to_version else {}
    log.append(actor, _act("batch.start", batch, reason, count=batch.total, query=batch.query, **leads))
    return Batch.objects.get(pk=batch.pk)


def _freeze(actor: Actor, batch: Batch, ids: Sequence[UUID]) -> Batch:
    if not ids:
        raise InvalidInputError("No execution was chosen.", field="ids")
    for name, value in _identity(actor).items():
        setattr(batch, name, value)
    batch.total = len(ids)
    batch.save()
    for begin in range(0, len(ids), _CHUNK):
        part = ids[begin : begin + _CHUNK]
        labels = dict(Execution.objects.filter(id__in=part).values_list("id", "name"))
        BatchItem.objects.bulk_create(BatchItem(batch=batch, execution_id=one, label=labels.get(one, str(one))) for one in part)
    return batch


def _matching(actor: Actor, query: dict[str, str]) -> list[UUID]:
    search = read_search(query, actor.access)
    if search.problems:
        raise InvalidInputError(search.problems[0].text, field=search.problems[0].key)
    if not search.is_narrow:
        raise InvalidInputError("A batch on every execution there is needs at least one filter.", field="filters")
    return matching_ids(search.filters, LARGEST)


def _visible_ids(actor: Actor, ids: list[UUID]) -> list[UUID]:
    """Raises ExecutionNotFoundError if the actor may not see a function. An id without an execution fails later, when its turn comes."""
    functions = actor.access.functions_for(Right.VIEW_EXECUTION)
    if functions is not None and (foreign := Execution.objects.filter(id__in=ids).exclude(function__in=functions).first()):
        raise ExecutionNotFoundError("There is no such execution.", execution_id=str(foreign.id))
    return ids


def _text(query: dict[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(told(query).items()) if value)[:2_000]


def _identity(actor: Actor) -> dict[str, object]:
    return {"user": actor.user, "key": actor.key, "actor": actor.name, "channel": str(actor.channel), "address": actor.address}


def visible_batches(access: Access, user: Any) -> QuerySet[Batch]:
    """Everybody's batches. People and keys limited to some functions see only their own, because a batch may touch any function."""
    if access.has_all(Right.VIEW_EXECUTION):
        return Batch.objects.all()
    found = Batch.objects.filter(user_id=user.pk)
    return found.filter(key=access.key) if access.key and access.key.functions else found


def _locked(actor: Actor, batch_id: int) -> Batch:
    batch = visible_batches(actor.access, actor.user).select_for_update(of=("self",)).filter(pk=batch_id).first()
    if batch is None:
        actor.require(Right.VIEW_EXECUTION)
        raise BatchNotFoundError("There is no such batch.", batch_id=batch_id)
    actor.require(RIGHTS[Batch.Act(batch.act)])
    return batch


def _check_reason(reason: str) -> None:
    if not 0 < len(reason.strip()) <= LONGEST_REASON:
        raise InvalidInputError(f"A batch needs a reason of 1 to {LONGEST_REASON} characters.", field="reason", limit=LONGEST_REASON)


def _act(action: str, batch: Batch, reason: str, **facts: object) -> log.Act:
    return log.Act(action, "batch", str(batch.pk), reason=reason, facts={"act": batch.act, **facts})
