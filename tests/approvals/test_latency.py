"""From a press in the console to the resumed execution, with everything served as people run it. It reports and promises nothing."""

import http.client
import json
import re
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.serving import Serving
from tests.waiting import PATIENCE, wait_until

PASSWORD = "of-this-test"
EXPENSE = {"amount": 120, "category": "travel", "receipt_url": "https://example.com/r", "email": "ed@example.com"}


class Browser:
    """A signed-in session over one connection, as a browser keeps it."""

    def __init__(self, address: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=PATIENCE)
        self._cookies: dict[str, str] = {}

    def ask(self, method: str, path: str, fields: dict[str, str] | None = None) -> tuple[int, str]:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        headers |= {"Content-Type": "application/x-www-form-urlencoded"} if fields is not None else {}
        self._connection.request(method, path, urlencode(fields) if fields is not None else None, headers)
        answer = self._connection.getresponse()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self._cookies[key] = rest.partition(";")[0]
        return answer.status, answer.read().decode()

    def send(self, page: str, path: str, **fields: str) -> int:
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token is not None
        return self.ask("POST", path, {"csrfmiddlewaretoken": token[1], **fields})[0]


def test_from_a_press_to_the_resumed_execution(tmp_path: Path, is_long: bool, figures: Callable[..., None]) -> None:
    count = 200 if is_long else 5
    with Serving(tmp_path / "data", "--workers", "1", "--threads", "8", environment={"DEMO_PASSWORD": PASSWORD}) as serving:
        key = serving.manage("create_api_key", "--user", "admin", "--name", "latency", "--quiet").strip()
        rest = http.client.HTTPConnection(urlsplit(serving.address).netloc, timeout=PATIENCE)

        def api(method: str, path: str, body: Any = None) -> Any:
            headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
            rest.request(method, f"/api/v1{path}", None if body is None else json.dumps(body), headers)
            return json.loads(rest.getresponse().read())

        browser = Browser(serving.address)
        assert browser.send(browser.ask("GET", "/login/")[1], "/login/", username="approver", password=PASSWORD) == 302
        took = sorted(measure(api, browser, number) for number in range(count))
    p99 = took[min(count - 1, int(count * 0.99))]
    figures("press to resumed, ms", presses=count, p50=round(took[count // 2] * 1e3), p99=round(p99 * 1e3))


def measure(api: Callable[..., Any], browser: Browser, number: int) -> float:
    """Seconds from before the POST to the start of the first operation after the approval, on one machine's clock."""
    started = api("POST", "/executions", {"function": "expense-approval", "input": {"expense_id": f"E-{number}", **EXPENSE}})
    path = f"/executions/{started['id']}"

    def asked() -> Any:
        return next((one for one in api("GET", "/approvals?box=all&limit=50")["results"] if one["execution"] == started["id"]), None)

    approval = wait_until(asked)
    known = {one["id"] for one in api("GET", f"{path}/operations")["results"]}
    page = browser.ask("GET", f"/approvals/{approval['id']}/")[1]
    seen = re.search(r'name="seen" value="([^"]+)"', page)
    assert seen is not None
    time.sleep(0.05)
    begun = time.time()
    assert browser.send(page, f"/approvals/{approval['id']}/decide/", decision="approve", seen=seen[1]) == 302

    def resumed() -> Any:
        found = [one for one in api("GET", f"{path}/operations")["results"] if one["id"] not in known]
        return min((one["started_at"] for one in found), default=None)

    return datetime.fromisoformat(wait_until(resumed)).timestamp() - begun
