"""The time line of an execution that mostly waits: shortened by default, true to time on demand, times of its own for a part."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from execution_engine.models import Execution, FunctionVersion
from tests.factories import ago, make_event, make_execution, make_operation, make_version, make_worker

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def execution() -> Execution:
    """Two steps of half a minute each, and two days between them."""
    version: FunctionVersion = make_version()
    make_worker(version)
    found = make_execution(version, status="SUCCEEDED", started_at=ago(days=2, minutes=1), ended_at=ago(), invocations=2)
    make_operation(found, "STEP", "SUCCEEDED", name="first", started_at=ago(days=2, minutes=1), ended_at=ago(days=2, seconds=30))
    make_operation(found, "WAIT", "SUCCEEDED", name="pause", started_at=ago(days=2, seconds=30), ended_at=ago(seconds=30))
    make_operation(found, "STEP", "SUCCEEDED", name="second", started_at=ago(seconds=30), ended_at=ago())
    for number, (begun, ended) in enumerate(((ago(days=2, minutes=1), ago(days=2, seconds=30)), (ago(seconds=30), ago())), start=2):
        make_event(found, number, "InvocationCompleted", ended, details={"StartTimestamp": begun.isoformat()})
    return found


def widths(bars: Locator) -> list[float]:
    """In pixels, the longest first."""
    found: list[float] = bars.evaluate_all("(bars) => bars.map((bar) => bar.getBoundingClientRect().width)")
    return sorted(found, reverse=True)


def test_long_wait_is_shortened_and_says_how_long_it_was(
    sign_in: Callable[..., Page], live_server: Any, execution: Execution, complaints: list[str]
) -> None:
    page = sign_in()
    page.goto(f"{live_server.url}/executions/{execution.id}/")
    plot, bars = page.locator("#timeline-plot"), page.locator("#timeline-plot .points path")
    expect(plot.locator(".annotation-text", has_text="2 d")).to_be_visible()
    expect(bars.nth(5)).to_be_attached()
    assert widths(bars)[0] < 600
    page.get_by_role("link", name="True to time").click()
    expect(page).to_have_url(f"{live_server.url}/executions/{execution.id}/?scale=time")
    expect(plot.locator(".annotation-text", has_text="2 d")).to_have_count(0)
    assert widths(bars)[0] > 800
    page.get_by_role("link", name="History").click()
    expect(page.get_by_role("link", name="True to time")).to_have_attribute("aria-current", "true")
    shortened = page.get_by_role("link", name="Waits shortened")
    expect(shortened).to_have_attribute("href", re.compile("tab=history"))  # the tab is there
    shortened.click()
    expect(page).to_have_url(f"{live_server.url}/executions/{execution.id}/?tab=history")
    expect(plot.locator(".annotation-text", has_text="2 d")).to_be_visible()


def test_part_that_is_looked_at_closely_has_times_of_its_own(
    sign_in: Callable[..., Page], live_server: Any, execution: Execution, complaints: list[str]
) -> None:
    page = sign_in()
    page.goto(f"{live_server.url}/executions/{execution.id}/")
    times = page.locator("#timeline-plot .xtick text")
    expect(times.first).to_be_visible()
    before = times.all_text_contents()
    box = page.locator("#timeline-plot .nsewdrag").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 20, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + 160, box["y"] + 34, steps=6)
    page.mouse.up()
    expect(page.locator("#timeline-plot .annotation-text", has_text="2 d")).to_be_hidden()
    expect(times).not_to_have_text(before)  # all of them: the first may be the same moment
    assert times.count() >= 3
