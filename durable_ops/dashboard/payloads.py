"""Makes a payload ready for a page: indented, cut, with its size and the addresses of the whole text."""

import json
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.safestring import SafeString

from durable_ops.dashboard.access import masks_for
from durable_ops.dashboard.formats import PRETTY_BYTES, coloured_json, pretty_json
from durable_ops.models import Right
from durable_ops.permissions import has_right
from execution_engine.core.enums import OperationType
from execution_engine.core.records import ErrorObject
from execution_engine.selectors.executions import ExecutionSummary
from execution_engine.selectors.failures import get_failure
from execution_engine.selectors.operations import OperationRow


@dataclass(frozen=True, slots=True)
class Payload:
    """`shown` is escaped markup or plain text; `error` is the payload read as an error object; `url` leads to the stored text."""

    key: str
    label: str
    shown: SafeString | str
    error: ErrorObject | None
    size: int
    is_json: bool
    is_cut: bool
    url: str


def make_payload(key: str, label: str, text: str | None, url: str, *, is_tagged: bool = False) -> Payload | None:
    """None without a text. `is_tagged`: written in the SDK's default format, which is shown as the JSON that a person would type."""
    if text is None:
        return None
    pretty = pretty_json(text, is_tagged=is_tagged)
    error = read_error(text) if key == "error" else None
    shown = text[:PRETTY_BYTES] if pretty is None else coloured_json(pretty)
    if error is not None and error.stack_trace:
        shown = "\n".join(error.stack_trace)
    return Payload(key, label, shown, error, len(text.encode()), pretty is not None, len(text) > PRETTY_BYTES, url)


def error_context(request: HttpRequest, execution: ExecutionSummary) -> dict[str, Any]:
    """`error` ended it and `failure` says what was raised behind that, for templates; empty for who may not read payloads. One query."""
    if not has_right(request.user, Right.VIEW_PAYLOAD, execution.function):
        return {}
    text, failure = get_failure(execution.id)
    return {"error": read_error(masks_for(request, execution.function, execution.id).text(text)), "failure": failure}


def is_tagged(row: OperationRow) -> bool:
    """Whether the payload of this operation was written by the SDK. Answers from outside and results of invokes are plain JSON."""
    return row.type in (OperationType.STEP, OperationType.CONTEXT)


def read_error(text: str | None) -> ErrorObject | None:
    """The wire's error object, None for no error or a text that is none."""
    try:
        wire = json.loads(text) if text else None
        return ErrorObject.from_wire(wire) if isinstance(wire, dict) else None
    except (ValueError, TypeError, RecursionError):
        return None
