"""PostgreSQL or the broker goes away, for seconds or for good: nothing is lost and nobody has to help."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from durable_ops.serve.layout import make_private_directory
from durable_ops.serve.postgres import EmbeddedPostgres
from durable_ops.serve.valkey import EmbeddedValkey
from tests.crash import ledger
from tests.crash.functions import STEPS, crash_ten
from tests.crash.worker import REPOSITORY, CeleryWorker
from tests.waiting import PATIENCE, wait_until

FUNCTIONS = "tests.crash.functions"


class Server:
    """A PostgreSQL of this test's own, which may be stopped and started; the ledger lies in the session's."""

    def __init__(self, directory: Path) -> None:
        sockets = directory / "s"
        make_private_directory(sockets)
        self.postgres = EmbeddedPostgres(directory / "postgres", sockets, directory / "postgres.log")
        self.postgres.start()
        self.postgres.create_database("lost")
        self.url = f"postgresql://postgres@/lost?host={quote(str(sockets))}"

    def stop_at_once(self) -> None:
        """An immediate stop, as after a crash: no farewell to clients, recovery at the next start."""
        pid = int((self.postgres.data / "postmaster.pid").read_text().partition("\n")[0])
        os.kill(pid, signal.SIGQUIT)
        wait_until(lambda: not self.postgres.alive)

    def start(self) -> None:
        self.postgres.start()

    def migrate(self, environment: dict[str, str]) -> None:
        command = [sys.executable, "manage.py", "migrate", "--no-input", "-v", "0"]
        subprocess.run(command, cwd=REPOSITORY, env=environment, check=True, capture_output=True)


@pytest.fixture
def server() -> Iterator[Server]:
    directory = Path(tempfile.mkdtemp(prefix="durable-lost-", dir="/tmp"))
    made = Server(directory)
    yield made
    made.postgres.stop()
    shutil.rmtree(directory, ignore_errors=True)


def feed(worker: CeleryWorker, count: int, pause_ms: int, step_ms: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.crash.feeder", *(str(number) for number in (count, pause_ms, step_ms))]
    return subprocess.Popen(command, cwd=REPOSITORY, env=worker.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_postgresql_gone_under_load(
    ground: psycopg.Connection[Any], database_url: str, data: Path, server: Server, is_long: bool, figures: Callable[..., None]
) -> None:
    count, gone = (400, 10.0) if is_long else (60, 2.0)
    worker = CeleryWorker(server.url, data, modules=[FUNCTIONS], threads=16, environment={"CRASH_LEDGER_URL": database_url})
    server.migrate(worker.environment)
    with worker:
        feeder = feed(worker, count, 20, 20)
        wait_for_bodies(ground, 3 * STEPS)
        server.stop_at_once()
        time.sleep(gone)
        server.start()
        back = time.time()
        output, complaints = feeder.communicate(timeout=PATIENCE)
        with psycopg.connect(server.url, autocommit=True) as connection:
            assert ledger.wait_for_rest(connection, count), worker.tail()
            query = "select extract(epoch from min(at)) from durable_event where type = 'StepSucceeded' and at > to_timestamp(%s)"
            row = connection.execute(query, (back,)).fetchone()
            verdict = ledger.judge(connection, [], ground)
    assert row is not None
    figures(
        "PostgreSQL gone",
        seconds=gone,
        acknowledged=len(output.split()),
        starts_asked_again=complaints.count("again"),
        first_step_after_s=round(float(row[0]) - back, 2),
        **vars(verdict),
    )
    assert len(output.split()) == count
    assert verdict.is_clean and not verdict.extra_attempts, f"{verdict}\n{worker.tail()}"


def test_a_worker_started_first_waits_for_postgresql(
    ground: psycopg.Connection[Any], database_url: str, data: Path, server: Server, figures: Callable[..., None]
) -> None:
    worker = CeleryWorker(server.url, data, modules=[FUNCTIONS], environment={"CRASH_LEDGER_URL": database_url})
    server.stop_at_once()
    worker.start()
    wait_until(lambda: len(worker.pids) == 2, worker.tail)
    time.sleep(2)
    assert worker.process is not None and worker.process.poll() is None and len(worker.pids) == 2, worker.tail()
    server.start()
    time.sleep(1)  # the database answers, but has no tables yet
    server.migrate(worker.environment)
    began = time.monotonic()
    try:
        worker.wait_until_ready()
        figures("worker before PostgreSQL", ready_after_s=round(time.monotonic() - began, 2))
        feed(worker, 5, 0, 5).communicate(timeout=PATIENCE)
        with psycopg.connect(server.url, autocommit=True) as connection:
            assert ledger.wait_for_rest(connection, 5), worker.tail()
            assert ledger.judge(connection, [], ground).is_clean
    finally:
        worker.stop()


def test_the_broker_gone_for_good(
    ground: psycopg.Connection[Any], database_url: str, data: Path, tmp_path: Path, figures: Callable[..., None]
) -> None:
    directory = Path(tempfile.mkdtemp(prefix="durable-lost-", dir="/tmp"))
    valkey = EmbeddedValkey(directory / "v.sock", directory / "valkey.log")
    valkey.start()
    try:
        with CeleryWorker(database_url, data, modules=[FUNCTIONS], threads=8, broker=f"redis+socket://{valkey.socket_path}") as worker:
            start(0, 20)
            valkey.stop()
            start(20, 40)
            assert ledger.wait_for_rest(ground, 40), worker.tail()
            time.sleep(3)  # the parent has noticed by now and asks for its broker again and again
            replaced = replaced_after(worker)
            began = time.monotonic()
            start(40, 41)
            assert ledger.wait_for_rest(ground, 41), worker.tail()
            figures("broker gone", one_execution_s=round(time.monotonic() - began, 3), killed_children_replaced_after_s=replaced)
    finally:
        valkey.stop()
        shutil.rmtree(directory, ignore_errors=True)
    assert ledger.judge(ground, []).is_clean


def wait_for_bodies(ground: psycopg.Connection[Any], count: int) -> None:
    """Until the load is really on."""
    wait_until(lambda: ground.execute("select count(*) from crash_ledger").fetchone() >= (count,))


def replaced_after(worker: CeleryWorker) -> float:
    """Kills all children and answers how long it takes until as many new ones live."""
    killed, began = worker.pids, time.monotonic()
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: len(set(worker.pids) - set(killed)) >= len(killed), worker.tail)
    return round(time.monotonic() - began, 2)


def start(first: int, end: int) -> None:
    for number in range(first, end):
        crash_ten.start({"name": str(number), "milliseconds": [5] * STEPS}, name=str(number))
