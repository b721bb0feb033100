"""Keys of callers that call many times a second: what was found of a key is believed for `KNOWN_SECONDS`, rights included.

A key that is revoked, expires or loses a right so goes on for that long at most: in checkpoints, which need a token of a claim besides,
and in starts. Whatever else a key asks for is looked up each time.
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
    """Stands where `actions.api_keys` is asked for keys. Only live keys are remembered; a wrong one is looked up each time."""

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
