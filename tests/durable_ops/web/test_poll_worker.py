"""Polls that wait for each other, through gunicorn as `serve` starts it: one query for many, and no other request waits with them."""

import os
import re
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import Client

from execution_engine.models import Execution
from tests.durable_ops.dashboard.conftest import HTMX
from tests.durable_ops.people import make_user
from tests.factories import make_execution, make_version
from tests.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.django_db(transaction=True)  # another process reads
LIVE = re.compile(r'id="detail-live"[^>]*hx-get="([^"]+)"')
PAGES = 5
LONG = "5"
"""Seconds that a poll rests where a test looks at what happens in the meantime."""


class Page:
    """A browser with one kept connection, which has been used before."""

    def __init__(self, address: str, cookie: str, path: str) -> None:
        self.cookie, self.path, self._got = cookie, path, b""
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(address)
        self.ask("/healthz")
        self.answer()

    def __enter__(self) -> "Page":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def ask(self, path: str = "", more: str = "") -> None:
        self.send(self.request(path, more))

    def request(self, path: str = "", more: str = "") -> bytes:
        headers = "".join(f"{name}: {value}\r\n" for name, value in HTMX.items())
        return f"GET {path or self.path} HTTP/1.1\r\nHost: localhost\r\nCookie: {self.cookie}\r\n{headers}{more}\r\n".encode()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self) -> int:
        """The status of the next answer, read to its end."""
        while b"\r\n\r\n" not in self._got:
            self._receive()
        head, _, self._got = self._got.partition(b"\r\n\r\n")
        if length := re.search(rb"(?i)\r\ncontent-length: (\d+)", head):
            while len(self._got) < int(length[1]):
                self._receive()
            self._got = self._got[int(length[1]) :]
        elif b"chunked" in head:
            while not self._got.endswith(b"0\r\n\r\n"):
                self._receive()
            self._got = b""
        return int(head[9:12])

    def is_answered(self) -> bool:
        return bool(select.select([self.socket], [], [], 0)[0])

    def _receive(self) -> None:
        received = self.socket.recv(65536)
        assert received, "the connection was closed"
        self._got += received


class Web:
    """gunicorn with one process, and pages that are open."""

    def __init__(self, folder: Path, database_url: str, rest: str) -> None:
        self.address, self._asked = str(folder / "web"), folder / "asked"
        self._asked.touch()
        environment = {
            **os.environ,
            "DATABASE_URL": database_url,
            "DJANGO_SETTINGS_MODULE": "durable_ops.settings",
            "DURABLE_LOCAL": "1",
            "SECRET_KEY": settings.SECRET_KEY,
            "PROMETHEUS_MULTIPROC_DIR": str(folder / "metrics"),
            "SOCKET": self.address,
            "ASKED": str(self._asked),
            "REST_SECONDS": rest,
        }
        command = [sys.executable, "-m", "gunicorn", "--config", "python:tests.durable_ops.web.patient_gunicorn"]
        self.process = subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment)
        wait_until(lambda: Path(self.address).exists())

    def forget(self) -> None:
        self._asked.write_text("")

    def asked(self) -> list[int]:
        """How many polls each query was about."""
        return [int(line) for line in self._asked.read_text().split()]

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)


@pytest.fixture(scope="module")
def quick_web(tmp_path_factory: pytest.TempPathFactory, database_url: str) -> Iterator[Web]:
    """As in production, for all tests that do not look at what happens while polls rest."""
    served = Web(tmp_path_factory.mktemp("web"), database_url, "0.2")
    yield served
    served.stop()


@pytest.fixture
def web(quick_web: Web) -> Web:
    quick_web.forget()
    return quick_web


@pytest.fixture
def slow_web(tmp_path: Path, database_url: str) -> Iterator[Web]:
    served = Web(tmp_path, database_url, LONG)
    yield served
    served.stop()


@pytest.fixture
def executions(db: None) -> list[Execution]:
    version = make_version()
    return [make_execution(version, due_at=datetime.now(UTC) + timedelta(hours=1), event_seq=3) for _ in range(PAGES)]


@pytest.fixture
def pages(web: Web, executions: list[Execution]) -> Iterator[list[Page]]:
    with opened(web, executions) as found:
        yield found


@pytest.fixture
def slow_pages(slow_web: Web, executions: list[Execution]) -> Iterator[list[Page]]:
    with opened(slow_web, executions) as found:
        yield found


@contextmanager
def opened(web: Web, executions: list[Execution]) -> Iterator[list[Page]]:
    client = Client()
    client.force_login(make_user("superuser"))
    cookie = "; ".join(f"{name}={one.value}" for name, one in client.cookies.items())
    with ExitStack() as stack:
        yield [stack.enter_context(Page(web.address, cookie, live_address(client, one))) for one in executions]


def live_address(client: Client, execution: Execution) -> str:
    found = LIVE.search(client.get(f"/executions/{execution.id}/").content.decode())
    assert found is not None
    return found[1].replace("&amp;", "&")


def change(execution: Execution) -> None:
    with connection.cursor() as cursor:
        cursor.execute("update durable_execution set event_seq = event_seq + 1 where id = %s", [execution.id])


def statuses(pages: list[Page]) -> list[int]:
    return [page.answer() for page in pages]


def test_polls_at_once_are_one_query_and_nobody_else_waits(slow_web: Web, slow_pages: list[Page]) -> None:
    *polling, clicking = slow_pages
    for page in polling:
        page.ask()
    clicking.ask("/healthz")
    assert clicking.answer() == 503  # no engine runs here
    assert not any(page.is_answered() for page in polling)
    assert statuses(polling) == [204] * len(polling)
    assert slow_web.asked() == [len(polling)]


def test_one_with_news_gets_its_page_and_connections_stay(web: Web, pages: list[Page], executions: list[Execution]) -> None:
    change(executions[2])
    for page in pages:
        page.ask()
    assert statuses(pages) == [204, 204, 200, 204, 204]
    for page in pages:
        page.ask()
    assert statuses(pages) == [204, 204, 200, 204, 204]


def test_forged_stamps_are_asked_about_by_nobody(pages: list[Page]) -> None:
    first = pages[0]
    first.cookie = ""
    first.ask(re.sub(r"stamp=\d+", "stamp=9999999999", first.path))
    assert first.answer() == 401


def test_lines_on_which_servers_disagree_are_refused_by_gunicorn(web: Web, pages: list[Page]) -> None:
    pages[0].ask(more="Accept: a\nContent-Length: 1\r\n")
    assert pages[0].answer() == 400
    assert web.asked() == []


@pytest.mark.parametrize("more", ["Content-Length: 0\r\n", "Expect: 100-continue\r\n", "Transfer-Encoding: chunked\r\n"])
def test_a_request_that_says_more_goes_the_long_way(web: Web, pages: list[Page], more: str) -> None:
    first = pages[0]
    first.ask(more=more)
    if "chunked" in more:
        first.send(b"0\r\n\r\n")
    if "Expect" in more:
        assert first.answer() == 100
    assert first.answer() == 204
    assert web.asked() == [1]


def test_in_pieces_and_behind_each_other(pages: list[Page]) -> None:
    first, second = pages[:2]
    whole = first.request()
    first.send(whole[:30])
    second.send(second.request() + second.request())
    assert second.answer() == 204
    assert second.answer() == 204
    first.send(whole[30:])
    assert first.answer() == 204


def test_polls_that_come_while_a_query_hangs_are_one_query_afterwards(web: Web, pages: list[Page], executions: list[Execution]) -> None:
    first, *others = pages
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("lock table durable_execution")
        first.ask()
        wait_until(web.asked)
        for page in others:
            page.ask()
        cursor.execute("select pg_sleep(0.5)")
        assert web.asked() == [1]
    assert statuses(pages) == [204] * PAGES
    assert web.asked() == [1, PAGES - 1]


def test_a_page_that_is_closed_takes_no_other_along(pages: list[Page]) -> None:
    for page in pages:
        page.ask()
    pages[0].socket.close()
    assert statuses(pages[1:]) == [204] * (PAGES - 1)
    pages[1].ask()
    assert pages[1].answer() == 204


def test_whoever_waits_when_the_server_stops_is_answered(slow_web: Web, slow_pages: list[Page]) -> None:
    for page in slow_pages:
        page.ask()
    slow_web.process.send_signal(signal.SIGTERM)
    assert statuses(slow_pages) == [204] * PAGES
