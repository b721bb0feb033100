"""What is kept of a caller's headers."""

import pytest

from execution_engine.core.trace import Trace, is_correlation_id, read_traceparent

TRACE_ID, SPAN_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE_ID}-{SPAN_ID}-01"


def test_a_good_header_is_kept_as_it_is() -> None:
    assert read_traceparent(f" {GOOD} ") == GOOD
    assert Trace(GOOD).trace_id == TRACE_ID
    assert Trace().trace_id is None


def test_of_a_later_version_the_known_fields_are_kept() -> None:
    assert read_traceparent(f"cc-{TRACE_ID}-{SPAN_ID}-01-what-the-future-brings") == GOOD


@pytest.mark.parametrize(
    "header",
    ["", "x", GOOD.upper(), GOOD + "-more", "ff" + GOOD[2:], f"00-{'0' * 32}-{SPAN_ID}-01", f"00-{TRACE_ID}-{'0' * 16}-01", GOOD[:-1]],
)
def test_others_are_ignored(header: str) -> None:
    assert read_traceparent(header) is None


@pytest.mark.parametrize(
    ("text", "is_good"), [("order-7", True), ("x" * 128, True), ("x" * 129, False), ("", False), ("a b", False), ("é", False)]
)
def test_correlation_ids_are_visible_ascii(text: str, is_good: bool) -> None:
    assert is_correlation_id(text) is is_good
