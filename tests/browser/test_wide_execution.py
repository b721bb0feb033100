"""Fifty thousand operations: the page stays small, the server reads a window, the browser draws at once."""

import gzip
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from playwright.sync_api import Page

from execution_engine.models import Execution
from tests.factories import ago, make_execution, make_version

pytestmark = pytest.mark.django_db(transaction=True)
OPERATIONS = 50_000
MOST_BYTES = 300_000
QUERIES = {"one after the other": 14, "a map": 15}

# One after the other, and as a map: a context per item with four steps inside, `parts` contexts in all.
FLAT = "select g, g as start, 'STEP' as type, null::text as sub_type, 'step-' || g as name, null::text as parent"
MAP = """
select g, g as start, case when g % 5 = 1 then 'CONTEXT' else 'STEP' end as type,
       case when g = 1 then 'Map' when g % 5 = 1 then 'MapIteration' end as sub_type,
       case when g = 1 then 'items' when g % 5 = 1 then 'item-' || g / 5 else 'step-' || g % 5 end as name,
       case when g = 1 then null when g % 5 = 1 then lpad('1', 64, '0') else lpad((g - (g - 1) % 5)::text, 64, '0') end as parent
"""
OPERATION = """
insert into durable_operation (execution_id, id, type, sub_type, name, parent_id, status, attempt, payload, replay_children, started_at,
                               ended_at, start_event)
select %(id)s, lpad(g::text, 64, '0'), type, sub_type, name, parent, 'SUCCEEDED', 1, '"done"', false,
       %(at)s + start * interval '10 ms', %(at)s + start * interval '10 ms' + interval '8 ms', start * 2
  from ({shape} from generate_series(1, %(count)s) g) shaped
"""
EVENT = """
insert into durable_event (execution_id, event_id, type, operation_id, at)
select %(id)s, n, case when n = 1 then 'ExecutionStarted' when n %% 2 = 0 then 'StepStarted' else 'StepSucceeded' end,
       case when n > 1 then lpad((n / 2)::text, 64, '0') end, %(at)s + n * interval '5 ms'
  from generate_series(1, %(count)s * 2 + 1) n
"""


@pytest.fixture(params=["one after the other", "a map"])
def wide(request: pytest.FixtureRequest, transactional_db: None) -> Execution:
    at = ago(minutes=30)
    fields = {"status": "SUCCEEDED", "started_at": at, "ended_at": ago(minutes=20), "event_seq": 2 * OPERATIONS + 1}
    execution = make_execution(make_version(), name="wide", **fields)
    shape = (FLAT if request.param == "one after the other" else MAP).replace("%", "%%")
    with connection.cursor() as cursor:
        for statement in (OPERATION.format(shape=shape), EVENT):
            cursor.execute(statement, {"id": execution.id, "at": at, "count": OPERATIONS})
        cursor.execute("analyze durable_operation, durable_event")
    return execution


def test_page_is_small_and_painted_at_once(
    sign_in: Callable[..., Page], live_server: Any, wide: Execution, figures: Callable[..., None]
) -> None:
    page = sign_in()
    found: dict[str, Any] = {}
    page.goto(f"{live_server.url}/executions/{wide.id}/")  # what is cold gets warm
    for tab in ("operations", "history"):
        page.goto(f"{live_server.url}/executions/{wide.id}/?tab={tab}", wait_until="load")
        page.locator(".plot svg").first.wait_for()
        painted = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        received = page.evaluate("performance.getEntriesByType('navigation')[0].responseEnd")
        body = page.context.request.get(page.url).body()
        found[tab] = {
            "bytes": len(body),
            "compressed": len(gzip.compress(body)),
            "first_paint_ms": round(painted),
            "server_and_wire_ms": round(received),
        }
    figures("50,000 operations", **found)
    assert {tab: one["bytes"] for tab, one in found.items() if one["bytes"] > MOST_BYTES} == {}


def test_a_window_is_read_and_no_more(
    client: Any, admin_user: Any, wide: Execution, request: pytest.FixtureRequest, django_assert_num_queries: Any
) -> None:
    client.force_login(admin_user)
    client.get(f"/executions/{wide.id}/")
    with django_assert_num_queries(QUERIES[request.node.callspec.params["wide"]]):
        client.get(f"/executions/{wide.id}/")
