"""Whatever happened when: segments fill the wall time exactly, without gap and overlap."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from execution_engine.selectors.segments import Segment, SegmentKind, Span, clipped, execution_segments

START = datetime(2026, 1, 1, tzinfo=UTC)
moments = st.integers(min_value=-5_000, max_value=50_000).map(lambda milliseconds: START + timedelta(milliseconds=milliseconds))
spans = st.tuples(moments, moments).map(lambda pair: Span(min(pair), max(pair)))
wholes = st.integers(min_value=0, max_value=40_000).map(lambda length: Span(START, START + timedelta(milliseconds=length)))


def at(milliseconds: int) -> datetime:
    return START + timedelta(milliseconds=milliseconds)


def words(segments: list[Segment]) -> list[tuple[str, int, int]]:
    return [(str(one.kind), millis(one.start), millis(one.end)) for one in segments]


def millis(moment: datetime) -> int:
    return round((moment - START).total_seconds() * 1000)


@given(whole=wholes, invocations=st.lists(spans, max_size=8), waits=st.lists(spans, max_size=8), retries=st.lists(spans, max_size=8))
def test_segments_sum_to_wall_time(whole: Span, invocations: list[Span], waits: list[Span], retries: list[Span]) -> None:
    segments = execution_segments(whole, invocations, waits=waits, retries=retries)
    assert sum((one.duration for one in segments), timedelta()) == whole.end - whole.start
    assert [one.end for one in segments[:-1]] == [one.start for one in segments[1:]]
    assert all(one.duration > timedelta() for one in segments)
    if segments:
        assert (segments[0].start, segments[-1].end) == (whole.start, whole.end)


@given(whole=wholes, invocations=st.lists(spans, max_size=8), part=spans)
def test_clipped_segments_sum_to_the_part(whole: Span, invocations: list[Span], part: Span) -> None:
    segments = execution_segments(whole, invocations, waits=[], retries=[])
    found = clipped(segments, part)
    assert sum((one.duration for one in found), timedelta()) == (part.end - part.start if segments else timedelta())


def test_execution_waits_until_woken_and_is_queued_until_claimed() -> None:
    segments = execution_segments(
        Span(at(0), at(1000)), [Span(at(100), at(200)), Span(at(900), at(1000))], waits=[Span(at(150), at(700))], retries=[]
    )
    before, after = [("queued", 0, 100), ("running", 100, 200)], [("queued", 700, 900), ("running", 900, 1000)]
    assert words(segments) == [*before, ("waiting", 200, 700), *after]


def test_pause_before_the_next_attempt_is_no_wait() -> None:
    segments = execution_segments(
        Span(at(0), at(1000)), [Span(at(0), at(200)), Span(at(850), at(1000))], waits=[], retries=[Span(at(150), at(800))]
    )
    assert words(segments) == [("running", 0, 200), ("retry_wait", 200, 800), ("queued", 800, 850), ("running", 850, 1000)]


def test_open_execution_waits_to_its_end() -> None:
    segments = execution_segments(Span(at(0), at(900)), [Span(at(10), at(20))], waits=[Span(at(15), at(99_000))], retries=[])
    assert words(segments) == [("queued", 0, 10), ("running", 10, 20), ("waiting", 20, 900)]


def test_part_takes_the_kinds_of_the_whole() -> None:
    whole = [Segment(SegmentKind.RUNNING, at(0), at(100)), Segment(SegmentKind.WAITING, at(100), at(300))]
    assert words(clipped(whole, Span(at(50), at(250)))) == [("running", 50, 100), ("waiting", 100, 250)]
