"""Redrive, fork and move show what would happen before it does; the deploy check shows what would break."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from durable_ops.models import AuditEntry
from execution_engine import DurableContext
from execution_engine.models import Execution, Operation
from execution_engine.sdk.definition import RegisteredFunction
from tests.durable_ops.dashboard.conftest import HTMX
from tests.durable_ops.people import make_user
from tests.durable_ops.versions import changed, id_of, load, loaded_versions, started

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def versions() -> Iterator[dict[str, RegisteredFunction]]:
    with loaded_versions() as found:
        yield found


@pytest.fixture
def waiting(versions: dict[str, RegisteredFunction]) -> UUID:
    return id_of(started(versions["1"]))


@pytest.fixture
def failed(versions: dict[str, RegisteredFunction]) -> UUID:
    execution = started(versions["1"])
    assert execution.run_until_complete() == "FAILED"
    return id_of(execution)


def version_of(execution_id: UUID) -> str:
    return str(Execution.objects.values_list("version", flat=True).get(id=execution_id))


def test_a_redrive_says_whether_the_code_fits_and_what_repeats(admin: Client, failed: UUID) -> None:
    html = admin.get(f"/executions/{failed}/redrive/").content.decode()
    assert "The code that is loaded here fits what is recorded." in html
    assert "May happen twice" in html and "load &amp; &lt;b&gt;" in html


def test_a_redrive_shows_what_an_edit_would_replace(admin: Client, sign_in: Callable[[str], Client], failed: UUID) -> None:
    operation = Operation.objects.filter(execution_id=failed, status="SUCCEEDED").first()
    assert operation is not None
    html = admin.get(f"/executions/{failed}/redrive/?from_operation={operation.id}").content.decode()
    assert "What an edit would replace" in html and "Result of load" in html
    assert "What an edit would replace" not in sign_in("operator").get(f"/executions/{failed}/redrive/").content.decode()


def test_a_redrive_names_what_diverges(admin: Client, failed: UUID, versions: dict[str, RegisteredFunction]) -> None:
    load(replace(versions["changed"], version="1"))
    html = admin.get(f"/executions/{failed}/redrive/", headers=HTMX).content.decode()
    assert "does not fit what is recorded" in html and "<html" not in html
    assert "STEP &#x27;load &amp; &lt;b&gt;&#x27;" in html and "STEP &#x27;fetch&#x27;" in html and f"{changed.__module__}:" in html


def test_a_fork_is_planned_with_the_code_of_its_version(admin: Client, failed: UUID) -> None:
    assert "fits what is recorded" in admin.get(f"/executions/{failed}/fork/").content.decode()
    assert "fits what is recorded" in admin.get(f"/executions/{failed}/fork/?version=fits", headers=HTMX).content.decode()
    assert "does not fit" in admin.get(f"/executions/{failed}/fork/?version=changed", headers=HTMX).content.decode()
    operation = Operation.objects.get(execution_id=failed, name="cool-off").id
    html = admin.get(f"/executions/{failed}/fork/?version=fits&from_operation={operation}", headers=HTMX).content.decode()
    assert "New work comes first: cool-off" in html
    assert "No worker has registered" in admin.get(f"/executions/{failed}/fork/?version=none", headers=HTMX).content.decode()


def test_a_move_that_fits(admin: Client, waiting: UUID) -> None:
    assert f"/executions/{waiting}/move/" in admin.get(f"/executions/{waiting}/").content.decode()
    html = admin.get(f"/executions/{waiting}/move/?version=fits").content.decode()
    assert "fits what is recorded" in html and "Still waits" in html
    assert admin.post(f"/executions/{waiting}/move/", {"version": "fits"}).status_code == 422
    assert version_of(waiting) == "1"
    assert admin.post(f"/executions/{waiting}/move/", {"version": "fits", "reason": "fixed"}).status_code == 302
    assert version_of(waiting) == "fits"
    entry = AuditEntry.objects.get(action="execution.move")
    assert (entry.reason, entry.facts["from_version"], entry.facts["to_version"], entry.facts["forced"]) == ("fixed", "1", "fits", False)


def test_a_move_that_does_not_fit_needs_force(admin: Client, waiting: UUID) -> None:
    refused = admin.post(f"/executions/{waiting}/move/", {"version": "changed", "reason": "hm"})
    assert (refused.status_code, "the code now asks for STEP" in refused.content.decode()) == (409, True)
    assert (version_of(waiting), AuditEntry.objects.filter(action="execution.move").count()) == ("1", 0)
    assert admin.post(f"/executions/{waiting}/move/", {"version": "changed", "reason": "hm", "force": "on"}).status_code == 302
    assert (version_of(waiting), AuditEntry.objects.get(action="execution.move").facts["verdict"]) == ("changed", "diverges")


def test_an_ended_one_is_not_moved(admin: Client, failed: UUID) -> None:
    assert "The execution is FAILED." in admin.get(f"/executions/{failed}/move/").content.decode()
    assert admin.post(f"/executions/{failed}/move/", {"version": "fits", "reason": "r"}).status_code == 409


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("approver", 403), ("operator", 200)])
def test_who_may_move(client: Client, waiting: UUID, role: str, status: int) -> None:
    client.force_login(make_user(role))
    assert client.get(f"/executions/{waiting}/move/").status_code == status


def test_the_deploy_check_names_what_would_break(admin: Client, waiting: UUID, versions: dict[str, RegisteredFunction]) -> None:
    assert "Every rehearsed execution fits this code." in admin.get("/deploy-check/").content.decode()
    load(replace(versions["changed"], version="1"))
    html = admin.get("/deploy-check/").content.decode()
    assert "1 of the rehearsed executions would not survive this code" in html
    assert f"/executions/{waiting}/" in html and "STEP &#x27;fetch&#x27;" in html


def test_the_deploy_check_with_nothing_open(admin: Client) -> None:
    assert "Nothing is open" in admin.get("/deploy-check/").content.decode()


def by_input(event: Any, context: DurableContext) -> None:
    context.step("fetch" if (event or {}).get("other") else "load & <b>", lambda: 1)
    context.wait("cool-off", 3600)
    context.step("pay", lambda: 1)


@pytest.mark.parametrize("act", ["redrive", "fork"])
def test_a_typed_input_is_rehearsed_before_it_is_used(
    admin: Client, failed: UUID, versions: dict[str, RegisteredFunction], act: str
) -> None:
    load(replace(versions["1"], handler=by_input))
    address = f"/executions/{failed}/{act}/"
    assert "fits what is recorded" in admin.post(address, {"plan": "1", "input": "{}"}, headers=HTMX).content.decode()
    assert "does not fit" in admin.post(address, {"plan": "1", "input": '{"other": true}'}, headers=HTMX).content.decode()
    assert "Not JSON" in admin.post(address, {"plan": "1", "input": "{no"}, headers=HTMX).content.decode()
    assert (Execution.objects.count(), Execution.objects.get().redrive_count) == (1, 0)
    operator = Client()
    operator.force_login(make_user("operator"))
    assert operator.post(address, {"plan": "1", "input": "{}"}, headers=HTMX).status_code == 403
