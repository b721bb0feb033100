"""The two Python children of `serve`: the web server and the Celery worker."""

import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from durable_ops.serve.children import spawn, stop


@dataclass
class Program:
    """A command that is kept running. `death_signal` is what it gets when `serve` itself is killed."""

    command: list[str]
    log: Path
    environment: Mapping[str, str]
    directory: Path
    grace_seconds: float
    death_signal: int
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        self._process = spawn(
            self.command, log=self.log, death_signal=self.death_signal, environment=self.environment, directory=self.directory
        )

    def stop(self) -> None:
        if self._process is not None:
            stop(self._process, first=signal.SIGTERM, grace_seconds=self.grace_seconds)
            self._process = None


def web(*, host: str, port: int, log: Path, environment: Mapping[str, str], directory: Path) -> Program:
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    command = [sys.executable, "-m", "gunicorn", "--config", "python:durable_ops.serve.gunicorn", "--bind", address]
    return Program(command, log, environment, directory, grace_seconds=15.0, death_signal=signal.SIGTERM)


def worker(*, children: int, log: Path, environment: Mapping[str, str], directory: Path) -> Program:
    """One Celery worker with `children` prefork children. Killed, not drained, when `serve` is killed: its database dies with it."""
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    command = [sys.executable, "-m", "celery", "-A", "durable_ops", "worker", "--pool", "prefork", "--concurrency", str(children)]
    return Program([*command, "--loglevel", "INFO", *quiet], log, environment, directory, grace_seconds=40.0, death_signal=signal.SIGKILL)
