"""One invocation: fire what is due, call the handler over the recorded operations, settle what it answered.

    claim -> load -> due timers -> (nobody woken: give the claim back) -> handler -> settle

The claim is the caller's; from here on the lane is the only way to the journal.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from execution_engine.conf import EngineSettings
from execution_engine.core.enums import ExecutionStatus, InvocationStatus
from execution_engine.core.errors import ClaimLostError, InvocationInterrupt
from execution_engine.core.identifiers import execution_arn
from execution_engine.core.records import ExecutionRecord, OperationRecord
from execution_engine.core.trace import as_amzn_trace
from execution_engine.core.transitions.execution import EXIT_ERROR, MAX_FAILED_INVOCATIONS, TIMED_OUT_ERROR
from execution_engine.invocation import outcome, remote
from execution_engine.invocation.remote import RemoteInvocation
from execution_engine.invocation.runners import runner_of
from execution_engine.invocation.sink import LaneSink
from execution_engine.journal import shared
from execution_engine.journal.claims import Claim
from execution_engine.journal.lane import Entry, Lane
from execution_engine.journal.writer import Writer
from execution_engine.sdk.failures import error_object
from execution_engine.sdk.lambda_context import LambdaContext
from execution_engine.sdk.registry import RegisteredFunction
from execution_engine.sdk.runner import HandlerOutcome


@dataclass(slots=True, eq=False)
class Invocation:
    """A claimed execution with its loaded lane, ready to be run on one thread."""

    claim: Claim
    function: RegisteredFunction
    lane: Lane
    writer: Writer
    settings: EngineSettings
    fired: frozenset[str] = frozenset()
    remote: RemoteInvocation | None = None

    @property
    def arn(self) -> str:
        settings, function = self.settings, self.function
        return execution_arn(settings.REGION, settings.ACCOUNT, function.name, function.version, self.claim.name, self.claim.execution_id)

    @property
    def ends_by(self) -> datetime:
        """When the invocation has taken too long, UTC."""
        seconds = self.function.invocation_timeout or self.settings.INVOCATION_TIMEOUT_SECONDS
        return self.claim.invocation_started_at + timedelta(seconds=seconds)

    def run(self) -> None:
        """Runs on a handler thread. If the claim is lost on the way it ends without a word, as nothing more can be recorded."""
        try:
            if self.claim.failed_invocations >= MAX_FAILED_INVOCATIONS:
                self._close(outcome.parked(self._record(), EXIT_ERROR, self.lane.clock.now()))
            elif self.claim.invocations > 1 and not self.function.is_durable:
                # A plain function is called once: what the dead invocation did is not known, so it is not done again.
                self._close(outcome.parked(self._record(), EXIT_ERROR, self.lane.clock.now()))
            elif not self._is_owed():
                self._close(outcome.untouched(self.lane))
            else:
                answer = self._call()
                record, request_id = self._record(), self.claim.invocation_id
                self._close(outcome.settle(record, self.lane, answer, request_id, is_final=not self.function.is_durable))
        except ClaimLostError:
            return

    @property
    def is_remote(self) -> bool:
        return self.function.url is not None

    def give_up(self) -> None:
        """For a lost claim: frees a thread that waits for a remote handler. Other handlers unwind at their next call to the journal."""
        if self.remote is not None:
            self.remote.give_up()

    def time_out(self) -> None:
        """For a handler that hangs: its claim is given up without waiting for it."""
        try:
            now, final = self.lane.clock.now(), not self.function.is_durable
            entry = outcome.failed(self._record(), TIMED_OUT_ERROR, now, self.claim.invocation_id, is_final=final)
            self.lane.close(entry)
            self.writer.submit(self.lane)
        except ClaimLostError:
            return

    def _is_owed(self) -> bool:
        """Fires due timers under the claim. An invocation is due if anything changed since the last one was told."""
        entry = self.lane.fire_due(self.lane.clock.now())
        if entry is not None:
            self.writer.submit(self.lane)
            entry.wait()
            self.fired = frozenset(move.record.id for move in entry.moves)
        return self.lane.wake_seq != self.claim.told_seq

    def _call(self) -> HandlerOutcome:
        lane, claim = self.lane, self.claim
        with lane.lock:
            lane.has_begun = True
            lane.told_seq = lane.wake_seq
            updated = tuple(record.id for record in lane.operations.values() if record.is_terminal and self._is_news(record))
        context = LambdaContext.of(
            self.function,
            self.arn,
            request_id=str(claim.invocation_id),
            tenant_id=claim.tenant_id,
            deadline=time.monotonic() + (self.ends_by - lane.clock.now()).total_seconds(),
            trace_header=as_amzn_trace(claim.traceparent),
            client_context=claim.client_context,
        )
        if self.is_remote:
            return self._call_remote(context, updated)
        sink = LaneSink(lane, self.writer, arn=self.arn, started_at=claim.started_at, settings=self.settings, seed=claim.seed)
        try:
            return runner_of(self.function)(
                self.function, sink, claim.input, updated_operation_ids=updated, is_replaying=bool(lane.operations), lambda_context=context
            )
        except InvocationInterrupt:
            raise
        except BaseException as error:  # KeyboardInterrupt, GeneratorExit and their like: as if the process had ended
            return HandlerOutcome(InvocationStatus.FAILED, error=error_object(error), invocation_failed=True)

    def _call_remote(self, context: LambdaContext, updated: Sequence[str]) -> HandlerOutcome:
        lane, claim = self.lane, self.claim
        if lane.on_settled is not None:
            lane.on_settled()  # what runs elsewhere takes no neighbour along when it dies
        with lane.lock:
            lane.refuse_lost()
            lane.is_shared = self.function.is_durable
            body = remote.envelope(claim, lane, self.arn, updated) if self.function.is_durable else remote.plain_body(claim)
            self.remote = RemoteInvocation(self.function, context, body, claim.client_context)
        answer = self.remote.run()
        if answer.status is not InvocationStatus.PENDING:
            return answer
        with self.writer.reading() as cursor:
            is_stalled = shared.is_stalled(cursor, claim.execution_id, claim.claim_id, lane.told_seq)
        return remote.stalled() if is_stalled else answer

    def _is_news(self, record: OperationRecord) -> bool:
        """Completed since the last invocation was told, by an outsider or by time; our own timers carry no number in memory."""
        return record.id in self.fired or (record.wake_seq is not None and record.wake_seq > self.claim.told_seq)

    def _close(self, entry: Entry) -> None:
        self.lane.close(entry)
        self.writer.submit(self.lane)
        entry.wait()

    def _record(self) -> ExecutionRecord:
        claim = self.claim
        return ExecutionRecord(
            id=claim.execution_id,
            function=self.function.name,
            version=self.function.version,
            name=claim.name,
            status=ExecutionStatus.RUNNING,
            started_at=claim.started_at,
            deadline_at=claim.deadline_at,
            claim_id=claim.claim_id,
            invocation_started_at=claim.invocation_started_at,
            failed_invocations=claim.failed_invocations,
        )
