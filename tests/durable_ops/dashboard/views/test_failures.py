"""Why executions failed, in the list and in the header: what was raised, not what passed it on."""

import json
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from execution_engine.models import Execution, FunctionVersion
from tests.durable_ops.dashboard.views.test_executions import PAGE, SIGN_IN
from tests.factories import ago, make_event, make_execution, make_operation


def make_failed(version: FunctionVersion) -> Execution:
    def error(kind: str) -> str:
        return json.dumps({"ErrorMessage": "<b>no</b>", "ErrorType": kind})

    failed = make_execution(version, status="FAILED", ended_at=ago(), event_seq=9, error=error("execution_engine.sdk.errors.StepError"))
    charge = make_operation(failed, status="FAILED", name="charge", error=error("shop.CardDeclined"))
    make_event(failed, 7, "StepFailed", ago(), operation_id=charge.id)
    return failed


@pytest.mark.parametrize("rows", [1, 3])
def test_list_of_failures_says_why_by_one_query(admin: Client, version: FunctionVersion, rows: int) -> None:
    for _ in range(rows):
        make_failed(version)
    with CaptureQueriesContext(connection) as queries:
        html = admin.get("/executions/?state=failed").content.decode()
    assert html.count('title="shop.CardDeclined">CardDeclined</span> <span class="soft" title="&lt;b&gt;no&lt;/b&gt;">') == rows * 2
    assert len(queries) == SIGN_IN + PAGE + 1
    assert "CardDeclined" not in admin.get("/executions/").content.decode()[: html.index("Error contains")]


def test_errors_are_for_those_who_may_read_payloads(sign_in: Callable[[str], Client], version: FunctionVersion) -> None:
    make_failed(version)
    client = sign_in("approver")
    for columns in ("", "&columns=error"):
        html = client.get(f"/executions/?state=failed{columns}").content.decode()
        assert "shop.CardDeclined" not in html


def test_header_names_what_was_raised_and_where(admin: Client, version: FunctionVersion) -> None:
    failed = make_failed(version)
    for path in ("", "redrive/"):
        html = admin.get(f"/executions/{failed.id}/{path}").content.decode()
        assert 'title="shop.CardDeclined, passed on as execution_engine.sdk.errors.StepError">CardDeclined</strong> in <a href=' in html
