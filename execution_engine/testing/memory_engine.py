"""All executions of one test client: starts, and time that passes for all of them together."""

from datetime import datetime, timedelta

from execution_engine.core.enums import ExecutionStatus
from execution_engine.core.errors import ExecutionAlreadyStartedError
from execution_engine.core.identifiers import execution_arn, new_execution_id
from execution_engine.core.records import ExecutionRecord
from execution_engine.sdk.registry import RegisteredFunction
from execution_engine.testing.clock import VirtualClock
from execution_engine.testing.memory_execution import MemoryExecution
from execution_engine.testing.memory_store import StoredExecution

REGION = "us-east-1"
ACCOUNT = "000000000000"


class MemoryEngine:
    """Whatever is due runs at once, in the caller's thread; only `advance_to` moves the clock."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.dies_after: int | None = None
        self.executions: list[MemoryExecution] = []

    def start(
        self, function: RegisteredFunction, input_text: str | None, *, name: str | None = None, tenant_id: str | None = None
    ) -> MemoryExecution:
        """Idempotent by function and name; the same name with another input raises `ExecutionAlreadyStartedError`."""
        known = self._named(function.name, name)
        if known is None:
            known = MemoryExecution(self._store(function, input_text, name), function, self.clock, tenant_id, self.dies_after)
            self.dies_after = None
            self.executions.append(known)
            known.run_while_due()
        elif known.stored.record.input != input_text:
            raise ExecutionAlreadyStartedError(
                f"{function.name} has an execution {name!r} with another input", execution_id=str(known.stored.record.id)
            )
        return known

    def next_moment(self) -> datetime | None:
        """When time will next move any execution."""
        moments = (execution.next_moment() for execution in self.executions)
        return min((moment for moment in moments if moment is not None), default=None)

    def advance_to(self, target: datetime) -> None:
        """Time passes: every timer up to `target` fires at its own moment and what it wakes runs before the next one."""
        while (moment := self.next_moment()) is not None and moment <= target:
            self.clock.move_to(moment)
            for execution in self.executions:
                execution.look()
        self.clock.move_to(target)

    def _named(self, function: str, name: str | None) -> MemoryExecution | None:
        records = ((execution, execution.stored.record) for execution in self.executions)
        return next((found for found, record in records if name and (record.function, record.name) == (function, name)), None)

    def _store(self, function: RegisteredFunction, input_text: str | None, name: str | None) -> StoredExecution:
        now, identity, timeout = self.clock.now(), new_execution_id(), function.execution_timeout
        record = ExecutionRecord(
            id=identity,
            function=function.name,
            version=function.version,
            name=name or str(identity),
            status=ExecutionStatus.RUNNING,
            started_at=now,
            due_at=now,
            deadline_at=None if timeout is None else now + timedelta(seconds=timeout),
            input=input_text,
        )
        arn = execution_arn(REGION, ACCOUNT, record.function, record.version, record.name, identity)
        return StoredExecution(record, self.clock, arn=arn, timeout=timeout)
