"""A host of remote functions that a test tells how to behave, on a raw socket."""

import contextlib
import json
import socket
import struct
import threading
from collections.abc import Callable
from typing import Any

from tests.waiting import PATIENCE

Behaviour = Callable[[socket.socket, "Request"], None]


class Request:
    """One POST as it came in."""

    def __init__(self, head: bytes, body: bytes) -> None:
        first, *lines = head.decode().split("\r\n")
        self.line = first
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        self.body = body

    @property
    def event(self) -> Any:
        return json.loads(self.body)


class Host:
    """Serves each connection on a thread. `behaviours` are used one by one, the last one again and again."""

    def __init__(self, *behaviours: Behaviour) -> None:
        self.behaviours = list(behaviours)
        self.requests: list[Request] = []
        self.connections = 0
        self.released = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> "Host":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """From now on nobody listens; what hangs goes on."""
        self.released.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while (request := _read(connection)) is not None:
                self.requests.append(request)
                behaviour = self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0]
                behaviour(connection, request)


def _read(connection: socket.socket) -> Request | None:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (chunk := connection.recv(65536)):
            return None
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    request = Request(head, b"")
    while len(body) < int(request.headers.get("content-length", "0")):
        body += connection.recv(65536)
    request.body = body
    return request


def answers(value: Any, status: str = "200 OK", **headers: str) -> Behaviour:
    """`value` as JSON, or bytes as they are."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    lines = "".join(f"{name.replace('_', '-')}: {text}\r\n" for name, text in headers.items())
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{lines}\r\n".encode()
    return lambda connection, _: connection.sendall(head + body)


def succeeds(result: str = '"done"') -> Behaviour:
    return answers({"Status": "SUCCEEDED", "Result": result})


def says(data: bytes) -> Behaviour:
    """Exactly these bytes, then the end."""

    def behave(connection: socket.socket, _: Request) -> None:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_RDWR)

    return behave


def resets(data: bytes = b"") -> Behaviour:
    """Some bytes, then a connection reset."""

    def behave(connection: socket.socket, _: Request) -> None:
        connection.sendall(data)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    return behave


def never_ends(data: bytes) -> Behaviour:
    """The bytes, then more and more until the other side has enough."""

    def behave(connection: socket.socket, _: Request) -> None:
        connection.sendall(data)
        while True:
            connection.sendall(b"x" * 65536)

    return behave


def hangs(host: Host, data: bytes = b"") -> Behaviour:
    """The bytes, then nothing until the host is closed."""

    def behave(connection: socket.socket, _: Request) -> None:
        connection.sendall(data)
        host.released.wait(PATIENCE)

    return behave


def drips(host: Host) -> Behaviour:
    """A header that comes byte by byte and never ends: no pause is long enough to be a time-out."""

    def behave(connection: socket.socket, _: Request) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not host.released.wait(0.05):
            connection.sendall(b"z")

    return behave
