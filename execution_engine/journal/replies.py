"""Stored replies to checkpoints from outside: a call that is repeated gets the same answer and changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any
from uuid import UUID

import orjson
import psycopg

from execution_engine.core.errors import InvalidParameterValueError
from execution_engine.core.records import OperationRecord, OperationUpdate
from execution_engine.journal.rows import operation_from_row, operation_to_row
from execution_engine.journal.statements import statement
from execution_engine.journal.store import Cursor

KEPT_SECONDS = 15 * 60
FORGOTTEN_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class CheckpointReply:
    """The answer to a checkpoint. `token` is None when this invocation can record nothing more.

    `operations` are those that the call changed, and those that changed from outside since the caller was last sent any, in order of start.
    `marker` begins the next page.
    """

    token: str | None
    operations: tuple[OperationRecord, ...]
    marker: str | None = None


def digest(token: str, updates: Sequence[OperationUpdate]) -> bytes:
    """A digest of everything in a call. Another call under the same client token is refused."""
    return blake2b(repr((token, updates)).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def read(kept_digest: bytes, answer_text: str, asked_digest: bytes) -> CheckpointReply:
    """The stored reply to the same call. Raises `InvalidParameterValueError` when the client token was used for another one."""
    if bytes(kept_digest) != asked_digest:
        raise InvalidParameterValueError("The client token was used for another call of this execution", field="ClientToken")
    answer = orjson.loads(answer_text)
    return CheckpointReply(answer["token"], tuple(_record(one) for one in answer["operations"]), answer["marker"])


def keep(cursor: Cursor, place: tuple[UUID, int], client_token: str, call: bytes, reply: CheckpointReply, now: datetime) -> None:
    """Stores a reply, in the transaction of what it answers.

    `place` is the execution and the checkpoint sequence that it has if the checkpoint was written; otherwise nothing is stored.
    """
    answer = {"token": reply.token, "marker": reply.marker, "operations": [operation_to_row(one) for one in reply.operations]}
    params = {"execution_id": place[0], "checkpoint_seq": place[1], "client_token": client_token, "digest": call, "now": now}
    cursor.execute(statement("store_reply"), {**params, "answer": orjson.dumps(answer).decode()})


def forget_old(connection: psycopg.Connection[Any]) -> None:
    """A duty: deletes replies older than `KEPT_SECONDS`."""
    connection.execute(statement("forget_replies"), {"seconds": KEPT_SECONDS, "limit": FORGOTTEN_AT_ONCE})


def _record(row: list[Any]) -> OperationRecord:
    moments = [None if text is None else datetime.fromisoformat(text) for text in row[12:15]]
    return operation_from_row([*row[:12], *moments, *row[15:]])
