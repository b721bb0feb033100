from datetime import UTC, datetime, timedelta

from durable_ops.dashboard.charts.timeline import timeline_figure
from execution_engine.selectors.segments import Segment, SegmentKind
from execution_engine.selectors.timeline import Lane, Timeline

START = datetime(2026, 3, 1, tzinfo=UTC)


def segment(kind: SegmentKind, start: float, end: float) -> Segment:
    return Segment(kind, START + timedelta(seconds=start), START + timedelta(seconds=end))


def test_figure_has_a_trace_per_kind_and_text_for_names() -> None:
    lanes = (
        Lane("op-1", "<b>pay</b>", "STEP", "FAILED", 1, 2, (segment(SegmentKind.RETRY_WAIT, 1, 3), segment(SegmentKind.RUNNING, 3, 4))),
    )
    timeline = Timeline(START, START + timedelta(seconds=4), False, (segment(SegmentKind.RUNNING, 0, 4),), lanes, False)
    figure = timeline_figure(timeline, title="expense")
    begin = START.timestamp() * 1000
    assert [(trace["meta"], trace["y"], trace["base"], trace["x"]) for trace in figure["data"]] == [
        ("retrying", [1], [begin + 1000], [2000.0]),
        ("running", [0], [begin], [4000.0]),
        ("failed", [1], [begin + 3000], [1000.0]),
    ]
    assert figure["data"][2]["customdata"] == [["op-1", "&lt;b&gt;pay&lt;/b&gt; · 2 attempts", "failed 1 s"]]
    assert figure["rows"] == [{"label": "expense", "depth": 0}, {"label": "&lt;b&gt;pay&lt;/b&gt;", "depth": 2}]
    assert (figure["range"], figure["is_open"]) == ([begin, begin + 4000], False)
