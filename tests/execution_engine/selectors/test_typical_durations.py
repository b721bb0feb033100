"""How long steps typically take, from executions of the same version that succeeded."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from execution_engine.selectors.typical_durations import FEWEST_SAMPLES, typical_durations
from tests.factories import make_execution, make_operation, make_version

pytestmark = pytest.mark.django_db
START = datetime(2026, 3, 1, tzinfo=UTC)


def ran(version: Any, seconds: float, *, status: str = "SUCCEEDED") -> None:
    execution = make_execution(version, status=status, ended_at=START)
    make_operation(execution, status="SUCCEEDED", name="pay", started_at=START, ended_at=START + timedelta(seconds=seconds))


def test_median_and_95th_percentile_by_name() -> None:
    version = make_version()
    for seconds in range(1, 22):
        ran(version, seconds)
    ran(version, 1000, status="FAILED")
    found = typical_durations(version.function, version.version, ["pay", "ship"])
    assert list(found) == ["pay"]
    assert (found["pay"].p50.total_seconds(), found["pay"].p95.total_seconds(), found["pay"].count) == (11, 20, 21)


def test_of_too_few_nothing_is_said(django_assert_num_queries: Any) -> None:
    version = make_version()
    for _ in range(FEWEST_SAMPLES - 1):
        ran(version, 1)
    with django_assert_num_queries(1):
        assert typical_durations(version.function, version.version, ["pay"]) == {}
    with django_assert_num_queries(0):
        assert typical_durations(version.function, version.version, []) == {}
