"""Calls that are sent again but must not be done again, identified by a digest of caller, address and key.

The first call claims the digest in the transaction of its work. A repeat waits for that transaction at the unique key, at most
`WAIT_SECONDS`.
"""

import hashlib

from django.db import OperationalError, connection

from execution_engine.core.errors import CommandError

KEPT_HOURS = 24
WAIT_SECONDS = 10
_CLAIM = """
insert into durable_ops_stored_answer as t (digest, body_digest, status, answer) values (%s, %s, 0, '')
on conflict (digest) do update set body_digest = excluded.body_digest, status = 0, answer = '', created_at = statement_timestamp()
 where t.created_at < statement_timestamp() - make_interval(hours => %s)
returning 1"""


class CallUnderWayError(CommandError):
    code = "idempotency_key_busy"
    status = 409


def claim(digest: bytes, body_digest: bytes) -> bool:
    """Whether this call is the first, or an older one with its key is forgotten. Waits for a call with the same key that is under way.

    Needs a transaction. Raises CallUnderWayError when that one takes too long.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute("select set_config('lock_timeout', %s, true)", [f"{WAIT_SECONDS}s"])
            cursor.execute(_CLAIM, [digest, body_digest, KEPT_HOURS])
            found = cursor.fetchone()
            cursor.execute("set local lock_timeout to default")
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) != "55P03":
            raise
        raise CallUnderWayError("A call with this Idempotency-Key is still under way; ask again.", wait_seconds=WAIT_SECONDS) from error
    return found is not None


def digest(*parts: str) -> bytes:
    return hashlib.sha256("\x00".join(parts).encode("utf-8", "surrogatepass")).digest()
