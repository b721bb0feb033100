"""`manage.py serve` as a test sees it: a process with an address."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from durable_ops.serve.layout import Layout
from tests.waiting import PATIENCE

REPOSITORY = Path(__file__).resolve().parent.parent
# What tests/settings.py puts into the environment is for the tests' own process.
NOT_INHERITED = {"DATABASE_URL", "DURABLE_LOCAL", "CELERY_BROKER_URL", "SECRET_KEY", "DJANGO_SETTINGS_MODULE", "PORT", "DEMO_PASSWORD"}


class Serving:
    """Starts `serve` on a free port in `data`; `with` waits until it is ready and stops it at the end."""

    def __init__(self, data: Path, *options: str, environment: Mapping[str, str] | None = None) -> None:
        self.data = data
        self.address = ""
        inherited = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
        # A killed or failing test leaves nothing behind either.
        self.environment = {**inherited, "DATA_DIR": str(data), "DURABLE_FOLLOW_PARENT": "1", **(environment or {})}
        self.output = data.parent / f"{data.name}-{time.monotonic_ns()}.txt"
        command = [sys.executable, str(REPOSITORY / "manage.py"), "serve", "--port", "0", *options]
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                command, cwd=REPOSITORY, env=self.environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )

    def __enter__(self) -> "Serving":
        self.wait_until_ready()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def text(self) -> str:
        return self.output.read_text()

    def wait_until_ready(self, seconds: float = PATIENCE) -> str:
        """The address. Raises `AssertionError` with what was printed and logged when it does not come."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := re.search(r"ready at (\S+)", self.text):
                self.address = found[1]
                return self.address
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        self.kill()
        logs = [f"{log.name}:\n" + "\n".join(log.read_text().splitlines()[-20:]) for log in sorted(self.data.glob("logs/*.log"))]
        raise AssertionError("serve is not ready:\n" + self.text + "\n".join(logs))

    def manage(self, *arguments: str) -> str:
        """Another management command against the same data."""
        command = [sys.executable, str(REPOSITORY / "manage.py"), *arguments]
        return subprocess.run(command, cwd=REPOSITORY, env=self.environment, capture_output=True, text=True, check=True).stdout

    def processes(self) -> dict[int, str]:
        """Living processes with our DATA_DIR in their environment or, as Valkey overwrites its own, our sockets in their command."""
        return all_processes(f"DATA_DIR={self.data}", str(Layout(self.data).sockets))

    def pid_of(self, words: str) -> int:
        """The oldest of our processes with these words in its command line."""
        return min(pid for pid, line in self.processes().items() if words in line)

    def stop(self, number: int = signal.SIGTERM, seconds: float = PATIENCE) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(seconds)

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def all_processes(environment: str, words: str) -> dict[int, str]:
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if command and (words in command or environment.encode() in (entry / "environ").read_bytes().split(b"\0")):
                found[int(entry.name)] = command
        except OSError:
            continue  # it ended, or it is not ours
    return found
