"""What every door reads of a caller before it asks for rights: address, trace, and how often its keys were refused."""

from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from django.core.cache import cache

from execution_engine.core.errors import CommandError, InvalidInputError
from execution_engine.core.trace import MAX_CORRELATION_ID, Trace, is_correlation_id, read_traceparent

# A program with an old key in its configuration retries for ever; beyond this it is told to slow down. Only refused keys are counted, so
# the right key of somebody else at the same address still works.
REFUSED_KEYS_PER_MINUTE = 60


class TooManyRefusedKeysError(CommandError):
    code = "throttled"
    status = 429


def address_of(meta: Mapping[str, Any]) -> str:
    """The network address of a caller, from the WSGI environment; empty over a Unix socket."""
    return str(meta.get("REMOTE_ADDR", ""))


def count_refused_key(address: str) -> None:
    """Raises TooManyRefusedKeysError when an address has had more than `REFUSED_KEYS_PER_MINUTE` keys refused."""
    if count_in_minute(f"durable-ops-bad-keys:{place_of(address)}") > REFUSED_KEYS_PER_MINUTE:
        raise TooManyRefusedKeysError("Too many refused keys from this address.", retry_after=60)


def place_of(address: str) -> str:
    """What guesses are counted by: an IPv4 address, or the /64 of an IPv6 address, because whoever has one of these has them all."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:  # a socket's path, or nothing
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    return str(found.ipv4_mapped or ip_network((int(found), 64), strict=False))


def count_in_minute(counter: str) -> int:
    """How often this process has counted this, within the minute that began with the first time."""
    cache.add(counter, 0, timeout=60)
    try:
        return cache.incr(counter)
    except ValueError:  # its minute was over in between
        return 1


def trace_of(headers: Mapping[str, str]) -> Trace:
    """Reads `traceparent`, ignored when malformed as W3C says, and `X-Correlation-Id`. Raises InvalidInputError."""
    correlation_id = headers.get("X-Correlation-Id")
    if correlation_id is not None and not is_correlation_id(correlation_id):
        sentence = f"X-Correlation-Id takes 1 to {MAX_CORRELATION_ID} visible ASCII characters, without blanks."
        raise InvalidInputError(sentence, field="X-Correlation-Id", limit=MAX_CORRELATION_ID)
    return Trace(read_traceparent(headers.get("traceparent", "")), correlation_id)
