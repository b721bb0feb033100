"""What the client asks of the place where its executions live: memory or the test database."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from execution_engine.core.records import ErrorObject, ExecutionRecord, OperationRecord
from execution_engine.core.transitions.reopening import Asked
from execution_engine.sdk.approval import ApprovalDecision
from execution_engine.sdk.registry import RegisteredFunction
from execution_engine.testing.clock import VirtualClock
from execution_engine.testing.crash import Crash

MAX_INVOCATIONS_PER_MOMENT = 200
"""More rounds while the clock stands still mean that handler and journal chase each other for ever."""


class EndlessExecutionError(AssertionError):
    """An execution is due again and again although no time passes, or however much of it passes."""


class ExecutionBackend(Protocol):
    """One execution. Every answer from outside runs it on, in the caller's thread, before it returns."""

    @property
    def record(self) -> ExecutionRecord: ...
    @property
    def arn(self) -> str: ...
    @property
    def seed(self) -> UUID | None:
        """What `uuid()` and `random()` derive from, where it is not the id: a fork's origin."""
        ...

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
    def decide(self, callback_id: str, decision: ApprovalDecision) -> None:
        """One person's decision, as `sdk.ports.ApprovalDesk.decide`."""
        ...

    def heartbeat(self, callback_id: str) -> None: ...
    def signal(self, name: str, payload: str | None) -> None: ...
    def pause(self, reason: str) -> None: ...
    def resume(self, reason: str) -> None: ...
    def stop(self, error: ErrorObject | None) -> None: ...
    def redrive(self, asked: Asked) -> None: ...
    def fork(self, from_operation: str | None, name: str | None, input_text: str | None) -> "ExecutionBackend": ...


class VirtualEngine(ABC):
    """Whatever is due runs at once; only `advance_to` moves the clock, for all executions together."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.crash: Crash | None = None
        """The death of the next invocation's process."""

    @property
    @abstractmethod
    def executions(self) -> Sequence[ExecutionBackend]:
        """Everything started here, oldest first."""

    @abstractmethod
    def run_round(self) -> bool:
        """Runs what is due once, and tells parents of ended children; False when there was nothing to do."""

    @abstractmethod
    def register(self, function: RegisteredFunction) -> None:
        """Makes it a target of `context.invoke` and of starts by name."""

    @abstractmethod
    def start(
        self, function: RegisteredFunction, input_text: str | None, *, name: str | None = None, tenant_id: str | None = None
    ) -> ExecutionBackend:
        """Idempotent by function and name; the same name with another input raises `ExecutionAlreadyStartedError`."""

    def take_crash(self) -> Crash | None:
        """For the invocation that begins now."""
        crash, self.crash = self.crash, None
        return crash

    def run_while_due(self) -> None:
        """Until everything has ended, or waits for a later moment or for an outsider."""
        for _ in range(MAX_INVOCATIONS_PER_MOMENT):
            if not self.run_round():
                return
        raise EndlessExecutionError(f"executions were invoked {MAX_INVOCATIONS_PER_MOMENT} times at {self.clock.now()}")

    @abstractmethod
    def next_moment(self) -> datetime | None:
        """When time will next move any execution; None when only outsiders can."""

    def advance_to(self, target: datetime) -> None:
        """Time passes: every timer up to `target` fires at its own moment and what it wakes runs before the next one."""
        while (moment := self.next_moment()) is not None and moment <= target:
            self.clock.move_to(moment)
            self.run_while_due()
        self.clock.move_to(target)
