"""What handlers print and log: kept beside their step in the database, and as JSON lines in `DATA_DIR/logs/functions.jsonl`.

The file has every line; keys: timestamp (ISO 8601 UTC), level, logger, message, executionArn, and what the context's logger adds
(operationId, operationName, parentId, attempt), and of an execution whose start named them traceId and correlationId.
The database has what was said for the first time, not what a replay says again.
"""

import io
import json
import logging
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO
from uuid import UUID

from execution_engine.conf import EngineSettings
from execution_engine.core.trace import NO_TRACE, Trace
from execution_engine.journal.logs import Line
from execution_engine.sdk.speaker import speaker
from execution_engine.worker.kept_lines import KeptLines, fitting
from execution_engine.worker.lines_file import LinesFile

_EXTRA = ("operationId", "operationName", "parentId", "attempt")
_current: ContextVar[Mapping[str, str] | None] = ContextVar("durable_execution", default=None)


@contextmanager
def belongs_to(execution_arn: str, trace: Trace = NO_TRACE) -> Iterator[None]:
    """Within it, what is printed and logged belongs to the execution, also on threads that were given this context."""
    keys = {"executionArn": execution_arn, "traceId": trace.trace_id, "correlationId": trace.correlation_id}
    token = _current.set({name: value for name, value in keys.items() if value})
    try:
        yield
    finally:
        _current.reset(token)


class Output:
    """Where lines go: the file and the database."""

    def __init__(self, file: LinesFile | None, kept: KeptLines | None) -> None:
        self._kept = kept
        self._file = file

    @property
    def has_file(self) -> bool:
        return self._file is not None

    def write(self, level: str, logger: str, message: str, extra: dict[str, Any], *, is_said_once: bool = False) -> None:
        """`is_said_once`: whoever writes the line has checked that it is not a replay."""
        now = datetime.now(UTC)
        if self._file is not None:
            line = {"timestamp": now.isoformat(timespec="milliseconds"), "level": level, "logger": logger, "message": message, **extra}
            self._file.append((json.dumps(line, default=str) + "\n").encode("utf-8", "backslashreplace"))
        if self._kept is not None and message.strip():
            self._keep(self._kept, now, level, logger, message, extra, is_said_once)

    def _keep(
        self, kept: KeptLines, now: datetime, level: str, logger: str, message: str, extra: dict[str, Any], is_said_once: bool
    ) -> None:
        who = speaker.get()
        if who is not None and not is_said_once and who.is_replaying():
            return
        operation, attempt = extra.get("operationId"), extra.get("attempt")
        if operation is None and who is not None:
            operation, attempt = who.operation_id, who.attempt
        execution_id = UUID(extra["executionArn"].rpartition("/")[2])
        kept.put(Line(execution_id, now, level, fitting(logger), fitting(message), operation, attempt if type(attempt) is int else None))


class OutputHandler(logging.Handler):
    """Takes the log records of handler threads and ignores all others."""

    def __init__(self, output: Output) -> None:
        super().__init__(logging.INFO)
        self._output = output

    def emit(self, record: logging.LogRecord) -> None:
        own = getattr(record, "executionArn", None)
        current = _current.get()
        if own is None and current is None:
            return
        extra: dict[str, Any] = {**(current or {}), **({"executionArn": own} if own else {})}
        extra |= {k: v for k in _EXTRA if (v := getattr(record, k, None)) is not None}
        message = record.getMessage()
        if record.exc_info:
            message = f"{message}\n{logging.Formatter().formatException(record.exc_info)}"
        self._output.write(record.levelname, record.name, message, extra, is_said_once=own is not None)


class CapturedStream(io.TextIOBase):
    """`sys.stdout` of a worker child: takes whole lines of handler threads; all other text goes where it went before."""

    def __init__(self, stream: TextIO, output: Output, level: str) -> None:
        self._stream = stream
        self._output = output
        self._level = level
        self._pending = threading.local()

    def write(self, text: str) -> int:
        current = _current.get()
        if current is None:
            return self._stream.write(text)
        if not self._output.has_file:
            self._stream.write(text)
        *lines, rest = (getattr(self._pending, "text", "") + text).split("\n")
        self._pending.text = rest
        for line in lines:
            self._output.write(self._level, "stdout", line, dict(current))
        return len(text)

    def flush(self) -> None:
        self._stream.flush()

    def isatty(self) -> bool:
        return False

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"


def capture(settings: EngineSettings) -> KeptLines | None:
    """Starts capturing in this process; returns what has to be stopped at its end. Without a data directory no file is written."""
    kept = KeptLines(settings.LOG_LINES) if settings.LOG_LINES else None
    path = Path(settings.DATA_DIR) / "logs" / "functions.jsonl" if settings.DATA_DIR else None
    output = Output(LinesFile(path, settings.LOG_FILE_BYTES, settings.LOG_FILES) if path else None, kept)
    root = logging.getLogger()
    root.addHandler(OutputHandler(output))
    if root.level > logging.INFO or root.level == logging.NOTSET:
        root.setLevel(logging.INFO)
    sys.stdout = CapturedStream(sys.stdout, output, "INFO")
    sys.stderr = CapturedStream(sys.stderr, output, "ERROR")
    return kept
