"""Executions per span of time and how long they took, as Plotly figures."""

from collections.abc import Sequence
from typing import Any

from durable_ops.dashboard.formats import duration_text
from execution_engine.selectors.activity import Bucket


def activity_figure(buckets: Sequence[Bucket]) -> dict[str, Any]:
    """Stacked bars, one trace per outcome; `meta` names the tone, `customdata` the word."""
    outcomes = (("succeeded", "succeeded"), ("failed", "failed"), ("stopped", "stopped"), ("open", "running"))
    times = [bucket.at.timestamp() * 1000 for bucket in buckets]
    words = {"open": "still open"}
    traces = [
        {"type": "bar", "meta": tone, "x": times, "y": counts, "name": words.get(name, name)}
        for name, tone in outcomes
        if any(counts := [getattr(bucket, name) for bucket in buckets])
    ]
    return {"kind": "activity", "data": traces, "range": [times[0], times[-1] + _width(times)]}


def latency_figure(buckets: Sequence[Bucket]) -> dict[str, Any]:
    """Median and 95th percentile in seconds on a logarithmic axis; `text` says them in words."""
    times = [bucket.at.timestamp() * 1000 for bucket in buckets]
    traces = []
    for name, tone in (("p95", "retrying"), ("p50", "running")):
        values = [getattr(bucket, name) for bucket in buckets]
        seconds = [max(value.total_seconds(), 0.001) if value is not None else None for value in values]
        if any(value is not None for value in seconds):
            words = [duration_text(value) for value in values]
            traces.append({"type": "scatter", "meta": tone, "x": times, "y": seconds, "text": words, "name": name})
    return {"kind": "latency", "data": traces, "range": [times[0], times[-1] + _width(times)]}


def _width(times: Sequence[float]) -> float:
    return times[1] - times[0] if len(times) > 1 else 0.0
