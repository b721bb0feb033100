"""A host for handlers of AWS's Python SDK, as somebody elsewhere would write one: `python -m tests.remote.host MODULE PORT`.

Knows nothing of the engine: the handlers are in `MODULE.HANDLERS` by function name, and their SDK finds the Lambda API by its own
environment (AWS_ENDPOINT_URL_LAMBDA, AWS_ACCESS_KEY_ID, ...). Each invocation has a process for itself, so that a handler which ends
its process takes no neighbour along; one that died is replaced. With HOST_OUTPUT what handlers print and log goes there as JSON lines.
"""

import importlib
import io
import json
import logging
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

Handlers = Mapping[str, Callable[[Any, Any], Any]]
CHILDREN = 6


@dataclass
class Context:
    """What a Lambda handler is told of its invocation."""

    aws_request_id: str
    function_name: str
    function_version: str
    invoked_function_arn: str
    tenant_id: str | None
    deadline_ms: int
    memory_limit_in_mb: str = "1024"
    log_group_name: str = ""
    log_stream_name: str = ""
    client_context: Any = None
    identity: Any = None

    def get_remaining_time_in_millis(self) -> int:
        return max(0, self.deadline_ms - int(time.time() * 1000))


class Spoken(io.TextIOBase):
    """Lines of the invocation under way, as JSON, appended to a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.arn = ""

    def write(self, text: str) -> int:
        for line in filter(None, text.split("\n")):
            with self._path.open("a") as file:
                file.write(json.dumps({"executionArn": self.arn, "message": line}) + "\n")
        return len(text)


class Door(BaseHTTPRequestHandler):
    handlers: Handlers = {}
    spoken: Spoken | None = None

    def do_POST(self) -> None:
        name = self.path.removeprefix("/2015-03-31/functions/").removesuffix("/invocations")
        event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if name not in self.handlers:
            self._answer(404, {"Message": f"no function {name}"})
            return
        if self.spoken is not None:
            self.spoken.arn = event.get("DurableExecutionArn", "") if isinstance(event, dict) else ""
        arn = self.headers["Lambda-Runtime-Invoked-Function-Arn"]
        context = Context(
            aws_request_id=self.headers["Lambda-Runtime-Aws-Request-Id"],
            function_name=name,
            function_version=arn.rpartition(":")[2],
            invoked_function_arn=arn,
            tenant_id=self.headers.get("X-Amz-Tenant-Id"),
            deadline_ms=int(self.headers["Lambda-Runtime-Deadline-Ms"]),
        )
        os.environ["_X_AMZN_TRACE_ID"] = self.headers.get("X-Amzn-Trace-Id", "")
        try:
            self._answer(200, self.handlers[name](event, context))
        except Exception as error:
            wire = {"errorMessage": str(error), "errorType": type(error).__name__, "stackTrace": traceback.format_tb(error.__traceback__)}
            self._answer(200, wire, error="Unhandled")

    def _answer(self, status: int, value: Any, error: str | None = None) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        if error is not None:
            self.send_header("X-Amz-Function-Error", error)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        return


def serve(handlers: Handlers, port: int) -> None:
    """Until the process is ended: some children take calls from one listening socket, and each that dies is replaced."""
    listener = socket.create_server(("127.0.0.1", port), backlog=256)
    if path := os.environ.get("HOST_OUTPUT"):
        Door.spoken = Spoken(Path(path))
    Door.handlers = handlers
    children = {_child(listener) for _ in range(CHILDREN)}

    def end(*_: Any) -> None:
        for pid in children:
            os.kill(pid, signal.SIGKILL)
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
    sys.stdout.write("hosting\n")
    sys.stdout.flush()
    while True:
        pid, _ = os.wait()
        children.discard(pid)
        children.add(_child(listener))


def _child(listener: socket.socket) -> int:
    pid = os.fork()
    if pid:
        return pid
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if Door.spoken is not None:
        sys.stdout = sys.stderr = Door.spoken  # type: ignore[assignment]
        logging.basicConfig(level=logging.INFO, format="%(message)s", stream=Door.spoken, force=True)
    while True:
        connection, address = listener.accept()
        try:
            Door(connection, address, None)  # type: ignore[arg-type]
        except OSError:
            continue  # who called is gone
        finally:
            connection.close()


if __name__ == "__main__":
    serve(importlib.import_module(sys.argv[1]).HANDLERS, int(sys.argv[2]))
