from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.core.cache import cache

from execution_engine.core.limits import Limits
from execution_engine.selectors.activity import EPOCH, activity, failure_groups, oldest_due
from execution_engine.services.limits import set_limits
from tests.factories import ago, make_execution, make_version

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def test_buckets_count_outcomes_and_durations(django_assert_num_queries: Any) -> None:
    version = make_version()
    started_at = ago(hours=2)
    for seconds in (1, 2, 3):
        make_execution(version, status="SUCCEEDED", started_at=started_at, ended_at=started_at + timedelta(seconds=seconds))
    make_execution(version, status="TIMED_OUT", started_at=started_at, ended_at=started_at + timedelta(seconds=2))
    make_execution(version, started_at=started_at)
    make_execution(version, started_at=ago(hours=30))
    with django_assert_num_queries(1):
        buckets = activity(24 * HOUR, HOUR)
    found = next(bucket for bucket in buckets if bucket.at <= started_at < bucket.at + HOUR)
    assert (found.succeeded, found.failed, found.stopped, found.open) == (3, 1, 0, 1)
    assert found.p50 == timedelta(seconds=2)
    assert sum(bucket.succeeded + bucket.failed + bucket.open for bucket in buckets) == 5


def test_buckets_are_without_gap_and_stay_where_they_are() -> None:
    buckets = activity(24 * HOUR, HOUR)
    assert len(buckets) == 25
    assert {after.at - before.at for before, after in pairwise(buckets)} == {HOUR}
    assert (buckets[0].at - EPOCH) % HOUR == timedelta()
    assert {(bucket.succeeded, bucket.p50) for bucket in buckets} == {(0, None)}


def test_only_what_may_have_changed_is_counted_again(django_assert_num_queries: Any) -> None:
    version = make_version()
    make_execution(version, started_at=ago(hours=5))
    first = activity(24 * HOUR, HOUR)
    make_execution(version, started_at=ago(hours=5))
    make_execution(version, started_at=ago(seconds=0))
    with django_assert_num_queries(1):
        again = activity(24 * HOUR, HOUR)
    assert sum(bucket.open for bucket in again) == sum(bucket.open for bucket in first) + 1
    cache.clear()
    assert sum(bucket.open for bucket in activity(24 * HOUR, HOUR)) == 3


def test_failures_are_grouped_by_function_and_error(django_assert_num_queries: Any) -> None:
    version = make_version()
    for error in ('{"ErrorMessage": "a", "ErrorType": "shop.CardDeclined"}', '{"ErrorType":"shop.CardDeclined"}', "no json", None):
        make_execution(version, status="FAILED", ended_at=ago(), error=error)
    make_execution(version, status="TIMED_OUT", ended_at=ago())
    make_execution(version, status="FAILED", ended_at=ago(), started_at=ago(hours=30))
    with django_assert_num_queries(1):
        groups = failure_groups(24 * HOUR)
    assert sorted((group.error_type, group.count) for group in groups) == [("Timed out", 1), ("Unknown error", 2), ("shop.CardDeclined", 2)]


def test_failures_say_the_beginning_of_the_latest_message() -> None:
    version = make_version()
    half = '{"ErrorType": "E", "ErrorMessage": "' + "x" * 199 + '\\ud83d\\ude00"}'
    for name, error in (("cut", half), ("plain", '{"ErrorType":"P","ErrorMessage":"a \\"b\\"\\n\\u00e9"}'), ("none", "no json")):
        make_execution(version, name=name, status="FAILED", ended_at=ago(), error=error)
    messages = sorted(group.message for group in failure_groups(24 * HOUR))
    assert messages == ["", 'a "b"\né', "x" * 199]


def test_oldest_due_is_what_waits_longest_for_a_worker() -> None:
    version = make_version()
    assert oldest_due([version.pk]) is None
    oldest = make_execution(version, due_at=ago(seconds=50))
    make_execution(version, due_at=ago(seconds=5))
    make_execution(version, due_at=ago(seconds=-5))
    assert oldest_due([version.pk]) == oldest.due_at


def test_what_nobody_serves_makes_no_queue_late() -> None:
    served, stranded = make_version(), make_version(version="9")
    make_execution(stranded, due_at=ago(hours=2))
    assert oldest_due([served.pk]) is None
    assert oldest_due([]) is None


def test_what_a_limit_may_hold_makes_no_queue_late() -> None:
    version = make_version()
    make_execution(version, due_at=ago(hours=2))
    set_limits(version.function, Limits(concurrency=1))
    assert oldest_due([version.pk]) is None
