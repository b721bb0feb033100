"""Checkpoint tokens and page markers: what a caller outside the process holds in place of a claim.

Opaque base64 with a MAC over all of it, keyed by SECRET_KEY; SECRET_KEY_FALLBACKS still open what was made before a rotation. A token that
is forged, foreign or altered is refused before any SQL. What it says is compared with the row, under the lock, all the same.
"""

import hmac
import struct
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID

from django.conf import settings

from execution_engine.core.errors import InvalidParameterValueError, InvalidTokenError

MARKER_LIFE = timedelta(hours=24)
_TOKEN = struct.Struct(">c16s16sqqq")
_MARKER = struct.Struct(">c16sqq")
_TOKEN_KIND, _MARKER_KIND = b"t", b"m"
_MAC_BYTES = 16


@dataclass(frozen=True, slots=True)
class Token:
    """One checkpoint's place under a claim.

    Each checkpoint compares and raises `checkpoint_seq`, which uses the token up. `sent_seq` is the `wake_seq` up to which the caller was
    sent changes from outside. `answered_seq`, never above it, is the one up to which the handler counts as told: news in an answer that no
    thread waited for, or that came while branches ran, may have come after the handler looked.
    """

    execution_id: UUID
    claim_id: UUID
    checkpoint_seq: int
    sent_seq: int
    answered_seq: int


@dataclass(frozen=True, slots=True)
class Marker:
    """Where the next page of an execution's operations begins: behind the one that `start_event` started, 0 for the execution's own."""

    execution_id: UUID
    start_event: int


def issue(token: Token) -> str:
    """The text that a caller outside sends back with its next checkpoint."""
    numbers = (token.checkpoint_seq, token.sent_seq, token.answered_seq)
    return _sealed(_TOKEN.pack(_TOKEN_KIND, token.execution_id.bytes, token.claim_id.bytes, *numbers))


def read(text: str) -> Token:
    """Raises `InvalidTokenError` for anything that `issue` did not make."""
    body = _opened(text)
    if body is None or len(body) != _TOKEN.size or body[:1] != _TOKEN_KIND:
        raise InvalidTokenError("Invalid checkpoint token")
    _, execution, claim, *numbers = _TOKEN.unpack(body)
    return Token(UUID(bytes=execution), UUID(bytes=claim), *numbers)


def issue_marker(marker: Marker, now: datetime) -> str:
    """The text that asks for the next page of operations; good for 24 hours."""
    until = int((now + MARKER_LIFE).timestamp())
    return _sealed(_MARKER.pack(_MARKER_KIND, marker.execution_id.bytes, marker.start_event, until))


def read_marker(text: str, execution_id: UUID, now: datetime) -> Marker:
    """Raises `InvalidParameterValueError` for one that was not made for this execution, or is over: it lives for 24 hours."""
    body = _opened(text)
    if body is None or len(body) != _MARKER.size or body[:1] != _MARKER_KIND:
        raise InvalidParameterValueError("Invalid marker", field="Marker")
    _, execution, start_event, until = _MARKER.unpack(body)
    if UUID(bytes=execution) != execution_id:
        raise InvalidParameterValueError("The marker belongs to another execution", field="Marker")
    if datetime.fromtimestamp(until, UTC) <= now:
        raise InvalidParameterValueError("The marker is older than 24 hours", field="Marker")
    return Marker(execution_id, start_event)


def _sealed(body: bytes) -> str:
    return b64encode(body + _mac(body, settings.SECRET_KEY)).decode()


def _opened(text: str) -> bytes | None:
    try:
        raw = b64decode(text.encode(), validate=True)
    except ValueError:  # not base64, or not even text that can be sent
        return None
    body, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return body if any(hmac.compare_digest(mac, _mac(body, key)) for key in keys) else None


def _mac(body: bytes, key: str | bytes) -> bytes:
    secret = key if isinstance(key, bytes) else key.encode()
    return hmac.digest(secret, b"execution_engine.tokens\0" + body, sha256)[:_MAC_BYTES]
