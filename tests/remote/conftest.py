"""The served product, and hosts of handlers beside it."""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.product import ENDED, Product
from tests.remote.elsewhere import Elsewhere, aws_environment, free_port
from tests.serving import REPOSITORY, Serving
from tests.waiting import wait_until

NODE = {"NODE_PATH": str(REPOSITORY / ".node" / "node_modules")}


def node_program() -> Path:
    """The Node that `make node` installs beside the SDK. Absent, the tests fail and say so: they are never skipped."""
    found = sorted(REPOSITORY.glob(".node/node_modules/node-*/bin/node"))
    return found[0] if found else Path("no Node 22 in .node: run `make node`")


def documented_host(folder: Path) -> Path:
    """The host of the documentation's page, in front of our handlers."""
    page = (REPOSITORY / "execution_engine" / "docs" / "remote.md").read_text()
    host = folder / "host.cjs"
    host.write_text(page.partition("```js\n")[2].partition("```")[0].replace("./handlers.cjs", str(REPOSITORY / "tests/node/handlers.cjs")))
    return host


@dataclass
class Host:
    """`name` is what its functions begin with; `kill` and `start` of its process may be called at any time."""

    name: str
    process: Elsewhere


@dataclass
class Remote:
    """`marks` is where handlers leave a file for each time a body ran."""

    serving: Serving
    product: Product
    python: Elsewhere
    node: Elsewhere
    marks: Path

    def start(self, function: str) -> str:
        marks = self.marks / f"{function}-{time.monotonic_ns()}"
        marks.mkdir()
        body = {"function": function, "input": {"marks": str(marks)}}
        return str(self.product.call("POST", "/executions", body)["id"])

    def runs(self, execution_id: str, name: str) -> int:
        folder = Path(self.get(execution_id)["input"]["marks"]) / name
        return len(list(folder.iterdir())) if folder.exists() else 0

    def go_on(self, execution_id: str) -> None:
        (Path(self.get(execution_id)["input"]["marks"]) / "go-on").touch()

    def get(self, execution_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.product.call("GET", f"/executions/{execution_id}")
        return found

    def events(self, execution_id: str) -> list[str]:
        return [event["EventType"] for event in self.product.call("GET", f"/executions/{execution_id}/history")["results"]]

    def answer_callback(self, execution_id: str, value: Any) -> None:
        """Once there is one."""
        path = f"/callbacks?status=pending&execution={execution_id}"
        wait_until(lambda: self.product.call("GET", path)["results"] or self.get(execution_id)["status"] in ENDED)
        assert self.get(execution_id)["status"] == "RUNNING", self.get(execution_id)
        [found] = self.product.call("GET", path)["results"]
        self.product.call("POST", f"/callbacks/{found['callback_id']}/succeed", {"result": value})

    def result(self, execution_id: str) -> Any:
        wait_until(lambda: self.get(execution_id)["status"] in ENDED, lambda: (self.get(execution_id), self.events(execution_id)))
        ended = self.get(execution_id)
        assert ended["status"] == "SUCCEEDED", ended
        return ended["result"]


@pytest.fixture(scope="package")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remote]:
    folder = tmp_path_factory.mktemp("remote")
    port, node_port = free_port(), free_port()
    environment = {
        "DURABLE_FUNCTION_MODULES": "tests.remote.functions",
        "REMOTE_URL": f"http://127.0.0.1:{port}",
        "NODE_URL": f"http://127.0.0.1:{node_port}",
        "DEMO_PASSWORD": "remote-demo",
    }
    with Serving(folder / "data", "--workers", "2", "--threads", "8", "--no-demo", environment=environment) as serving:
        key = serving.manage("create_api_key", "--user", "admin", "--name", "remote", "--quiet").strip()
        aws = aws_environment(serving)
        command = [sys.executable, "-m", "tests.remote.host", "tests.remote.handlers", str(port)]
        node = Elsewhere([str(node_program()), str(documented_host(folder)), str(node_port)], node_port, folder / "node.txt", aws | NODE)
        with Elsewhere(command, port, folder / "host.txt", aws) as host:
            yield Remote(serving, Product(serving.address, key), host, node, folder)
        node.kill()


@pytest.fixture(params=["remote", "node"])
def host(request: pytest.FixtureRequest, remote: Remote) -> Iterator[Host]:
    """Python's SDK, which is up all the time, then JavaScript's."""
    if request.param == "remote":
        pytest.importorskip("aws_durable_execution_sdk_python")
        yield Host("remote", remote.python)
    else:
        with remote.node:
            yield Host("node", remote.node)
