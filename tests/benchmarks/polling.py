"""What open pages cost: `python -m tests.benchmarks.polling [ROUNDS]`, the product served, W1 without and with 200 pages that poll.

Half of the pages show executions that ended and ask for nothing; half wait, and each asks every two seconds as the console does. Prints
one JSON line per round and one of the medians; ends 1 when pages cost more than 5 %.
"""

import http.client
import http.cookiejar
import json
import re
import statistics
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.measuring import STEPS
from tests.serving import Serving

PAGES = 200
EVERY_SECONDS = 2.0
CLIENTS = 8
EXECUTIONS = 3_000
MOST_COST = 0.05
LIVE = re.compile(r'id="detail-live"[^>]*hx-get="([^"]+)"')


class Browser:
    """Signed in; reads pages and asks again as their live parts do."""

    def __init__(self, address: str, password: str) -> None:
        self.host = urllib.parse.urlsplit(address).netloc
        self.jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))
        self.address = address.rstrip("/")
        page = self.read("/login/")
        token = re.search(r'csrfmiddlewaretoken" value="([^"]+)', page)
        assert token is not None
        form = {"username": "admin", "password": password, "csrfmiddlewaretoken": token[1]}
        self.opener.open(f"{self.address}/login/", urllib.parse.urlencode(form).encode())

    def read(self, path: str) -> str:
        with self.opener.open(f"{self.address}{path}") as answer:
            return str(answer.read().decode())

    @property
    def headers(self) -> dict[str, str]:
        return {"Cookie": "; ".join(f"{one.name}={one.value}" for one in self.jar), "HX-Request": "true"}

    def live_address(self, execution_id: str) -> str | None:
        found = LIVE.search(self.read(f"/executions/{execution_id}/"))
        return found[1].replace("&amp;", "&") if found else None


@contextmanager
def polled(browser: Browser, addresses: list[str]) -> Iterator[list[int]]:
    """While it is open each address is asked every two seconds; the statuses that came back."""
    statuses: list[int] = []
    is_over = threading.Event()

    def ask(mine: list[str]) -> None:
        connection = http.client.HTTPConnection(browser.host, timeout=30)
        while not is_over.is_set():
            for address in mine:
                connection.request("GET", address, headers=browser.headers)
                answer = connection.getresponse()
                answer.read()
                statuses.append(answer.status)
                if is_over.wait(EVERY_SECONDS / len(mine)):
                    break
        connection.close()

    threads = [threading.Thread(target=ask, args=(addresses[number::CLIENTS],)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        yield statuses
    finally:
        is_over.set()
        for thread in threads:
            thread.join()


def python(serving: Serving, code: str) -> str:
    return serving.manage("shell", "--no-imports", "-c", code).strip().splitlines()[-1]


def start(serving: Serving, function: str, count: int, event: str) -> list[str]:
    code = f"from execution_engine import start_many; print(*[handle.id for handle in start_many('bench-{function}', [{event}] * {count})])"
    return python(serving, code).split()


def steps_per_second(serving: Serving) -> float:
    """By the rows: from the first start to the last end."""
    ids = start(serving, "ten", EXECUTIONS, "{}")
    look = (
        "from django.db.models import Max, Min; from execution_engine.models import Execution;"
        f"found = Execution.objects.filter(id__gte='{ids[0]}', function='bench-ten');"
        "span = found.aggregate(a=Min('started_at'), b=Max('ended_at'));"
        "print((span['b'] - span['a']).total_seconds() if not found.exclude(status='SUCCEEDED').exists() else 0)"
    )
    # Asked seldom: a command that starts Python costs a second of one core.
    while True:
        time.sleep(12)
        if seconds := float(python(serving, look)):
            return EXECUTIONS * STEPS / seconds


def main(rounds: int) -> int:
    environment = {"DURABLE_FUNCTION_MODULES": "tests.benchmarks.functions", "DEMO_PASSWORD": "bench"}
    ratios = []
    with tempfile.TemporaryDirectory() as folder, Serving(Path(folder) / "data", "--workers", "2", environment=environment) as serving:
        browser = Browser(serving.address, "bench")
        waiting = start(serving, "sleeper", PAGES // 2, '{"seconds": 7200}')
        steps_per_second(serving)  # what is cold gets warm
        addresses = [address for one in waiting if (address := browser.live_address(one))]
        assert len(addresses) == PAGES // 2, "an open page does not poll"
        for _ in range(rounds):
            without = steps_per_second(serving)
            with polled(browser, addresses) as statuses:
                time.sleep(2 * EVERY_SECONDS)
                beside = steps_per_second(serving)
            ratios.append(1 - beside / without)
            line = {"without": round(without), "beside": round(beside), "cost": round(ratios[-1], 3)}
            print(json.dumps({**line, "polls": len(statuses), "news": statuses.count(200)}), flush=True)  # noqa: T201
    cost = statistics.median(ratios)
    print(json.dumps({"figure": "polling_cost_of_w1", "value": round(cost, 3), "must": MOST_COST}))  # noqa: T201
    return int(cost > MOST_COST)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3))
