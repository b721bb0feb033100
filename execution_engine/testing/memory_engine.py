"""The executions of a test client in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from execution_engine.core.enums import ExecutionStatus
from execution_engine.core.errors import ExecutionAlreadyStartedError
from execution_engine.core.identifiers import execution_arn, new_execution_id
from execution_engine.core.records import ExecutionRecord, OperationUpdate
from execution_engine.core.transitions.reopening import Asked
from execution_engine.sdk.registry import RegisteredFunction, find_function
from execution_engine.services.checks import check_name
from execution_engine.testing import memory_repairs
from execution_engine.testing.bounds import check_payload
from execution_engine.testing.clock import VirtualClock
from execution_engine.testing.engine import VirtualEngine
from execution_engine.testing.memory_execution import MemoryExecution
from execution_engine.testing.memory_store import StoredExecution
from execution_engine.testing.recorded import RecordedExecution

REGION = "us-east-1"
ACCOUNT = "000000000000"


class MemoryEngine(VirtualEngine):
    """Needs neither database nor settings. A child of a chained invoke is due like any other execution."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(clock)
        self._executions: list[MemoryExecution] = []
        self._functions: dict[str, RegisteredFunction] = {}

    @property
    def executions(self) -> Sequence[MemoryExecution]:
        return self._executions

    def register(self, function: RegisteredFunction) -> None:
        self._functions[function.name] = function

    def next_moment(self) -> datetime | None:
        moments = (execution.next_moment() for execution in self._executions)
        return min((moment for moment in moments if moment is not None), default=None)

    def run_round(self) -> bool:
        for execution in self._executions:
            execution.fire_in_flight()
        ran = [execution.run_once() for execution in list(self._executions)]
        told = [execution.tell_parent() for execution in list(self._executions)]
        return any(ran) or any(told)

    def start(
        self, function: RegisteredFunction, input_text: str | None, *, name: str | None = None, tenant_id: str | None = None
    ) -> MemoryExecution:
        known = self._named(function.name, name)
        if known is None:
            known = self._create(function, input_text, name=name, tenant_id=tenant_id)
            self.run_while_due()
        elif known.stored.record.input != input_text:
            raise ExecutionAlreadyStartedError(
                f"{function.name} has an execution {name!r} with another input", execution_id=str(known.stored.record.id)
            )
        return known

    def _create(self, function: RegisteredFunction, input_text: str | None, *, name: str | None, tenant_id: str | None) -> MemoryExecution:
        return self._add(self._store(function, input_text, name), function, tenant_id)

    def _add(self, stored: StoredExecution, function: RegisteredFunction, tenant_id: str | None) -> MemoryExecution:
        created = MemoryExecution(stored, self.clock, self.run_while_due, function, self, tenant_id)
        self._executions.append(created)
        return created

    def resume(self, function: RegisteredFunction, recorded: RecordedExecution) -> MemoryExecution:
        """Goes on where the recorded execution was; of one that is over, the failure that ended it is open again."""
        stored = self._store(function, recorded.input, None)
        stored.seed = recorded.seed
        stored.operations = {operation.id: replace(operation, wake_seq=None) for operation in recorded.operations}
        stored.record = replace(stored.record, id=recorded.id, started_at=recorded.started_at)
        if recorded.status.is_terminal:
            stored.record = replace(stored.record, status=recorded.status, result=recorded.result, error=recorded.error)
            memory_repairs.reopen(stored, self.clock.now(), Asked(reason="resumed from its record"), lambda _: None)
        resumed = self._add(stored, function, None)
        self.run_while_due()
        return resumed

    def fork(self, source: MemoryExecution, from_operation: str | None, name: str | None, input_text: str | None) -> MemoryExecution:
        if self._named(source.record.function, name) is not None:
            raise ExecutionAlreadyStartedError(f"the name {name} is taken", name=name)
        origin = {"ForkedFrom": str(source.record.id), **({"FromOperation": from_operation} if from_operation else {})}
        stored = self._store(source.function, source.record.input if input_text is None else input_text, name, origin)
        stored.seed, stored.status_text = source.seed or source.record.id, source.status_text
        stored.attributes = source.attributes
        memory_repairs.copy_beginning(source.stored, stored, from_operation, self.clock.now())
        forked = self._add(stored, source.function, source.tenant_id)
        self.run_while_due()
        return forked

    def start_child(self, parent: MemoryExecution, update: OperationUpdate) -> OperationUpdate:
        """In the parent's own commit, as in the database; the child runs when the parent is suspended or ended."""
        asked = (update.options.function or "").partition(":function:")
        name, _, version = (asked[2] or asked[0]).partition(":")
        function = self._functions.get(name) or find_function(name, None if version in ("", "$LATEST") else version)
        if function is None:
            return update
        child = self._create(function, update.payload, name=None, tenant_id=update.options.tenant)
        child.parent = (parent, update.id)
        record = child.stored.record
        options = replace(update.options, child=child.arn, child_id=str(record.id), version=record.version)
        return replace(update, options=options)

    def child_of(self, parent: MemoryExecution, child_id: str) -> MemoryExecution | None:
        children = (execution for execution in self._executions if execution.parent is not None and execution.parent[0] is parent)
        return next((child for child in children if str(child.record.id) == child_id), None)

    def _named(self, function: str, name: str | None) -> MemoryExecution | None:
        records = ((execution, execution.stored.record) for execution in self._executions)
        return next((found for found, record in records if name and (record.function, record.name) == (function, name)), None)

    def _store(
        self, function: RegisteredFunction, input_text: str | None, name: str | None, started: dict[str, Any] | None = None
    ) -> StoredExecution:
        check_payload(input_text, "input")
        check_name(name)
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
        return StoredExecution(record, self.clock, arn=arn, timeout=timeout, started=started)
