"""Append to the audit log, in the transaction of the act itself: no act without its row, no row without its act."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from django.db import transaction
from django.db.models import Subquery

from durable_ops.models import ApiKey, AuditEntry
from execution_engine.models import Execution


class Acting(Protocol):
    """What the log wants to know of an actor."""

    @property
    def user(self) -> Any: ...
    @property
    def key(self) -> ApiKey | None: ...
    @property
    def channel(self) -> str: ...
    @property
    def address(self) -> str: ...
    @property
    def name(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Act:
    """One deed: `action` is object and verb ("execution.stop"); `facts` are small JSON values, never payloads.

    `function` need not be given with the id of an execution that is still there.
    """

    action: str
    object_type: str
    object_id: str
    execution_id: UUID | None = None
    reason: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    function: str | None = None


def append(actor: Acting, *acts: Act) -> None:
    """Adds one row per act. Needs the transaction of the act; raises TransactionManagementError outside one."""
    append_all(actor, acts)


def append_all(actor: Acting, acts: Iterable[Act]) -> None:
    """As `append`, in one statement for many acts."""
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("an audit row belongs into the transaction of its act")
    AuditEntry.objects.bulk_create([_row(actor, act) for act in acts])


def _row(actor: Acting, act: Act) -> AuditEntry:
    return AuditEntry(
        actor=actor.name,
        user_id=None if actor.user is None else str(actor.user.pk),
        key_prefix=actor.key.prefix if actor.key else "",
        channel=str(actor.channel),
        address=actor.address,
        action=act.action,
        object_type=act.object_type,
        object_id=act.object_id,
        execution_id=act.execution_id,
        function=act.function or (_function_of(act.execution_id) if act.execution_id else None),
        reason=act.reason,
        facts=dict(act.facts),
    )


def _function_of(execution_id: UUID) -> Subquery:
    """Looked up within the insert: no statement more."""
    return Subquery(Execution.objects.filter(id=execution_id).values("function")[:1])
