"""A recorded execution as a value: its input, its operations and how it ended, as JSON, and its replay without effects."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from execution_engine.core.enums import ExecutionStatus, OperationStatus, OperationType
from execution_engine.core.records import NO_OPTIONS, ErrorObject, OperationOptions, OperationRecord
from execution_engine.invocation.rehearsal import rehearse as rehearsals
from execution_engine.invocation.rehearsal.findings import Rehearsal, Verdict
from execution_engine.invocation.rehearsal.history import History
from execution_engine.sdk.registry import RegisteredFunction, describe
from execution_engine.sdk.runner import HandlerOutcome

Mask = Callable[[str, str], str]
"""`(where, text) -> text`: `where` is "input", "result", "error", or the name of the operation whose payload or error `text` is."""


@dataclass(frozen=True, slots=True)
class RecordedExecution(History):
    """A history that can be kept in a file."""

    def masked(self, mask: Mask) -> "RecordedExecution":
        """Every payload and every error's message, data and stack through `mask`; names, types, times and error types stay.

        Equal texts must stay equal: the cause of a failure is found by its message.
        """
        operations = [
            replace(o, payload=_masked(mask, o.name or o.id, o.payload), error=_masked_error(mask, o.name or o.id, o.error))
            for o in self.operations
        ]
        texts = _masked(mask, "input", self.input), _masked(mask, "result", self.result)
        return replace(self, operations=operations, input=texts[0], result=texts[1], error=_masked_error(mask, "error", self.error))

    def to_json(self) -> str:
        return json.dumps(_without_defaults(asdict(self)), indent=1, default=str)

    @classmethod
    def from_json(cls, text: str) -> "RecordedExecution":
        found = {"version": "1", **json.loads(text)}  # the first files kept no version
        found |= {"id": UUID(found["id"]), "started_at": datetime.fromisoformat(found["started_at"])}
        found |= {"status": ExecutionStatus(found["status"]), "error": _error(found.get("error"))}
        found["seed"] = UUID(found["seed"]) if found.get("seed") else None
        return cls(**{**found, "operations": [_operation(values) for values in found.get("operations", [])]})


class ReplayDivergedError(AssertionError):
    """The code asks for something that the recorded history does not have at this place."""


def replay(handler: Callable[..., Any] | RegisteredFunction, recorded: History) -> HandlerOutcome:
    """Runs the handler over the recorded operations; no step, check or submitter runs again, and nothing is written.

    Of an execution that ended the outcome must be the recorded one. One that was under way may stop at the edge of what is
    recorded, which is PENDING. Raises `ReplayDivergedError` otherwise.
    """
    found = rehearse(handler, recorded)
    if found.verdict is not Verdict.FITS:
        raise ReplayDivergedError(found.summary)
    if recorded.status is ExecutionStatus.SUCCEEDED and found.result != recorded.result:
        raise ReplayDivergedError(f"recorded result {recorded.result}, the code now answers {found.result or found.outcome}")
    error = found.error.type if found.error else None
    if recorded.status is ExecutionStatus.FAILED and recorded.error is not None and error != recorded.error.type:
        raise ReplayDivergedError(f"recorded failure {recorded.error.type}, the code now answers {error or found.outcome}")
    assert found.outcome is not None
    return HandlerOutcome(found.outcome, found.result, found.error)


def rehearse(handler: Callable[..., Any] | RegisteredFunction, recorded: History, *, seconds: float = 60.0) -> Rehearsal:
    """The same replay, answered in full: what is kept, what would run, where the code differs. Raises nothing."""
    function = handler if isinstance(handler, RegisteredFunction) else describe(handler)
    return rehearsals.rehearse(function, recorded, seconds=seconds)


def _masked(mask: Mask, where: str, text: str | None) -> str | None:
    return None if text is None else mask(where, text)


def _masked_error(mask: Mask, where: str, error: ErrorObject | None) -> ErrorObject | None:
    if error is None:
        return None
    trace = None if error.stack_trace is None else tuple(mask(where, line) for line in error.stack_trace)
    return replace(error, message=_masked(mask, where, error.message), data=_masked(mask, where, error.data), stack_trace=trace)


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
