"""Icons, states, times and sizes in templates."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from durable_ops.approvals import shown
from durable_ops.dashboard import formats, looks, wording
from durable_ops.models import Right
from durable_ops.permissions import has_right
from execution_engine.selectors.executions import ExecutionSummary
from execution_engine.selectors.explain import DerivedState, StateCode, plain_title
from execution_engine.selectors.operations import OperationRow

register = template.Library()

for plain in (wording.short_id, wording.words, wording.crumb, wording.sentence, wording.verb, wording.object_name):
    register.filter(plain)
register.filter("said", shown.words)


@register.simple_tag
def icon(name: str) -> SafeString:
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>', static("icons.svg"), name)


@register.simple_tag
def state(derived: DerivedState, size: str = "") -> SafeString:
    """The state of an execution: tone, icon and word together."""
    tone, image = looks.STATE_LOOKS[derived.code]
    words = format_html('<span class="words">{}</span>', derived.label)
    return format_html('<span class="state {} tone-{}" title="{}">{}{}</span>', size, tone, derived.label, icon(image), words)


@register.simple_tag
def status(operation: OperationRow, execution: ExecutionSummary) -> SafeString:
    tone, image, said = looks.operation_look(operation, execution)
    return format_html('<span class="state tone-{}">{}<span class="words">{}</span></span>', tone, icon(image), said)


@register.simple_tag
def type_icon(operation: OperationRow) -> SafeString:
    return icon(looks.type_icon(operation))


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
def lasting(since: datetime, prefix: str = "for") -> SafeString:
    """How long something has been so, `for 44 s`: the script lets it tick, the moment it began is on hover."""
    words = formats.duration_text(int((timezone.now() - since).total_seconds()))
    return format_html('{} <span data-since="{}" title="since {}">{}</span>', prefix, since.isoformat(), formats.utc_text(since), words)


@register.filter(name="hex")
def hexadecimal(value: bytes) -> str:
    return bytes(value).hex()


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
def per_million(amount: Decimal | float | None) -> str:
    return formats.per_million_text(amount)


@register.simple_tag
def name_of(name: str, execution_id: Any) -> SafeString:
    """An execution's name; one that was made up is its id, shown short."""
    if name != str(execution_id):
        return format_html("{}", name)
    return format_html('<span class="mono made-up" title="{}">{}</span>', name, wording.short_id(name))


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
def state_icon(code: StateCode) -> SafeString:
    tone, image = looks.STATE_LOOKS[code]
    return format_html('<span class="state plain tone-{}">{}</span>', tone, icon(image))


@register.simple_tag
def event_state(kind: str) -> SafeString:
    """The type of a history event in words, with the tone of what it tells."""
    tone, image = looks.event_look(kind)
    return format_html('<span class="state plain tone-{}">{}<span class="words">{}</span></span>', tone, icon(image), wording.words(kind))


@register.simple_tag
def details(values: Mapping[str, Any], at: datetime | None = None, without: str = "") -> SafeString:
    """`without` names keys that stand elsewhere, separated by spaces."""
    shown = wording.detail_pairs(values, at, without.split())
    return format_html_join("", '<span class="detail"><span class="faint">{}</span> {}</span> ', shown)
