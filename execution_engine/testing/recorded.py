"""A recorded execution as a value: its input, its operations and how it ended, as JSON, and its replay without effects."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, NoReturn
from uuid import UUID

from execution_engine.core.enums import ExecutionStatus, InvocationStatus, OperationStatus, OperationType
from execution_engine.core.errors import InvocationInterrupt
from execution_engine.core.records import NO_OPTIONS, ErrorObject, OperationOptions, OperationRecord, OperationUpdate
from execution_engine.sdk.registry import RegisteredFunction, describe
from execution_engine.sdk.runner import HandlerOutcome, run_handler

Mask = Callable[[str, str], str]
"""`(where, text) -> text`: `where` is "input", "result", or the name of the operation whose payload `text` is."""


@dataclass(frozen=True, slots=True)
class RecordedExecution:
    """What a replay needs. `operations` are in order of their starts; `result` and payloads are exact serialized texts."""

    arn: str
    id: UUID
    function: str
    started_at: datetime
    status: ExecutionStatus
    operations: Sequence[OperationRecord]
    input: str | None = None
    result: str | None = None
    error: ErrorObject | None = None

    @property
    def latest_at(self) -> datetime:
        """The last moment that it tells of."""
        times = (moment for o in self.operations for moment in (o.started_at, o.ended_at) if moment is not None)
        return max(times, default=self.started_at)

    def reopened(self) -> list[OperationRecord]:
        """Its operations without the failure that ended it and the contexts around that: what may run again."""
        kept = {operation.id: operation for operation in self.operations}
        failed = [o for o in self.operations if o.status is OperationStatus.FAILED and self.error and _is_cause(o.error, self.error)]
        cause = max(failed, key=lambda operation: operation.start_event, default=None)
        while cause is not None:
            del kept[cause.id]
            cause = kept.get(cause.parent_id or "")
        return list(kept.values())

    def masked(self, mask: Mask) -> "RecordedExecution":
        """Every payload through `mask`; names, types, times and error types stay."""
        operations = [replace(o, payload=_masked(mask, o.name or o.id, o.payload)) for o in self.operations]
        texts = _masked(mask, "input", self.input), _masked(mask, "result", self.result)
        return replace(self, operations=operations, input=texts[0], result=texts[1])

    def to_json(self) -> str:
        return json.dumps(_without_defaults(asdict(self)), indent=1, default=str)

    @classmethod
    def from_json(cls, text: str) -> "RecordedExecution":
        found = json.loads(text)
        found |= {"id": UUID(found["id"]), "started_at": datetime.fromisoformat(found["started_at"])}
        found |= {"status": ExecutionStatus(found["status"]), "error": _error(found.get("error"))}
        return cls(**{**found, "operations": [_operation(values) for values in found.get("operations", [])]})


class ReplayDivergedError(AssertionError):
    """The code asks for something that the recorded history does not have at this place."""


def replay(handler: Callable[..., Any] | RegisteredFunction, recorded: RecordedExecution) -> HandlerOutcome:
    """Runs the handler over the recorded operations; no step, check or submitter runs again, and nothing is written.

    Of an execution that ended the outcome must be the recorded one. One that was under way may stop at the edge of what is
    recorded, which is PENDING. Raises `ReplayDivergedError` otherwise.
    """
    function = handler if isinstance(handler, RegisteredFunction) else describe(handler)
    sink = _ReadOnlyJournal(recorded)
    try:
        outcome = run_handler(function, sink, recorded.input, is_replaying=bool(recorded.operations))
    except _EdgeReached as edge:
        if recorded.status in (ExecutionStatus.SUCCEEDED, ExecutionStatus.FAILED):
            asked = f"{edge.update.action} of {_named(edge.update)}"
            raise ReplayDivergedError(f"the code asks for {asked}, which was never recorded") from None
        return HandlerOutcome(InvocationStatus.PENDING)
    _compare(recorded, outcome)
    return outcome


def _compare(recorded: RecordedExecution, outcome: HandlerOutcome) -> None:
    if recorded.status is ExecutionStatus.SUCCEEDED and outcome.result != recorded.result:
        shown = outcome.error.message if outcome.error else outcome.result or outcome.status
        raise ReplayDivergedError(f"recorded result {recorded.result}, the code now answers {shown}")
    error = outcome.error.type if outcome.error else None
    if recorded.status is ExecutionStatus.FAILED and recorded.error is not None and error != recorded.error.type:
        raise ReplayDivergedError(f"recorded failure {recorded.error.type}, the code now answers {error or outcome.status}")


class _EdgeReached(InvocationInterrupt):
    def __init__(self, update: OperationUpdate) -> None:
        super().__init__()
        self.update = update


class _ReadOnlyJournal:
    """A `sdk.sink.Sink` that has a history and takes nothing."""

    def __init__(self, recorded: RecordedExecution) -> None:
        self.execution_id = recorded.id
        self.execution_arn = recorded.arn
        self.started_at = recorded.started_at
        self._now = recorded.latest_at
        self.operations: Mapping[str, OperationRecord] = {operation.id: operation for operation in recorded.operations}

    def now(self) -> datetime:
        return self._now

    def checkpoint(self, *updates: OperationUpdate) -> None:
        raise _EdgeReached(updates[0])

    def hold(self, update: OperationUpdate) -> None:
        raise _EdgeReached(update)

    def refresh(self) -> None:
        """Time does not pass in a recorded history."""

    def atomic(self, start: OperationUpdate | None, _: Callable[[], tuple[OperationUpdate, Any]]) -> NoReturn:
        if start is None:
            raise ReplayDivergedError("an atomic step that was under way cannot be replayed without its effects")
        raise _EdgeReached(start)

    def ask(self, start: OperationUpdate | None, *_: Any) -> None:
        if start is not None:
            raise _EdgeReached(start)

    def set_status(self, text: str) -> None:
        """Nobody reads it."""

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        """Nobody reads them."""


def _is_cause(found: ErrorObject | None, ended_by: ErrorObject) -> bool:
    return found is not None and found.message == ended_by.message


def _named(update: OperationUpdate) -> str:
    return f"{update.type} {update.name or update.id}"


def _masked(mask: Mask, where: str, text: str | None) -> str | None:
    return None if text is None else mask(where, text)


def _without_defaults(value: Any) -> Any:
    if isinstance(value, dict):
        empty: tuple[Any, ...] = (None, 0, "", False)
        return {key: _without_defaults(inner) for key, inner in value.items() if inner not in empty and inner != asdict(NO_OPTIONS)}
    return [_without_defaults(inner) for inner in value] if isinstance(value, list | tuple) else value


def _operation(values: Mapping[str, Any]) -> OperationRecord:
    times = {key: datetime.fromisoformat(values[key]) for key in ("started_at", "ended_at", "due_at") if key in values}
    return OperationRecord(
        **{
            **values,
            **times,
            "type": OperationType(values["type"]),
            "status": OperationStatus(values["status"]),
            "error": _error(values.get("error")),
            "options": OperationOptions(**values.get("options", {})),
        }
    )


def _error(values: Mapping[str, Any] | None) -> ErrorObject | None:
    if values is None:
        return None
    trace = values.get("stack_trace")
    return ErrorObject(**{**values, "stack_trace": None if trace is None else tuple(trace)})
