"""Searches from an address: every key, every refusal, the same for console, REST and batches."""

from datetime import UTC, datetime, timedelta

import pytest

from durable_ops.permissions import ALL
from durable_ops.selectors.searches import KEYS, read_attributes, read_duration, read_search
from execution_engine.selectors.explain import StateCode
from execution_engine.selectors.search import ExecutionFilters
from tests.factories import some_id

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"


def test_every_key_narrows_by_itself() -> None:
    query = {
        "status": "failed", "state": "waiting_for_callback", "function": "f", "version": "2", "name": "n", "q": " a ",
        "attribute": "customer=42", "parent": str(some_id(1)), "started_from": "24h", "started_to": "2026-11-21T08:30",
        "ended_from": "2026-11-20", "ended_to": "2026-11-21T08:30:00+02:00", "longer": "90", "shorter": "1.5h", "error": "Declined",
        "callback": "1", "approval": "true", "origin": "forked", "correlation": "order-7", "trace": f"00-{TRACE_ID}-00f067aa0ba902b7-01",
    }  # fmt: skip
    wanted = ExecutionFilters(
        status="FAILED", state=StateCode.WAITING_FOR_CALLBACK, function="f", version="2", name="n", text="a", attributes={"customer": 42},
        parent_id=some_id(1), started_from=NOW - timedelta(hours=24), started_to=datetime(2026, 11, 21, 8, 30, tzinfo=UTC),
        ended_from=datetime(2026, 11, 20, tzinfo=UTC), ended_to=datetime(2026, 11, 21, 6, 30, tzinfo=UTC),
        longer_than=timedelta(seconds=90), shorter_than=timedelta(minutes=90), error="Declined", has_callback=True, is_forked=True,
        has_approval=True, correlation_id="order-7", trace_id=TRACE_ID,
    )  # fmt: skip
    assert set(query) == set(KEYS)
    read = read_search(query, ALL, NOW)
    assert (read.filters, read.problems) == (wanted, ())
    assert all(read_search({key: value}, ALL, NOW).is_narrow for key, value in query.items())


def test_empty_values_and_other_keys_narrow_nothing() -> None:
    assert not read_search(dict.fromkeys(KEYS, " ") | {"cursor": "x"}, ALL).is_narrow


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("status", "GONE", "There is no status “gone”"),
        ("state", "odd", "There is no state “odd”"),
        ("attribute", "customer", "not of the form key=value"),
        ("parent", "1", "no execution id"),
        ("trace", "1", "neither a trace id"),
        ("trace", f"00-{'0' * 32}-00f067aa0ba902b7-01", "neither a trace id"),
        ("started_from", "yesterday", "“yesterday” is no time"),
        ("started_to", "2026-02-30", "is no time"),
        ("ended_to", "12", "is no time"),
        ("ended_from", "9999999d", "is no time"),
        ("longer", "-1", "is no duration"),
        ("shorter", "2 moons", "is no duration"),
        ("callback", "perhaps", "callback is 1 or absent"),
        ("approval", "perhaps", "approval is 1 or absent"),
        ("origin", "heaven", "origin is redriven or forked"),
        ("q", "x" * 501, "at most 500 characters, not 501"),
    ],
)
def test_what_is_not_understood_is_told_and_narrows_nothing(key: str, value: str, words: str) -> None:
    read = read_search({key: value}, ALL, NOW)
    assert not read.is_narrow
    assert [problem.key for problem in read.problems] == [key]
    assert words in read.problems[0].text


def test_attribute_values_are_json_where_they_can_be() -> None:
    found = read_attributes('a=1, b=x=y, c="7",\n d=true, e={"x":1}, f=NaN')
    assert found == ({"a": 1, "b": "x=y", "c": "7", "d": True, "e": '{"x":1}', "f": "NaN"}, ())


@pytest.mark.parametrize(("text", "seconds"), [("250ms", 0.25), ("3", 3), ("10 min", 600), ("2h", 7200), ("1w", 604_800)])
def test_durations_have_units(text: str, seconds: float) -> None:
    assert read_duration(text).total_seconds() == seconds
