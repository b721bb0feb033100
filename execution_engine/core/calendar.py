"""When a schedule fires: the moments of a cron line in a time zone, or of an interval. Moments are UTC and whole seconds.

Clock changes, as Debian's cron has them. A fixed local time that a change skips fires once, at the first moment after the gap; one that
happens twice fires once, the first time. A line whose minutes or hours begin with `*` goes by elapsed time: in a doubled hour it fires
in both, in a skipped one not at all. Intervals are elapsed seconds and know no clock changes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from execution_engine.core.errors import InvalidInputError

MIN_INTERVAL_SECONDS = 10
MAX_INTERVAL_SECONDS = 366 * 86_400
MAX_RULE_CHARACTERS = 200
CRON_FIELDS = 5


@dataclass(frozen=True, slots=True)
class Calendar:
    """`rule` is a cron line of five fields (minute, hour, day of month, month, day of week), or an interval as a number of seconds,
    counted from `anchor`; `timezone` bears on cron lines."""

    rule: str
    timezone: str
    anchor: datetime

    @property
    def interval(self) -> int | None:
        return int(self.rule) if self.rule.isdigit() else None

    @property
    def words(self) -> str:
        """For people: `every 3600 seconds`, `At 02:30 every day`; the zone is not in it."""
        if self.interval is not None:
            return f"Every {self.interval} seconds"
        return CronSim(self.rule, self.anchor).explain()

    def after(self, moment: datetime) -> Iterator[datetime]:
        """The moments after this one, in order, without end; none where the line names a day that never comes."""
        if self.interval is not None:
            step = timedelta(seconds=self.interval)
            passed = max(0, (moment - self.anchor) // step + 1) if moment >= self.anchor else 0
            while True:
                yield self.anchor + passed * step
                passed += 1
        zone = ZoneInfo(self.timezone)
        for found in CronSim(self.rule, moment.astimezone(zone)):
            if (at := found.astimezone(UTC)) > moment:
                yield at

    def upto(self, moment: datetime) -> Iterator[datetime]:
        """The moments up to and including this one, latest first; those of an interval end with its anchor."""
        if self.interval is not None:
            step = timedelta(seconds=self.interval)
            return (self.anchor + n * step for n in range((moment - self.anchor) // step, -1, -1))
        return self._cron_upto(moment)

    def _cron_upto(self, moment: datetime) -> Iterator[datetime]:
        zone = ZoneInfo(self.timezone)
        begin = (moment + timedelta(hours=3)).astimezone(zone)  # behind every clock change that could hide a moment
        last: datetime | None = None
        for found in CronSim(self.rule, begin, reverse=True):
            at = found.astimezone(UTC)
            if at <= moment and at != last:
                last = at
                yield at


def make_calendar(rule: str, timezone: str, anchor: datetime) -> Calendar:
    """Raises `InvalidInputError`, which names the field, the value and what is expected."""
    text = " ".join(rule.split())
    if not text or len(text) > MAX_RULE_CHARACTERS:
        raise InvalidInputError(
            f"a rule has 1 to {MAX_RULE_CHARACTERS} characters", field="rule", limit=MAX_RULE_CHARACTERS, value=len(text)
        )
    if text.isdecimal() and text.isascii():
        _check_interval(text)
        text = str(int(text))
    else:
        _check_cron(text)
    return Calendar(text, _check_zone(timezone), anchor.replace(microsecond=0))


def between(calendar: Calendar, start: datetime, end: datetime, most: int) -> list[datetime]:
    """The moments from `start` to `end`, both included. A list of `most + 1` moments means that there are more than `most`."""
    found = takewhile(lambda at: at <= end, calendar.after(start - timedelta(microseconds=1)))
    return [at for _, at in zip(range(most + 1), found, strict=False)]


def why_nothing_between(calendar: Calendar, start: datetime, end: datetime) -> str:
    """A sentence for people: why a range has no moment."""
    if calendar.interval is not None and end < calendar.anchor:
        since = f"{calendar.anchor:%Y-%m-%d %H:%M:%S} UTC"
        return f"An interval counts from when the schedule was made or got its rule, {since}: before that there is nothing to make up for."
    following = next(calendar.after(end), None)
    behind = f"; the first one behind it is {following:%Y-%m-%d %H:%M:%S} UTC" if following else ""
    return f"The rule has no moment between {start:%Y-%m-%d %H:%M:%S} and {end:%Y-%m-%d %H:%M:%S} UTC{behind}."


def _check_interval(text: str) -> None:
    if len(text) > 12 or not MIN_INTERVAL_SECONDS <= int(text) <= MAX_INTERVAL_SECONDS:
        bounds = f"from {MIN_INTERVAL_SECONDS} to {MAX_INTERVAL_SECONDS} seconds"
        raise InvalidInputError(f"an interval is {bounds}, got {text[:20]}", field="rule", limit=MAX_INTERVAL_SECONDS, value=text[:20])


def _check_cron(text: str) -> None:
    fields = len(text.split())
    if fields != CRON_FIELDS:
        raise InvalidInputError(
            f"a cron line has five fields (minute hour day month weekday), got {fields}: {text[:60]!r}", field="rule", value=text[:60]
        )
    try:
        CronSim(text, datetime(2026, 1, 1, tzinfo=UTC))
    except (CronSimError, ValueError) as error:
        raise InvalidInputError(f"{text[:60]!r} is not a cron line: {error}", field="rule", value=text[:60]) from error


def _check_zone(timezone: str) -> str:
    try:
        return ZoneInfo(timezone).key
    except (KeyError, ValueError, OSError) as error:
        message = f"{timezone[:60]!r} is no time zone; names are those of IANA, for example Europe/Berlin"
        raise InvalidInputError(message, field="timezone", value=timezone[:60]) from error
