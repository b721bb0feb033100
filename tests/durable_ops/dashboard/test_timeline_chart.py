"""The figure of a time line: few characters, names as text, what is slow, what can be opened."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from durable_ops.dashboard.charts.timeline import long_waits, timeline_figure
from execution_engine.selectors.segments import Segment, SegmentKind
from execution_engine.selectors.timeline import Lane, Timeline
from execution_engine.selectors.typical_durations import TypicalDuration

START = datetime(2026, 3, 1, tzinfo=UTC)


def segment(kind: SegmentKind, start: float, end: float) -> Segment:
    return Segment(kind, START + timedelta(seconds=start), START + timedelta(seconds=end))


def lane(name: str, *parts: Segment, **changes: Any) -> Lane:
    values = {"type": "STEP", "status": "SUCCEEDED", "depth": 0, "attempts": 1, **changes}
    return Lane(operation_id=values.pop("id", "a" * 64), title=name, segments=parts, **values)


def timeline(*lanes: Lane, seconds: float = 4) -> Timeline:
    return Timeline(START, START + timedelta(seconds=seconds), False, (segment(SegmentKind.RUNNING, 0, seconds),), lanes, None)


def test_figure_has_a_trace_per_kind_and_text_for_names() -> None:
    parts = (segment(SegmentKind.RETRY_WAIT, 1, 3), segment(SegmentKind.RUNNING, 3, 4))
    figure = timeline_figure(timeline(lane("<b>pay</b>", *parts, status="FAILED", attempts=2, depth=1)), title="expense", invocations=3)
    assert [(trace["meta"], trace["y"], trace["base"], trace["x"]) for trace in figure["data"]] == [
        ("retrying", [1], [1000.0], [2000.0]),
        ("running", [0], [0.0], [4000.0]),
        ("failed", [1], [3000.0], [1000.0]),
    ]
    assert (figure["label"], figure["depth"]) == (["expense", "&lt;b&gt;pay&lt;/b&gt;"], [0, 2])
    assert (figure["id"], figure["words"]) == (["", "a" * 16], {0: "3 invocations", 1: "2 attempts"})
    assert (figure["origin"], figure["end"], figure["is_open"]) == (START.timestamp() * 1000, 4000.0, False)


def test_a_step_that_took_longer_than_usual_is_called_slow() -> None:
    typical = {"pay": TypicalDuration(timedelta(seconds=1), timedelta(seconds=2), 40)}
    for seconds, expected in ((1.5, "pay"), (2.5, "pay · slow")):
        figure = timeline_figure(timeline(lane("pay", segment(SegmentKind.RUNNING, 0, seconds))), title="x", typical=typical)
        assert figure["label"][1] == expected
        assert figure["usual"] == {"pay": "usually 1 s, 95 % below 2 s"}


def test_a_closed_context_says_what_is_inside() -> None:
    closed = lane("customers", segment(SegmentKind.RUNNING, 0, 1), type="CONTEXT", inside=1000, failed_inside=3, is_closed=True)
    figure = timeline_figure(timeline(closed), title="x")
    assert figure["label"][1] == "▸ customers (1,000, 3 failed)"
    assert (figure["words"], figure["toggle"]) == ({1: "1,000 inside, 3 failed"}, {1: "a" * 64})


def test_long_waits_are_one_break_each_where_they_are_most_of_the_time() -> None:
    kinds = (SegmentKind.QUEUED, SegmentKind.RUNNING, SegmentKind.WAITING, SegmentKind.QUEUED, SegmentKind.RUNNING)

    def waits(*lengths: float) -> list[tuple[float, float]]:
        ends = [sum(lengths[: at + 1]) for at in range(len(lengths))]
        parts = [segment(kind, end - length, end) for kind, length, end in zip(kinds, lengths, ends, strict=True)]
        return long_waits(Timeline(START, START + timedelta(seconds=ends[-1]), False, tuple(parts), (), None))

    assert waits(1, 1, 96, 1, 1) == [(2_000.0, 99_000.0)]
    assert waits(1, 30, 38, 1, 30) == []
    assert waits(40, 1, 40, 0.5, 1) == [(0.0, 40_000.0), (41_000.0, 81_500.0)]


def test_two_thousand_rows_are_small() -> None:
    lanes = [lane(f"step {n}", segment(SegmentKind.RUNNING, n, n + 0.0123), id=f"{n:064x}") for n in range(2000)]
    assert len(json.dumps(timeline_figure(timeline(*lanes, seconds=2000), title="loop"))) < 130_000
