"""Execution ids, ARNs, operation ids and callback ids."""

import os
import re
import secrets
import time
from dataclasses import dataclass
from hashlib import blake2b
from uuid import UUID

_FUNCTION = re.compile(
    r"(?:(?:arn:aws[a-z-]*:lambda:(?P<region>[a-z0-9-]{1,40}):)?(?P<account>[0-9]{12}):function:|function:)?"
    r"(?P<name>[A-Za-z0-9_-]{1,140})(?::(?P<version>[A-Za-z0-9$_.-]{1,128}))?"
)
_EXECUTION = re.compile(
    r"arn:aws[a-z-]*:lambda:(?P<region>[a-z0-9-]{1,40}):(?P<account>[0-9]{12}):function:(?P<function>[A-Za-z0-9_-]{1,140})"
    r":(?P<version>[^/:]{1,128})/durable-execution/(?P<name>[A-Za-z0-9_-]{1,64})/(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
)
LATEST = ("$LATEST", "$LATEST.PUBLISHED")


@dataclass(frozen=True, slots=True)
class FunctionReference:
    """A function as a caller names it; `version` is None when the newest is meant (no qualifier, or `$LATEST`)."""

    name: str
    version: str | None


@dataclass(frozen=True, slots=True)
class ExecutionReference:
    id: UUID
    function: str
    name: str


def new_execution_id() -> UUID:
    """A UUID version 7 (RFC 9562): time-ordered, so that inserts touch the right-hand end of every index."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds << 80) | int.from_bytes(os.urandom(10), "big")
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return UUID(int=value)


def read_number(text: str) -> int | None:
    """The number of a row or an event as somebody typed it; None unless it is 1 to 18 digits, which a bigint holds."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def operation_id(prefix: str | None, counter: int) -> str:
    """The id of a context's operation number `counter`. It depends on the order of calls only, as in AWS's SDK."""
    text = f"{prefix}-{counter}" if prefix else str(counter)
    return blake2b(text.encode()).hexdigest()[:64]


def new_callback_id() -> str:
    """256 random bits, safe in a URL. Whoever holds the id may answer, so it must not be guessable.

    It never begins with a hyphen: a command that is given such an id takes it for an option.
    """
    while (found := secrets.token_urlsafe(32)).startswith("-"):
        pass
    return found


def function_arn(region: str, account: str, function: str) -> str:
    return f"arn:aws:lambda:{region}:{account}:function:{function}"


def execution_arn(region: str, account: str, function: str, version: str, name: str, execution_id: UUID) -> str:
    """AWS's form; the last segment is the execution's id, which is also the id of its EXECUTION operation."""
    return f"{function_arn(region, account, function)}:{version}/durable-execution/{name}/{execution_id}"


def parse_function(text: str, region: str, account: str) -> FunctionReference | None:
    """Reads what AWS accepts for a function: a name, a partial ARN (`ACCOUNT:function:NAME`) or an ARN, each with or without a version.

    None for anything else, and for another region or account.
    """
    found = _FUNCTION.fullmatch(text)
    if found is None or found["region"] not in (None, region) or found["account"] not in (None, account):
        return None
    return FunctionReference(found["name"], None if found["version"] in LATEST else found["version"])


def parse_execution_arn(text: str, region: str, account: str) -> ExecutionReference | None:
    """The inverse of `execution_arn`, None for anything else. The version is not compared: an execution may have been moved."""
    found = _EXECUTION.fullmatch(text)
    if found is None or (found["region"], found["account"]) != (region, account):
        return None
    return ExecutionReference(UUID(found["id"]), found["function"], found["name"])
