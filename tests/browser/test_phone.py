"""What a phone shows: where one is in the bar of links, and what a key is limited to."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from durable_ops.models import ApiKey

pytestmark = pytest.mark.django_db(transaction=True)
PHONE = {"width": 390, "height": 844}
SHIFTS = """new Promise(done => new PerformanceObserver(list => done(list.getEntries().map(one => one.value)))
  .observe({type: "layout-shift", buffered: true}) || setTimeout(() => done([]), 300))"""
WHERE = "document.querySelector('.rail [aria-current]').getBoundingClientRect().toJSON()"


@pytest.mark.parametrize("path", ["", "batches/", "settings/"])
def test_the_bar_begins_where_one_is_and_nothing_moves(sign_in: Callable[..., Page], path: str) -> None:
    page = sign_in()
    page.set_viewport_size(PHONE)
    page.goto(f"{page.url.rstrip('/')}/{path}")
    page.wait_for_load_state("networkidle")
    place = page.evaluate(WHERE)
    assert place["left"] >= 0 and place["right"] <= PHONE["width"]
    assert page.evaluate(SHIFTS) == []


def test_a_key_shows_its_limits(sign_in: Callable[..., Page]) -> None:
    page = sign_in()
    page.set_viewport_size(PHONE)
    page.goto(f"{page.url.rstrip('/')}/settings/")
    page.get_by_text("Limit it, or sign with it").click()
    page.get_by_label("Name", exact=True).fill("billing")
    page.get_by_label("Functions it is limited to").fill("payments-*")
    page.get_by_role("button", name="Make key").click()
    row = page.locator("tbody tr")
    expect(row.get_by_text("payments-*")).to_be_visible()
    assert ApiKey.objects.get().functions == ["payments-*"]
