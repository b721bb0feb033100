"""Costs in a real browser: filters, the figure, what if, a new price; no fault of axe at any width, light and dark."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connection
from playwright.sync_api import Page, expect

from durable_ops.costs import ledger
from durable_ops.models import Price
from execution_engine.models import Execution
from tests.factories import make_event, make_execution, make_operation, make_version, make_worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("steady_hour")]


@pytest.fixture
def booked(transactional_db: None) -> list[Execution]:
    """Executions of nine functions, one of them with a name full of markup, booked on three days of this month and the last."""
    made = []
    for number in range(9):
        version = make_version("<img src=x onerror=alert(1)>" if number == 3 else f"function-{number}")
        make_worker(version)
        end = datetime.now(UTC) - timedelta(days=number % 3)
        found = make_execution(version, status="FAILED" if number == 1 else "SUCCEEDED", started_at=end - timedelta(hours=9), ended_at=end)
        make_event(found, 1, "ExecutionStarted", found.started_at)
        make_event(found, 2, "StepStarted", found.started_at, operation_id="a")
        make_event(found, 3, "StepSucceeded", end, operation_id="a")
        make_operation(found, status="SUCCEEDED", id="a", name="charge", payload='"done"', ended_at=end)
        made.append(found)
    with connection.cursor() as cursor:
        ledger.book(cursor, [one.id for one in made])
    return made


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280, 1920])
def test_no_page_of_costs_has_a_fault(
    sign_in: Callable[..., Page], live_server: Any, booked: list[Execution], theme: Any, width: int
) -> None:
    page = sign_in()
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size({"width": width, "height": 900})
    calculator = "/costs/calculator/?example=expenses"
    for address in ("/costs/", "/costs/?span=12m", calculator, "/costs/prices/", f"/executions/{booked[0].id}/?tab=cost"):
        page.goto(live_server.url + address)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), address
        result = Axe().run(page)
        assert result.violations_count == 0, f"{address}: {result.generate_report()}"


def test_filters_live_in_the_address_and_the_figure_follows(
    sign_in: Callable[..., Page], live_server: Any, booked: list[Execution]
) -> None:
    page = sign_in()
    page.goto(f"{live_server.url}/costs/?span=30d")
    expect(page.locator("#costs-plot .bars .points path").nth(8 * 30 - 1)).to_be_attached()
    expect(page.locator("#report tbody .row-link", has_text="function-0")).to_have_count(1)
    page.locator("select[name=prices]").select_option("aws-arm")
    expect(page).to_have_url(re.compile(r"prices=aws-arm"))
    expect(page.get_by_role("cell", name="0.0000133334", exact=True)).to_be_visible()
    page.get_by_role("link", name="function-2", exact=True).click()
    expect(page).to_have_url(re.compile(r"function=function-2"))
    expect(page.locator("#report").get_by_role("link", name="function-0", exact=True)).to_have_count(0)
    page.get_by_role("link", name="Show every function").click()
    expect(page.locator("#report").get_by_role("link", name="function-0", exact=True)).to_have_count(1)


def test_arithmetic_opens_and_an_execution_is_one_click_away(
    sign_in: Callable[..., Page], live_server: Any, booked: list[Execution]
) -> None:
    page = sign_in()
    page.goto(f"{live_server.url}/costs/?span=30d")
    page.locator(".compare summary").nth(1).click()
    expect(page.get_by_text(re.compile(r"18 × 25.00 / 1,000,000 = 0.00045"))).to_be_visible()
    page.get_by_role("link", name=booked[0].name).click()
    expect(page.get_by_role("heading", name="The same run on Step Functions")).to_be_visible()


def test_what_if_answers_while_one_types(sign_in: Callable[..., Page], live_server: Any) -> None:
    page = sign_in()
    page.goto(f"{live_server.url}/costs/calculator/")
    page.get_by_role("link", name="50,000 expense approvals a month").click()
    expect(page.get_by_text("0.01 + 0.20 + 4.17 + 0.16 = 4.54").first).to_be_visible()
    page.get_by_label("Executions a month").fill("100000")
    expect(page.get_by_text("100,000 × 0.20 / 1,000,000 = 0.02")).to_be_visible()
    expect(page).to_have_url(re.compile(r"volume=100000"))
    page.get_by_label("Memory, MB").fill("1")
    expect(page.get_by_role("alert")).to_contain_text("Memory, MB")


def test_an_administrator_adds_a_price(sign_in: Callable[..., Page], live_server: Any) -> None:
    page = sign_in()
    page.goto(f"{live_server.url}/costs/prices/")
    page.get_by_label("Item").select_option("operation")
    page.get_by_label("US dollars").fill("7.50")
    page.get_by_label("for how many").fill("1000000")
    page.get_by_label("Source").fill("announced")
    page.get_by_role("button", name="Add price").click()
    expect(page.get_by_text("The price is in the book")).to_be_visible()
    expect(page.locator("tr", has_text="announced")).to_contain_text("7.50")
    assert Price.objects.get().added_by == "administrator"
