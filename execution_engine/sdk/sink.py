"""What the SDK asks of a journal: a live view of the recorded operations, and checkpoints.

The in-process worker, the in-memory journal of the testing kit and the adapter for AWS's own SDK each bring one sink;
an invocation has exactly one. All methods may be called from any thread of the invocation.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol, TypeVar
from uuid import UUID

from execution_engine.core.records import OperationRecord, OperationUpdate
from execution_engine.sdk.approval import ApprovalRequest
from execution_engine.sdk.ports import ApprovalPlace

T = TypeVar("T")


class Sink(Protocol):
    """The journal of one execution under one claim.

    Every method that writes may raise a `BaseException` of `execution_engine.core.errors` (`ClaimLostError`): the
    execution was stopped, timed out or taken over, nothing was recorded, and the handler's threads must unwind.
    """

    @property
    def execution_id(self) -> UUID: ...

    @property
    def execution_arn(self) -> str: ...

    @property
    def operations(self) -> Mapping[str, OperationRecord]:
        """The operations known now, by id, in order of start, without the execution's own; every checkpoint may change it."""
        ...

    @property
    def started_at(self) -> datetime:
        """When the execution started, UTC."""
        ...

    def now(self) -> datetime:
        """The journal's time, UTC. It may say when to look again; it must not decide what is due."""
        ...

    def checkpoint(self, *updates: OperationUpdate) -> None:
        """Records the updates in order, as one. Returns when they are durable and every change, also from outside,
        is merged into `operations`. Raises `CheckpointError` (4xx) for a move that is not legal; then none is kept."""
        ...

    def hold(self, update: OperationUpdate) -> None:
        """Queues a START, or the end of a batch's branch, that need not be durable yet: it is shown in `operations` at once,
        keeps its place before later updates and is written with the next of them, at suspension, or after 50 ms."""
        ...

    def refresh(self) -> None:
        """An empty checkpoint: fires timers of this execution that are due and merges what changed."""
        ...

    def atomic(self, start: OperationUpdate | None, finish: Callable[[], tuple[OperationUpdate, T]]) -> T:
        """Runs `finish` inside one Django transaction on the default database and commits its ORM writes together
        with `start` and the update it returns. An exception of `finish` rolls everything back and passes through."""
        ...

    def ask(self, start: OperationUpdate | None, request: ApprovalRequest, place: ApprovalPlace) -> None:
        """Puts a question to people, in one commit with `start`, the callback's START; `start` is None when that is recorded already."""
        ...

    def set_status(self, text: str) -> None:
        """A short text for people, stored with the next checkpoint."""
        ...

    def set_attributes(self, attributes: Mapping[str, str | int | float | bool | None]) -> None:
        """Merges attributes by which executions can be searched; stored with the next checkpoint."""
        ...
