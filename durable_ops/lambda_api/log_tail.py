"""The end of what an execution said, for whoever waited for it with `LogType: Tail`."""

from base64 import b64encode
from uuid import UUID

from durable_ops.selectors.masking import Masks
from execution_engine.selectors.logs import LogRow, last_lines

TAIL_BYTES = 4096
MOST_LINES = 500
GATHER_SECONDS = 0.5
"""Lines are written beside the history, gathered for a fifth of a second: the last ones come after the end."""


def read(execution_id: UUID, masks: Masks) -> str:
    """Base64 of the last 4 kB of the last 500 lines. Printed lines are as they were printed, logged ones as Lambda writes them."""
    lines = masks.lines(last_lines(execution_id, limit=MOST_LINES))
    tail = "".join(map(_line, lines)).encode()[-TAIL_BYTES:]
    return b64encode(tail.decode(errors="ignore").encode()).decode()  # no half character at the front


def _line(row: LogRow) -> str:
    if row.logger == "stdout":
        return f"{row.message}\n"
    return f"[{row.level}]\t{row.at:%Y-%m-%dT%H:%M:%S}.{row.at.microsecond // 1000:03}Z\t{row.message}\n"
