"""When schedules fire, clock changes included: the expected moments are written out, in local time, from the rule in the module."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from execution_engine.core.calendar import MAX_INTERVAL_SECONDS, between, make_calendar
from execution_engine.core.errors import InvalidInputError

ANCHOR = datetime(2026, 1, 1, tzinfo=UTC)


def local(rule: str, zone: str, since: str, number: int) -> list[str]:
    """The next moments behind a local time, as local times with their offset."""
    start = datetime.fromisoformat(since).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    found = islice(make_calendar(rule, zone, ANCHOR).after(start), number)
    return [at.astimezone(ZoneInfo(zone)).strftime("%d %H:%M%z") for at in found]


@pytest.mark.parametrize(
    ("rule", "zone", "since", "expected"),
    [
        ("30 2 * * *", "Europe/Berlin", "2026-03-28 00:00", ["28 02:30+0100", "29 03:00+0200", "30 02:30+0200"]),
        ("0,30 2 * * *", "Europe/Berlin", "2026-03-28 12:00", ["29 03:00+0200", "30 02:00+0200", "30 02:30+0200"]),
        ("30 2 * * *", "Europe/Berlin", "2026-10-24 12:00", ["25 02:30+0200", "26 02:30+0100"]),
        ("*/30 * * * *", "Europe/Berlin", "2026-03-29 01:00", ["29 01:30+0100", "29 03:00+0200", "29 03:30+0200"]),
        ("0 * * * *", "Europe/Berlin", "2026-10-25 01:00", ["25 02:00+0200", "25 02:00+0100", "25 03:00+0100"]),
        ("0 9 * * 1-5", "America/New_York", "2026-11-20 08:00", ["20 09:00-0500", "23 09:00-0500"]),
        ("15 2 * * *", "Australia/Lord_Howe", "2026-10-03 12:00", ["04 02:30+1100", "05 02:15+1100"]),
        ("0 0 29 2 *", "UTC", "2026-01-01 00:00", ["29 00:00+0000"]),
    ],
)
def test_moments_of_a_cron_line(rule: str, zone: str, since: str, expected: list[str]) -> None:
    assert local(rule, zone, since, len(expected)) == expected


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "Pacific/Apia"])
@pytest.mark.parametrize("rule", ["30 2 * * *", "0 0 * * *", "45 1,2,3 * * *", "*/20 1-3 * * *", "0 3 1 * *", "0 * * * *", "15 1 * * 0"])
def test_one_by_one_backwards_and_at_once_are_the_same_moments(rule: str, zone: str) -> None:
    """A worker asks anew after each firing, and looks back after a down time: neither may lose or repeat one."""
    calendar, start = make_calendar(rule, zone, ANCHOR), datetime(2011, 12, 20, tzinfo=UTC)
    at_once = list(islice(calendar.after(start), 300))
    one_by_one, last = [], start
    for _ in range(300):
        last = next(calendar.after(last))
        one_by_one.append(last)
    assert at_once == one_by_one == sorted(set(at_once))
    assert list(islice(calendar.upto(at_once[-1]), 300)) == at_once[::-1]


def test_an_interval_counts_from_its_anchor_over_clock_changes() -> None:
    anchor = datetime(2026, 3, 28, 23, 30, 0, 123, tzinfo=UTC)
    calendar = make_calendar("3600", "Europe/Berlin", anchor)
    first = anchor.replace(microsecond=0)

    assert list(islice(calendar.after(anchor), 3)) == [first + timedelta(hours=n) for n in (1, 2, 3)]
    assert list(calendar.upto(first + timedelta(hours=2, minutes=59))) == [first + timedelta(hours=n) for n in (2, 1, 0)]
    assert next(calendar.after(first - timedelta(days=3))) == first


@pytest.mark.parametrize(
    ("rule", "zone", "words"),
    [
        ("", "UTC", "1 to 200"),
        ("9", "UTC", "from 10"),
        (str(MAX_INTERVAL_SECONDS + 1), "UTC", "from 10"),
        ("9" * 190, "UTC", "from 10"),
        ("* * * *", "UTC", "five fields"),
        ("* * * * * *", "UTC", "five fields"),
        ("61 * * * *", "UTC", "minute"),
        ("0 0 30 2 *", "UTC", "day-of-month"),
        ("x" * 500, "UTC", "1 to 200"),
        ("\u0663\u0660", "UTC", "five fields"),
        ("@daily", "UTC", "five fields"),
        ("0 0 * * *", "Mars/Olympus", "no time zone"),
        ("0 0 * * *", "../../etc/passwd", "no time zone"),
        ("0 0 * * *", "", "no time zone"),
        ("0 0 * * *", "Europe\x00", "no time zone"),
    ],
)
def test_what_is_no_rule_is_refused_in_words(rule: str, zone: str, words: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        make_calendar(rule, zone, ANCHOR)
    assert words in refused.value.message and refused.value.facts["field"] in ("rule", "timezone")


def test_a_range_holds_both_ends_and_says_when_it_is_too_long() -> None:
    calendar = make_calendar("0 * * * *", "UTC", ANCHOR)
    day = datetime(2026, 5, 1, tzinfo=UTC)

    assert len(between(calendar, day, day + timedelta(hours=4), 100)) == 5
    assert len(between(calendar, day, day + timedelta(days=30), 100)) == 101
