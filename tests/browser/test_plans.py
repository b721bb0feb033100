"""Before a move, a redrive or a fork a person sees what would happen, follows a choice, and decides."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from execution_engine.models import Execution
from execution_engine.sdk.definition import RegisteredFunction
from tests.browser.test_accessibility import FITS
from tests.durable_ops.versions import id_of, load, loaded_versions, started

pytestmark = pytest.mark.django_db(transaction=True)
Versions = dict[str, RegisteredFunction]


@pytest.fixture
def versions(transactional_db: None) -> Iterator[Versions]:
    with loaded_versions() as found:
        yield found


def test_a_move_is_seen_refused_and_done(sign_in: Callable[..., Page], live_server: Any, versions: Versions) -> None:
    execution_id = id_of(started(versions["1"]))
    page = sign_in("operator")
    page.goto(f"{live_server.url}/executions/{execution_id}/")
    page.get_by_role("link", name="Move…").click()
    page.get_by_label("To version").select_option("changed")
    expect(page.get_by_role("cell", name="STEP 'fetch'")).to_be_visible()
    page.get_by_role("textbox", name="Reason").fill("the other one")
    page.get_by_role("button", name="Move 1 execution").click()
    expect(page.get_by_role("alert").first).to_contain_text("Version changed does not fit what is recorded")
    expect(page.get_by_role("textbox", name="Reason")).to_have_value("the other one")
    page.get_by_label("To version").select_option("fits")
    expect(page.locator("#plan")).to_contain_text("fits what is recorded")
    page.get_by_role("button", name="Move 1 execution").click()
    expect(page.locator(".facts")).to_contain_text("vfits")
    assert Execution.objects.get(id=execution_id).version == "fits"


def test_a_fork_follows_what_is_chosen(sign_in: Callable[..., Page], live_server: Any, versions: Versions) -> None:
    execution = started(versions["1"])
    execution.run_until_complete()
    page = sign_in("operator")
    page.goto(f"{live_server.url}/executions/{id_of(execution)}/fork/")
    expect(page.locator("#plan")).to_contain_text("fits what is recorded")
    page.get_by_label("Version").select_option("changed")
    expect(page.locator("#plan")).to_contain_text("does not fit what is recorded")
    page.get_by_label("Before").select_option(index=1)
    expect(page.locator("#plan")).to_contain_text("New work comes first: fetch")
    page.get_by_role("button", name="Fork").click()
    expect(page.locator(".facts")).to_contain_text("vchanged")


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_plans_have_no_fault(sign_in: Callable[..., Page], live_server: Any, versions: Versions, theme: Any, width: int) -> None:
    waiting, failed = started(versions["1"]), started(versions["1"])
    failed.run_until_complete()
    another = id_of(started(versions["1"]))
    load(replace(versions["changed"], version="1"))
    page = sign_in()
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size({"width": width, "height": 844})
    faults: dict[str, Any] = {}
    for address in (
        f"/executions/{another}/move/?version=changed",
        f"/executions/{id_of(waiting)}/move/?version=fits",
        f"/executions/{id_of(failed)}/redrive/",
        f"/executions/{id_of(failed)}/fork/?version=fits",
        "/deploy-check/",
    ):
        page.goto(f"{live_server.url}{address}")
        found = [(one["id"], [node["html"] for node in one["nodes"]][:2]) for one in Axe().run(page).response["violations"]]
        if found or not page.evaluate(FITS):
            faults[address] = found or "scrolls sideways"
    assert faults == {}
