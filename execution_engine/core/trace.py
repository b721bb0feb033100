"""Where a start came from, as its caller says: a W3C `traceparent` and a correlation id. Both travel to children, logs and webhooks."""

import re
from dataclasses import dataclass

MAX_CORRELATION_ID = 128
_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_CORRELATION_ID = re.compile(rf"[!-~]{{1,{MAX_CORRELATION_ID}}}")
_TRACE_ID = re.compile(r"[0-9a-f]{32}")
_AMZN_ROOT = re.compile(r"1-([0-9a-fA-F]{8})-([0-9a-fA-F]{24})")


@dataclass(frozen=True, slots=True)
class Trace:
    """`traceparent` is version 00 of the W3C header, 55 characters; `correlation_id` is 1 to 128 visible ASCII characters."""

    traceparent: str | None = None
    correlation_id: str | None = None

    @property
    def trace_id(self) -> str | None:
        """32 hexadecimal digits."""
        return self.traceparent[3:35] if self.traceparent else None


NO_TRACE = Trace()


def read_traceparent(header: str) -> str | None:
    """The header in the form in which it is stored; None for what the standard says to ignore: another form, version ff, ids of zeros.

    Of a later version, the four fields of version 00 are kept.
    """
    found = _TRACEPARENT.fullmatch(header.strip())
    if found is None:
        return None
    version, trace_id, span_id, flags, more = found.groups()
    if version == "ff" or (version == "00" and more) or not int(trace_id, 16) or not int(span_id, 16):
        return None
    return f"00-{trace_id}-{span_id}-{flags}"


def is_correlation_id(text: str) -> bool:
    return _CORRELATION_ID.fullmatch(text) is not None


def is_trace_id(text: str) -> bool:
    return _TRACE_ID.fullmatch(text) is not None


def read_amzn_trace(header: str) -> str | None:
    """AWS's `X-Amzn-Trace-Id`, `Root=1-8hex-24hex;Parent=16hex;Sampled=0|1`, as a traceparent; None for what is not one.

    A header without a parent gets one made of its trace's first half, since the standard allows no zeros.
    """
    parts = dict(part.strip().partition("=")[::2] for part in header.split(";"))
    root = _AMZN_ROOT.fullmatch(parts.get("Root", ""))
    if root is None:
        return None
    trace_id = "".join(root.groups()).lower()
    flags = "01" if parts.get("Sampled") == "1" else "00"
    return read_traceparent(f"00-{trace_id}-{parts.get('Parent', trace_id[:16]).lower()}-{flags}")


def as_amzn_trace(traceparent: str | None) -> str | None:
    """A traceparent as AWS's `X-Amzn-Trace-Id`."""
    if traceparent is None:
        return None
    _, trace_id, span_id, flags = traceparent.split("-")
    return f"Root=1-{trace_id[:8]}-{trace_id[8:]};Parent={span_id};Sampled={int(flags, 16) & 1}"
