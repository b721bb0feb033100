"""Schedules and limits as a person sets them: the next ten while one types, fire now, pause, a backfill that counts first; no fault."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from execution_engine.models import Execution, Limit, Schedule
from tests.browser.test_accessibility import FITS
from tests.factories import make_version, make_worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("steady_hour")]
FUNCTION = "expense-approval"


@pytest.fixture
def page(sign_in: Callable[..., Page], live_server: Any) -> Page:
    make_worker(make_version())
    found = sign_in("operator")
    found.goto(f"{live_server.url}/schedules/new/")
    return found


def make(page: Page, rule: str = "0 * * * *") -> None:
    page.get_by_label("Name", exact=True).fill("hourly")
    page.get_by_label("Function", exact=True).select_option(FUNCTION)
    page.get_by_label("When", exact=True).fill(rule)
    page.get_by_label("Time zone").fill("Europe/Berlin")
    page.get_by_role("button", name="Make schedule").click()
    expect(page.get_by_role("heading", name="hourly", exact=True)).to_be_visible()


def test_the_next_ten_stand_beside_what_one_types(page: Page) -> None:
    page.get_by_label("When", exact=True).press_sequentially("0 9 * *")
    expect(page.locator("#coming")).to_contain_text("five fields")
    page.get_by_label("When", exact=True).press_sequentially(" 1")
    expect(page.locator("#coming tbody tr")).to_have_count(10)
    expect(page.locator("#coming")).to_contain_text("At 09:00 on Monday")


def test_a_schedule_is_made_fired_paused_resumed_and_deleted(page: Page, live_server: Any) -> None:
    make(page)
    expect(page.locator("#live tbody tr")).to_have_count(10)
    page.get_by_role("link", name="Fire now").click()
    page.get_by_role("button", name="Start 1 execution").click()
    page.wait_for_url("**/executions/**")
    assert Execution.objects.get().name.startswith("schedule-")
    for act in ("Pause", "Resume"):
        page.goto(f"{live_server.url}/schedules/{Schedule.objects.get().id}/")
        page.get_by_role("link", name=f"{act}…").click()
        page.get_by_role("button", name=f"{act} 1 schedule").click()
        expect(page.locator(".lead .state")).to_have_text("Paused" if act == "Pause" else "Active")
    page.get_by_role("link", name="Delete…").click()
    page.get_by_label("Reason", exact=True).fill("over")
    page.get_by_role("button", name="Delete 1 schedule").click()
    expect(page.get_by_text("Nothing starts by the clock")).to_be_visible()


def test_a_backfill_counts_before_it_starts(page: Page) -> None:
    make(page)
    end = datetime.now(UTC).replace(minute=0)
    page.get_by_role("link", name="Backfill…").click()
    page.get_by_label("From (UTC)").fill(f"{end - timedelta(hours=3):%Y-%m-%dT%H:%M}")
    page.get_by_label("To (UTC), included").fill(f"{end:%Y-%m-%dT%H:%M}")
    page.get_by_role("button", name="Count").click()
    expect(page.get_by_text("4 firings")).to_be_visible()
    assert not Execution.objects.exists()
    page.get_by_role("button", name="Start 4 executions").click()
    expect(page.get_by_text("Started 4.")).to_be_visible()
    assert Execution.objects.count() == 4


def test_limits_are_set_from_the_functions_page(page: Page, live_server: Any) -> None:
    page.goto(f"{live_server.url}/functions/{FUNCTION}/")
    page.get_by_role("link", name="Change limits…").click()
    page.get_by_label("At the same time", exact=True).fill("5")
    page.get_by_role("button", name="Save limits").click()
    assert not Limit.objects.exists(), "a reason is asked for"
    page.get_by_label("Reason", exact=True).fill("slow printer")
    page.get_by_role("button", name="Save limits").click()
    expect(page.get_by_text("0 of 5")).to_be_visible()


@pytest.mark.parametrize(("theme", "width"), [("light", 390), ("dark", 390), ("light", 1280), ("dark", 1280)])
def test_no_page_of_a_schedule_has_a_fault(page: Page, live_server: Any, theme: Any, width: int) -> None:
    make(page)
    here = f"/schedules/{Schedule.objects.get().id}/"
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    found = []
    for address in ("/schedules/", here, f"{here}edit/", f"{here}backfill/", f"{here}delete/", f"/functions/{FUNCTION}/"):
        page.goto(live_server.url + address)
        found += [(address, one["id"], one["nodes"][0]["html"][:200]) for one in Axe().run(page).response["violations"]]
        assert page.evaluate(FITS), f"{address} scrolls sideways"
    assert found == []
