"""A real Celery worker on the test database, as a process that a test may kill."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psycopg

from durable_ops.serve.children import process_state, spawn
from tests.waiting import PATIENCE

REPOSITORY = Path(__file__).resolve().parents[2]


class CeleryWorker:
    """`celery -A durable_ops worker --pool prefork`, serving the functions of `modules`. `with` waits for its children.

    `pids` are the prefork children that live now; a killed one is replaced by Celery.
    """

    def __init__(
        self,
        database_url: str,
        data: Path,
        *,
        modules: Sequence[str],
        children: int = 2,
        threads: int = 64,
        broker: str = "memory://",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.database_url = database_url
        self.children = children
        self.log = data / f"worker-{time.monotonic_ns()}.log"
        data.mkdir(parents=True, exist_ok=True)
        self.environment = {
            **os.environ,
            "DATABASE_URL": database_url,
            "DJANGO_SETTINGS_MODULE": "durable_ops.settings",
            "DURABLE_LOCAL": "1",
            "DURABLE_EXAMPLES": "0",
            "DURABLE_FUNCTION_MODULES": ",".join(modules),
            "DURABLE_THREADS": str(threads),
            "CELERY_BROKER_URL": broker,
            "DATA_DIR": str(data),
            "CRASH_LEDGER_URL": database_url,
            **(environment or {}),
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "CeleryWorker":
        """Starts it without waiting. Its output is `log`."""
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "INFO"]
        command = [sys.executable, "-m", "celery", "-A", "durable_ops", "worker", "--pool", "prefork", "--concurrency", str(self.children)]
        # With a death signal: a test that fails on the way leaves no worker behind.
        self.process = spawn(
            [*command, *quiet], log=self.log, death_signal=signal.SIGKILL, environment=self.environment, directory=REPOSITORY
        )
        return self

    def __enter__(self) -> "CeleryWorker":
        self.start()
        self.wait_until_ready()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def parent(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def pids(self) -> list[int]:
        """Children of the worker that are no zombies."""
        try:
            found = Path(f"/proc/{self.parent}/task/{self.parent}/children").read_text().split()
        except OSError:
            return []
        return [int(pid) for pid in found if process_state(int(pid)) not in {"", "Z", "X"}]

    def wait_until_ready(self, seconds: float = PATIENCE) -> None:
        """Until every child has its row and serves. Raises `AssertionError` with the log's end."""
        deadline = time.monotonic() + seconds
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            while time.monotonic() < deadline:
                query = "select count(*) from durable_worker where pid = any(%s) and version_ids <> '[]'"
                row = connection.execute(query, (self.pids,)).fetchone()
                if row is not None and row[0] >= self.children:
                    return
                if self.process is None or self.process.poll() is not None:
                    break
                time.sleep(0.05)
        self.kill()
        raise AssertionError("the worker is not ready:\n" + self.tail())

    def tail(self, count: int = 40) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:]) if self.log.exists() else ""

    def stop(self, seconds: float = PATIENCE) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> list[int]:
        """Kills the parent with -9 and answers the children that it had."""
        assert self.process is not None
        pids = self.pids
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        return pids
