"""Keeps the secrets of mailed links out of every log line, whichever logger writes it."""

import logging
import re

_LINK = re.compile(r"(/a/)[^/\s\"'?#]{8,}")


class RedactLinks(logging.Filter):
    """For handlers: replaces the token of `/a/<token>`, also where it came as an argument."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if "/a/" in text:
            record.msg, record.args = _LINK.sub(r"\1…", text), ()
        return True
