from datetime import UTC, datetime, timedelta

import pytest

from durable_ops.dashboard.formats import (
    age_text,
    coloured_json,
    duration_text,
    money_text,
    per_million_text,
    pretty_json,
    size_text,
    utc_text,
)
from durable_ops.dashboard.payloads import make_payload, read_error
from durable_ops.dashboard.wording import sentence

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"), (0, "0 ms"), (0.0004, "0.4 ms"), (0.85, "850 ms"), (0.9996, "1.00 s"), (1.24, "1.24 s"), (5, "5 s"), (41.26, "41.3 s"),
        (192, "3 min 12 s"), (7200, "2 h"), (7500, "2 h 5 min"), (363_600, "4 d 5 h"), (-3, "0 ms"),
    ],
)  # fmt: skip
def test_duration_has_units(seconds: float | None, text: str) -> None:
    assert duration_text(seconds) == text
    assert duration_text(None if seconds is None else timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(("number", "text"), [(None, "–"), (0, "0 B"), (999, "999 B"), (1234, "1.2 kB"), (6_291_456, "6.3 MB")])
def test_size_has_units(number: int | None, text: str) -> None:
    assert size_text(number) == text


def test_tiny_money_is_told_per_million() -> None:
    told = [per_million_text(amount) for amount in (None, 0, 0.000041, 0.0042, 0.01)]
    assert told == ["", "", "41.00 USD per million", "4,200.00 USD per million", ""]


@pytest.mark.parametrize(
    ("amount", "text"),
    [(None, "–"), (0, "0.00 USD"), (1204.5, "1,204.50 USD"), (0.5, "0.50 USD"), (0.0042, "0.0042 USD"), (0.000016667, "0.000017 USD")],
)
def test_money_shows_digits_that_tell_something(amount: float | None, text: str) -> None:
    assert money_text(amount) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "now"),
        (4, "4 s ago"),
        (-40, "in 40 s"),
        (90, "1 min ago"),
        (-90, "in 1 min 30 s"),
        (-599_000, "in 6 d 22 h"),
        (200_000, "2 d ago"),
    ],
)
def test_age_is_relative(seconds: int, text: str) -> None:
    assert age_text(NOW - timedelta(seconds=seconds), NOW) == text


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("the execution is not paused", "The execution is not paused."),
        ("A key must end in the future.", "A key must end in the future."),
        ("execution_timeout is from 1 to 31622400, got 0", "execution_timeout is from 1 to 31622400, got 0."),
        ("'* *' is not a cron line", "'* *' is not a cron line."),
        ("", ""),
    ],
)
def test_refusals_are_sentences(told: str, shown: str) -> None:
    assert sentence(told) == shown


def test_exact_time_is_utc() -> None:
    assert utc_text(NOW) == "2026-03-01 12:00:00.000 UTC"


def test_json_is_indented_and_never_markup() -> None:
    pretty = pretty_json('{"<b>":"</pre><script>alert(1)</script> 🎉","n":-1.5e3,"ok":true,"none":null}')
    assert pretty is not None
    shown = str(coloured_json(pretty))
    assert "<script>" not in shown
    assert '<span class="json-key">&quot;&lt;b&gt;&quot;</span>:' in shown
    assert '<span class="json-number">-1500.0</span>' in shown
    assert '<span class="json-word">true</span>' in shown
    assert "🎉" in shown


@pytest.mark.parametrize("text", ["not json", "[" * 100_000, '"' + "x" * 300_000 + '"'])
def test_what_is_no_readable_json_is_shown_as_it_is(text: str) -> None:
    payload = make_payload("result", "Result", text, "/raw/")
    assert payload is not None
    assert (payload.is_json, text.startswith(str(payload.shown)), payload.size) == (False, True, len(text))


def test_error_payload_is_read_as_an_error() -> None:
    text = '{"ErrorType": "ValueError", "ErrorMessage": "<b>no</b>", "StackTrace": ["line 1", "line 2"]}'
    payload = make_payload("error", "Error", text, "/raw/")
    assert payload is not None
    assert payload.error is not None
    assert (payload.error.type, payload.error.message, payload.shown) == ("ValueError", "<b>no</b>", "line 1\nline 2")


@pytest.mark.parametrize("text", [None, "", "x", "[1]", '{"StackTrace": 5}'])
def test_what_is_no_error_is_none(text: str | None) -> None:
    assert read_error(text) is None
