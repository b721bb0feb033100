"""What is kept of a caller's headers."""

import pytest

from execution_engine.core.trace import Trace, as_amzn_trace, is_correlation_id, read_amzn_trace, read_traceparent

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


AMZN = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


def test_awss_header_and_the_standards_are_the_same_content() -> None:
    assert read_amzn_trace(AMZN) == "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01"
    assert as_amzn_trace(read_amzn_trace(AMZN)) == AMZN
    assert as_amzn_trace(None) is None
    lineage = AMZN.replace("Sampled=1", "Sampled=0;Lineage=a87bd80c:1|68fd508a:5")
    assert as_amzn_trace(read_amzn_trace(lineage)) == AMZN.replace("Sampled=1", "Sampled=0")
    assert read_amzn_trace("Root=1-5759e988-bd862e3fe1be46a994272793") == "00-5759e988bd862e3fe1be46a994272793-5759e988bd862e3f-00"


@pytest.mark.parametrize("header", ["", ";;=", "Root=1-5759e988", AMZN.replace("5759e988", "5759e98g"), AMZN.replace("5399", "zzzz")])
def test_what_is_no_trace_of_aws_is_ignored(header: str) -> None:
    assert read_amzn_trace(header) is None
