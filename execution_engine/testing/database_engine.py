"""The executions of a test client on the test database: the engine's own services, claims and statements, in one thread."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import connection
from django.db.models import Min

from execution_engine.conf import engine_settings
from execution_engine.core.enums import ExecutionStatus, OperationType
from execution_engine.core.identifiers import execution_arn
from execution_engine.core.records import ErrorObject, ExecutionRecord, OperationRecord
from execution_engine.core.transitions.reopening import Asked
from execution_engine.invocation.run import Invocation
from execution_engine.journal import children, claims, functions, pausing, reader, redrive
from execution_engine.journal.claims import Claim, Claimer
from execution_engine.journal.lane import Lane
from execution_engine.journal.present import virtual_time
from execution_engine.models import Execution, FunctionVersion
from execution_engine.sdk import ports
from execution_engine.sdk.approval import ApprovalDecision
from execution_engine.sdk.registry import RegisteredFunction, find_function
from execution_engine.selectors.history import list_events
from execution_engine.services import callbacks, executions, repairs, signals
from execution_engine.services.executions import StartOptions
from execution_engine.services.fork import fork_execution
from execution_engine.services.redrive import redrive_execution
from execution_engine.testing.clock import VirtualClock
from execution_engine.testing.crash import ProcessDeath
from execution_engine.testing.database_writer import DirectWriter, journal_connection
from execution_engine.testing.engine import VirtualEngine


class DatabaseEngine(VirtualEngine):
    """Needs the default database, inside a `TestCase` or outside. Claims every due execution that it started."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(clock)
        self._executions: list[DatabaseExecution] = []
        self._functions: dict[int, RegisteredFunction] = {}
        # What never happened needs no looking for: most tests have neither pauses nor crashes nor children.
        self.has_paused = self._has_died = self._has_children = False

    @property
    def executions(self) -> "Sequence[DatabaseExecution]":
        return self._executions

    def start(
        self, function: RegisteredFunction, input_text: str | None, *, name: str | None = None, tenant_id: str | None = None
    ) -> "DatabaseExecution":
        self.register(function)
        with virtual_time(self.clock.now):
            options = StartOptions(tenant_id=tenant_id)
            started = executions.start_execution(function.name, input_text, version=function.version, name=name, options=options)
        execution = DatabaseExecution(self, started.id, started.arn)
        if started.created:
            self._executions.append(execution)
            self.run_while_due()
        return execution

    def redrive(self, execution_id: UUID, asked: Asked) -> None:
        with virtual_time(self.clock.now):
            redrive_execution(
                execution_id,
                reason=asked.reason,
                from_operation=asked.from_operation,
                replaces_result=asked.replaces_result,
                result_text=asked.result,
                input_text=asked.input,
            )
        self.run_while_due()

    def fork(self, row: Execution, from_operation: str | None, name: str | None, input_text: str | None) -> "DatabaseExecution":
        with virtual_time(self.clock.now):
            forked = fork_execution(row.id, from_operation=from_operation, name=name, input_text=input_text)
        settings = engine_settings()
        arn = execution_arn(settings.REGION, settings.ACCOUNT, row.function, forked.version, forked.name, forked.id)
        execution = DatabaseExecution(self, forked.id, arn)
        self._executions.append(execution)
        self.run_while_due()
        return execution

    def next_moment(self) -> datetime | None:
        waiting = Execution.objects.filter(function_version_id__in=list(self._functions), claim_id=None)
        found: datetime | None = waiting.aggregate(Min("due_at"))["due_at__min"]
        return found

    def run_round(self) -> bool:
        with virtual_time(self.clock.now):
            if self.has_paused:
                pausing.look(journal_connection())
            found = self._claim()
            for claim in found:
                self._invoke(claim)
            return bool(found) or (self._has_children and self._serve_children())

    def _serve_children(self) -> bool:
        redrive.look(journal_connection())
        return bool(children.deliver_due(journal_connection())) or self._meets_new_functions()

    def register(self, function: RegisteredFunction) -> None:
        with connection.cursor() as cursor:
            self._functions[functions.register(cursor, function)] = function

    def _meets_new_functions(self) -> bool:
        """A chained invoke may have started a function that this process registered by its decorator."""
        due = Execution.objects.filter(due_at__lte=self.clock.now(), claim_id=None).values("function_version_id")
        unserved = FunctionVersion.objects.filter(id__in=due).exclude(id__in=list(self._functions))
        known = {row.id: find_function(row.function, row.version) for row in unserved}
        found = {key: function for key, function in known.items() if function is not None}
        self._functions |= found
        return bool(found)

    def _claim(self) -> list[Claim]:
        claimer = Claimer(list(self._functions), uuid4(), 1, engine_settings().CLAIM_SECONDS, now=self.clock.now())
        found = claims.claim(journal_connection(), claimer)
        return found or (claims.claim(journal_connection(), replace(claimer, suspects=True)) if self._has_died else [])

    def _invoke(self, claim: Claim) -> None:
        loaded = reader.load(journal_connection(), [claim.execution_id])[claim.execution_id]
        lane = Lane(
            execution_id=claim.execution_id,
            claim_id=claim.claim_id,
            clock=self.clock,
            checkpoint_seq=claim.checkpoint_seq,
            wake_seq=loaded.wake_seq,
            told_seq=claim.told_seq,
            deadline_at=claim.deadline_at,
            operations=loaded.operations,
        )
        writer = DirectWriter(self.clock, crash=self.take_crash())
        with suppress(ProcessDeath):
            Invocation(claim, self._functions[claim.version_id], lane, writer, engine_settings()).run()
        if writer.has_died:
            self._has_died = True
            claimed_by = Execution.objects.values_list("claimed_by", flat=True).get(id=claim.execution_id)
            claims.take_over(journal_connection(), dead=claimed_by, now=self.clock.now())
        invokes = (operation.type is OperationType.CHAINED_INVOKE for operation in lane.operations.values())
        self._has_children = self._has_children or any(invokes)


@dataclass(frozen=True, slots=True)
class DatabaseExecution:
    """Every question asks the database."""

    engine: DatabaseEngine
    id: UUID
    arn: str

    @property
    def row(self) -> Execution:
        return Execution.objects.get(id=self.id)

    @property
    def record(self) -> ExecutionRecord:
        row = self.row
        return ExecutionRecord(
            id=row.id,
            function=row.function,
            version=row.version,
            name=row.name,
            status=ExecutionStatus(row.status),
            started_at=row.started_at,
            due_at=row.due_at,
            deadline_at=row.deadline_at,
            ended_at=row.ended_at,
            claim_id=row.claim_id,
            failed_invocations=row.failed_invocations,
            input=row.input,
            result=row.result,
            error=_error(row.error),
        )

    @property
    def seed(self) -> UUID | None:
        return self.row.seed

    @property
    def operations(self) -> Sequence[OperationRecord]:
        return list(reader.load(journal_connection(), [self.id])[self.id].operations.values())

    @property
    def status_text(self) -> str:
        return self.row.status_text

    @property
    def attributes(self) -> dict[str, Any]:
        return dict(self.row.attributes)

    def events(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while page := list_events(self.id, after=len(found)):
            found += page
        return found

    def complete_callback(self, callback_id: str, payload: str | None, error: ErrorObject | None) -> None:
        with self._time():
            if error is None:
                callbacks.succeed_callback(callback_id, payload)
            else:
                callbacks.fail_callback(callback_id, error)
        self.engine.run_while_due()

    def decide(self, callback_id: str, decision: ApprovalDecision) -> None:
        with self._time():
            ports.approval_desk().decide(callback_id, decision)
        self.engine.run_while_due()

    def heartbeat(self, callback_id: str) -> None:
        with self._time():
            callbacks.heartbeat_callback(callback_id)

    def signal(self, name: str, payload: str | None) -> None:
        with self._time():
            signals.send_signal(self.id, name, payload)
        self.engine.run_while_due()

    def pause(self, reason: str) -> None:
        self.engine.has_paused = True
        with self._time():
            repairs.pause_execution(self.id, reason=reason)

    def resume(self, reason: str) -> None:
        with self._time():
            repairs.resume_execution(self.id, reason=reason)
        self.engine.run_while_due()

    def redrive(self, asked: Asked) -> None:
        self.engine.redrive(self.id, asked)

    def fork(self, from_operation: str | None, name: str | None, input_text: str | None) -> "DatabaseExecution":
        return self.engine.fork(self.row, from_operation, name, input_text)

    def stop(self, error: ErrorObject | None) -> None:
        with self._time():
            executions.stop_execution(self.id, error)

    def _time(self) -> Any:
        return virtual_time(self.engine.clock.now)


def _error(text: str | None) -> ErrorObject | None:
    return None if text is None else ErrorObject.from_wire(json.loads(text))
