"""Nobody writes log lines of their own by a name, an address or a message."""

import logging
from typing import Any

import pytest

from durable_ops.web.redaction import OneLine


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("chat\n2026-01-01 ERROR forged", r"chat\n2026-01-01 ERROR forged"),
        ("\x1b[2Jgone\r", r"\x1b[2Jgone\r"),
        (ValueError("two\nlines"), r"two\nlines"),
        ("é", "é"),
        (7, "7"),
    ],
)
def test_an_argument_stays_on_its_line(argument: Any, said: str) -> None:
    record = logging.LogRecord("x", logging.INFO, "", 1, "webhook %s\nfailed", (argument,), None)
    assert OneLine().filter(record)
    assert record.getMessage() == f"webhook {said}\nfailed"
