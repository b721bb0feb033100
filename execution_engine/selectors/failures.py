"""Which error ended an execution: what the author's code raised, also where an operation's own error passed it on.

A failed step reaches the handler as a `StepError`, and when nobody catches it that is the type of the execution's error. The failed
operation has what was raised; its event lies just before the end of the history.
"""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import JSONObject, Substr

from execution_engine.core.enums import EventType
from execution_engine.models import Event, Execution, Operation
from execution_engine.selectors.explain import plain_title

ERROR_READ = 2_000
LOOKED_BACK = 16
"""Events before the end of a history among which the failure that ended it is looked for."""

_FAILURES = (EventType.STEP_FAILED, EventType.CALLBACK_FAILED, EventType.CHAINED_INVOKE_FAILED)
_PASSED_ON = "StepError|ChildContextError|InvokeError|WaitForConditionError|CallbackExternalError|CallbackSubmitterError"
_IS_PASSED_ON = rf'"ErrorType":\s*"([^"]*\.)?({_PASSED_ON})"'
_TYPE = re.compile(r'"ErrorType":\s*"((?:[^"\\]|\\.){1,200})"')
_MESSAGE = re.compile(r'"ErrorMessage":\s*"((?:[^"\\]|\\u[0-9a-f]{4}|\\[^u]){1,200})')


@dataclass(frozen=True, slots=True)
class Failure:
    """`error_type` is what was raised, None for an error that has none; `message` is its beginning. `operation_id` and `operation` name
    the failed operation where an operation's error passed it on, and are empty otherwise."""

    error_type: str | None
    message: str
    operation_id: str = ""
    operation: str = ""


def with_errors(found: QuerySet[Execution]) -> Any:
    """Annotates the beginning of the error and, where it was passed on, the failed operation: what `read_failure` takes.

    Two looks at indexes for each row whose error was passed on.
    """
    behind = _failed_operation().values(found=JSONObject(id="id", name=F("name"), error=Substr("error", 1, ERROR_READ)))
    annotated = found.annotate(beginning=Substr("error", 1, ERROR_READ))
    return annotated.annotate(behind=Case(When(beginning__regex=_IS_PASSED_ON, then=Subquery(behind))))


def read_failure(beginning: str | None, behind: Mapping[str, Any] | None) -> Failure:
    """Of two annotations. Only who says the same is who raised it: a handler may catch one failure and die of another."""
    kind, message = _type(beginning or ""), _message(beginning or "")
    if behind and _message(behind["error"]) == message and (raised := _type(behind["error"])):
        return Failure(raised, message, behind["id"], plain_title(behind["name"]) or behind["id"][:8])
    return Failure(kind, message)


def list_failures(execution_ids: Collection[UUID]) -> dict[UUID, Failure]:
    """Of those that ended with an error. One query, none for no ids."""
    if not execution_ids:
        return {}
    found = with_errors(Execution.objects.filter(id__in=execution_ids, error__isnull=False))
    return {key: read_failure(beginning, behind) for key, beginning, behind in found.values_list("id", "beginning", "behind")}


def get_failure(execution_id: UUID) -> tuple[str | None, Failure | None]:
    """The error object of an ended execution as JSON text, and what is behind it; without reading input and result. One query."""
    row = with_errors(Execution.objects.filter(id=execution_id)).values_list("error", "beginning", "behind").first()
    return (None, None) if row is None or row[0] is None else (row[0], read_failure(row[1], row[2]))


def is_of_type(text: str) -> Q:
    """Executions whose error, or what was raised behind it, has this text in its type, in any case."""
    pattern = rf'"ErrorType":\s*"[^"]*{re.escape(text)}'
    return Q(error__iregex=pattern) | Q(error__regex=_IS_PASSED_ON) & Q(Exists(_failed_operation().filter(error__iregex=pattern)))


def _failed_operation() -> QuerySet[Operation]:
    """The operation of the last failure in the history of the outer query's execution.

    The events ask for that execution's id, not for the operation's: so its event is looked up once and the operation by its whole key.
    """
    events = Event.objects.filter(execution_id=OuterRef(OuterRef("id")), type__in=_FAILURES)
    last = events.filter(event_id__gt=OuterRef(OuterRef("event_seq")) - LOOKED_BACK).order_by("-event_id").values("operation_id")[:1]
    return Operation.objects.filter(execution_id=OuterRef("id"), id=Subquery(last), error__isnull=False)


def _type(error: str) -> str | None:
    match = _TYPE.search(error)
    return match.group(1) if match else None


def _message(error: str) -> str:
    """Of the beginning of an error object's JSON text, which may end in the middle of a pair of surrogates."""
    match = _MESSAGE.search(error)
    return json.loads(f'"{match.group(1)}"', strict=False).encode(errors="ignore").decode() if match else ""
