"""One POST to a remote function: kept-alive connections, an answer of bounded size, and a way to give up from another thread.

The address comes from the registration. Redirects are not followed and no proxy from the environment is used, so that nothing in an input
or an answer can choose where a call goes.
"""

import socket
import threading
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from http.client import HTTPException
from typing import Any

from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPSConnectionPool, PoolManager, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ReadTimeoutError, SSLError

from execution_engine.conf import engine_settings

CONNECT_SECONDS = 5.0
"""A host that does not take a connection by then is away; the invocation's own time is for its handler."""

HOSTS = 64
CHUNK_BYTES = 64 * 1024


class UnreachableError(Exception):
    """No connection was made, so nothing ran."""


class BrokenError(Exception):
    """The connection ended before the answer did; most likely, whoever ran the handler is gone."""


class LateError(Exception):
    """No answer within the invocation's time."""


class TooLargeError(Exception):
    """The answer is larger than any answer may be; the rest was not read."""


@dataclass(frozen=True, slots=True)
class Answered:
    """`headers` is looked up whatever the case of a name."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Post:
    """One call, sent on the calling thread. `give_up` may be called from any other thread."""

    def __init__(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        self._url = url
        self._body = body
        self._headers = {"Content-Type": "application/json", "Accept-Encoding": "identity", **headers}
        self._lock = threading.Lock()
        self._connection: _Connection | None = None
        self._is_given_up = False

    def send(self, seconds: float, max_bytes: int) -> Answered:
        """Raises `UnreachableError`, `BrokenError`, `LateError`, `TooLargeError`; `ValueError` for a header that cannot be sent."""
        timeout = Timeout(connect=min(CONNECT_SECONDS, seconds), read=max(0.001, seconds))
        here = _post.set(self)
        try:
            response = _pools().urlopen(
                "POST", self._url, body=self._body, headers=self._headers, timeout=timeout,
                redirect=False, retries=False, preload_content=False, decode_content=False,
            )  # fmt: skip
            answered = Answered(response.status, response.headers, _read(response, max_bytes))
            self.refuse_given_up()  # the end of what was cut off may look like the end of an answer
            return answered
        except (NewConnectionError, ConnectTimeoutError, SSLError) as error:
            raise UnreachableError(str(error)) from error
        except ReadTimeoutError as error:
            raise LateError(str(error)) from error
        except (HTTPError, HTTPException, OSError) as error:
            raise BrokenError(str(error) or type(error).__name__) from error
        finally:
            _post.reset(here)
            with self._lock:
                self._connection = None

    def give_up(self) -> None:
        """Makes the sending thread raise `BrokenError` if it has a connection. May be called again; does nothing after the answer."""
        with self._lock:
            self._is_given_up = True
            connection = self._connection
            # Answered to the end, it may have been taken over by another call, and is left alone.
            if connection is not None and connection.post is self and connection.sock is not None:
                _shut(connection.sock)

    def uses(self, connection: "_Connection") -> None:
        with self._lock:
            self._connection = connection

    def refuse_given_up(self) -> None:
        if self._is_given_up:
            raise OSError("the call was given up")


_post: ContextVar[Post] = ContextVar("post")


def _shut(sock: socket.socket) -> None:
    """Below TLS as well: what waits in `recv` wakes up, and nothing more is written."""
    try:
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
    except OSError:
        return


def _read(response: BaseHTTPResponse, max_bytes: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while chunk := response.read1(CHUNK_BYTES, decode_content=False):
        chunks.append(chunk)
        size += len(chunk)
        if size > max_bytes:
            response.close()
            raise TooLargeError(f"the answer has more than {max_bytes} bytes")
    response.release_conn()
    return b"".join(chunks)


class _Connection(HTTPConnection):
    """A connection that knows whose call it carries."""

    post: Post | None = None

    def request(self, *args: Any, **options: Any) -> None:
        self.post = post = _post.get()
        post.uses(self)
        super().request(*args, **options)
        post.refuse_given_up()


class _SecureConnection(HTTPSConnection, _Connection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


@cache
def _pools() -> PoolManager:
    """Of this process, made when first needed: after the fork. A thread never waits for another's connection."""
    pools = PoolManager(num_pools=HOSTS, maxsize=engine_settings().THREADS, block=False)
    pools.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
    return pools
