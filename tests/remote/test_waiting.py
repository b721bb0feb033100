"""Callers of Invoke who wait, while the functions that they wait for checkpoint through the same web server."""

import http.client
import json
import threading
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.remote.conftest import Remote
from tests.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.slow
WAITERS = 16
PATH = "/2015-03-31/functions/remote-asks/invocations"


def test_callers_who_wait_leave_room_for_what_they_wait_for(remote: Remote) -> None:
    """Every place of every web process is taken, as `serve` sets them up. The handlers' checkpoints, the answers that they wait for and
    the console's reads still come through."""
    processes = sum("gunicorn" in line for line in remote.serving.processes().values()) - 1
    key = remote.serving.manage("create_api_key", "--user", "admin", "--name", "waits", "--quiet").strip()
    is_full, found = threading.Event(), list[Any]()
    threads = [threading.Thread(target=wait, args=(remote, key, is_full, found)) for _ in range(processes * WAITERS + 4)]
    for thread in threads:
        thread.start()
    asked = set[str]()

    def are_all_asked() -> bool:
        page = remote.product.call("GET", "/callbacks?status=pending&limit=100")["results"]
        asked.update(one["callback_id"] for one in page if one["function"] == "remote-asks")
        return len(asked) == processes * WAITERS

    wait_until(are_all_asked, lambda: len(asked))
    is_full.set()
    for callback_id in asked:
        remote.product.call("POST", f"/callbacks/{callback_id}/succeed", {"result": "yes"})
    for thread in threads:
        thread.join(PATIENCE)
    assert found == [[1, '"yes"', 2]] * (processes * WAITERS)


def wait(remote: Remote, key: str, is_full: threading.Event, found: list[Any]) -> None:
    """Tries again, over a new connection and so perhaps at another process, until there is a place or all are taken."""
    while not is_full.is_set():
        connection = http.client.HTTPConnection(urlsplit(remote.serving.address).netloc, timeout=PATIENCE)
        connection.request("POST", PATH, "{}", {"Authorization": f"Bearer {key}"})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        if answer.status != 429:
            found.append(json.loads(text))
            return
        is_full.wait(0.2)
