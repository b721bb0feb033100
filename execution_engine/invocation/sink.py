"""The SDK's access to the journal: what author code asks for goes into its execution's lane."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from execution_engine.conf import EngineSettings
from execution_engine.core.enums import OperationAction, OperationSubType, OperationType
from execution_engine.core.errors import IllegalTransitionError
from execution_engine.core.records import OperationRecord, OperationUpdate
from execution_engine.core.transitions.calls import begins_body
from execution_engine.invocation.atomic import commit_with_orm_writes
from execution_engine.invocation.invokes import attach, prepare
from execution_engine.journal.lane import Entry, Lane
from execution_engine.journal.writer import Writer
from execution_engine.sdk import ports
from execution_engine.sdk.approval import ApprovalRequest
from execution_engine.sdk.errors import CheckpointError, ValidationError
from execution_engine.sdk.ports import ApprovalPlace
from execution_engine.sdk.suspend import SuspendExecution

T = TypeVar("T")


class LaneSink:
    """`sdk.sink.Sink` over one lane and the process's writer."""

    def __init__(
        self, lane: Lane, writer: Writer, *, arn: str, started_at: datetime, settings: EngineSettings, seed: UUID | None = None
    ) -> None:
        self._lane = lane
        self._writer = writer
        self._arn = arn
        self._started_at = started_at
        self.seed = seed or lane.execution_id
        self._settings = settings
        self._max_payload_bytes = settings.MAX_PAYLOAD_BYTES

    @property
    def execution_id(self) -> UUID:
        return self._lane.execution_id

    @property
    def execution_arn(self) -> str:
        return self._arn

    @property
    def operations(self) -> Mapping[str, OperationRecord]:
        return self._lane.operations

    @property
    def started_at(self) -> datetime:
        return self._started_at

    def now(self) -> datetime:
        return self._lane.clock.now()

    def checkpoint(self, *updates: OperationUpdate) -> None:
        self._write(updates, tells=True)

    def record(self, *updates: OperationUpdate) -> None:
        """As `checkpoint`, for a caller that cannot pass on to the handler what changed from outside: that stays owed."""
        self._write(updates, tells=False)

    def _write(self, updates: tuple[OperationUpdate, ...], *, tells: bool) -> None:
        if _is_invoke_start(updates):
            prepared, child = prepare(updates[0], self._settings, self._writer, started_by=self._arn)
            with self._lane.lock:
                entry = self._apply((prepared,))
                attach(self._lane, entry, prepared.id, child)
                entry.is_sync = tells
        else:
            with self._lane.lock:
                entry = self._apply(updates)
                entry.is_sync = tells
                entry.needs_lock = any(_is_signal_start(update) for update in updates)
        self._writer.submit(self._lane)
        entry.wait()
        if not begins_body(updates[-1]):
            self._unwind_when_pausing()

    def hold(self, update: OperationUpdate) -> None:
        entry = self._apply((update,))
        entry.is_held = True
        self._writer.hold(self._lane, entry)

    def refresh(self) -> None:
        entry = self._lane.fire_due(self._lane.clock.now())
        if entry is not None:
            entry.is_sync = True
            self._writer.submit(self._lane)
            entry.wait()

    def _unwind_when_pausing(self) -> None:
        """The answer to a checkpoint tells of a pause: the invocation answers PENDING, what it recorded stays."""
        if self._lane.is_pausing:
            self._lane.is_cut = True
            raise SuspendExecution("the execution is being paused")

    def atomic(self, start: OperationUpdate | None, finish: Callable[[], tuple[OperationUpdate, T]]) -> T:
        return commit_with_orm_writes(self._lane, self._writer, start, finish)

    def ask(self, start: OperationUpdate | None, request: ApprovalRequest, place: ApprovalPlace) -> None:
        desk = ports.approval_desk()
        if start is None:
            desk.ask(request, place)
            return

        def finish() -> tuple[OperationUpdate, None]:
            desk.ask(request, place)
            return start, None

        self.atomic(None, finish)

    def set_status(self, text: str) -> None:
        check_text(text, "status")
        with self._lane.lock:
            self._lane.status_text = text

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        with self._lane.lock:
            self._lane.attributes.update(attributes)

    def _apply(self, updates: tuple[OperationUpdate, ...]) -> Entry:
        for update in updates:
            if update.payload is not None:
                check_payload(update, self._max_payload_bytes)
        try:
            return self._lane.apply(updates)
        except IllegalTransitionError as error:
            raise CheckpointError(str(error), is_client_error=True) from error


def check_payload(update: OperationUpdate, limit: int) -> None:
    """Refuses what cannot be stored. Raises `CheckpointError` above `limit` bytes, and otherwise as `check_text`."""
    assert update.payload is not None
    size = len(update.payload)
    if size * 4 > limit:
        size = len(update.payload.encode("utf-8", "surrogatepass"))
        if size > limit:
            raise CheckpointError(
                f"the payload of {update.type} {update.name or update.id} has {size} bytes; the limit is "
                f"{limit} (DURABLE_EXECUTION['MAX_PAYLOAD_BYTES'])",
                is_client_error=True,
            )
    check_text(update.payload, f"payload of {update.name or update.id}")


def check_text(text: str, what: str) -> None:
    """Refuses NUL and lone surrogates, which PostgreSQL's text cannot hold, by name and before anything is queued. Raises
    `ValidationError`."""
    if "\x00" in text:
        raise ValidationError(f"the {what} contains a NUL character, which PostgreSQL cannot store")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise ValidationError(f"the {what} contains a lone surrogate at position {error.start}") from error


def _is_invoke_start(updates: tuple[OperationUpdate, ...]) -> bool:
    first = updates[0]
    return first.type is OperationType.CHAINED_INVOKE and first.action is OperationAction.START


def _is_signal_start(update: OperationUpdate) -> bool:
    return update.type is OperationType.CALLBACK and update.action is OperationAction.START and update.sub_type == OperationSubType.SIGNAL
