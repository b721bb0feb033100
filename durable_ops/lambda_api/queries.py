"""Query parameters and headers read as the service model types them, and markers of pages."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.core import signing
from django.http import QueryDict

from durable_ops.lambda_api import errors
from durable_ops.lambda_api.errors import LambdaError
from durable_ops.texts.json_text import text_problem
from execution_engine.core import wire

DEFAULT_ITEMS, MAX_ITEMS = 100, 1000
MARKER_SECONDS = 24 * 3600


def text(given: Mapping[str, str], name: str, *, high: int, pattern: re.Pattern[str] | None = None) -> str | None:
    """None when it is absent. Raises InvalidInputError."""
    value = given.get(name)
    if value is None:
        return None
    if not 1 <= len(value) <= high:
        raise wire.refused("", name, f"must have 1 to {high} characters", value=value, limit=high)
    if (pattern is not None and not pattern.fullmatch(value)) or (problem := text_problem(value)) is not None:
        wanted = f"must satisfy the pattern {pattern.pattern}" if pattern else f"holds {problem}"
        raise wire.refused("", name, wanted, value=value.encode("ascii", "replace").decode())
    return value


def boolean(query: QueryDict, name: str) -> bool | None:
    value = query.get(name)
    if value not in (None, "true", "false"):
        raise wire.refused("", name, "must be true or false", value=value)
    return None if value is None else value == "true"


def max_items(query: QueryDict) -> int:
    """`MaxItems` from 0 to 1000; absent and 0 mean 100."""
    value = query.get("MaxItems")
    if value is None:
        return DEFAULT_ITEMS
    if not (value.isascii() and value.isdecimal() and len(value) <= 9 and int(value) <= MAX_ITEMS):
        raise wire.refused("", "MaxItems", f"must have a value from 0 to {MAX_ITEMS}", value=value, limit=MAX_ITEMS)
    return int(value) or DEFAULT_ITEMS


def moment(query: QueryDict, name: str) -> datetime | None:
    """ISO 8601 with a time zone, as SDKs write timestamps into queries."""
    value = query.get(name)
    if value is None:
        return None
    try:
        found = datetime.fromisoformat(value)
        utc = found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):  # a year beyond 9999 by its offset
        utc = None
    if utc is None:
        raise wire.refused("", name, "must be a moment like 2026-01-31T23:59:59Z", value=value)
    return utc


def write_marker(path: str, place: Any) -> str:
    """Where the next page of this address begins; signed, and good for a day."""
    return signing.dumps(place, salt=f"durable_ops.lambda_api.marker:{path}")


def read_marker(path: str, query: QueryDict) -> Any:
    """The place, None for the first page. Raises LambdaError."""
    marker = query.get("Marker")
    if not marker:
        return None
    try:
        return signing.loads(marker, salt=f"durable_ops.lambda_api.marker:{path}", max_age=MARKER_SECONDS)
    except signing.BadSignature:
        sentence = "The Marker is not one of ours for this list, or older than a day."
        raise LambdaError(errors.INVALID_PARAMETER, sentence) from None
