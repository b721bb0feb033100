"""What people do on the pages beside the list and the detail: start by a form, make a key, give a role, filter the audit log."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from playwright.sync_api import Page, expect

from durable_ops.actions import api_keys
from execution_engine.models import Execution, FunctionVersion
from tests.durable_ops.journal import register_function
from tests.durable_ops.people import make_user
from tests.factories import ago, make_execution

pytestmark = pytest.mark.django_db(transaction=True)

SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "count": {"type": "integer"}, "size": {"enum": ["s", "l"]}, "fast": {"type": "boolean"}},
    "required": ["name"],
}


@pytest.fixture
def function(transactional_db: None) -> str:
    name = register_function("echo")
    QuerySet(FunctionVersion).filter(function=name).update(input_schema=json.dumps(SCHEMA))
    return name


def test_start_by_the_fields_of_the_function(sign_in: Callable[..., Page], live_server: Any, function: str) -> None:
    page = sign_in("operator")
    page.goto(f"{live_server.url}/functions/{function}/")
    page.get_by_role("link", name="Start…").click()
    page.get_by_label("name", exact=True).fill("Ada")
    page.get_by_label("count optional").fill("two")
    page.get_by_label("size optional").select_option("l")
    page.get_by_role("button", name="Start execution").click()
    expect(page.get_by_text("This must be a whole number.")).to_be_visible()
    page.get_by_label("count optional").fill("2")
    page.get_by_role("button", name="Start execution").click()
    expect(page.locator(".head")).to_contain_text("echo")
    text = Execution.objects.values_list("input", flat=True).get()
    assert json.loads(text or "") == {"name": "Ada", "count": 2, "size": "l", "fast": False}


def test_form_and_editor_hand_over_what_was_typed(sign_in: Callable[..., Page], live_server: Any, function: str) -> None:
    page = sign_in("operator")
    page.goto(f"{live_server.url}/executions/start/")
    page.get_by_label("Function").select_option(function)
    page.get_by_label("name", exact=True).fill("Ada")
    page.get_by_role("button", name="Edit as JSON").click()
    editor = page.get_by_label("Input JSON")
    expect(editor).to_have_value(re.compile('"name": "Ada"'))
    editor.fill('{"name": "Bea"}')
    page.get_by_role("button", name="Edit as form").click()
    expect(page.get_by_label("name", exact=True)).to_have_value("Bea")


def test_key_is_made_copied_once_and_revoked(sign_in: Callable[..., Page], live_server: Any) -> None:
    page = sign_in("viewer")
    page.goto(f"{live_server.url}/settings/")
    page.get_by_role("textbox", name="Name").fill("laptop")
    page.get_by_role("button", name="Make key").click()
    secret = page.locator("#new-key").inner_text()
    assert api_keys.find_key(secret) is not None
    page.reload()
    page.goto(f"{live_server.url}/settings/")
    expect(page.get_by_text(secret)).to_have_count(0)
    page.get_by_role("link", name="Revoke laptop").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke 1 key").click()
    expect(page.get_by_text("Revoked", exact=True).first).to_be_visible()


def test_role_is_given_with_a_reason(sign_in: Callable[..., Page], live_server: Any) -> None:
    person = make_user("viewer", "ada")
    page = sign_in()
    page.goto(f"{live_server.url}/settings/people/")
    page.get_by_role("link", name="ada").click()
    page.get_by_role("checkbox", name="Operator").check()
    page.get_by_label("Reason").fill("joins the night shift")
    page.get_by_role("button", name="Change 1 person").click()
    expect(page.get_by_role("status")).to_contain_text("ada was changed.")
    assert set(get_user_model().objects.get(pk=person.pk).groups.values_list("name", flat=True)) == {"viewer", "operator"}
    page.goto(f"{live_server.url}/audit/")
    page.locator("select[name=action]").select_option("person.change")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody")).to_contain_text("viewer → operator, viewer")
    expect(page).to_have_url(re.compile("action=person.change"))


def test_retention_is_tried_without_removing(sign_in: Callable[..., Page], live_server: Any, function: str) -> None:
    version = FunctionVersion.objects.get(function=function)
    for days in (1, 50):
        make_execution(version, status="SUCCEEDED", started_at=ago(days=days), ended_at=ago(days=days), retention_days=90)
    page = sign_in()
    page.goto(f"{live_server.url}/settings/retention/")
    page.get_by_label("Keep for (days)").fill("30")
    page.get_by_role("button", name="What would go?").click()
    expect(page.locator("#trial")).to_contain_text("1 execution")
    assert Execution.objects.count() == 2


def test_keys_lead_from_page_to_page(sign_in: Callable[..., Page], function: str) -> None:
    page = sign_in()
    for key, heading in (("f", "Functions"), ("o", "Overview"), ("c", "Pending callbacks"), ("e", "Executions")):
        page.keyboard.press("g")
        page.keyboard.press(key)
        expect(page.get_by_role("heading", level=1, name=heading)).to_be_visible()
        page.wait_for_load_state("load")
    page.keyboard.press("n")
    expect(page.get_by_role("heading", name="Start an execution")).to_be_visible()


def test_history_is_followed(sign_in: Callable[..., Page], live_server: Any, function: str) -> None:
    execution = make_execution(FunctionVersion.objects.get(function=function))
    page = sign_in()
    page.goto(f"{live_server.url}/executions/{execution.id}/?tab=history")
    page.get_by_label("Order").select_option("follow")
    expect(page).to_have_url(re.compile("order=follow"))
