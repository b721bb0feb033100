"""Bounds of what comes from outside, refused by name, limit and value before anything is written."""

import re
from collections.abc import Mapping
from typing import Any

from execution_engine.conf import engine_settings
from execution_engine.core.attributes import MAX_CONCURRENCY_KEY, MAX_PRIORITY, problem_of
from execution_engine.core.errors import InvalidInputError, PayloadTooLargeError
from execution_engine.core.records import ErrorObject

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
MAX_ERROR_BYTES = 32 * 1024


def check_text(text: str, field: str) -> None:
    """PostgreSQL's text holds no NUL and no lone surrogate."""
    if "\x00" in text:
        raise InvalidInputError(f"{field} contains a NUL character", field=field)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidInputError(f"{field} contains a lone surrogate at position {error.start}", field=field) from error


def check_payload(text: str | None, field: str, limit: int | None = None) -> None:
    """As `check_text`, and at most `MAX_PAYLOAD_BYTES` in UTF-8. Raises InvalidInputError, PayloadTooLargeError."""
    if text is None:
        return
    check_text(text, field)
    limit, size = limit or engine_settings().MAX_PAYLOAD_BYTES, len(text.encode())
    if size > limit:
        message = f"{field} has {size} bytes; the limit is {limit} (DURABLE_EXECUTION['MAX_PAYLOAD_BYTES'])"
        raise PayloadTooLargeError(message, field=field, limit=limit, value=size)


def check_name(name: str | None) -> None:
    """1 to 64 letters, digits, - and _. Raises InvalidInputError."""
    if name is not None and not _NAME.fullmatch(name):
        raise InvalidInputError("an execution's name is 1 to 64 letters, digits, - or _", field="name", value=name[:100])


def check_error(error: ErrorObject | None) -> None:
    """Storable, and at most 32 KiB in all. Raises InvalidInputError, PayloadTooLargeError."""
    if error is None:
        return
    for field, text in (("ErrorMessage", error.message), ("ErrorType", error.type), ("ErrorData", error.data)):
        check_text(text or "", field)
    size = len(str(error.to_wire()).encode("utf-8", "replace"))
    if size > MAX_ERROR_BYTES:
        raise PayloadTooLargeError(
            f"the error has {size} bytes; the limit is {MAX_ERROR_BYTES}", field="error", limit=MAX_ERROR_BYTES, value=size
        )


def check_attributes(attributes: Mapping[str, Any] | None) -> None:
    """A small flat object, as `core.attributes` bounds it."""
    if attributes and (problem := problem_of(attributes)) is not None:
        raise InvalidInputError(problem, field="attributes")


def check_concurrency_key(key: str | None) -> None:
    """Raises InvalidInputError."""
    if key is None:
        return
    check_text(key, "concurrency_key")
    if not 1 <= len(key) <= MAX_CONCURRENCY_KEY:
        message = f"a concurrency key has 1 to {MAX_CONCURRENCY_KEY} characters, got {len(key)}"
        raise InvalidInputError(message, field="concurrency_key", limit=MAX_CONCURRENCY_KEY, value=len(key))


def check_priority(priority: int | None) -> None:
    """Seconds of head start: nobody is held back for ever by others who always come first."""
    if priority is not None and not 0 <= priority <= MAX_PRIORITY:
        message = f"a priority is from 0 to {MAX_PRIORITY} seconds of head start, got {priority}"
        raise InvalidInputError(message, field="priority", limit=MAX_PRIORITY, value=priority)
