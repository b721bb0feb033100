"""Everything that can be clicked is clicked, on pages full of hostile texts: nothing runs, nothing complains, nothing is missing."""

import re
from collections import Counter, deque
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Error, Page, Request, Response

from tests.browser import corpus

pytestmark = pytest.mark.django_db(transaction=True)

PAGES_PER_KIND = 1
IDS = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{64}|(?<=/)\d+(?=/)|(?<=/callbacks/)[^/]+|(?<=/functions/)[^/]+")
STARTS = ("/", "/overview/", "/callbacks/", "/functions/", "/audit/", "/settings/", "/components/", "/executions/start/")
# Files, other doors, and what ends the session; repairs are followed to their page, whose forms other tests send.
LEFT_OUT = re.compile(r"/logout|/static/|/api/|download|/payload/|\.json|\.csv|/events/|export")
# Everything that does not lead to another address (addresses are followed by the crawl): one after the other, dialogs closed again.
CLICK_ALL = """async () => {
  const chosen = "button[type=button], summary, a[data-dialog], a[hx-get][hx-target='#drawer'], input[type=checkbox], [data-close-drawer]";
  const all = [...document.querySelectorAll(chosen)].filter((one) => one.checkVisibility() && one.id !== "theme").slice(0, 40);
  for (const one of all) {
    if (!one.isConnected || one.textContent.includes("Retry")) continue;
    one.click();
    await new Promise((resolve) => setTimeout(resolve, one.matches("a") ? 120 : 5));
    document.querySelectorAll("dialog[open]").forEach((dialog) => dialog.close());
  }
  return all.length;
}"""
WATCH = """
window.refused = [];
document.addEventListener("securitypolicyviolation", (event) => window.refused.push(event.violatedDirective + " " + event.blockedURI));
"""


class Watcher:
    """Collects what a page must not do."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.faults: list[str] = []
        page.add_init_script(WATCH)
        page.on("dialog", self._dialog)
        page.on("requestfailed", self._failed)
        page.on("response", self._answered)

    def _dialog(self, dialog: Any) -> None:
        self.faults.append(f"a dialog opened on {self.page.url}: {dialog.message}")
        dialog.dismiss()

    def _failed(self, request: Request) -> None:
        if "ERR_ABORTED" not in (request.failure or ""):  # leaving a page ends what it still asked for
            self.faults.append(f"{request.url}: {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.faults.append(f"{response.status} {response.request.method} {response.url} from {self.page.url}")

    def look(self) -> None:
        try:
            refused, title = self.page.evaluate("[window.refused ?? [], document.title]")
        except Error:  # the click has led to another page, which is looked at when it is there
            self.page.wait_for_load_state("load")
            refused, title = self.page.evaluate("[window.refused ?? [], document.title]")
        self.faults += [f"{self.page.url} was refused {one}" for one in refused]
        if "Durable Ops" not in title:
            self.faults.append(f"a script ran on {self.page.url}: {title}")


def kind_of(address: str) -> str:
    parts = urlsplit(address)
    keys = "&".join(sorted(key.partition("=")[0] for key in parts.query.split("&") if key))
    tab = re.search(r"tab=\w+", parts.query)
    return f"{IDS.sub('ID', parts.path)}?{keys}{tab.group() if tab else ''}"


def test_everything_is_clicked_and_nothing_breaks(sign_in: Callable[..., Page], live_server: Any) -> None:
    corpus.fill()
    page = sign_in()
    watcher = Watcher(page)
    seen: Counter[str] = Counter()
    clicks = 0
    known, queue = set(STARTS), deque(STARTS)
    while queue:
        address = queue.popleft()
        if seen[kind_of(address)] >= PAGES_PER_KIND:
            continue
        seen[kind_of(address)] += 1
        page.goto(live_server.url + address, wait_until="load")
        watcher.look()
        for link in page.eval_on_selector_all("a[href]", "links => links.map((link) => link.getAttribute('href'))"):
            target = urlsplit(link)
            path = (target.path or urlsplit(address).path) + (f"?{target.query}" if target.query else "")
            if not target.netloc and path.startswith("/") and path not in known and not LEFT_OUT.search(path):
                known.add(path)
                queue.append(path)
        clicks += page.evaluate(CLICK_ALL)
        watcher.look()
    assert watcher.faults == []
    assert (len(seen) > 40, clicks > 200) == (True, True), (clicks, seen)
