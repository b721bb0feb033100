"""Keys of callers that call many times a second: what was found for a key is reused for `KNOWN_SECONDS`, its rights included.

So a key that is revoked, expires or loses a right can go on for that long: in starts, and in checkpoints, which also need the token of a
claim. For everything else a key is looked up each time.
"""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from durable_ops.actions import api_keys
from durable_ops.models import ApiKey

KNOWN_SECONDS = 1.0
MOST = 1000
T = TypeVar("T")


class KnownKeys:
    """Takes the place of `actions.api_keys`. Remembers live keys only; a wrong key is looked up each time."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], tuple[float, Any]] = {}

    def find_key(self, secret: str) -> ApiKey | None:
        return self._find("bearer", secret, api_keys.find_key)

    def find_signing_key(self, access_key_id: str) -> tuple[ApiKey, str] | None:
        return self._find("signer", access_key_id, api_keys.find_signing_key)

    def forget(self) -> None:
        self._known.clear()

    def _find(self, kind: str, text: str, look: Callable[[str], T | None]) -> T | None:
        now, place = time.monotonic(), (kind, api_keys.digest(text))
        known = self._known.get(place)
        if known is not None and now - known[0] < KNOWN_SECONDS:
            found: T = known[1]
            return found
        looked = look(text)
        if len(self._known) >= MOST:
            self._known.clear()
        if looked is not None:
            self._known[place] = (now, looked)
        else:
            self._known.pop(place, None)
        return looked


KNOWN_KEYS = KnownKeys()
