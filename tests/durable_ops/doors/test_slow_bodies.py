"""A body that comes a byte at a time is given up, and its sender told."""

import io
import socket
import threading
from typing import Any

import pytest

from durable_ops.doors.bodies import BodyCutShortError, BodyTooSlowError, read_body
from durable_ops.web import slow_bodies


class FromSocket(io.RawIOBase):
    """A body of ten bytes, as a server reads it."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def read(self, _size: int = -1) -> bytes:
        found = b""
        while len(found) < 10 and (part := self._connection.recv(10)):
            found += part
        return found


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_bodies, "BODY_SECONDS", 0.2)
    monkeypatch.setattr(slow_bodies, "LOOK_SECONDS", 0.05)


def meta(connection: socket.socket) -> dict[str, Any]:
    return {"CONTENT_LENGTH": "10", "gunicorn.socket": connection}


def test_trickling_body_is_408_and_the_refusal_can_be_sent(short: None) -> None:
    ours, theirs = socket.socketpair()
    stop = threading.Event()

    def trickle() -> None:
        for _ in range(9):
            if stop.wait(0.1):
                return
            theirs.send(b"x")

    sender = threading.Thread(target=trickle)
    sender.start()
    try:
        with pytest.raises(BodyTooSlowError, match=r"\d of 10 bytes came within"):
            read_body(meta(ours), FromSocket(ours), 100)
        ours.send(b"408")
        assert theirs.recv(3) == b"408"
    finally:
        stop.set()
        sender.join()
        ours.close()
        theirs.close()
    assert not slow_bodies._readings


def test_whole_and_broken_bodies_are_what_they_are() -> None:
    ours, theirs = socket.socketpair()
    theirs.send(b"x" * 10)
    assert read_body(meta(ours), FromSocket(ours), 100) == b"x" * 10
    theirs.send(b"x")
    theirs.close()
    with pytest.raises(BodyCutShortError):
        read_body(meta(ours), FromSocket(ours), 100)
    ours.close()
