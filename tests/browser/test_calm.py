"""Pages stay still while they live, are light, and lead from red to running in few clicks."""

import gzip
from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import QuerySet
from playwright.sync_api import Page, expect

from execution_engine.models import Execution
from tests.browser import corpus
from tests.factories import ago, make_callback, make_execution, make_operation, make_version, make_worker

pytestmark = pytest.mark.django_db(transaction=True)

LARGEST_SHIFT = 0.02
LARGEST_PAGE = 150_000
LARGEST_CLICKS = 4
MEASURE = """
window.shift = 0;
new PerformanceObserver((list) => list.getEntries().forEach((entry) => { if (!entry.hadRecentInput) window.shift += entry.value; }))
  .observe({ type: "layout-shift", buffered: true });
"""
COUNT_CLICKS = "addEventListener('click', () => sessionStorage.setItem('clicks', 1 + Number(sessionStorage.getItem('clicks'))), true);"


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_moves_while_pages_live(sign_in: Callable[..., Page], live_server: Any, width: int) -> None:
    version = make_version()
    make_worker(version)
    executions = [make_execution(version, name=f"expense-{number}") for number in range(30)]
    make_operation(executions[0], status="SUCCEEDED", name="load")
    page = sign_in()
    page.set_viewport_size({"width": width, "height": 844})
    page.add_init_script(MEASURE)
    shifts = {}
    for number, address in enumerate(("/", f"/executions/{executions[0].id}/", "/overview/")):
        page.goto(live_server.url + address)
        page.wait_for_load_state("load")
        with page.expect_response(lambda answer: "seen=" in answer.url and answer.status == 200):
            QuerySet(Execution).filter(id=executions[0].id).update(event_seq=50 + number, status_text=f"step {number}")
            make_callback(make_execution(version, name=f"new-{number}", due_at=ago()), f"manager-{number}")
        page.wait_for_timeout(300)
        shifts[address] = page.evaluate("window.shift")
    assert {address: shift for address, shift in shifts.items() if shift > LARGEST_SHIFT} == {}


def test_pages_are_light(sign_in: Callable[..., Page], live_server: Any) -> None:
    waiting = corpus.fill()
    page = sign_in()
    weights: dict[str, int] = {}
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(request.url))
    for address in ("/", "/overview/", f"/executions/{waiting.id}/", "/callbacks/", "/functions/", "/audit/", "/settings/"):
        asked.clear()
        page.goto(live_server.url + address)
        page.wait_for_load_state("load")
        parts = {url for url in asked if "plotly" not in url and "seen=" not in url}
        weights[address] = sum(len(gzip.compress(page.context.request.get(url).body())) for url in parts)
    assert {address: weight for address, weight in weights.items() if weight > LARGEST_PAGE} == {}
    assert min(weights.values()) > 50_000, "not everything was read"


def test_from_red_to_running_in_four_clicks(sign_in: Callable[..., Page], live_server: Any) -> None:
    make_worker(make_version())
    failed = corpus.failed_for_real()
    page = sign_in("operator")
    page.add_init_script(COUNT_CLICKS)
    page.goto(f"{live_server.url}/overview/")
    page.get_by_role("region", name="Needs attention").get_by_role("link", name="Latest").click()
    page.get_by_role("link", name="Redrive…").click()
    page.get_by_label("Reason").fill("the card company is back")
    page.get_by_role("button", name="Redrive 1 execution").click()
    expect(page.locator(".head .state")).not_to_contain_text("Failed")
    assert Execution.objects.values_list("status", flat=True).get(id=failed.id) == "RUNNING"
    assert 0 < page.evaluate("Number(sessionStorage.getItem('clicks'))") <= LARGEST_CLICKS


def test_failed_request_is_told_and_tried_again(sign_in: Callable[..., Page], live_server: Any, complaints: list[str]) -> None:
    make_worker(make_version())
    page = sign_in()
    page.goto(f"{live_server.url}/audit/")
    page.route("**/audit/?**", lambda route: route.abort())
    page.get_by_placeholder("Who, object id or reason…").fill("nobody")
    notice = page.get_by_text("The server cannot be reached.")
    expect(notice).to_be_visible()
    page.unroute_all()
    page.get_by_role("button", name="Retry").click()
    expect(page.get_by_text("No entry matches")).to_be_visible()
    expect(notice).to_be_hidden()
    expect(page.get_by_placeholder("Who, object id or reason…")).to_have_value("nobody")
    assert all("Failed to fetch" in text or "Failed to load" in text for text in complaints)
    complaints.clear()
