"""Names and small values as people read them, as plain functions."""

import re
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from durable_ops.dashboard import formats

_DETAIL_WORDS = {
    "CurrentAttempt": "attempt",
    "NextAttemptDelaySeconds": "next in",
    "Duration": "lasts",
    "Timeout": "times out after",
    "HeartbeatTimeout": "heartbeat every",
    "ExecutionTimeout": "must end within",
    "RequestId": "request",
    "Ran": "ran",
    "CallbackId": "callback id",
}
_SECONDS = frozenset({"NextAttemptDelaySeconds", "Duration", "Timeout", "HeartbeatTimeout", "ExecutionTimeout", "Ran"})
_HASH_TEXT = re.compile(r"[0-9a-f]{40,}")
_PLAIN_WORD = re.compile(r"[a-z]+(?=[ ,])")
_UUID_TEXT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def short_id(value: Any) -> str:
    """The end of a UUID: those of version 7 that were made together begin alike."""
    text = str(value)
    return text if len(text) <= 13 else f"{text[:4]}…{text[-8:]}"


def words(value: str) -> str:
    """`StepSucceeded` and `CHAINED_INVOKE` as people read them."""
    if value.isupper():
        return value.replace("_", " ").capitalize()
    if "_" in value:
        return _spaced(value)
    return "".join(f" {letter.lower()}" if letter.isupper() and at else letter for at, letter in enumerate(value))


def sentence(text: object) -> str:
    """A refusal in the console's form, with a capital and a full stop. A name from code at its beginning stays as it is."""
    told = str(text).strip()
    told = told[:1].upper() + told[1:] if _PLAIN_WORD.match(told) else told
    return told if not told or told[-1] in ".!?…:" else f"{told}."


def crumb(name: str) -> str:
    """A name in the breadcrumb trail: ids short, long names cut."""
    return short_id(name) if _UUID_TEXT.fullmatch(name) else f"{name[:60]}…" if len(name) > 60 else name


def verb(action: str) -> str:
    """`execution.redrive` in words: Redrive execution. An approval is only approved or rejected."""
    kind, _, done = action.partition(".")
    if kind == "approval" and done in ("approve", "reject"):
        return done.capitalize()
    return f"{done.replace('_', ' ').capitalize()} {_spaced(kind)}" if done else action


def _spaced(name: str) -> str:
    return name.replace("_", " ").replace("api key", "API key")


def object_name(entry: Any) -> str:
    """The name of an audit entry's object: from its facts, or else its id, shortened."""
    return str(entry.facts.get("title") or entry.facts.get("name") or short_id(entry.object_id))


def detail_pairs(values: Mapping[str, Any], at: datetime | None = None, without: Collection[str] = ()) -> list[tuple[str, str]]:
    """Small values as (word, value): nested ones flattened, `before` and `after` as changes, empty ones left out.

    `at` is when the event happened; `without` are keys that are shown elsewhere.
    """
    flat: dict[str, Any] = {}
    before, after = values.get("before"), values.get("after")
    if isinstance(before, dict) and isinstance(after, dict):
        values = {key: value for key, value in values.items() if key not in ("before", "after")} | _changes(before, after)
    for key, value in values.items():
        flat.update(value if isinstance(value, dict) else {key: value})
    if at is not None and "StartTimestamp" in flat:
        flat = {"Ran": at - datetime.fromisoformat(flat.pop("StartTimestamp")), **flat}
    told = {key: value for key, value in flat.items() if key not in without and value not in (None, "", [], {})}
    return [(_DETAIL_WORDS.get(key, words(key)), _short_value(key, value)) for key, value in told.items()]


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, str]:
    return {key: f"{_said(before.get(key))} → {_said(after.get(key))}" for key in after if before.get(key) != after.get(key)}


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) or "none" if isinstance(value, list | tuple) else str(value)


def _short_value(key: str, value: Any) -> str:
    if key in _SECONDS and isinstance(value, int | float | timedelta):
        return formats.duration_text(value)
    text = _said(value)
    if key.endswith("Id") or _UUID_TEXT.fullmatch(text) or _HASH_TEXT.fullmatch(text):
        return short_id(text)
    if key.endswith("_bytes") and isinstance(value, int):
        return formats.size_text(value)
    return text if len(text) <= 64 else f"{text[:61]}…"
