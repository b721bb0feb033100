"""Mailed links under scanners: GET, HEAD, prefetch and a browser that runs scripts decide nothing and spend nothing."""

import os
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as TookTooLong

from durable_ops.actions import approvals
from durable_ops.actions.actor import Actor, Channel
from durable_ops.approvals import outbox
from durable_ops.dashboard.views import mailed_approval
from durable_ops.dashboard.views.mailed_approval import MISSES_PER_MINUTE
from durable_ops.models import Approval, ApprovalLink, AuditEntry, Decision, Outbox

pytestmark = pytest.mark.django_db(transaction=True)
LOOKS = 20
TABS = 4
SECONDS_ON_THE_WAY = 5
SCANNERS: tuple[tuple[str, dict[str, str]], ...] = (
    ("get", {}),
    ("head", {}),
    ("get", {"Sec-Purpose": "prefetch"}),
    ("get", {"User-Agent": "Mozilla/5.0 (compatible; SafeLinks)"}),
    ("options", {}),
)


def mailed(ask: Callable[..., Any], crowd: Callable[[int], list[User]], count: int) -> list[str]:
    """Paths of so many links, each mailed to somebody else."""
    crowd(min(count, 500))
    for _ in range(max(1, count // 500)):
        ask()
    while Outbox.objects.filter(sent_at=None, due_at__isnull=False).exists():
        outbox.send_due()
    found = [re.search(r"/a/\S+", str(message.body)) for message in mail.outbox]
    return [match[0] for match in found if match]


def scan(paths: list[str], tabs: list[Page], address: str, by_browser: int) -> None:
    """Half of the looks by a browser that runs scripts, as far as it is asked for."""
    client = Client()
    for path in paths:
        for number in range(LOOKS - by_browser):
            method, headers = SCANNERS[number % len(SCANNERS)]
            assert getattr(client, method)(path, headers=headers).status_code == 200
    for _ in range(by_browser):
        for first in range(0, len(paths), len(tabs)):
            side_by_side = list(zip(tabs, paths[first:], strict=False))
            for tab, path in side_by_side:
                tab.evaluate("(path) => { location.href = path }", address + path)
            for tab, path in side_by_side:
                arrive(tab, address + path)


def arrive(tab: Page, url: str) -> None:
    """Waits for a page that the tab is on its way to. What a script began can get lost between two pages; then it is opened anew."""
    try:
        tab.wait_for_url(url, wait_until="load", timeout=SECONDS_ON_THE_WAY * 1000)
    except TookTooLong:
        tab.goto(url, wait_until="load")


def open_tabs(page: Page) -> list[Page]:
    """Scripts run in them; styles are left out, which decide nothing and would be most of the time."""
    tabs = [page, *(page.context.new_page() for _ in range(TABS - 1))]
    for tab in tabs:
        session = page.context.new_cdp_session(tab)
        session.send("Network.enable")
        session.send("Network.setBlockedURLs", {"urls": ["*.css"]})
    return tabs


def test_scanners_decide_nothing_and_links_stay_good(
    ask: Callable[..., Any], crowd: Callable[[int], list[User]], page: Page, live_server: Any, is_long: bool, figures: Callable[..., None]
) -> None:
    count = int(os.environ.get("LINKS", "0")) or (1_000 if is_long else 50)
    paths = mailed(ask, crowd, count)
    assert len(paths) == count
    foreign: list[str] = []
    tabs = open_tabs(page)
    ran: list[str] = []
    for tab in tabs:
        tab.on("request", lambda request: foreign.append(request.url) if not request.url.startswith(live_server.url) else None)
        tab.on("requestfinished", lambda request: ran.append(request.url) if request.resource_type == "script" else None)
    scan(paths, tabs, live_server.url, LOOKS // 2 if is_long else 2)
    assert ran
    assert Decision.objects.count() == 0
    good = sum(b'name="value"' in Client().get(path).content for path in paths)
    assert (good, foreign, ApprovalLink.objects.exclude(used_at=None).count()) == (count, [], 0)
    figures("scanned links", links=count, looks=count * LOOKS, decisions=0, still_good=good)


def test_a_page_that_decides_when_it_is_looked_at_is_caught(
    ask: Callable[..., Any], crowd: Callable[[int], list[User]], page: Page, live_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken variant: GET decides."""
    honest = mailed_approval._show

    def decides(request: Any, found: Any, **more: Any) -> Any:
        actor = Actor(found.link.user, channel=Channel.MAIL)
        if not Decision.objects.exists():
            approvals.decide(actor, found.link.approval.callback_id, approved=True)
        return honest(request, found, **more)

    monkeypatch.setattr(mailed_approval, "_show", decides)
    (path,) = mailed(ask, crowd, 1)
    Client().get(path)
    assert Decision.objects.count() == 1


def test_guessed_tokens_all_get_one_answer_and_are_slowed(
    ask: Callable[..., Any], crowd: Callable[[int], list[User]], is_long: bool, figures: Callable[..., None], caplog: Any
) -> None:
    count = 100_000 if is_long else 2_000
    (path,) = mailed(ask, crowd, 1)
    random, _, mac = path.removeprefix("/a/").partition(".")
    client, answers = Client(), {}
    for number in range(count):
        guess = (f"{number:032d}.{mac}", f"{random}.{number:024d}", f"{random[:-6]}{number:06d}.{mac}")[number % 3]
        answer = client.get(f"/a/{guess}") if number % 5 else client.post(f"/a/{guess}", {"decision": "approve", "value": "x"})
        content = re.sub(rb'data-now="[^"]*"', b"", answer.content)
        answers.setdefault((answer.status_code, content), 0)
        answers[answer.status_code, content] += 1
    statuses = [status for status, _ in answers]
    assert sorted(statuses) == [404, 429]
    unknown = next(number for (status, _), number in answers.items() if status == 404)
    assert unknown >= MISSES_PER_MINUTE
    assert (Decision.objects.count(), Approval.objects.filter(closed_at__isnull=False).count()) == (0, 0)
    assert AuditEntry.objects.filter(action__startswith="approval.").count() == 0
    assert random not in caplog.text
    figures("guessed tokens", guesses=count, answered_404=unknown, hits=0)
