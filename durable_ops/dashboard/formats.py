"""Numbers with units, and JSON with colours, as plain functions that templates and charts share."""

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from execution_engine.core.serdes import without_tags

PRETTY_BYTES = 256 * 1024
"""Longer payloads are shown unformatted and cut, so that a page stays light; raw view and download have the whole text."""

_TOKEN = re.compile(r'("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null)\b|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)')


def duration_text(value: timedelta | float | None) -> str:
    """`850 ms`, `1.24 s`, `3 min 12 s`, `2 h 5 min`, `4 d 3 h`; a dash for none."""
    if value is None:
        return "–"
    seconds = max(value.total_seconds() if isinstance(value, timedelta) else float(value), 0.0)
    if seconds < 0.9995:
        milliseconds = seconds * 1000
        return f"{milliseconds:.0f} ms" if milliseconds >= 10 or milliseconds < 0.05 else f"{milliseconds:.1f} ms"
    if seconds < 60 and seconds == int(seconds):
        return f"{int(seconds)} s"
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"
    for size, unit, smaller, small_unit in ((86_400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= size:
            rest = int(seconds % size // smaller)
            return f"{int(seconds // size)} {unit}" + (f" {rest} {small_unit}" if rest else "")
    return f"{seconds:.0f} s"


def size_text(number: int | None) -> str:
    """Bytes in powers of 1,000, as file managers show them; a dash for none."""
    if number is None:
        return "–"
    if number < 1000:
        return f"{number} B"
    for limit, unit in ((1e6, "kB"), (1e9, "MB"), (1e12, "GB")):
        if number < limit:
            return f"{number / (limit / 1000):.1f} {unit}"
    return f"{number} B"


def money_text(amount: Decimal | float | None) -> str:
    """US dollars with as many digits as tell something: `1,204.50 USD`, `0.0042 USD`; a dash for none."""
    if amount is None:
        return "–"
    value = Decimal(str(amount))
    if value == 0 or abs(value) >= Decimal("0.995"):
        return f"{value:,.2f} USD"
    return f"{value:.{max(2, 1 - value.adjusted())}f} USD"


def per_million_text(amount: Decimal | float | None) -> str:
    """What a million of them would cost, for an amount too small to be read: `41.00 USD per million`; empty for any other amount."""
    value = Decimal(str(amount or 0))
    return f"{value * 1_000_000:,.2f} USD per million" if 0 < value < Decimal("0.01") else ""


def count_text(number: int, *, is_estimated: bool = False) -> str:
    """`9,412`, or `≈ 915,000` for an estimate, to three figures."""
    if not is_estimated:
        return f"{number:,}"
    unit = 10 ** max(len(str(number)) - 3, 0)
    return f"≈ {round(number / unit) * unit:,}"


def utc_text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + " UTC"


def age_text(moment: datetime, now: datetime) -> str:
    """`4 min ago`, `in 40 s`: the words of relative-time.js, for readers without script."""
    seconds = (now - moment).total_seconds()
    rest = abs(round(seconds))
    if rest < 1:
        return "now"
    for size, unit in ((31_536_000, "y"), (2_592_000, "mo"), (86_400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        if rest >= size:
            if seconds < 0:
                return f"in {duration_text(rest)}" if 60 <= rest < 2_592_000 else f"in {rest // size} {unit}"
            return f"{rest // size} {unit} ago"
    return "now"


def pretty_json(text: str, *, is_tagged: bool = False) -> str | None:
    """The text indented; None when it is not JSON or too long to be read on a page. `is_tagged`: without the tags of the SDK's format."""
    if len(text) > PRETTY_BYTES:
        return None
    try:
        value = json.loads(text)
        return json.dumps(without_tags(value) if is_tagged else value, indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return None


def coloured_json(pretty: str) -> SafeString:
    """Wraps keys, texts, numbers and words in spans. All text is escaped."""
    parts: list[str] = []
    end = 0
    for match in _TOKEN.finditer(pretty):
        parts.append(escape(pretty[end : match.start()]))
        text, colon, word, _ = match.groups()
        kind = "key" if colon else "text" if text else "word" if word else "number"
        parts.append(f'<span class="json-{kind}">{escape(text or match.group())}</span>{escape(colon or "")}')
        end = match.end()
    parts.append(escape(pretty[end:]))
    return mark_safe("".join(parts))  # noqa: S308  every piece was escaped above
