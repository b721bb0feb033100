"""Functions: how versions do, one function's page, the start form that its input type draws."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test import Client
from django.test.utils import CaptureQueriesContext

from execution_engine.models import Execution, FunctionVersion
from execution_engine.sdk import registry
from execution_engine.selectors.versions import version_stats
from tests.durable_ops.dashboard.conftest import HTMX
from tests.factories import ago, make_callback, make_execution, make_version

SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}, "count": {"type": "integer"}}, "required": ["name"]}


@pytest.fixture
def drawn(version: FunctionVersion) -> FunctionVersion:
    QuerySet(FunctionVersion).filter(id=version.id).update(input_schema=json.dumps(SCHEMA), source="def f(): ...", description="Pays")
    return version


def test_versions_show_how_they_did(admin: Client, version: FunctionVersion) -> None:
    for status in ("SUCCEEDED", "SUCCEEDED", "SUCCEEDED", "FAILED"):
        make_execution(version, status=status, started_at=ago(seconds=60), ended_at=ago(seconds=50))
    make_execution(version)
    stats = version_stats()[version.id]
    assert (stats.started, stats.succeeded, stats.failed, stats.success_rate) == (5, 3, 1, 0.75)
    assert "75 %" in admin.get("/functions/").content.decode()


@pytest.mark.parametrize("count", [1, 3])
def test_list_asks_the_same_whatever_the_number_of_functions(admin: Client, version: FunctionVersion, count: int) -> None:
    for number in range(count):
        make_execution(make_version(f"other-{number}"))
    with CaptureQueriesContext(connection) as queries:
        admin.get("/functions/")
    assert len(queries) == 4 + 5


def test_page_of_a_function_has_versions_input_code_and_executions(admin: Client, drawn: FunctionVersion) -> None:
    make_execution(drawn, name="expense-7")
    html = admin.get("/functions/expense-approval/").content.decode()
    assert ("Pays" in html, "expense-7" in html) == (True, True)
    assert "whole number" in admin.get("/functions/expense-approval/?tab=input").content.decode()
    assert "def f(): ..." in admin.get("/functions/expense-approval/?tab=code&version=1").content.decode()


def test_code_shows_what_would_differ_on_replay(admin: Client, drawn: FunctionVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_functions", dict(registry._functions))
    address = "/functions/expense-approval/?tab=code&version=1"
    assert "Nothing was found that would differ" in admin.get(address).content.decode()
    registry.register(lambda event, context: time.time(), name="reads-a-clock")
    make_version("reads-a-clock")
    html = admin.get("/functions/reads-a-clock/?tab=code").content.decode()
    assert ("durable.W001" in html, "context.now()" in html) == (True, True)
    make_version("only-elsewhere")
    assert "cannot judge it" in admin.get("/functions/only-elsewhere/?tab=code").content.decode()


@pytest.mark.parametrize("address", ["/functions/unknown/", "/functions/expense-approval/?version=9"])
def test_unknown_function_or_version_is_404(admin: Client, drawn: FunctionVersion, address: str) -> None:
    assert admin.get(address).status_code == 404


def test_start_form_shows_the_fields_of_the_chosen_function(admin: Client, drawn: FunctionVersion) -> None:
    html = admin.get("/executions/start/?function=expense-approval").content.decode()
    assert ('name="field-name"' in html, 'name="input"' in html) == (True, False)
    part = admin.get("/executions/start/?function=expense-approval", headers=HTMX).content.decode()
    assert ('name="field-count"' in part, "<html" in part) == (True, False)


def test_fields_make_the_input(admin: Client, drawn: FunctionVersion) -> None:
    typed = {"function": "expense-approval", "as": "form", "field-name": "Ada", "field-count": "2"}
    answer = admin.post("/executions/start/", typed)
    assert answer.status_code == 302
    assert json.loads(Execution.objects.values_list("input", flat=True).get() or "") == {"name": "Ada", "count": 2}


@pytest.mark.parametrize(("fields", "words"), [({"field-name": ""}, "This is needed."), ({"field-count": "x"}, "whole number")])
def test_wrong_field_starts_nothing(admin: Client, drawn: FunctionVersion, fields: dict[str, str], words: str) -> None:
    typed = {"function": "expense-approval", "as": "form", "field-name": "kept", "field-count": "2", **fields}
    answer = admin.post("/executions/start/", typed)
    assert (answer.status_code, words in answer.content.decode(), Execution.objects.count()) == (422, True, 0)


def test_form_and_editor_switch_without_starting(admin: Client, drawn: FunctionVersion) -> None:
    typed: dict[str, Any] = {"function": "expense-approval", "as": "form", "field-name": "Ada", "switch": "json"}
    html = admin.post("/executions/start/", typed).content.decode()
    assert "&quot;name&quot;: &quot;Ada&quot;" in html
    back = admin.post("/executions/start/", {"function": "expense-approval", "input": '{"name": "Bea"}', "switch": "form"})
    assert 'value="Bea"' in back.content.decode()
    other = admin.post("/executions/start/", {"function": "expense-approval", "input": '{"else": 1}', "switch": "form"})
    assert "The form cannot show this input" in other.content.decode()
    assert Execution.objects.count() == 0


def test_only_who_may_start_sees_the_buttons(sign_in: Callable[[str], Client], drawn: FunctionVersion) -> None:
    html = sign_in("viewer").get("/functions/").content.decode()
    assert "/executions/start/" not in html


def test_line_of_the_current_operation_is_marked(admin: Client, drawn: FunctionVersion) -> None:
    source = 'def f(event, context):\n    context.step("load", load)\n    context.create_callback("<b>")'
    QuerySet(FunctionVersion).filter(id=drawn.id).update(source=source)
    execution = make_execution(drawn)
    make_callback(execution, "<b>")
    html = admin.get(f"/executions/{execution.id}/?tab=code").content.decode()
    assert html.count("<mark>") == 1
    assert "<mark>    context.create_callback(&quot;&lt;b&gt;&quot;)</mark>" in html
