"""The executions of a test client in memory."""

from collections.abc import Sequence
from datetime import timedelta

from execution_engine.core.enums import ExecutionStatus
from execution_engine.core.errors import ExecutionAlreadyStartedError
from execution_engine.core.identifiers import execution_arn, new_execution_id
from execution_engine.core.records import ExecutionRecord
from execution_engine.sdk.registry import RegisteredFunction
from execution_engine.testing.clock import VirtualClock
from execution_engine.testing.engine import VirtualEngine
from execution_engine.testing.memory_execution import MemoryExecution
from execution_engine.testing.memory_store import StoredExecution

REGION = "us-east-1"
ACCOUNT = "000000000000"


class MemoryEngine(VirtualEngine):
    """Needs neither database nor settings."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(clock)
        self._executions: list[MemoryExecution] = []

    @property
    def executions(self) -> Sequence[MemoryExecution]:
        return self._executions

    def start(
        self, function: RegisteredFunction, input_text: str | None, *, name: str | None = None, tenant_id: str | None = None
    ) -> MemoryExecution:
        known = self._named(function.name, name)
        if known is None:
            known = MemoryExecution(self._store(function, input_text, name), function, self.clock, tenant_id, self.dies_after)
            self.dies_after = None
            self._executions.append(known)
            known.run_while_due()
        elif known.stored.record.input != input_text:
            raise ExecutionAlreadyStartedError(
                f"{function.name} has an execution {name!r} with another input", execution_id=str(known.stored.record.id)
            )
        return known

    def _named(self, function: str, name: str | None) -> MemoryExecution | None:
        records = ((execution, execution.stored.record) for execution in self._executions)
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
