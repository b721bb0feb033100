"""Pages of executions that are open in browsers, as cheaply as a client can do it: one thread, prepared requests, a few connections."""

import re
import socket
import threading
import time
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar

LIVE = re.compile(r'id="detail-live"[^>]*hx-get="([^"]+)"')
CONNECTIONS = 4
LONGEST_SECONDS = 30.0


class Browser:
    """Signed in as the demo's administrator."""

    def __init__(self, address: str, password: str) -> None:
        self.address = address.rstrip("/")
        self.jar = CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))
        token = re.search(r'csrfmiddlewaretoken" value="([^"]+)', self.read("/login/"))
        assert token is not None
        form = {"username": "admin", "password": password, "csrfmiddlewaretoken": token[1]}
        self.opener.open(f"{self.address}/login/", urllib.parse.urlencode(form).encode())

    def read(self, path: str) -> str:
        with self.opener.open(f"{self.address}{path}") as answer:
            return str(answer.read().decode())

    def live_address(self, execution_id: str) -> str | None:
        return live_address(self.read(f"/executions/{execution_id}/"))

    def request(self, path: str) -> bytes:
        """What a live part of the page sends."""
        host = urllib.parse.urlsplit(self.address).netloc
        cookies = "; ".join(f"{one.name}={one.value}" for one in self.jar)
        return f"GET {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookies}\r\nHX-Request: true\r\n\r\n".encode()


def live_address(page: str) -> str | None:
    found = LIVE.search(page)
    return found[1].replace("&amp;", "&") if found else None


class OpenPages:
    """Asks for each address every `every` seconds, evenly, while it is entered; follows the address that a changed page brings.

    `quiet` and `news` count answers of 204 and of 200, `cpu` is the client's own CPU time in seconds, `wall` how long it asked.
    """

    def __init__(self, browser: Browser, paths: list[str], every: float) -> None:
        self.browser = browser
        self.requests = [browser.request(path) for path in paths]
        self.pause = every / len(paths)
        self.quiet = self.news = 0
        self.cpu = self.wall = 0.0
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> "OpenPages":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _ask(self) -> None:
        lines = [Line(self.browser.address) for _ in range(CONNECTIONS)]
        began = due = time.monotonic()
        number = 0
        while not self._is_over.wait(max(due - time.monotonic(), 0)):
            place = number % len(self.requests)
            status, body = lines[number % CONNECTIONS].ask(self.requests[place])
            if status == 200:
                self.news += 1
                path = live_address(body.decode())
                assert path is not None, "an open page stopped to ask"
                self.requests[place] = self.browser.request(path)
            else:
                assert status == 204, status
                self.quiet += 1
            number += 1
            due += self.pause
        self.wall = time.monotonic() - began
        self.cpu = time.thread_time()
        for line in lines:
            line.close()


class Line:
    """One connection that is kept, opened anew when the server has closed it."""

    def __init__(self, address: str) -> None:
        parts = urllib.parse.urlsplit(address)
        self._place = (parts.hostname, parts.port or 80)
        self._socket: socket.socket | None = None

    def ask(self, request: bytes) -> tuple[int, bytes]:
        try:
            return self._ask(request)
        except ConnectionError:
            self.close()  # the server ends connections that were idle
            return self._ask(request)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _ask(self, request: bytes) -> tuple[int, bytes]:
        if self._socket is None:
            self._socket = socket.create_connection(self._place, timeout=LONGEST_SECONDS)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(request)
        head, _, body = self._read_until(b"\r\n\r\n", b"").partition(b"\r\n\r\n")
        status = int(head[9:12])
        if length := re.search(rb"(?i)\r\ncontent-length: (\d+)", head):
            while len(body) < int(length[1]):
                body += self._receive()
        elif re.search(rb"(?i)\r\ntransfer-encoding: chunked", head):
            body = self._read_until(b"\r\n0\r\n\r\n", b"\r\n" + body)
        return status, body

    def _read_until(self, end: bytes, got: bytes) -> bytes:
        while end not in got:
            got += self._receive()
        return got

    def _receive(self) -> bytes:
        assert self._socket is not None
        received = self._socket.recv(65536)
        if not received:
            raise ConnectionResetError
        return received
