"""Finds the function that a chained invoke names, and prepares its child to be inserted with the parent's START."""

from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, Protocol

from execution_engine.conf import EngineSettings
from execution_engine.core.enums import OperationStatus
from execution_engine.core.errors import FunctionNotFoundError
from execution_engine.core.identifiers import execution_arn, new_execution_id, parse_function
from execution_engine.core.records import ErrorObject, OperationUpdate
from execution_engine.core.trace import read_amzn_trace
from execution_engine.core.transitions import chained_invoke
from execution_engine.invocation.versions import version_to_start
from execution_engine.journal.children import ChildStart
from execution_engine.journal.lane import Entry, Lane
from execution_engine.sdk.errors import CheckpointError


class Reader(Protocol):
    """Looks a function up on a connection other than the one that writes."""

    def reading(self) -> AbstractContextManager[Any]: ...


def prepare(
    update: OperationUpdate, settings: EngineSettings, reader: Reader, *, started_by: str
) -> tuple[OperationUpdate, ChildStart | ErrorObject]:
    """The update with what the engine adds to it, and the child to insert, or the error of a function that nobody registered.

    Accepts a name, `name:version`, or an ARN of this region and account. Raises `CheckpointError` for anything else.
    """
    target = parse_function(update.options.function or "", settings.REGION, settings.ACCOUNT)
    if target is None:
        raise CheckpointError(f"{update.options.function!r} names no function of this account and region", is_client_error=True)
    name = target.name
    try:
        with reader.reading() as cursor:
            row = version_to_start(cursor, name, target.version)
    except FunctionNotFoundError as error:
        return update, ErrorObject(message=str(error), type="ResourceNotFoundException")
    child_id = new_execution_id()
    arn = execution_arn(settings.REGION, settings.ACCOUNT, name, row.version, str(child_id), child_id)
    options = replace(update.options, child=arn, child_id=str(child_id), version=row.version)
    child = ChildStart(
        id=child_id,
        function=name,
        version=row.version,
        version_id=row.id,
        execution_timeout=row.execution_timeout,
        retention_days=row.retention_days or settings.RETENTION_DAYS,
        operation_id=update.id,
        input=update.payload,
        tenant_id=update.options.tenant,
        started_by=started_by,
        traceparent=read_amzn_trace(update.options.trace or ""),
    )
    return replace(update, options=options), child


def attach(lane: Lane, entry: Entry, operation_id: str, child: ChildStart | ErrorObject) -> None:
    """Lets the child travel with its parent's START. If nobody registered the function, the operation fails in the same checkpoint."""
    if isinstance(child, ChildStart):
        entry.child = child
        entry.needs_lock = True
        return
    move = chained_invoke.complete(lane.operations[operation_id], OperationStatus.FAILED, entry.at, error=child)
    assert move is not None
    entry.moves.append(move)
    lane.operations[operation_id] = move.record
