"""The call of a remote function against hosts that behave as badly as hosts do."""

import threading
import time

import pytest

from execution_engine.invocation.post import BrokenError, LateError, Post, TooLargeError, UnreachableError
from tests.execution_engine.invocation import hostile
from tests.execution_engine.invocation.hostile import Host
from tests.waiting import PATIENCE, wait_until

MIB = 1024 * 1024


def post(host: Host) -> Post:
    return Post(f"{host.url}/2015-03-31/functions/f/invocations", b"{}", {"X-Amz-Tenant-Id": "t"})


def test_an_answer_and_what_was_asked() -> None:
    with Host(hostile.answers(b"[1]", X_Amz_Function_Error="Unhandled")) as host:
        answer = post(host).send(PATIENCE, MIB)
        assert (answer.status, answer.body, answer.headers.get("x-amz-function-error")) == (200, b"[1]", "Unhandled")
        asked = host.requests[0]
        assert asked.line == "POST /2015-03-31/functions/f/invocations HTTP/1.1"
        assert (asked.headers["content-type"], asked.headers["x-amz-tenant-id"]) == ("application/json", "t")


def test_a_connection_is_kept() -> None:
    with Host(hostile.answers(b"1")) as host:
        assert [post(host).send(PATIENCE, MIB).body for _ in range(5)] == [b"1"] * 5
        assert host.connections == 1


def test_a_kept_connection_that_the_host_closed_is_not_used_again() -> None:
    closes = hostile.says(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1")
    with Host(closes) as host:
        for _ in range(3):
            assert post(host).send(PATIENCE, MIB).body == b"1"
            time.sleep(0.05)


def test_chunks_are_read() -> None:
    with Host(hostile.says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[1\r\n1\r\n]\r\n0\r\n\r\n")) as host:
        assert post(host).send(PATIENCE, MIB).body == b"[1]"


def test_nobody_listens() -> None:
    host = Host(hostile.succeeds())
    host.close()
    with pytest.raises(UnreachableError):
        post(host).send(PATIENCE, MIB)


@pytest.mark.parametrize(
    "behaviour",
    [
        hostile.says(b""),
        hostile.resets(),
        hostile.resets(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"),
        hostile.says(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"),
        hostile.says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nnot a chunk\r\n"),
        hostile.says(b"\x00\xff\xfe this is not HTTP\r\n\r\n"),
        hostile.says(b"HTTP/1.1 abc\r\n\r\n"),
        hostile.says(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 2000 + b"\r\n"),
        hostile.says(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n"),
    ],
)
def test_the_connection_ends_before_the_answer(behaviour: hostile.Behaviour) -> None:
    with Host(behaviour) as host, pytest.raises(BrokenError):
        post(host).send(PATIENCE, MIB)


@pytest.mark.parametrize("length", [b"Content-Length: 10737418240\r\n", b"", b"Transfer-Encoding: identity\r\n"])
def test_of_an_endless_answer_only_the_limit_is_read(length: bytes) -> None:
    with Host(hostile.never_ends(b"HTTP/1.1 200 OK\r\n" + length + b"\r\n")) as host, pytest.raises(TooLargeError):
        post(host).send(PATIENCE, MIB)


def test_a_compressed_answer_stays_as_it_is() -> None:
    bomb = b"\x1f\x8b" + b"\x00" * 100
    with Host(hostile.answers(bomb, Content_Encoding="gzip")) as host:
        assert post(host).send(PATIENCE, MIB).body == bomb


def test_a_redirect_is_an_answer_like_others() -> None:
    with Host(hostile.succeeds()) as inner, Host(hostile.answers(b"", "307 Temporary Redirect", Location=inner.url)) as host:
        assert post(host).send(PATIENCE, MIB).status == 307
        assert inner.connections == 0


@pytest.mark.parametrize("data", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nha"])
def test_a_host_that_hangs(data: bytes) -> None:
    with Host(hostile.succeeds()) as host:
        host.behaviours = [hostile.hangs(host, data)]
        with pytest.raises(LateError):
            post(host).send(0.3, MIB)


def test_a_call_is_given_up_from_another_thread() -> None:
    with Host(hostile.succeeds()) as host:
        host.behaviours = [hostile.drips(host)]
        call = post(host)
        caught: list[BaseException] = []

        def send() -> None:
            try:
                call.send(PATIENCE, MIB)
            except BrokenError as error:
                caught.append(error)

        thread = threading.Thread(target=send)
        thread.start()
        wait_until(lambda: host.requests)
        call.give_up()
        thread.join(PATIENCE)
        assert not thread.is_alive() and caught


def test_a_call_given_up_before_it_was_sent_does_not_wait() -> None:
    with Host(hostile.succeeds()) as host:
        host.behaviours = [hostile.hangs(host)]
        call = post(host)
        call.give_up()
        with pytest.raises(BrokenError):
            call.send(PATIENCE, MIB)


def test_a_call_given_up_after_its_answer_leaves_the_kept_connection_alone() -> None:
    with Host(hostile.succeeds()) as host:
        first, second = post(host), post(host)
        first.send(PATIENCE, MIB)
        first.give_up()
        assert second.send(PATIENCE, MIB).status == 200
        assert host.connections == 1


def test_a_header_that_cannot_be_sent() -> None:
    with Host(hostile.succeeds()) as host, pytest.raises(ValueError, match=r"header|latin-1"):
        Post(host.url, b"", {"X-Amz-Tenant-Id": "a\r\nX-Other: b"}).send(PATIENCE, MIB)
    with pytest.raises(ValueError, match=r"latin-1|header"):
        Post(host.url, b"", {"X-Amz-Tenant-Id": "日本"}).send(PATIENCE, MIB)
