"""The logs tab, its search, and the lines beside a step."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from durable_ops.models import Protection
from execution_engine.journal import connections, logs
from execution_engine.journal.logs import Line
from execution_engine.models import FunctionVersion
from tests.durable_ops.api.conftest import Door
from tests.durable_ops.people import make_user
from tests.factories import ago, make_execution, make_operation, make_version

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def talkative(transactional_db: None) -> tuple[Any, Any]:
    version: FunctionVersion = make_version()
    execution = make_execution(version, status="SUCCEEDED", ended_at=ago())
    step = make_operation(execution, status="SUCCEEDED", name="charge", attempt=2)
    lines = [
        Line(execution.id, ago(seconds=9), "INFO", "stdout", "begins <b>now</b>"),
        Line(execution.id, ago(seconds=8), "WARNING", "shop", "the card is slow", step.id, 2),
        Line(execution.id, ago(seconds=7), "ERROR", "shop", "the card said no", step.id, 2),
    ]
    with connections.connect("test") as own:
        logs.keep(own, lines, 100)
    return execution, step


def client_of(role: str) -> Client:
    client = Client()
    client.force_login(make_user(role))
    return client


def test_tab_shows_lines_with_their_step_and_searches(talkative: tuple[Any, Any]) -> None:
    execution, _ = talkative
    operator = client_of("operator")
    html = operator.get(f"/executions/{execution.id}/?tab=logs").content.decode()
    assert [text for text in ("begins &lt;b&gt;now", "the card is slow", ">charge</a>", "attempt 2") if text not in html] == []
    found = operator.get(f"/executions/{execution.id}/?tab=logs&text=CARD&level=ERROR").content.decode()
    assert ("said no" in found, "is slow" in found) == (True, False)
    assert "No line matches" in operator.get(f"/executions/{execution.id}/?tab=logs&text=nothing").content.decode()


def test_drawer_has_the_lines_of_its_step(talkative: tuple[Any, Any]) -> None:
    execution, step = talkative
    html = client_of("operator").get(f"/executions/{execution.id}/operations/{step.id}/").content.decode()
    assert ("the card said no" in html, "begins" in html) == (True, False)


def test_lines_need_the_right_to_read_payloads(talkative: tuple[Any, Any]) -> None:
    execution, step = talkative
    approver = client_of("approver")
    assert "said no" not in approver.get(f"/executions/{execution.id}/?tab=logs").content.decode()
    assert "said no" not in approver.get(f"/executions/{execution.id}/operations/{step.id}/").content.decode()


def test_rest_lists_lines_and_ends_of_operations(talkative: tuple[Any, Any]) -> None:
    execution, step = talkative
    door = Door(make_user("operator"))
    first = door.get(f"/executions/{execution.id}/logs?limit=2").json()
    assert [line["message"] for line in first["results"]] == ["begins <b>now</b>", "the card is slow"]
    assert "cursor=" in first["next"]
    found = door.get(f"/executions/{execution.id}/logs?operation={step.id}&level=ERROR").json()["results"]
    assert [(line["message"], line["attempt"], line["operation_id"]) for line in found] == [("the card said no", 2, step.id)]
    (ended,) = door.get(f"/executions/{execution.id}/logs?kind=operations").json()["results"]
    assert (ended["name"], ended["attempts"], ended["status"], ended["duration"] > 0) == ("charge", 2, "SUCCEEDED", True)


def test_lines_are_not_found_by_what_is_masked_in_them(talkative: tuple[Any, Any]) -> None:
    execution, _ = talkative
    Protection.objects.create(pattern="*", masked=["iban"])
    with connections.connect("test") as own:
        logs.keep(own, [Line(execution.id, ago(seconds=6), "INFO", "shop", 'paid {"iban": "DE12", "id": 7}')], 100)
    operator = client_of("operator")
    door = Door(get_user_model().objects.get())
    for text, is_found in (("paid", True), ("DE12", False)):
        html = operator.get(f"/executions/{execution.id}/?tab=logs&text={text}").content.decode()
        lines = [line["message"] for line in door.get(f"/executions/{execution.id}/logs?text={text}").json()["results"]]
        assert ("paid" in html, lines) == (is_found, ['paid {"iban": •••, "id": 7}'] if is_found else [])


@pytest.mark.parametrize("query", ["kind=x", "level=LOUD", "limit=0", "cursor=a", "text=%00"])
def test_bad_queries_are_refused(talkative: tuple[Any, Any], query: str) -> None:
    assert Door(make_user("operator")).get(f"/executions/{talkative[0].id}/logs?{query}").status_code == 400
