"""What both engines are given, and how figures are computed and printed: one JSON line each."""

import json
import statistics
import sys
from collections.abc import Sequence
from typing import Any

STEPS = 10
LONG_STEPS = 2_000

# 229 bytes of JSON: a small business record, as a step would return it.
PAYLOAD: dict[str, Any] = {
    "order": 123456,
    "status": "confirmed",
    "sku": "A-1002-XL",
    "qty": 3,
    "note": "x" * 110,
    "amount": 19.99,
    "tags": ["a", "b"],
}


def percentile(values: Sequence[float], percent: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(percent / 100 * (len(ordered) - 1)))]


def milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 3)


def latencies(values: Sequence[float]) -> dict[str, float]:
    return {f"p{percent}_ms": milliseconds(percentile(values, percent)) for percent in (50, 90, 99)}


def growth(moments: Sequence[float]) -> dict[str, float]:
    """Of the moments after each step: the median time of the first and of the last 200, and their ratio."""
    each = [later - earlier for earlier, later in zip(moments, moments[1:], strict=False)]
    first, last = statistics.mean(each[:200]), statistics.mean(each[-200:])
    return {"first_200_ms": milliseconds(first), "last_200_ms": milliseconds(last), "last_over_first": round(last / first, 3)}


def emit(system: str, workload: str, **figures: Any) -> None:
    sys.stdout.write(json.dumps({"system": system, "workload": workload, **figures}) + "\n")
    sys.stdout.flush()
