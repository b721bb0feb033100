"""Execution ids, ARNs, operation ids and callback ids."""

import os
import secrets
import time
from hashlib import blake2b
from uuid import UUID


def new_execution_id() -> UUID:
    """A UUID version 7 (RFC 9562): time-ordered, so that inserts touch the right-hand end of every index."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds << 80) | int.from_bytes(os.urandom(10), "big")
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return UUID(int=value)


def operation_id(prefix: str | None, counter: int) -> str:
    """The id of the counter-th operation of a context: ids depend on call order only (AWS SDK's rule)."""
    text = f"{prefix}-{counter}" if prefix else str(counter)
    return blake2b(text.encode()).hexdigest()[:64]


def new_callback_id() -> str:
    """256 random bits, url-safe: whoever holds it may answer, so it must not be guessable."""
    return secrets.token_urlsafe(32)


def function_arn(region: str, account: str, function: str) -> str:
    return f"arn:aws:lambda:{region}:{account}:function:{function}"


def execution_arn(region: str, account: str, function: str, version: str, name: str, execution_id: UUID) -> str:
    """AWS's form; the last segment is the execution's id, which is also the id of its EXECUTION operation."""
    return f"{function_arn(region, account, function)}:{version}/durable-execution/{name}/{execution_id}"
