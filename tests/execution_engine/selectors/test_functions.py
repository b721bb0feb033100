from typing import Any
from uuid import uuid4

import pytest

from execution_engine.selectors.events import list_event_rows
from execution_engine.selectors.explain import StateCode
from execution_engine.selectors.functions import function_names, function_versions, list_functions
from execution_engine.selectors.overview import overview
from execution_engine.selectors.workers import live_workers
from tests.factories import ago, make_callback, make_event, make_execution, make_operation, make_version, make_worker

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("rows", [1, 3])
def test_functions_ask_three_queries(rows: int, django_assert_num_queries: Any) -> None:
    for number in range(rows):
        make_execution(make_version(f"f{number}"))
    with django_assert_num_queries(3):
        assert [one.name for one in list_functions()] == [f"f{number}" for number in range(rows)]


def test_version_counts_what_is_open_and_who_serves() -> None:
    old, new = make_version(version="1"), make_version(version="2")
    make_worker(new)
    make_execution(old)
    make_execution(old, claim_id=uuid4())
    make_execution(old, status="FAILED", ended_at=ago())
    newest, oldest = list_functions()[0].versions
    assert (newest.version, newest.workers, newest.is_stranded) == ("2", 1, False)
    assert (oldest.in_flight, oldest.waiting, oldest.workers, oldest.is_stranded) == (1, 1, 0, True)
    assert (function_names(), function_versions("expense-approval")) == (["expense-approval"], ["2", "1"])


def test_only_workers_seen_lately_live() -> None:
    alive = make_worker(seen_at=ago(seconds=10))
    make_worker(seen_at=ago(seconds=40))
    assert [one.boot_id for one in live_workers()] == [alive.boot_id]


def test_overview_counts_by_derived_state(django_assert_num_queries: Any) -> None:
    version = make_version()
    make_worker(version)
    make_callback(make_execution(version))
    make_execution(version, due_at=ago(seconds=1))
    make_execution(version, status="FAILED", ended_at=ago())
    with django_assert_num_queries(3):
        found = overview()
    counted = {code: number for code, number in found.counts.items() if number}
    assert counted == {StateCode.WAITING_FOR_CALLBACK: 1, StateCode.QUEUED: 1, StateCode.FAILED: 1}
    assert (found.total, found.estimated, len(found.workers)) == (3, frozenset(), 1)


def test_events_by_page_type_and_order(django_assert_num_queries: Any) -> None:
    execution = make_execution(make_version())
    step = make_operation(execution, name="load")
    make_event(execution, 1, "ExecutionStarted", ago(seconds=9))
    make_event(execution, 2, "StepStarted", ago(seconds=8), operation_id=step.id, payload="never read")
    make_event(execution, 3, "StepSucceeded", ago(seconds=7), operation_id=step.id, details={"RetryDetails": {"CurrentAttempt": 1}})
    with django_assert_num_queries(2):
        page = list_event_rows(execution.id, limit=2)
    assert ([one.event_id for one in page.items], page.next_after) == ([1, 2], 2)
    assert [one.operation_title for one in page.items] == [None, "load"]
    newest = list_event_rows(execution.id, newest_first=True, kind="StepSucceeded")
    assert [(one.event_id, one.details) for one in newest.items] == [(3, {"RetryDetails": {"CurrentAttempt": 1}})]
    assert [one.event_id for one in list_event_rows(execution.id, after=2).items] == [3]
