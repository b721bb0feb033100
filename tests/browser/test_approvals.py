"""From a mail to a decision on a phone: one tap in the mail, one on the page; without scripts; and the inbox by keyboard."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from django.core import mail
from playwright.sync_api import Browser, Page, expect

from durable_ops.actions import approvals
from durable_ops.actions.actor import Actor
from durable_ops.approvals import outbox
from durable_ops.models import Approval, Decision
from tests.durable_ops.approvals.conftest import ask, person  # noqa: F401  (fixtures)

pytestmark = pytest.mark.django_db(transaction=True)
PHONE = {"width": 390, "height": 844}
FITS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
Ask = Callable[..., tuple[Any, Approval]]


@pytest.fixture
def address(ask: Ask, person: Callable[..., User], live_server: Any) -> str:  # noqa: F811
    person("mona", "managers")
    ask(details={"Amount": "120.00", "Category": "travel <b>", "Receipt": "https://example.com/" + "r" * 90}, requester="rita")
    outbox.send_due()
    found = re.search(r"/a/\S+", str(mail.outbox[-1].body))
    assert found is not None
    return str(live_server.url) + found[0]


def test_one_tap_in_the_mail_and_one_on_the_page(address: str, browser: Browser) -> None:
    """Scripts are off, as in many mail programs' own browsers."""
    context = browser.new_context(viewport=PHONE, java_script_enabled=False, has_touch=True)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(address)
    button = page.get_by_role("button", name="Approve")
    box = button.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= PHONE["height"]  # without scrolling
    assert box["height"] >= 40
    button.tap()
    expect(page.get_by_role("heading", name="Approved")).to_be_visible()
    assert Decision.objects.values_list("by", "approved", "channel").get() == ("mona", True, "mail")
    context.close()


def test_axe_finds_nothing_behind_the_link(address: str, page: Page) -> None:
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 844})
        page.goto(address)
        assert page.evaluate(FITS)
        assert Axe().run(page).response["violations"] == []
    page.get_by_role("button", name="Reject").click()
    expect(page.get_by_role("heading", name="Rejected")).to_be_visible()
    assert Axe().run(page).response["violations"] == []


def test_the_inbox_by_keyboard(ask: Ask, sign_in: Callable[..., Page], live_server: Any) -> None:  # noqa: F811
    ask(title="First")
    ask(title="Second")
    page = sign_in("administrator")
    User.objects.get(username="administrator").groups.add(*_managers())
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.goto(f"{live_server.url}/approvals/")
    assert page.evaluate(FITS)
    assert Axe().run(page).response["violations"] == []
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("a")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Approved: Second")).to_be_visible()
    expect(page.get_by_role("link", name="Second")).to_have_count(0)
    expect(page.get_by_role("link", name="First")).to_be_visible()
    assert Decision.objects.get().approval.title == "Second"


def test_whoever_came_second_keeps_what_was_typed(
    ask: Ask,  # noqa: F811
    person: Callable[..., User],  # noqa: F811
    sign_in: Callable[..., Page],
    live_server: Any,
) -> None:
    """In the card, beside the reason, until the person acts: no refresh takes it away."""
    _, approval = ask(title="First")
    ask(title="Second")
    page = sign_in("administrator")
    User.objects.get(username="administrator").groups.add(*_managers())
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.goto(f"{live_server.url}/approvals/")
    card = page.locator("li.callback", has_text="First")
    card.get_by_placeholder("Comment (optional)").fill("as <agreed>")
    page.route("**/approvals/?*seen=*", lambda route: route.abort())  # the refresh that would have told
    approvals.decide(Actor(person("max", "managers")), approval.callback_id, approved=False)
    card.get_by_role("button", name="Approve").click()
    expect(card.get_by_role("alert")).to_contain_text("max rejected it")
    expect(card.get_by_label("Your comment, which was not sent")).to_have_value("as <agreed>")
    expect(card.get_by_role("alert")).to_be_focused()
    expect(page.locator("#cards-live")).to_have_count(0)
    assert page.evaluate(FITS)
    assert Axe().run(page).response["violations"] == []
    assert Decision.objects.get().by == "max"


def _managers() -> Any:
    from django.contrib.auth.models import Group

    return Group.objects.filter(name="managers")
