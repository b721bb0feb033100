"""The bytes that a seal covers: every column of an entry and of the seal itself, so that no change of one byte goes unseen.

Each value is read from PostgreSQL as text (`facts` as jsonb prints it, times as microseconds since 1970) and written with its length
in front, so that nothing can move from one column into the next. A null is not an empty text.
"""

import hashlib
from collections.abc import Sequence

FORMAT = b"durable-ops audit 1\n"
FIRST = bytes(32)
"""What stands for the hash before the first entry."""

_MICROSECONDS = "(extract(epoch from {}) * 1000000)::bigint::text"
COLUMNS: dict[str, str] = {
    "id": "e.id::text",
    "at": _MICROSECONDS.format("e.at"),
    "actor": "e.actor",
    "user_id": "e.user_id",
    "key_prefix": "e.key_prefix",
    "channel": "e.channel",
    "address": "e.address",
    "action": "e.action",
    "object_type": "e.object_type",
    "object_id": "e.object_id",
    "execution_id": "e.execution_id::text",
    "function": "e.function",
    "reason": "e.reason",
    "facts": "e.facts::text",
    "transaction_id": "e.transaction_id::text",
}
"""Every column of the table, as SQL that makes it a text; `e` is the entry. A new column needs a new FORMAT for later seals."""

ENTRY = f"array[{', '.join(COLUMNS.values())}]"
SEALED_AT = _MICROSECONDS.format("s.sealed_at")


def link(before: bytes, position: int, era: int, sealed_at_us: str, entry: Sequence[str | None]) -> bytes:
    """The hash at `position`. `entry` holds the texts of COLUMNS in their order."""
    digest = hashlib.sha256(FORMAT + before)
    for value in (str(position), str(era), sealed_at_us, *entry):
        if value is None:
            digest.update(b"-,")
        else:
            encoded = value.encode()
            digest.update(b"%d:%b," % (len(encoded), encoded))
    return digest.digest()
