"""What people do: find, watch, decide, start, stop; with keys, and without script."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import QuerySet
from playwright.sync_api import Browser, Page, expect

from execution_engine.models import Execution, FunctionVersion
from execution_engine.services.executions import start_execution
from tests.durable_ops.journal import callback_row, open_callback, register_function
from tests.factories import ago, make_callback, make_execution, make_operation, make_version, make_worker

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def version(transactional_db: None) -> FunctionVersion:
    found = make_version()
    make_worker(found)
    return found


def change(execution: Execution, **fields: Any) -> None:
    QuerySet(Execution).filter(id=execution.id).update(**fields)


def test_list_follows_what_happens_without_losing_the_place(sign_in: Callable[..., Page], version: FunctionVersion) -> None:
    executions = [make_execution(version, name=f"expense-{number}") for number in range(40)]
    page = sign_in()
    page.evaluate("scrollTo({ top: 300, behavior: 'instant' })")
    row = page.get_by_role("link", name="expense-20", exact=True)
    row.focus()
    scrolled = page.evaluate("scrollY")
    change(executions[20], status="FAILED", ended_at=ago(), event_seq=9)
    expect(page.locator(f"#row-{executions[20].id}")).to_contain_text("Failed")
    expect(row).to_be_focused()
    assert page.evaluate("scrollY") == scrolled


def test_filters_live_in_the_address_and_back_works(sign_in: Callable[..., Page], version: FunctionVersion) -> None:
    for name in ("order-1", "order-2", "expense-1"):
        make_execution(version, name=name)
    page = sign_in()
    page.keyboard.press("/")
    page.keyboard.type("order")
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page).to_have_url(re.compile(r"/executions/\?q=order$"))
    page.get_by_role("link", name="order-2").click()
    expect(page.get_by_role("heading", name="order-2")).to_be_visible()
    page.go_back()
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page.get_by_placeholder("Name or id begins with…")).to_have_value("order")


def test_rows_are_reached_by_keys(sign_in: Callable[..., Page], version: FunctionVersion) -> None:
    for number in (2, 1):
        make_execution(version, name=f"expense-{number}", started_at=ago(seconds=number))
    page = sign_in()
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="expense-2")).to_be_focused()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_hidden()
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="expense-1")).to_be_visible()


def test_drawer_stays_open_while_the_page_refreshes(sign_in: Callable[..., Page], live_server: Any, version: FunctionVersion) -> None:
    execution = make_execution(version)
    make_operation(execution, status="SUCCEEDED", name="load", payload='{"html": "<img src=x onerror=alert(1)>"}')
    page = sign_in()
    page.goto(f"{live_server.url}/executions/{execution.id}/")
    expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible()
    page.get_by_role("link", name="load").click()
    drawer = page.get_by_role("complementary", name="load")
    expect(drawer).to_contain_text("<img src=x onerror=alert(1)>")
    expect(page).to_have_url(re.compile(r"\?operation="))
    make_callback(execution, "manager")
    change(execution, event_seq=5)
    expect(page.locator("header.head")).to_contain_text("Waiting for callback manager")
    expect(drawer).to_be_visible()
    page.reload()
    expect(drawer).to_be_visible()
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    expect(page).to_have_url(re.compile(r"/executions/[-0-9a-f]+/$"))


def test_bar_of_the_time_line_opens_its_operation(sign_in: Callable[..., Page], live_server: Any, version: FunctionVersion) -> None:
    execution = make_execution(version, status="SUCCEEDED", ended_at=ago())
    make_operation(execution, "WAIT", "SUCCEEDED", name="pause", started_at=ago(seconds=59), ended_at=ago(seconds=2))
    page = sign_in()
    page.goto(f"{live_server.url}/executions/{execution.id}/")
    bars = page.locator(".js-plotly-plot .points path")
    expect(bars).to_have_count(2)
    box = bars.last.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.get_by_role("complementary", name="pause")).to_be_visible()


def test_stop_asks_in_a_dialog_for_a_reason(sign_in: Callable[..., Page], live_server: Any) -> None:
    started = start_execution(register_function(), None, name="wrong")
    page = sign_in("operator")
    page.goto(f"{live_server.url}/executions/{started.id}/")
    page.get_by_role("link", name="Stop…").click()
    dialog = page.get_by_role("dialog", name="Stop this execution?")
    dialog.get_by_label("Reason").fill("wrong customer")
    dialog.get_by_role("button", name="Stop 1 execution").click()
    expect(page.locator(".head .state")).to_have_text("Stopped")
    expect(page.locator(".trouble")).to_contain_text("Stopped by operator: wrong customer")
    expect(page.get_by_role("status")).to_contain_text("Stopped.")


def test_start_form_checks_json_while_typing(sign_in: Callable[..., Page], live_server: Any) -> None:
    register_function()
    page = sign_in("operator")
    page.goto(f"{live_server.url}/executions/start/")
    page.get_by_label("Function").select_option("echo")
    expect(page.locator("#versions")).to_contain_text("Registered")
    editor = page.get_by_label("Input JSON")
    editor.fill('{"amount": 12')
    expect(page.locator("[data-json-state]")).to_have_class(re.compile("bad"))
    editor.fill('{"amount": 12}')
    expect(page.locator("[data-json-state]")).to_contain_text("Valid JSON, 14 bytes")
    page.get_by_role("button", name="Format").click()
    expect(editor).to_have_value('{\n  "amount": 12\n}')
    page.get_by_role("button", name="Start execution").click()
    expect(page.locator(".head")).to_contain_text("echo")
    assert Execution.objects.values_list("input", flat=True).get() == '{\n  "amount": 12\n}'.replace("\n", "\r\n")


def test_approver_decides_from_the_inbox_in_one_click(sign_in: Callable[..., Page], live_server: Any) -> None:
    callback_id = open_callback(start_execution(register_function(), None, name="expense-7").id)
    page = sign_in("approver")
    page.goto(f"{live_server.url}/callbacks/")
    page.get_by_placeholder("Comment (optional)").fill("fine")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Nothing waits for an answer")).to_be_visible()
    assert json.loads(callback_row(callback_id)["payload"]) == {"action": "approved", "by": "approver", "comment": "fine"}


def test_typed_comment_survives_the_arrival_of_another(sign_in: Callable[..., Page], live_server: Any, version: FunctionVersion) -> None:
    make_callback(make_execution(version), "first", started_at=ago(minutes=5))
    page = sign_in("approver")
    page.goto(f"{live_server.url}/callbacks/")
    page.get_by_placeholder("Comment (optional)").fill("half a sent")
    make_callback(make_execution(version), "older", started_at=ago(minutes=9))
    expect(page.locator(".callback")).to_have_count(2)
    card = page.locator(".callback").filter(has_text="first")
    expect(card.get_by_placeholder("Comment (optional)")).to_have_value("half a sent")


def test_reading_and_deciding_work_without_script(browser: Browser, sign_in: Callable[..., Page], live_server: Any) -> None:
    started = start_execution(register_function(), '{"amount": 9}', name="expense-7")
    callback_id = open_callback(started.id)
    cookies = sign_in("administrator").context.cookies()
    with browser.new_context(java_script_enabled=False) as context:
        context.add_cookies(cookies)
        page = context.new_page()
        page.goto(f"{live_server.url}/executions/")
        page.get_by_role("link", name="expense-7").click()
        page.get_by_role("link", name="Input and result").click()
        expect(page.locator(".payload-text")).to_contain_text('"amount": 9')
        page.goto(f"{live_server.url}/callbacks/{callback_id}/reject")
        page.get_by_label("Comment (optional)").fill("no receipt")
        page.get_by_role("button", name="Reject").click()
        expect(page.get_by_text("Nothing waits for an answer")).to_be_visible()
    assert json.loads(callback_row(callback_id)["payload"])["comment"] == "no receipt"


def test_lost_server_is_told_and_found_again(sign_in: Callable[..., Page], version: FunctionVersion, complaints: list[str]) -> None:
    make_execution(version)
    page = sign_in()
    page.route("**/executions/**", lambda route: route.abort())
    page.route("**/?seen=*", lambda route: route.abort())
    notice = page.get_by_text("The server cannot be reached.")
    expect(notice).to_be_visible()
    page.unroute_all()
    page.get_by_role("button", name="Retry").click()
    expect(notice).to_be_hidden()
    assert all("Failed to fetch" in text or "Failed to load" in text for text in complaints)
    complaints.clear()


def test_theme_is_kept(sign_in: Callable[..., Page]) -> None:
    page = sign_in()
    page.emulate_media(color_scheme="light")
    page.get_by_role("button", name="Theme: system").click()
    page.get_by_role("button", name="Theme: light").click()
    page.reload()
    expect(page.get_by_role("button", name="Theme: dark")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(14, 16, 19)"
