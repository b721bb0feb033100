"""What an execution's searchable attributes may be: a small flat object that PostgreSQL's jsonb and every list query can carry."""

import json
from collections.abc import Mapping
from typing import Any

MAX_CONCURRENCY_KEY = 200
MAX_PRIORITY = 3600
MAX_ATTRIBUTES = 50
MAX_CHARACTERS = 1_024
"""Of one key or text value. Attributes travel in every list; what is longer belongs into a payload."""


def problem_of(attributes: Mapping[Any, Any]) -> str | None:
    """A sentence for people that names the attribute and the limit; None when every value is a text, number, boolean or None in bounds."""
    if len(attributes) > MAX_ATTRIBUTES:
        return f"at most {MAX_ATTRIBUTES} attributes, got {len(attributes)}"
    for key, value in attributes.items():
        shown = repr(key)[:50]
        if not isinstance(key, str):
            return f"the name of attribute {shown} must be a text"
        if not isinstance(value, str | int | float | None):
            return f"attribute {shown} must be a text, a number, a boolean or None"
        for text in (key, value if isinstance(value, str) else ""):
            if len(text) > MAX_CHARACTERS:
                return f"attribute {shown} has {len(text)} characters; the limit is {MAX_CHARACTERS}"
            if "\x00" in text or not _is_unicode(text):
                return f"attribute {shown} contains a NUL or a lone surrogate, which PostgreSQL cannot store"
        if not _is_json(value):
            return f"attribute {shown} is a number that JSON cannot carry"
    return None


def _is_json(value: Any) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:  # NaN, infinity, or more digits than Python writes
        return False
    return True


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
