"""Another machine, as far as one process can be: handlers that know the product by its address and a key only."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from tests.serving import NOT_INHERITED, REPOSITORY, Serving
from tests.waiting import PATIENCE


def free_port() -> int:
    """Nobody listens there now. A host that is killed comes back on the same one."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def aws_environment(serving: Serving) -> dict[str, str]:
    """What AWS's SDKs read: where Lambda is, and a key that signs, with the one right that a handler needs."""
    who = ["--user", "admin", "--name", f"remote-{time.monotonic_ns()}", "--scopes", "checkpoint_execution"]
    made = json.loads(serving.manage("create_api_key", *who, "--for-aws", "--json"))
    return {
        "AWS_ACCESS_KEY_ID": made["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": made["secret_access_key"],
        "AWS_ENDPOINT_URL_LAMBDA": serving.address,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


class Elsewhere:
    """A host process. `kill` ends it and its children at once, `start` brings it back on the same port."""

    def __init__(self, command: list[str], port: int, output: Path, environment: Mapping[str, str], folder: Path = REPOSITORY) -> None:
        inherited = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
        self._environment = {**inherited, **environment}
        self._command = command
        self._folder = folder
        self._output = output
        self._process: subprocess.Popen[bytes] | None = None
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    def __enter__(self) -> "Elsewhere":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self, seconds: float = PATIENCE) -> None:
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(
                self._command, cwd=self._folder, env=self._environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )
        ends = time.monotonic() + seconds
        while not self._listens():
            assert self._process.poll() is None and time.monotonic() < ends, f"the host did not come up:\n{self._output.read_text()}"
            time.sleep(0.05)

    def kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True
