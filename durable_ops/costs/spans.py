"""Spans of days (UTC) that costs are asked for."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Span:
    """Days from `since` to `until`, both included (UTC); `by_month` says how wide the buckets of the chart are."""

    words: str
    since: date
    until: date
    by_month: bool = False

    @property
    def days(self) -> list[date]:
        return [self.since + timedelta(days=number) for number in range((self.until - self.since).days + 1)]

    @property
    def months(self) -> list[date]:
        return sorted({day.replace(day=1) for day in self.days})

    def bucket(self, day: date) -> date:
        return day.replace(day=1) if self.by_month else day

    @property
    def buckets(self) -> list[date]:
        return self.months if self.by_month else self.days


SPAN_WORDS = {"month": "This month", "last": "Last month", "30d": "30 days", "90d": "90 days", "12m": "12 months"}


def make_span(key: str, today: date) -> Span:
    """The span of a key of SPAN_WORDS; this month for every other text."""
    first = today.replace(day=1)
    if key == "last":
        until = first - timedelta(days=1)
        return Span(SPAN_WORDS[key], until.replace(day=1), until)
    if key in ("30d", "90d"):
        return Span(SPAN_WORDS[key], today - timedelta(days=int(key[:-1]) - 1), today)
    if key == "12m":
        year, month = divmod(today.year * 12 + today.month - 1 - 11, 12)
        return Span(SPAN_WORDS[key], date(year, month + 1, 1), today, by_month=True)
    return Span(SPAN_WORDS["month"], first, today)


def utc_today() -> date:
    return datetime.now(UTC).date()
