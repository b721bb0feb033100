"""Senders who never end their headers stop nobody else for longer than their time."""

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.durable_ops.web.test_poll_worker import Web
from tests.waiting import PATIENCE

MORE_THAN_THREADS = 40
pytestmark = pytest.mark.django_db(transaction=True)  # another process reads


@pytest.fixture
def web(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    monkeypatch.setenv("HEAD_SECONDS", "1")
    served = Web(tmp_path, database_url, "0.2")
    yield served
    served.process.send_signal(signal.SIGTERM)
    served.process.wait(PATIENCE)


def begin(web: Web, text: bytes) -> socket.socket:
    found = socket.socket(socket.AF_UNIX)
    found.settimeout(PATIENCE)
    found.connect(web.address)
    found.sendall(text)
    return found


def test_whoever_sends_half_a_head_keeps_no_thread(web: Web) -> None:
    slow = [begin(web, b"GET /healthz HTTP/1.1\r\nHost: local") for _ in range(MORE_THAN_THREADS)]
    with begin(web, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n") as quick:
        assert quick.recv(65536).startswith(b"HTTP/1.1 503 ")  # no engine runs here
    for one in slow:
        with one:
            assert one.recv(1) == b""


def test_a_request_takes_as_long_as_it_takes_once_its_head_is_there(web: Web) -> None:
    body = b'{"function": "nothing"}'
    head = b"POST /api/v1/executions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer x\r\nContent-Length: %d\r\n\r\n" % len(body)
    with begin(web, head) as patient, begin(web, b"GET /healthz HTTP/1.1\r\nHost: local") as slow:
        assert slow.recv(1) == b""  # the watch has looked
        patient.sendall(body)
        assert patient.recv(65536).startswith(b"HTTP/1.1 4")
