"""Narrow the list, keep the view, tick rows, act on many, read what came of it."""

import json
import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from durable_ops.actions import batch_work
from execution_engine.models import Execution, FunctionVersion
from tests.durable_ops.versions import loaded_versions, started
from tests.factories import ago, make_event, make_execution, make_version, make_worker

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def failed(transactional_db: None) -> list[Execution]:
    version: FunctionVersion = make_version()
    make_worker(version)
    found = []
    for number in range(4):
        execution = make_execution(version, name=f"bad-{number}", status="FAILED", ended_at=ago(seconds=9), event_seq=2)
        make_event(execution, 1, "ExecutionStarted", ago(minutes=1))
        make_event(execution, 2, "ExecutionFailed", ago(seconds=9))
        found.append(execution)
    make_execution(version, name="open")
    return found


def test_filters_columns_and_a_saved_view(sign_in: Callable[..., Page], failed: list[Execution]) -> None:
    page = sign_in()
    page.get_by_text("More filters").click()
    page.locator("select[name=status]").select_option("FAILED")
    expect(page.locator("tbody tr")).to_have_count(4)
    expect(page.locator("#count")).to_have_text("4 in all")
    page.get_by_label("Ended", exact=True).check()
    expect(page.get_by_role("columnheader", name="Ended")).to_be_visible()
    expect(page).to_have_url(re.compile(r"status=FAILED&columns="))
    page.get_by_text("Save this view").click()
    page.get_by_placeholder("Name of the view").fill("Trouble")
    page.get_by_role("button", name="Save", exact=True).click()
    page.goto(page.url.partition("?")[0])
    expect(page.locator("tbody tr")).to_have_count(5)
    page.get_by_role("link", name="Trouble").click()
    expect(page.locator("tbody tr")).to_have_count(4)


def test_bad_filter_is_told_beside_the_list(sign_in: Callable[..., Page], failed: list[Execution]) -> None:
    page = sign_in()
    page.get_by_text("More filters").click()
    page.get_by_label("Lasted at least").fill("never")
    expect(page.get_by_role("alert").filter(has_text="“never” is no duration")).to_be_visible()


def test_ticked_rows_stay_ticked_and_become_a_batch(sign_in: Callable[..., Page], failed: list[Execution]) -> None:
    page = sign_in("operator")
    page.get_by_label("Select bad-1").check()
    page.get_by_label("Select bad-2").check()
    make_execution(FunctionVersion.objects.get(), name="newcomer")
    expect(page.get_by_role("link", name="newcomer")).to_be_visible()
    expect(page.locator("tbody input:checked")).to_have_count(2)
    page.get_by_role("button", name="Show what it would be…").click()
    expect(page.get_by_role("heading", name="Redrive 2 executions")).to_be_visible()
    page.get_by_label("Reason").fill("the bank is back")
    page.get_by_role("button", name="Redrive 2 executions").click()
    expect(page.get_by_text("0 of 2 tried")).to_be_visible()
    while batch_work.work():
        pass
    expect(page.get_by_text("2 of 2 tried, 2 done, 0 failed.")).to_be_visible()
    assert Execution.objects.filter(status="RUNNING", redrive_count=1).count() == 2


def test_an_export_is_confirmed_and_downloaded(sign_in: Callable[..., Page], failed: list[Execution]) -> None:
    page = sign_in("viewer")
    page.get_by_label("Select bad-1").check()
    expect(page.locator("select[name=act] option")).to_have_text(["Export"])
    page.get_by_role("button", name="Show what it would be…").click()
    page.get_by_label("Reason").fill("for the auditors")
    page.get_by_role("button", name="Export 1 execution").click()
    expect(page.get_by_text("0 of 1 tried")).to_be_visible()
    while batch_work.work():
        pass
    with page.expect_download() as downloaded:
        page.get_by_role("link", name="JSON", exact=True).click()
    assert [row["name"] for row in json.loads(downloaded.value.path().read_text())] == ["bad-1"]


def test_a_move_asks_where_to_and_names_what_does_not_fit(sign_in: Callable[..., Page], transactional_db: None) -> None:
    with loaded_versions() as versions:
        started(versions["1"])
        page = sign_in("operator")
        page.locator("tbody input[type=checkbox]").check()
        page.locator("select[name=act]").select_option("move")
        page.get_by_role("button", name="Show what it would be…").click()
        page.get_by_label("To version").select_option("changed")
        assert check(page) == []
        page.get_by_label("Reason").fill("a try")
        page.get_by_role("button", name="Move 1 execution").click()
        expect(page.get_by_text("0 of 1 tried")).to_be_visible()
        while batch_work.work():
            pass
        expect(page.get_by_text("the code now asks for STEP 'fetch'")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280, 1920])
def test_pages_are_accessible(sign_in: Callable[..., Page], failed: list[Execution], width: int, scheme: str) -> None:
    page = sign_in("operator")
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    address = page.url.rstrip("/")
    page.goto(f"{address}/executions/?status=failed&longer=1s")
    page.locator("select[name=scope]").select_option("all")
    pages = [check(page)]
    page.get_by_role("button", name="Show what it would be…").click()
    expect(page.get_by_role("heading", name="Redrive 4 executions")).to_be_visible()
    pages.append(check(page))
    page.goto(f"{address}/batches/")
    pages.append(check(page))
    assert pages == [[], [], []]


def check(page: Page) -> list[str]:
    """Violations and anything that makes the page wider than its window."""
    found = [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in Axe().run(page).response["violations"]]
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        found.append("the page is wider than its window")
    return found
