"""A real HTTP server with moods, and webhooks that lead to it."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from durable_ops.actions import webhooks as actions
from durable_ops.actions.actor import Actor, Channel
from durable_ops.webhooks import posting
from durable_ops.webhooks.events import LABELS
from tests.waiting import PATIENCE

SYSTEM = Actor(user=None, channel=Channel.COMMAND, address="root")


@dataclass
class Heard:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """What it heard, and how it answers: ok, gone, wrong, redirect, hang, drip, slow body, huge, reset, garbage."""

    mood: str = "ok"
    heard: list[Heard] = field(default_factory=list)
    port: int = 0
    release: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?a=b"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        getattr(self, self.mood.replace(" ", "_"))(handler)

    def ok(self, handler: Any, status: int = 200, body: bytes = b"thank you\0", **headers: str) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def wrong(self, handler: Any) -> None:
        self.ok(handler, 500, "<b>näh</b>".encode())

    def gone(self, handler: Any) -> None:
        self.ok(handler, 410, b"")

    def redirect(self, handler: Any) -> None:
        self.ok(handler, 302, b"", Location=f"http://127.0.0.1:{self.port}/elsewhere")

    def hang(self, handler: Any) -> None:
        self.release.wait(PATIENCE)

    def drip(self, handler: Any) -> None:
        """A byte now and then, for ever: no single read times out."""
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not self.release.wait(0.05):
            handler.wfile.write(b"a")

    def slow_body(self, handler: Any) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nbegin")
        self.release.wait(PATIENCE)

    def huge(self, handler: Any) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(200):
            handler.wfile.write(b"x" * 1_000_000)

    def huge_header(self, handler: Any) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Huge: " + b"x" * 1_000_000)

    def reset(self, handler: Any) -> None:
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.close()

    def garbage(self, handler: Any) -> None:
        handler.wfile.write(b"\x00\xff this is no HTTP\r\n\r\n")


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.heard.append(Heard(self.path, dict(self.headers), body))
            try:
                found.answer(self)
            except OSError:
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    found.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield found
    found.release.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def hook(receiver: Receiver) -> Callable[..., actions.NewSecret]:
    """A webhook for everything that leads to the receiver; needs the database."""

    def make(**changes: Any) -> actions.NewSecret:
        values: dict[str, Any] = {"name": "ours", "url": receiver.url, "types": [one.value for one in LABELS], **changes}
        return actions.create_webhook(SYSTEM, **values)

    return make


@pytest.fixture
def impatient(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gives up soon on a receiver that means to be slow, and never on one that only runs on a slow machine."""
    original = posting.post

    def post(*args: Any, **options: Any) -> Any:
        return original(*args, **{**options, "seconds": 2 if receiver.mood in ("hang", "drip", "slow body") else PATIENCE})

    monkeypatch.setattr(posting, "post", post)
