"""Keeps the secrets of mailed links out of every log line, and forged lines out of the log, whichever logger writes it."""

import logging
import re

_LINK = re.compile(r"(/a/)[^/\s\"'?#]{8,}")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class RedactLinks(logging.Filter):
    """For handlers: replaces the token of `/a/<token>`, also where it came as an argument."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if "/a/" in text:
            record.msg, record.args = _LINK.sub(r"\1…", text), ()
        return True


class OneLine(logging.Filter):
    """For handlers: what came as an argument (a name, an address, an error) stays on its line and moves no cursor. What a logger itself
    says, and tracebacks, keep their lines."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(_on_one_line(one) for one in record.args)
        return True


def _on_one_line(value: object) -> object:
    if not isinstance(value, str | BaseException):
        return value
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), str(value))
