"""How long pages take on a large database: `python -m tests.benchmarks.pages [EXECUTIONS]`, a million unless told.

The served product is filled by `load_demo --bulk`, ten operations each; then every page is asked for one request at a time, over HTTP and
signed in. What is measured holds the wire and this client too, so the server takes less. One JSON line per page; ends 1 when 5 of 100
answers of a page come after 100 ms. Takes about four minutes and 10 GB of disk; needs a machine that does nothing else.
"""

import json
import re
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.measuring import latencies
from tests.benchmarks.open_pages import Browser
from tests.serving import Serving

REQUESTS = 60
WARM_UP = 3
MOST_P95_MS = 100
STATES = ("failed", "retrying", "stranded", "waiting_for_callback", "waiting_for_approval")
LISTS = ("executions", "overview", "callbacks", "approvals", "functions", "schedules", "batches", "audit", "costs")
TABS = ("timeline", "graph", "operations", "history", "logs", "cost", "code", "audit")


def pages(browser: Browser) -> dict[str, str]:
    found = re.search(r"/executions/[0-9a-f-]{36}/", browser.read("/executions/?status=SUCCEEDED"))
    assert found is not None, "no execution is listed"
    return {
        **{name: f"/{name}/" for name in LISTS},
        **{f"executions, {state}": f"/executions/?state={state}" for state in STATES},
        **{f"execution, {tab}": f"{found[0]}?tab={tab}" for tab in TABS},
    }


def answer_seconds(browser: Browser, path: str) -> float:
    began = time.perf_counter()
    browser.read(path)
    return time.perf_counter() - began


def main(executions: int) -> int:
    slow = []
    with tempfile.TemporaryDirectory() as folder, Serving(Path(folder) / "data", environment={"DEMO_PASSWORD": "bench"}) as serving:
        serving.manage("load_demo", "--bulk", "--executions", str(executions))
        browser = Browser(serving.address, "bench")
        for name, path in pages(browser).items():
            taken = latencies([answer_seconds(browser, path) for _ in range(WARM_UP + REQUESTS)][WARM_UP:], (50, 95))
            print(json.dumps({"figure": name, **taken}), flush=True)  # noqa: T201
            slow += [name] if taken["p95_ms"] > MOST_P95_MS else []
    print(json.dumps({"figure": "pages", "executions": executions, "must_p95_ms": MOST_P95_MS, "slower": slow}))  # noqa: T201
    return int(bool(slow))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
