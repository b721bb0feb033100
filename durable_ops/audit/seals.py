"""Seals the audit log: a duty adds, every second, a link of the chain for each entry that was committed since.

The order of the chain is that of (transaction, id), not of ids alone: an id is taken before its transaction commits, and one that is
rolled back leaves a gap. An entry is sealed when every transaction with a smaller number has ended (`pg_snapshot_xmin` of the very
snapshot that reads it): nothing can then appear before it any more, so gaps need no proof and late commits take their place. A
transaction that stays open for long holds up what began after it; verification shows it as the unsealed tail.

PostgreSQL never hands out a transaction number twice, but a database restored from a dump counts from the start. A newest seal from
the future says so: sealing then begins a new era, in which the order starts anew.
"""

import time
from dataclasses import dataclass
from typing import Any

import psycopg

from durable_ops.audit import canonical

LOCK = 0x61756469  # the same for every sealer of this database
BATCH = 500
TURN_SECONDS = 0.2
"""A turn shares its thread with the renewal of claims."""

_HEAD = """
select s.position, s.era, s.transaction_id, s.entry_id, s.hash, pg_snapshot_xmax(pg_current_snapshot())::text::bigint
  from durable_ops_audit_seal s order by s.position desc limit 1
"""
# What can be read and lies beyond the newest transaction was written in another life of a restored database, and is settled too.
_DUE = f"""
select e.id, e.transaction_id, {canonical.ENTRY}, (extract(epoch from n.at) * 1000000)::bigint::text, n.at
  from durable_ops_audit_entry e, (select clock_timestamp() as at) n
 where (e.transaction_id, e.id) > (%(transaction)s, %(entry)s)
   and (e.transaction_id < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
        or e.transaction_id >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint)
   and (%(era)s = 1 or not exists (select from durable_ops_audit_seal s where s.entry_id = e.id))
 order by e.transaction_id, e.id limit %(limit)s
"""  # noqa: S608  only constants
_ADD = """
insert into durable_ops_audit_seal (position, entry_id, transaction_id, era, sealed_at, hash)
select * from unnest(%(positions)s::bigint[], %(entries)s::bigint[], %(transactions)s::bigint[], %(eras)s::int[],
                     %(times)s::timestamptz[], %(hashes)s::bytea[])
"""


@dataclass(frozen=True, slots=True)
class Head:
    """The newest seal; `transaction` and `entry` are where its era has got to."""

    position: int = 0
    era: int = 1
    transaction: int = 0
    entry: int = 0
    hash: bytes = canonical.FIRST


def turn(connection: psycopg.Connection[Any]) -> int:
    """A duty: seals what is settled, for at most 0.2 s; answers how many entries. Of several at once, one does it."""
    ends, sealed = time.monotonic() + TURN_SECONDS, 0
    while count := seal(connection):
        sealed += count
        if count < BATCH or time.monotonic() > ends:
            break
    return sealed


def seal(connection: psycopg.Connection[Any], limit: int = BATCH) -> int:
    """One batch in one transaction. Nothing while somebody else is at it."""
    with connection.transaction(), connection.cursor() as cursor:
        # The tables may be closed to everything but INSERT and SELECT: no row can be locked, so a word is.
        locked = cursor.execute("select pg_try_advisory_xact_lock(%s)", (LOCK,)).fetchone()
        if locked is None or not locked[0]:
            return 0
        head = _head(cursor)
        params = {"transaction": head.transaction, "entry": head.entry, "era": head.era, "limit": limit}
        rows = cursor.execute(_DUE, params).fetchall()
        if rows:
            cursor.execute(_ADD, _links(head, rows))
        return len(rows)


def _head(cursor: psycopg.Cursor[Any]) -> Head:
    found = cursor.execute(_HEAD).fetchone()
    if found is None:
        return Head()
    position, era, transaction, entry, digest, next_transaction = found
    if transaction >= next_transaction:
        return Head(position, era + 1, 0, 0, bytes(digest))
    return Head(position, era, transaction, entry, bytes(digest))


def _links(head: Head, rows: list[tuple[Any, ...]]) -> dict[str, list[Any]]:
    before, hashes = head.hash, []
    for position, (_, _, entry, sealed_at_us, _) in enumerate(rows, head.position + 1):
        before = canonical.link(before, position, head.era, sealed_at_us, entry)
        hashes.append(before)
    return {
        "positions": list(range(head.position + 1, head.position + 1 + len(rows))),
        "entries": [row[0] for row in rows],
        "transactions": [row[1] for row in rows],
        "eras": [head.era] * len(rows),
        "times": [row[4] for row in rows],
        "hashes": hashes,
    }
