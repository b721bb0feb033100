"""`manage.py serve`: everything starts, everything stops, and nothing outlives it."""

import http.client
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.serving import Serving
from tests.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One data directory for all starts of this module: the first makes it, the others find it."""
    return tmp_path_factory.mktemp("serve") / "data"


def healthz(serving: Serving) -> int:
    connection = http.client.HTTPConnection(serving.address.removeprefix("http://"), timeout=PATIENCE)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def wait_for_end(serving: Serving) -> None:
    wait_until(lambda: not serving.processes(), serving.processes)


def test_first_start_shows_passwords_once_and_ctrl_c_stops_everything(data: Path) -> None:
    with Serving(data, "--workers", "1") as serving:
        assert healthz(serving) == 200
        for name in ("admin", "operator", "approver", "viewer"):
            assert f"    {name} " in serving.text
        assert (data / "secret_key").stat().st_mode & 0o777 == 0o600
        serving.stop(signal.SIGINT)
    assert serving.process.returncode == 0
    wait_for_end(serving)


def test_later_start_makes_nothing_again_and_shows_no_password(data: Path, figures: Callable[..., None]) -> None:
    made, began = (data / "postgres" / "PG_VERSION").stat(), time.monotonic()
    with Serving(data, "--workers", "1") as serving:
        figures("later start", seconds=round(time.monotonic() - began, 1))
        assert "shown only this once" not in serving.text
    found = (data / "postgres" / "PG_VERSION").stat()
    assert (found.st_ino, found.st_mtime_ns) == (made.st_ino, made.st_mtime_ns)


def test_nothing_is_left_after_kill_9(data: Path) -> None:
    with Serving(data, "--workers", "2") as serving:
        assert len(serving.processes()) > 5
        serving.kill()
        wait_for_end(serving)


def test_dead_children_are_started_again(data: Path) -> None:
    with Serving(data, "--workers", "1") as serving:
        for words in ("valkey-server", "bin/postgres", "celery", "gunicorn"):
            os.kill(serving.pid_of(words), signal.SIGKILL)
        wait_until(lambda: serving.text.count("ended; starting it again") >= 4, lambda: serving.text)
        wait_until(lambda: healthz(serving) == 200, lambda: serving.text)
        assert "PostgreSQL ended; starting it again" in serving.text


def test_used_data_and_busy_port_are_refused_by_name(data: Path) -> None:
    with Serving(data, "--workers", "1") as serving:
        port = serving.address.rpartition(":")[2]
        same_data = Serving(data)
        same_port = Serving(data.with_name("other"), "--port", port)
        assert same_data.process.wait(PATIENCE) == 1
        assert "Another `serve` uses" in same_data.text
        assert same_port.process.wait(PATIENCE) == 1
        assert f"Cannot listen on 127.0.0.1:{port}" in same_port.text
