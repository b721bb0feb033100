"""Texts that must be read again and must not be readable in the database: encrypted with a key derived from SECRET_KEY.

With another SECRET_KEY (or one of SECRET_KEY_FALLBACKS) they cannot be opened and count as lost.
"""

import base64
import hashlib
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.encoding import force_bytes

_PURPOSE = b"durable_ops.secret_text:"


def seal(text: str) -> str:
    """Encrypted and authenticated (Fernet: AES-128-CBC with HMAC-SHA256)."""
    return _fernet(*_keys()).encrypt(text.encode()).decode()


def open_sealed(sealed: str) -> str | None:
    """What was sealed, None when it was sealed with another key or changed."""
    try:
        return _fernet(*_keys()).decrypt(sealed).decode()
    except InvalidToken:
        return None


def _keys() -> tuple[bytes, ...]:
    return tuple(map(force_bytes, (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)))


@lru_cache(maxsize=4)
def _fernet(*keys: bytes) -> MultiFernet:
    return MultiFernet([Fernet(base64.urlsafe_b64encode(hashlib.sha256(_PURPOSE + key).digest())) for key in keys])
