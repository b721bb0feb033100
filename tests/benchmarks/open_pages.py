"""Pages of executions that are open in browsers, as cheaply as a client can do it: one thread, prepared requests."""

import re
import socket
import threading
import time
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar

LIVE = re.compile(r'id="detail-live"[^>]*hx-get="([^"]+)"')
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

    Each page has a connection of its own, as in its own browser; an answer is read when it is that page's turn again. `quiet` and `news`
    count answers of 204 and of 200, `cpu` is the client's own CPU time in seconds. It is silent while `asks` is false.
    """

    def __init__(self, browser: Browser, paths: list[str], every: float, *, asks: bool = True) -> None:
        self.browser = browser
        self.asks = asks
        self.requests = [browser.request(path) for path in paths]
        self.pause = every / len(paths)
        self.quiet = self.news = 0
        self.cpu = 0.0
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> "OpenPages":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _ask(self) -> None:
        lines = [Line(self.browser.address) for _ in self.requests]
        due = time.monotonic()
        number = 0
        while not self._is_over.wait(max(due - time.monotonic(), 0)):
            if self.asks:
                self._take_turn(lines, number % len(lines))
            number += 1
            due += self.pause
        self.cpu = time.thread_time()
        for place, line in enumerate(lines):
            self._read(line, place)
            line.close()

    def _take_turn(self, lines: list["Line"], place: int) -> None:
        self._read(lines[place], place)
        lines[place].ask(self.requests[place])

    def _read(self, line: "Line", place: int) -> None:
        if not line.is_asked:
            return
        status, body = line.answer()
        if status == 200:
            self.news += 1
            path = live_address(body.decode())
            assert path is not None, "an open page stopped to ask"
            self.requests[place] = self.browser.request(path)
        else:
            assert status == 204, status
            self.quiet += 1


class Line:
    """One connection that is kept, opened anew when the server has closed it."""

    def __init__(self, address: str) -> None:
        parts = urllib.parse.urlsplit(address)
        self._place = (parts.hostname, parts.port or 80)
        self._socket: socket.socket | None = None
        self._request = b""

    @property
    def is_asked(self) -> bool:
        return bool(self._request)

    def ask(self, request: bytes) -> None:
        self._request = request
        try:
            self._send()
        except ConnectionError:
            self.close()
            self._send()

    def answer(self) -> tuple[int, bytes]:
        try:
            found = self._receive_answer()
        except ConnectionError:
            self.close()  # the server ends connections that were idle
            self._send()
            found = self._receive_answer()
        self._request = b""
        return found

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self) -> None:
        if self._socket is None:
            self._socket = socket.create_connection(self._place, timeout=LONGEST_SECONDS)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(self._request)

    def _receive_answer(self) -> tuple[int, bytes]:
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
