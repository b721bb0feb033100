"""A payload made ready for a page: pretty, cut, with size and addresses of the whole."""

import json
from dataclasses import dataclass

from django.utils.safestring import SafeString

from durable_ops.dashboard.formats import PRETTY_BYTES, coloured_json, pretty_json
from execution_engine.core.records import ErrorObject


@dataclass(frozen=True, slots=True)
class Payload:
    """`shown` is escaped markup or plain text; `error` is the same read as an error object; `url` answers the stored text."""

    key: str
    label: str
    shown: SafeString | str
    error: ErrorObject | None
    size: int
    is_json: bool
    is_cut: bool
    url: str


def make_payload(key: str, label: str, text: str | None, url: str) -> Payload | None:
    if text is None:
        return None
    pretty = pretty_json(text)
    error = read_error(text) if key == "error" else None
    shown = text[:PRETTY_BYTES] if pretty is None else coloured_json(pretty)
    if error is not None and error.stack_trace:
        shown = "\n".join(error.stack_trace)
    return Payload(key, label, shown, error, len(text.encode()), pretty is not None, len(text) > PRETTY_BYTES, url)


def read_error(text: str | None) -> ErrorObject | None:
    """The wire's error object, None for no error or a text that is none."""
    try:
        wire = json.loads(text) if text else None
        return ErrorObject.from_wire(wire) if isinstance(wire, dict) else None
    except (ValueError, TypeError, RecursionError):
        return None
