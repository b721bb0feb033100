"""Who is asked, since when and until when, in the list of executions; and the search for those that wait for people."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from durable_ops.models import Approval, Assignee
from execution_engine.models import Execution, FunctionVersion
from execution_engine.selectors.executions import list_executions
from execution_engine.selectors.search import ExecutionFilters
from tests.durable_ops.dashboard.conftest import HTMX
from tests.durable_ops.dashboard.views.test_executions import PAGE, SIGN_IN, live_url
from tests.factories import ago, make_callback, make_execution

COLUMNS = "columns=asked,asked_since,decide_by"


def make_asked(version: FunctionVersion, *asked: tuple[str, str], execution: Execution | None = None, **fields: Any) -> Approval:
    """An execution that waits for these people, given by kind and name."""
    execution = execution or make_execution(version)
    operation = make_callback(execution, options={"approval": True})
    where = {"callback_id": operation.callback_id, "execution_id": execution.id, "operation_id": operation.id}
    approval = Approval.objects.create(**{**where, "name": "manager", "title": "Expense", "asked_at": ago(minutes=5), **fields})
    Assignee.objects.bulk_create(Assignee(approval=approval, kind=kind, name=name) for kind, name in asked)
    return approval


def cells(html: str) -> list[str]:
    """The texts of the three columns, row by row."""
    rows = html[html.index("<tbody>") : html.index("</tbody>")].split("<tr ")[1:]
    return ["|".join(part.split("</td>")[0].split(">", 1)[1] for part in row.split("<td ")[-3:]) for row in rows]


@pytest.mark.parametrize("rows", [1, 3])
def test_columns_cost_one_query_whatever_the_length(admin: Client, version: FunctionVersion, rows: int) -> None:
    for _ in range(rows):
        make_asked(version, ("group", "managers"), ("user", "ada"))
    with CaptureQueriesContext(connection) as queries:
        html = admin.get(f"/executions/?{COLUMNS}").content.decode()
    assert (html.count("group managers, ada"), len(queries)) == (rows, SIGN_IN + PAGE + 1)


def test_columns_say_whom_since_and_until(admin: Client, version: FunctionVersion) -> None:
    limited = make_asked(version, ("group", "managers"), ("permission", "shop.pay"), timeout=3600)
    make_asked(version, ("user", "later"), execution=Execution.objects.get(id=limited.execution_id), asked_at=ago(minutes=1))
    unlimited = make_asked(version, ("user", "<ada>"))
    html = admin.get(f"/executions/?{COLUMNS}").content.decode()
    found = dict(zip([unlimited.execution_id, limited.execution_id], cells(html), strict=True))
    asked, since, due = found[limited.execution_id].split("|")
    assert asked == 'group managers, whoever may shop.pay <span class="faint">and 1 more</span>'
    assert ("5 min ago" in since, "in 55 min" in due or "in 54 min" in due) == (True, True)
    assert found[unlimited.execution_id].startswith("&lt;ada&gt;|") and found[unlimited.execution_id].endswith("|no limit")


def test_what_is_over_is_not_asked_any_more(admin: Client, version: FunctionVersion) -> None:
    """The callback decides: an approval whose row is a moment behind shows nothing."""
    decided = make_asked(version, ("user", "ada"), closed_at=ago())
    late = make_asked(version, ("user", "bob"))
    with connection.cursor() as cursor:
        cursor.execute("update durable_operation set ended_at = now(), status = 'TIMED_OUT' where callback_id = %s", [late.callback_id])
    moved = make_asked(version, ("user", "eve"), ("user", "zoe"))
    moved.assignees.filter(name="eve").update(is_active=False)
    assert [cell.split("|")[0] for cell in cells(admin.get(f"/executions/?{COLUMNS}").content.decode())] == ["zoe", "–", "–"]
    assert decided.pk < late.pk < moved.pk


def test_live_list_tells_a_reassignment(admin: Client, version: FunctionVersion) -> None:
    approval = make_asked(version, ("user", "ada"))
    url = live_url(admin.get(f"/executions/?{COLUMNS}").content.decode())
    assert admin.get(url, headers=HTMX).status_code == 204
    approval.assignees.update(name="bob")
    assert "bob" in admin.get(url, headers=HTMX).content.decode()


@pytest.mark.parametrize("rows", [1, 3])
def test_search_for_pending_approvals_leaves_other_callbacks_out(version: FunctionVersion, rows: int) -> None:
    make_callback(make_execution(version, name="plain"))
    make_execution(version, name="ended", status="SUCCEEDED", ended_at=ago())
    for number in range(rows):
        make_asked(version, ("group", "managers"), execution=make_execution(version, name=f"e{number}"))
    with CaptureQueriesContext(connection) as queries:
        found = list_executions(ExecutionFilters(has_approval=True)).items
    assert sorted(one.name for one in found) == [f"e{number}" for number in range(rows)]
    assert len(queries) == 5  # workers, the look, executions, open operations, where the look ended


def test_console_and_rest_find_the_same(admin: Client, version: FunctionVersion) -> None:
    make_callback(make_execution(version, name="plain"))
    make_asked(version, ("group", "managers"), execution=make_execution(version, name="asked"))
    html = admin.get("/executions/?approval=1").content.decode()
    assert ("Select asked" in html, "Select plain" in html, "One waits for people" in html) == (True, False, True)
    assert [one["name"] for one in admin.get("/api/v1/executions?approval=1").json()["results"]] == ["asked"]
    assert admin.get("/api/v1/executions?approval=soon").json()["code"] == "invalid_input"
