"""Icons, states, times and sizes in templates."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from durable_ops.dashboard import formats
from durable_ops.models import Right
from durable_ops.permissions import has_right
from execution_engine.selectors.executions import ExecutionSummary
from execution_engine.selectors.explain import DerivedState, StateCode, plain_title
from execution_engine.selectors.operations import OperationRow

register = template.Library()

# State -> (tone, icon). Waiting for people, programs and the clock share the tone and differ in icon and word.
STATE_LOOKS: dict[str, tuple[str, str]] = {
    StateCode.QUEUED: ("queued", "queued"),
    StateCode.RUNNING: ("running", "running"),
    StateCode.RETRYING: ("retrying", "retrying"),
    StateCode.POLLING: ("waiting", "again"),
    StateCode.WAITING: ("waiting", "waiting"),
    StateCode.WAITING_FOR_APPROVAL: ("waiting", "person"),
    StateCode.WAITING_FOR_CALLBACK: ("waiting", "person"),
    StateCode.WAITING_FOR_SIGNAL: ("waiting", "signal"),
    StateCode.WAITING_FOR_CHILD: ("waiting", "child"),
    StateCode.PAUSED: ("stopped", "paused"),
    StateCode.STRANDED: ("stranded", "stranded"),
    StateCode.SUCCEEDED: ("succeeded", "succeeded"),
    StateCode.FAILED: ("failed", "failed"),
    StateCode.TIMED_OUT: ("failed", "timed_out"),
    StateCode.STOPPED: ("stopped", "stopped"),
}

STATUS_LOOKS: dict[str, tuple[str, str, str]] = {
    "STARTED": ("running", "running", "Started"),
    "READY": ("queued", "queued", "Ready"),
    "PENDING": ("retrying", "retrying", "Retry pending"),
    "SUCCEEDED": ("succeeded", "succeeded", "Succeeded"),
    "FAILED": ("failed", "failed", "Failed"),
    "TIMED_OUT": ("failed", "timed_out", "Timed out"),
    "CANCELLED": ("stopped", "stopped", "Cancelled"),
    "STOPPED": ("stopped", "stopped", "Stopped"),
}

EVENT_LOOKS = (
    ("Succeeded", ("succeeded", "succeeded")),
    ("Failed", ("failed", "failed")),
    ("TimedOut", ("failed", "timed_out")),
    ("Stopped", ("stopped", "stopped")),
    ("Cancelled", ("stopped", "stopped")),
    ("InvocationCompleted", ("queued", "worker")),
    ("Paused", ("stopped", "paused")),
    ("Resumed", ("running", "running")),
    ("Redriven", ("retrying", "retrying")),
    ("CallbackStarted", ("waiting", "person")),
    ("WaitStarted", ("waiting", "waiting")),
    ("ChainedInvokeStarted", ("waiting", "child")),
    ("Started", ("running", "running")),
)

TYPE_ICONS = {"STEP": "step", "WAIT": "waiting", "CALLBACK": "person", "CONTEXT": "branch", "CHAINED_INVOKE": "child"}


@register.simple_tag
def icon(name: str) -> SafeString:
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>', static("icons.svg"), name)


@register.simple_tag
def state(derived: DerivedState, size: str = "") -> SafeString:
    """The state of an execution: tone, icon and word together."""
    tone, image = STATE_LOOKS[derived.code]
    words = format_html('<span class="words">{}</span>', derived.label)
    return format_html('<span class="state {} tone-{}" title="{}">{}{}</span>', size, tone, derived.label, icon(image), words)


@register.simple_tag
def status(operation: OperationRow, execution: ExecutionSummary) -> SafeString:
    """The status of an operation. An open callback, wait or invoke waits; only steps and contexts run.

    What is open when its execution ends is recorded no further.
    """
    tone, image, words = STATUS_LOOKS[operation.status]
    if operation.status == "STARTED" and operation.type in ("CALLBACK", "WAIT", "CHAINED_INVOKE"):
        tone, image, words = "waiting", _type_image(operation), "Waiting"
    if operation.status == "PENDING" and operation.sub_type == "WaitForCondition":
        tone, image, words = "waiting", "again", "Polling"
    if operation.is_open and execution.is_terminal:
        tone, image, words = "stopped", "stopped", "Left open"
    return format_html('<span class="state tone-{}">{}<span class="words">{}</span></span>', tone, icon(image), words)


@register.simple_tag
def type_icon(operation: OperationRow) -> SafeString:
    return icon(_type_image(operation))


def _type_image(operation: OperationRow) -> str:
    return "signal" if operation.sub_type == "Signal" else TYPE_ICONS.get(operation.type, "step")


@register.simple_tag
def age(moment: datetime | None, prefix: str = "") -> SafeString | str:
    """A relative time with the exact one on hover; the script adds the local time and lets it tick."""
    if moment is None:
        return "–"
    words = formats.age_text(moment, timezone.now())
    before = f"{prefix} " if prefix else ""
    markup = '{}<time datetime="{}" title="{}" data-relative>{}</time>'
    return format_html(markup, before, moment.isoformat(), formats.utc_text(moment), words)


@register.simple_tag
def exact(moment: datetime) -> SafeString:
    return format_html('<time datetime="{}">{}</time>', moment.isoformat(), formats.utc_text(moment))


@register.filter
def duration(value: timedelta | float | None) -> str:
    return formats.duration_text(value)


@register.filter
def size(value: int | None) -> str:
    return formats.size_text(value)


@register.filter
def money(amount: Decimal | float | None) -> str:
    return formats.money_text(amount)


@register.filter
def short_id(value: Any) -> str:
    """UUIDs of version 7 begin alike when made together: the end tells them apart."""
    text = str(value)
    return text if len(text) <= 13 else f"{text[:4]}…{text[-8:]}"


@register.simple_tag
def name_of(name: str, execution_id: Any) -> SafeString:
    """An execution's name; one that was made up is its id, shown short."""
    if name != str(execution_id):
        return format_html("{}", name)
    return format_html('<span class="mono made-up" title="{}">{}</span>', name, short_id(name))


@register.filter
def leaf(value: str) -> str:
    """The last part of a dotted name: the type of an error without its module."""
    return value.rpartition(".")[2] or value


@register.filter
def percent(value: float | None) -> str:
    """`99.4 %` of a share from 0 to 1; whole figures without digits, and never 100 unless it is all of it."""
    if value is None:
        return "–"
    shown = min(round(value * 100, 1), 99.9) if value < 1 else 100.0
    return f"{shown:g} %"


@register.filter
def share(value: float, of: int) -> str:
    """The part of a length, for drawings."""
    return f"{max(0.0, min(value, 1.0)) * of:.2f}"


@register.simple_tag
def marked_source(source: str, current: str) -> SafeString:
    """Source text; the lines that name the operation an execution is at are marked."""
    names = {f"{quote}{plain_title(current)}{quote}" for quote in "\"'"} if current else set()
    lines = [(("<mark>{}</mark>\n" if any(name in line for name in names) else "{}\n"), line) for line in source.splitlines()]
    return format_html_join("", "{}", ((format_html(shape, line),) for shape, line in lines))


@register.filter
def host_name(value: str) -> str:
    """A worker's host without the name space of its processes, which only the engine needs."""
    return value.partition("/")[0]


@register.filter
def can(user: Any, right: str) -> bool:
    return has_right(user, Right(right))


@register.filter
def words(value: str) -> str:
    """`StepSucceeded` and `CHAINED_INVOKE` as people read them."""
    if value.isupper():
        return value.replace("_", " ").capitalize()
    if "_" in value:
        return _spaced(value)
    return "".join(f" {letter.lower()}" if letter.isupper() and at else letter for at, letter in enumerate(value))


@register.filter
def crumb(name: str) -> str:
    """A name in a trail: ids short, long names cut."""
    return short_id(name) if UUID_TEXT.fullmatch(name) else f"{name[:60]}…" if len(name) > 60 else name


@register.filter
def verb(action: str) -> str:
    """`execution.redrive` as people say it: Redrive execution."""
    kind, _, done = action.partition(".")
    return f"{done.replace('_', ' ').capitalize()} {_spaced(kind)}" if done else action


def _spaced(name: str) -> str:
    return name.replace("_", " ").replace("api key", "API key")


@register.filter
def get(values: Mapping[str, Any], key: str) -> Any:
    return values.get(key, "")


@register.filter
def depth(value: int) -> int:
    """Depth of indentation; deeper levels share the last one, or names would leave the screen."""
    return min(value, 8)


@register.simple_tag
def indentation(value: int) -> str:
    """For lists that cannot be indented otherwise, as the options of a select."""
    return "\u2003" * min(value, 8)


@register.filter
def lasted(operation: OperationRow, execution: ExecutionSummary) -> timedelta:
    end = operation.ended_at or execution.ended_at or operation.read_at
    return max(end - operation.started_at, timedelta())


@register.filter
def clock(moment: datetime) -> str:
    """Date and time to the millisecond, UTC, for columns."""
    return moment.astimezone(UTC).strftime("%m-%d %H:%M:%S.%f")[:-3]


@register.simple_tag
def state_icon(code: StateCode | str) -> SafeString:
    tone, image = STATE_LOOKS[code]
    return format_html('<span class="state plain tone-{}">{}</span>', tone, icon(image))


@register.simple_tag
def event_state(kind: str) -> SafeString:
    """The type of a history event in words, with the tone of what it tells."""
    tone, image = next((look for ending, look in EVENT_LOOKS if kind.endswith(ending)), ("stopped", "info"))
    return format_html('<span class="state plain tone-{}">{}<span class="words">{}</span></span>', tone, icon(image), words(kind))


@register.simple_tag
def details(values: Mapping[str, Any], at: datetime | None = None) -> SafeString:
    """Small values as `word value` pairs, nested ones flattened; `at` is when the event happened."""
    flat: dict[str, Any] = {}
    before, after = values.get("before"), values.get("after")
    if isinstance(before, dict) and isinstance(after, dict):
        values = {key: value for key, value in values.items() if key not in ("before", "after")} | _changes(before, after)
    for key, value in values.items():
        flat.update(value if isinstance(value, dict) else {key: value})
    if at is not None and "StartTimestamp" in flat:
        flat = {"Ran": at - datetime.fromisoformat(flat.pop("StartTimestamp")), **flat}
    shown = [(DETAIL_WORDS.get(key, words(key)), _short_value(key, value)) for key, value in flat.items() if value is not None]
    return format_html_join("", '<span class="detail"><span class="faint">{}</span> {}</span> ', shown)


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, str]:
    return {key: f"{_said(before.get(key))} → {_said(after.get(key))}" for key in after if before.get(key) != after.get(key)}


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) or "none" if isinstance(value, list | tuple) else str(value)


DETAIL_WORDS = {
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
UUID_TEXT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SECONDS = frozenset({"NextAttemptDelaySeconds", "Duration", "Timeout", "HeartbeatTimeout", "ExecutionTimeout", "Ran"})


def _short_value(key: str, value: Any) -> str:
    if key in SECONDS and isinstance(value, int | float | timedelta):
        return formats.duration_text(value)
    text = str(value)
    if key.endswith("Id") or UUID_TEXT.fullmatch(text):
        return short_id(text)
    if key.endswith("_bytes") and isinstance(value, int):
        return formats.size_text(value)
    return text if len(text) <= 64 else f"{text[:61]}…"
