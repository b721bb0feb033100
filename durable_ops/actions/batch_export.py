"""Exports of a frozen set: workers read the rows in the background; people who see the batch download what they may see of it."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from durable_ops.actions.actor import Actor
from durable_ops.actions.batches import BatchStateError
from durable_ops.models import Batch, BatchItem, Right
from durable_ops.permissions import Access
from durable_ops.selectors import exports
from durable_ops.selectors.masking import masking_of
from execution_engine.selectors.executions import MAX_PAGE, find_executions

CHUNK = MAX_PAGE
"""Executions that are read, and kept, in one transaction."""


def read_rows(actor: Actor, execution_ids: Sequence[UUID]) -> dict[UUID, exports.Row]:
    """Unmasked, of those that are there and that the actor may see; at most `CHUNK`. Raises PermissionDenied."""
    actor.require(Right.VIEW_EXECUTION)
    functions = actor.access.functions_for(Right.VIEW_EXECUTION)
    found = find_executions(execution_ids)
    return {one.id: exports.row_of(one) for one in found if functions is None or one.function in functions}


def exported_rows(batch: Batch, access: Access) -> Iterator[exports.Row]:
    """What was read, in the order of the set, as far as this reader may see it. Raises BatchStateError before the first row."""
    if batch.act != Batch.Act.EXPORT or batch.status not in (Batch.Status.DONE, Batch.Status.ABORTED) or batch.confirmed_at is None:
        raise BatchStateError("There is no file: this is no export, or it has not ended yet.", batch_id=batch.pk, batch_status=batch.status)
    return _readable(batch, access)


def _readable(batch: Batch, access: Access) -> Iterator[exports.Row]:
    masking, functions, after = masking_of(access), access.functions_for(Right.VIEW_EXECUTION), 0
    done = batch.items.filter(outcome=BatchItem.Outcome.DONE).order_by("id")
    while page := list(done.filter(id__gt=after, row__isnull=False)[:CHUNK]):
        rows: list[exports.Row] = [one.row for one in page if one.row is not None]
        yield from exports.readable([row for row in rows if functions is None or row["function"] in functions], masking)
        after = page[-1].pk
