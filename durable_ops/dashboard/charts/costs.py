"""Costs over time, stacked by function, as a Plotly figure."""

from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any

from durable_ops.costs.report import Report
from durable_ops.dashboard.formats import money_text

SHOWN = 7
"""Functions with a colour of their own; what is left shares the eighth."""

OTHERS = "others"


def costs_figure(report: Report) -> dict[str, Any]:
    """Stacked bars, one trace per function, the dearest at the bottom; `meta` names the series of the tokens, `text` the amount."""
    buckets = report.span.buckets
    times = [datetime.combine(bucket, time(), UTC).timestamp() * 1000 for bucket in buckets]
    traces = []
    for number, (name, functions) in enumerate(_groups(report), start=1):
        amounts = [sum((report.amounts.get((bucket, one), Decimal()) for one in functions), Decimal()) for bucket in buckets]
        traces.append(
            {
                "type": "bar",
                "meta": f"series-{number}",
                "name": name,
                "x": times,
                "y": [float(amount) for amount in amounts],
                "text": [money_text(amount) for amount in amounts],
            }
        )
    width = 86_400_000 * (30 if report.span.by_month else 1)
    return {"kind": "costs", "data": traces, "range": [times[0] - width / 2, times[-1] + width / 2], "by_month": report.span.by_month}


def costs_legend(report: Report) -> list[tuple[str, str]]:
    """Series and function, in the order of the traces."""
    return [(f"series-{number}", name) for number, (name, _) in enumerate(_groups(report), start=1)]


def _groups(report: Report) -> list[tuple[str, list[str]]]:
    names = [one.function for one in report.functions]
    groups = [(name, [name]) for name in names[:SHOWN]]
    return [*groups, (OTHERS, names[SHOWN:])] if names[SHOWN:] else groups
