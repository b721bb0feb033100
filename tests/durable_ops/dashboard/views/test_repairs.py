"""Pause, resume, redrive and delete by hand: what is asked first, what happens, who may."""

from collections.abc import Callable
from uuid import UUID

import pytest
from django.test import Client

from durable_ops.models import AuditEntry
from execution_engine.models import Execution
from execution_engine.selectors.executions import get_payloads
from execution_engine.services.executions import start_execution, stop_execution
from tests.durable_ops.dashboard.conftest import HTMX
from tests.durable_ops.journal import open_callback, register_function

pytestmark = pytest.mark.django_db


@pytest.fixture
def started() -> UUID:
    return start_execution(register_function("echo"), '{"a": 1}', name="expense-7").id


@pytest.fixture
def stopped(started: UUID) -> UUID:
    open_callback(started)
    stop_execution(started)
    return started


def status_of(execution_id: UUID) -> str:
    return Execution.objects.values_list("status", flat=True).get(id=execution_id)


def test_pause_and_resume(admin: Client, started: UUID) -> None:
    assert "Pause this execution?" in admin.get(f"/executions/{started}/pause/", headers=HTMX).content.decode()
    assert admin.post(f"/executions/{started}/pause/", {"reason": "look first"}).status_code == 302
    assert status_of(started) == "PAUSED"
    html = admin.get(f"/executions/{started}/").content.decode()
    assert ("Paused" in html, "Resume…" in html, "Pause…" in html) == (True, True, False)
    assert admin.post(f"/executions/{started}/resume/").status_code == 302
    assert status_of(started) == "RUNNING"
    refused = admin.post(f"/executions/{started}/resume/")
    assert (refused.status_code, "not paused" in refused.content.decode()) == (409, True)
    entries = AuditEntry.objects.order_by("id").values_list("action", "reason")
    assert list(entries) == [("execution.pause", "look first"), ("execution.resume", "")]


def test_redrive_shows_the_plan_before_it_acts(admin: Client, stopped: UUID) -> None:
    html = admin.get(f"/executions/{stopped}/redrive/").content.decode()
    assert ("Asked again" in html or "Runs again" in html, "manager" in html) == (True, True)
    assert status_of(stopped) == "STOPPED"
    assert admin.post(f"/executions/{stopped}/redrive/", {"reason": " "}).status_code == 422
    assert admin.post(f"/executions/{stopped}/redrive/", {"reason": "was too early"}).status_code == 302
    assert status_of(stopped) == "RUNNING"
    assert "Redriven" in admin.get(f"/executions/{stopped}/").content.decode()
    assert AuditEntry.objects.values_list("action", "reason").get() == ("execution.redrive", "was too early")


def test_plan_follows_the_chosen_operation(admin: Client, stopped: UUID) -> None:
    html = admin.get(f"/executions/{stopped}/redrive/?from_operation=unknown", headers=HTMX).content.decode()
    assert ("has no such operation" in html, "<html" in html) == (True, False)


def test_redrive_replaces_the_input(admin: Client, stopped: UUID) -> None:
    assert admin.post(f"/executions/{stopped}/redrive/", {"reason": "typo", "input": "{nope"}).status_code == 422
    assert admin.post(f"/executions/{stopped}/redrive/", {"reason": "typo", "input": '{"a": 2}'}).status_code == 302
    assert get_payloads(stopped).input == '{"a": 2}'


def test_result_needs_an_operation(admin: Client, stopped: UUID) -> None:
    answer = admin.post(f"/executions/{stopped}/redrive/", {"reason": "r", "replaces_result": "on", "result": "1"})
    assert (answer.status_code, "Choose the operation" in answer.content.decode()) == (422, True)


def test_open_execution_is_not_redriven_or_deleted(admin: Client, started: UUID) -> None:
    assert admin.post(f"/executions/{started}/redrive/", {"reason": "r"}).status_code == 409
    assert admin.post(f"/executions/{started}/delete/", {"reason": "r"}).status_code == 409
    assert admin.get(f"/executions/{started}/redrive/").status_code == 200


def test_delete_removes_it_for_good(admin: Client, stopped: UUID) -> None:
    answer = admin.post(f"/executions/{stopped}/delete/", {"reason": "holds a secret"}, follow=True)
    assert answer.redirect_chain == [("/executions/", 302)]
    assert admin.get(f"/executions/{stopped}/").status_code == 404


@pytest.mark.parametrize(("role", "statuses"), [("viewer", [403, 403, 403, 403]), ("operator", [200, 200, 200, 403])])
def test_rights_decide_who_repairs(sign_in: Callable[[str], Client], stopped: UUID, role: str, statuses: list[int]) -> None:
    client = sign_in(role)
    assert [client.get(f"/executions/{stopped}/{what}/").status_code for what in ("pause", "resume", "redrive", "delete")] == statuses


def test_operator_may_not_replace_values(sign_in: Callable[[str], Client], stopped: UUID) -> None:
    client = sign_in("operator")
    assert "Repair values" not in client.get(f"/executions/{stopped}/redrive/").content.decode()
    assert client.post(f"/executions/{stopped}/redrive/", {"reason": "r", "input": "1"}).status_code == 403
    assert status_of(stopped) == "STOPPED"


def test_fork_starts_a_new_execution_with_what_was_done(admin: Client, stopped: UUID) -> None:
    assert "stays as it is" in admin.get(f"/executions/{stopped}/fork/").content.decode()
    answer = admin.post(f"/executions/{stopped}/fork/", {"name": "second-try", "input": '{"a": 2}', "reason": "other amount"})
    assert answer.status_code == 302
    forked = Execution.objects.get(name="second-try")
    assert answer["Location"] == f"/executions/{forked.id}/"
    assert (get_payloads(forked.id).input, status_of(stopped)) == ('{"a": 2}', "STOPPED")
    assert "Forked from" in admin.get(f"/executions/{forked.id}/").content.decode()
    refused = admin.post(f"/executions/{stopped}/fork/", {"from_operation": "unknown"})
    assert (refused.status_code, "has no such operation" in refused.content.decode()) == (400, True)


def test_audit_tab_tells_who_touched_it(admin: Client, sign_in: Callable[[str], Client], stopped: UUID) -> None:
    admin.post(f"/executions/{stopped}/redrive/", {"reason": "was <b>too</b> early"})
    html = admin.get(f"/executions/{stopped}/?tab=audit").content.decode()
    assert ("Redrive execution" in html, "was &lt;b&gt;too&lt;/b&gt; early" in html) == (True, True)
    assert 'href="?tab=audit"' not in sign_in("viewer").get(f"/executions/{stopped}/?tab=audit").content.decode()


def test_code_tab_shows_the_registered_source(admin: Client, started: UUID) -> None:
    html = admin.get(f"/executions/{started}/?tab=code").content.decode()
    assert "def echo" in html
