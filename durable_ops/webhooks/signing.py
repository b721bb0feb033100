"""Signatures as https://www.standardwebhooks.com describes them: `v1,` and the base64 of an HMAC-SHA256 over `id.timestamp.body`."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence

from durable_ops.texts import secret_text

PREFIX = "whsec_"
SECRET_BYTES = 32


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """`timestamp` in seconds since 1970."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    digest = hmac.digest(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256)
    return "v1," + base64.b64encode(digest).decode()


def headers(sealed_secrets: Sequence[str], message_id: str, timestamp: int, body: bytes) -> dict[str, str] | None:
    """One signature for each secret, so that both ends of a rotation verify. None when no secret can be opened any more."""
    opened = [secret for sealed in sealed_secrets if (secret := secret_text.open_sealed(sealed)) is not None]
    if not opened:
        return None
    signed = " ".join(signature(secret, message_id, timestamp, body) for secret in opened)
    return {"webhook-id": message_id, "webhook-timestamp": str(timestamp), "webhook-signature": signed}
