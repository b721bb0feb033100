"""What every door reads of a caller before it asks for rights: the trace it names, and how often its keys were refused."""

from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address, ip_network

from django.core.cache import cache

from execution_engine.core.errors import CommandError, InvalidInputError
from execution_engine.core.trace import MAX_CORRELATION_ID, Trace, is_correlation_id, read_traceparent

# A program with an old key in its configuration retries for ever; beyond this it is told to slow down. The right key
# of somebody else at the same address still works, as only refused keys are counted.
REFUSED_KEYS_PER_MINUTE = 60


class TooManyRefusedKeysError(CommandError):
    code = "throttled"
    status = 429


def count_refused_key(address: str) -> None:
    """Raises TooManyRefusedKeysError beyond `REFUSED_KEYS_PER_MINUTE` of an address."""
    if count_in_minute(f"durable-ops-bad-keys:{place_of(address)}") > REFUSED_KEYS_PER_MINUTE:
        raise TooManyRefusedKeysError("Too many refused keys from this address.", retry_after=60)


def place_of(address: str) -> str:
    """What guesses are counted by: an IPv4 address, or the /64 of an IPv6 address, as whoever has one address there has them all."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:  # a socket's path, or nothing
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    return str(found.ipv4_mapped or ip_network((int(found), 64), strict=False))


def count_in_minute(counter: str) -> int:
    """How often this was counted by this process since it was first counted, within a minute."""
    cache.add(counter, 0, timeout=60)
    try:
        return cache.incr(counter)
    except ValueError:  # its minute was over in between
        return 1


def trace_of(headers: Mapping[str, str]) -> Trace:
    """Of `traceparent` (ignored when malformed, as W3C says) and `X-Correlation-Id`. Raises InvalidInputError."""
    correlation_id = headers.get("X-Correlation-Id")
    if correlation_id is not None and not is_correlation_id(correlation_id):
        sentence = f"X-Correlation-Id takes 1 to {MAX_CORRELATION_ID} visible ASCII characters, without blanks."
        raise InvalidInputError(sentence, field="X-Correlation-Id", limit=MAX_CORRELATION_ID)
    return Trace(read_traceparent(headers.get("traceparent", "")), correlation_id)
