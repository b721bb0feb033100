"""Start, stop and signal through the corridor; GET shows, POST acts."""

import json
from collections.abc import Callable
from uuid import uuid4

import pytest
from django.test import Client

from durable_ops.models import AuditEntry
from execution_engine.models import Execution, Signal
from execution_engine.selectors.executions import get_payloads
from tests.durable_ops.dashboard.conftest import HTMX
from tests.durable_ops.journal import register_function
from tests.factories import some_id

pytestmark = pytest.mark.django_db


@pytest.fixture
def function() -> str:
    return register_function("echo")


def start(client: Client, **fields: str) -> Execution:
    answer = client.post("/executions/start/", {"function": "echo", **fields})
    assert answer.status_code == 302
    return Execution.objects.get(id=answer["Location"].split("/")[2])


def test_start_keeps_the_input_as_typed_and_is_audited(admin: Client, function: str) -> None:
    execution = start(admin, input=' {"amount":  1.50} ', name="first", attributes="customer=42", version="1")
    assert (execution.name, execution.version, execution.attributes) == ("first", "1", {"customer": 42})
    assert execution.started_by == "administrator"
    assert get_payloads(execution.id).input == '{"amount":  1.50}'
    assert AuditEntry.objects.values_list("action", "actor", "channel").get() == ("execution.start", "administrator", "console")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"input": "{nope"}, "Not JSON"),
        ({"input": '{"a": NaN}'}, "NaN is no JSON value"),
        ({"input": '"\\u0000"'}, "NUL"),
        ({"function": "unknown"}, "Select a valid choice"),
        ({"function": ""}, "Choose a function."),
        ({"version": "9"}, "9"),
        ({"attributes": "customer"}, "key=value"),
        ({"name": "x" * 300}, "256"),
    ],
)
def test_bad_start_is_told_and_keeps_what_was_typed(admin: Client, function: str, fields: dict[str, str], words: str) -> None:
    answer = admin.post("/executions/start/", {"function": "echo", "input": '{"kept": 1}', **fields})
    assert (answer.status_code, words in answer.content.decode(), Execution.objects.count()) == (422, True, 0)
    assert ("kept" in answer.content.decode()) == ("input" not in fields)


def test_name_taken_by_another_input_is_refused(admin: Client, function: str) -> None:
    first = start(admin, name="once", input="1")
    assert start(admin, name="once", input="1").id == first.id
    assert admin.post("/executions/start/", {"function": "echo", "name": "once", "input": "2"}).status_code == 422
    assert Execution.objects.count() == 1


def test_start_again_offers_the_old_input(admin: Client, function: str) -> None:
    origin = start(admin, name="old", input='{"a":1}', attributes="customer=42")
    html = admin.get(f"/executions/start/?from={origin.id}").content.decode()
    assert ("Start again" in html, "&quot;a&quot;: 1" in html, "customer=42" in html) == (True, True, True)
    assert admin.get("/executions/start/?from=nonsense").status_code == 200


def test_versions_follow_the_chosen_function(admin: Client, function: str) -> None:
    html = admin.get("/executions/start/?function=echo", headers=HTMX).content.decode()
    assert ("Registered" in html, "<html" in html) == (True, False)


def test_no_function_yet_is_explained(admin: Client) -> None:
    assert "No function is known yet" in admin.get("/executions/start/").content.decode()


def test_stop_asks_for_a_reason_and_stops(admin: Client, function: str) -> None:
    execution = start(admin)
    address = f"/executions/{execution.id}/stop/"
    assert "Stop 1 execution" in admin.get(address, headers=HTMX).content.decode()
    assert admin.post(address, {"reason": " "}).status_code == 422
    assert admin.post(address, {"reason": "wrong customer"}).status_code == 302
    execution.refresh_from_db()
    assert execution.status == "STOPPED"
    assert json.loads(execution.error or "")["ErrorMessage"] == "Stopped by administrator: wrong customer"
    again = admin.post(address, {"reason": "twice"})
    assert (again.status_code, "STOPPED" in again.content.decode()) == (409, True)


def test_signal_is_kept_until_somebody_waits(admin: Client, function: str) -> None:
    execution = start(admin)
    address = f"/executions/{execution.id}/signal/"
    assert admin.post(address, {"name": "review", "payload": "{"}).status_code == 422
    assert admin.post(address, {"name": "review", "payload": '{"ok": true}'}).status_code == 302
    assert Signal.objects.values_list("name", "payload", "sent_by").get() == ("review", '{"ok": true}', "administrator")


@pytest.mark.parametrize("role", ["viewer", "approver"])
def test_only_operators_act(sign_in: Callable[[str], Client], admin: Client, function: str, role: str) -> None:
    execution = start(admin)
    client = sign_in(role)
    addresses = ["/executions/start/", f"/executions/{execution.id}/stop/", f"/executions/{execution.id}/signal/"]
    assert [client.post(address).status_code for address in addresses] == [403, 403, 403]
    html = client.get(f"/executions/{execution.id}/").content.decode()
    assert ("Stop…" in html, "Send signal" in html, "Start again" in html) == (False, False, False)


def test_unknown_execution_is_404(admin: Client) -> None:
    assert [admin.get(f"/executions/{some_id(3)}/{what}/").status_code for what in ("stop", "signal")] == [404, 404]
    assert admin.get(f"/executions/start/?from={uuid4()}").status_code == 200
