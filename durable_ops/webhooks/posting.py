"""One POST to an address that was judged before: no redirect is followed, no proxy asked; bounded in time and in what is read."""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from durable_ops.webhooks.addresses import Address, Target

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 15.0
READ_BYTES = 2_048
"""What the page of deliveries shows; the rest is not read."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    excerpt: str
    milliseconds: int

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


class _Connection(http.client.HTTPConnection):
    """Goes to one address under the name of another: nothing is resolved again."""

    def __init__(self, target: Target, address: Address) -> None:
        super().__init__(target.host, target.port, timeout=CONNECT_SECONDS)
        self._target = target
        self._address = address
        self.is_cut = False

    def connect(self) -> None:
        self.sock = socket.create_connection((str(self._address), self._target.port), CONNECT_SECONDS)
        self.sock.settimeout(TOTAL_SECONDS)
        if self._target.is_secure:
            # The handshake after the assignment, so that it can be cut as well.
            self.sock = _tls().wrap_socket(self.sock, server_hostname=self._target.host, do_handshake_on_connect=False)
            self.sock.do_handshake()

    def cut(self) -> None:
        """From another thread: whatever waits for this socket wakes up."""
        self.is_cut = True
        if self.sock is not None:
            try:
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)
            except OSError:
                return


def post(target: Target, address: Address, body: bytes, headers: Mapping[str, str], *, seconds: float = TOTAL_SECONDS) -> Answer:
    """Raises OSError (`ssl.SSLError` and time-outs among them) or `http.client.HTTPException`."""
    began = time.monotonic()
    connection = _Connection(target, address)
    # A server that sends a byte now and then never lets a read time out.
    watch = threading.Timer(seconds, connection.cut)
    watch.daemon = True
    watch.start()
    try:
        host = f"[{target.host}]" if ":" in target.host else target.host
        default = 443 if target.is_secure else 80
        named = {"Host": host if target.port == default else f"{host}:{target.port}", "Content-Type": "application/json"}
        connection.request("POST", target.path, body, {**named, **headers, "Connection": "close"})
        response = connection.getresponse()
        if connection.is_cut:  # the end of what was cut off looks like the end of the headers
            raise TimeoutError
        text = _beginning(response)
        return Answer(response.status, text, int((time.monotonic() - began) * 1000))
    except (OSError, http.client.HTTPException) as error:
        if connection.is_cut:
            raise TimeoutError(f"no whole answer within {seconds:g} seconds") from error
        raise
    finally:
        watch.cancel()
        connection.close()


def _beginning(response: http.client.HTTPResponse) -> str:
    """The status is known already: what becomes of the rest changes nothing."""
    try:
        found = response.read1(READ_BYTES)
    except (OSError, http.client.HTTPException):
        found = b""
    return found.decode("utf-8", "replace").replace("\x00", "\ufffd")


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
