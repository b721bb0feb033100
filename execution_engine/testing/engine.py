"""What the client asks of the place where its executions live: memory or the test database."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from execution_engine.core.records import ErrorObject, ExecutionRecord, OperationRecord
from execution_engine.sdk.registry import RegisteredFunction
from execution_engine.testing.clock import VirtualClock


class ExecutionBackend(Protocol):
    """One execution. Every answer from outside runs it on, in the caller's thread, before it returns."""

    @property
    def record(self) -> ExecutionRecord: ...
    @property
    def arn(self) -> str: ...
    @property
    def operations(self) -> Sequence[OperationRecord]:
        """In order of their starts."""
        ...

    @property
    def status_text(self) -> str: ...
    @property
    def attributes(self) -> dict[str, Any]: ...
    def events(self) -> list[dict[str, Any]]: ...
    def complete_callback(self, callback_id: str, payload: str | None, error: ErrorObject | None) -> None: ...
    def heartbeat(self, callback_id: str) -> None: ...
    def signal(self, name: str, payload: str | None) -> None: ...
    def stop(self, error: ErrorObject | None) -> None: ...
    def next_moment(self) -> datetime | None:
        """When time will next move it; None when only an outsider can."""
        ...

    def look(self) -> None:
        """What a worker does at a due moment."""
        ...


class VirtualEngine(ABC):
    """Whatever is due runs at once; only `advance_to` moves the clock, for all executions together."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.dies_after: int | None = None
        """Checkpoints after which the process of the next invocation dies."""

    @property
    @abstractmethod
    def executions(self) -> Sequence[ExecutionBackend]:
        """Everything started here, oldest first."""

    @abstractmethod
    def start(
        self, function: RegisteredFunction, input_text: str | None, *, name: str | None = None, tenant_id: str | None = None
    ) -> ExecutionBackend:
        """Idempotent by function and name; the same name with another input raises `ExecutionAlreadyStartedError`."""

    def next_moment(self) -> datetime | None:
        moments = (execution.next_moment() for execution in self.executions)
        return min((moment for moment in moments if moment is not None), default=None)

    def advance_to(self, target: datetime) -> None:
        """Time passes: every timer up to `target` fires at its own moment and what it wakes runs before the next one."""
        while (moment := self.next_moment()) is not None and moment <= target:
            self.clock.move_to(moment)
            for execution in self.executions:
                execution.look()
        self.clock.move_to(target)
