"""What handlers print and log, as JSON lines in `DATA_DIR/logs/functions.jsonl`, each with the execution it belongs to.

Keys: timestamp (ISO 8601 UTC), level, logger, message, executionArn, and what the context's logger adds (operationId, operationName,
parentId, attempt). One write per line in append mode, so that the lines of several processes never mix.
"""

import io
import json
import logging
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

_EXTRA = ("operationId", "operationName", "parentId", "attempt")
_current: ContextVar[str | None] = ContextVar("execution_arn", default=None)


@contextmanager
def belongs_to(execution_arn: str) -> Iterator[None]:
    """What is printed and logged inside belongs to the execution, also by threads that were given this context."""
    token = _current.set(execution_arn)
    try:
        yield
    finally:
        _current.reset(token)


class OutputFile:
    """The file; opened once per process and never rotated by us (copy-truncate works)."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)

    def write(self, level: str, logger: str, message: str, extra: dict[str, Any]) -> None:
        line = {
            "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "level": level,
            "logger": logger,
            "message": message,
            **extra,
        }
        os.write(self._descriptor, (json.dumps(line, default=str) + "\n").encode("utf-8", "backslashreplace"))


class OutputHandler(logging.Handler):
    """Takes the log records of handler threads; others pass by."""

    def __init__(self, output: OutputFile) -> None:
        super().__init__(logging.INFO)
        self._output = output

    def emit(self, record: logging.LogRecord) -> None:
        arn = getattr(record, "executionArn", None) or _current.get()
        if arn is None:
            return
        extra = {"executionArn": arn} | {k: v for k in _EXTRA if (v := getattr(record, k, None)) is not None}
        message = record.getMessage()
        if record.exc_info:
            message = f"{message}\n{logging.Formatter().formatException(record.exc_info)}"
        self._output.write(record.levelname, record.name, message, extra)


class CapturedStream(io.TextIOBase):
    """`sys.stdout` of a worker child: whole lines of handler threads go to the file, all text to where it went before."""

    def __init__(self, stream: TextIO, output: OutputFile, level: str) -> None:
        self._stream = stream
        self._output = output
        self._level = level
        self._pending = threading.local()

    def write(self, text: str) -> int:
        arn = _current.get()
        if arn is None:
            return self._stream.write(text)
        *lines, rest = (getattr(self._pending, "text", "") + text).split("\n")
        self._pending.text = rest
        for line in lines:
            self._output.write(self._level, "stdout", line, {"executionArn": arn})
        return len(text)

    def flush(self) -> None:
        self._stream.flush()

    def isatty(self) -> bool:
        return False

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"


def capture(data_dir: str) -> None:
    """Starts capturing in this process. Without a data directory output stays where it goes."""
    if not data_dir:
        return
    output = OutputFile(Path(data_dir) / "logs" / "functions.jsonl")
    root = logging.getLogger()
    root.addHandler(OutputHandler(output))
    if root.level > logging.INFO or root.level == logging.NOTSET:
        root.setLevel(logging.INFO)
    sys.stdout = CapturedStream(sys.stdout, output, "INFO")
    sys.stderr = CapturedStream(sys.stderr, output, "ERROR")
