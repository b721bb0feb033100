"""Reads the chain again, link by link, and names the first thing that is wrong.

Found: a changed byte, an entry that is gone, one that was put in behind the newest seal, another order, a missing or changed seal.
Without an anchor kept elsewhere not to be found: newest entries cut off together with their seals, and a chain that its owner has
computed anew from some place on. For these the hash of a head that was written down earlier is compared: `anchors`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from durable_ops.audit import canonical

PAGE = 1_000
TABLES = ("durable_ops_audit_entry", "durable_ops_audit_seal")

_LINKS = f"""
select s.position, s.era, s.transaction_id, s.entry_id, s.hash, {canonical.SEALED_AT}, e.id is not null, e.transaction_id, {canonical.ENTRY}
  from durable_ops_audit_seal s left join durable_ops_audit_entry e on e.id = s.entry_id
 where s.position > %s and s.position <= %s order by s.position limit {PAGE}
"""  # noqa: S608  only constants
_BEFORE = """
select position, era, transaction_id, entry_id, hash from durable_ops_audit_seal where position <= %s order by position desc limit 1
"""
_HEAD = "select position, era, transaction_id, entry_id, hash, sealed_at from durable_ops_audit_seal order by position desc limit 1"
# Up to some id, for a bounded look; the entries beyond the newest seal are few.
_UNSEALED = """
select count(*), min(e.id), min(e.at), min(e.id) filter (where (e.transaction_id, e.id) < (%(transaction)s, %(entry)s)
                                                           and %(transaction)s < pg_snapshot_xmax(pg_current_snapshot())::text::bigint)
  from durable_ops_audit_entry e
 where not exists (select from durable_ops_audit_seal s where s.entry_id = e.id) and e.id >= %(from_id)s
"""
_FIRST_ID = "select min(entry_id) from durable_ops_audit_seal where position > %s"
# By index, and bounded: what was committed since the newest seal.
_STATE = """
select s.position, s.hash, s.sealed_at, (select count(*) from (select from durable_ops_audit_entry e
         where (e.transaction_id, e.id) > (coalesce(s.transaction_id, 0), coalesce(s.entry_id, 0)) limit 1000) due)
  from (select 1) one left join (select * from durable_ops_audit_seal order by position desc limit 1) s on true
"""
_MAY_CHANGE = f"""
select bool_or(has_table_privilege(t, p)) from unnest(array{list(TABLES)!r}) t, unnest(array['update', 'delete', 'truncate']) p
"""  # noqa: S608  only constants


@dataclass(frozen=True, slots=True)
class Broken:
    """The first thing that is wrong. `code` is stable: missing_seal, missing_entry, changed, reordered, inserted, anchor."""

    code: str
    words: str
    position: int | None = None
    entry_id: int | None = None


@dataclass(frozen=True, slots=True)
class Tail:
    """Entries that have no seal yet."""

    count: int = 0
    first_id: int | None = None
    oldest_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """`first` to `last` are the positions that were read; `head` is the newest seal's hash, to be kept elsewhere.

    `is_protected`: this connection's role can neither change nor empty the tables.
    """

    checked: int
    first: int
    last: int
    head: str
    sealed_at: datetime | None
    eras: int
    tail: Tail
    is_protected: bool
    broken: Broken | None = None

    @property
    def anchor(self) -> str:
        """What to write down: `position:hash`."""
        return f"{self.last}:{self.head}"

    def to_json(self) -> dict[str, Any]:
        """`ok, checked, first, last, head, anchor, sealed_at, eras, unsealed {count, first_id, oldest_at}, is_protected, broken`."""
        plain = asdict(self)
        tail = plain.pop("tail")
        for part, name in ((plain, "sealed_at"), (tail, "oldest_at")):
            part[name] = part[name] and part[name].isoformat()
        return {"ok": self.broken is None, **plain, "anchor": self.anchor, "unsealed": tail}


@dataclass(frozen=True, slots=True)
class ChainState:
    """The newest seal, if there is one, and how many entries wait for theirs (1000 stands for more)."""

    position: int | None
    hash: str
    sealed_at: datetime | None
    waiting: int


@dataclass
class _Walk:
    position: int = 0
    era: int = 1
    transaction: int = 0
    entry: int = 0
    hash: bytes = canonical.FIRST
    checked: int = 0


def chain_state() -> ChainState:
    """One query."""
    with connection.cursor() as cursor:
        cursor.execute(_STATE)
        position, digest, sealed_at, waiting = cursor.fetchone()
    return ChainState(position, bytes(digest or b"").hex(), sealed_at, waiting)


def verify(
    *, newest: int | None = None, anchors: Mapping[int, str] | None = None, watch: Callable[[int, int], object] | None = None
) -> Verified:
    """Reads the whole chain, or its `newest` links: the hash before those is then taken as it stands. Answers at the first fault.

    Reads what was sealed when it began; may run beside the sealer. `anchors` are hashes by position, written down earlier. `watch` is
    called now and then with how many links were read, and of how many.
    """
    with connection.cursor() as cursor:
        cursor.execute(_HEAD)
        head = cursor.fetchone() or (0, 1, 0, 0, canonical.FIRST, None)
        walk = _start(cursor, 0 if newest is None else max(0, head[0] - newest))
        first = walk.position + 1
        broken = _wrong_anchor(anchors or {}, head[0]) or _read(cursor, walk, head[0], anchors or {}, watch)
        cursor.execute(_FIRST_ID, (first - 1,))
        from_id = cursor.fetchone()[0] if newest is not None else None
        cursor.execute(_UNSEALED, {"transaction": head[2], "entry": head[3], "from_id": from_id or 0})
        count, first_id, oldest_at, behind = cursor.fetchone()
        cursor.execute(_MAY_CHANGE)
        is_protected = not cursor.fetchone()[0]
    if broken is None and behind is not None:
        words = f"Entry {behind} stands before the newest seal and was never sealed: it was put in afterwards."
        broken = Broken("inserted", words, entry_id=behind)
    tail = Tail(count, first_id, oldest_at)
    return Verified(walk.checked, first, head[0], bytes(head[4]).hex(), head[5], head[1], tail, is_protected, broken)


def _start(cursor: Any, position: int) -> _Walk:
    cursor.execute(_BEFORE, (position,))
    found = cursor.fetchone()
    if position == 0 or found is None:
        return _Walk()
    return _Walk(found[0], found[1], found[2], found[3], bytes(found[4]))


def _wrong_anchor(anchors: Mapping[int, str], head: int) -> Broken | None:
    beyond = [position for position in anchors if position > head]
    if not beyond:
        return None
    return Broken("anchor", f"The chain ends at {head}, but a hash was written down for {max(beyond)}: its end was cut off.", max(beyond))


def _read(cursor: Any, walk: _Walk, last: int, anchors: Mapping[int, str], watch: Callable[[int, int], object] | None) -> Broken | None:
    before = walk.position
    for row in _rows(cursor, before, last):
        if watch is not None and walk.checked % PAGE == 0:
            watch(walk.checked, last - before)
        broken = _check(walk, row)
        if broken is not None:
            return broken
        if anchors.get(walk.position, walk.hash.hex()) != walk.hash.hex():
            words = f"Seal {walk.position} is not the one that was written down: the chain was computed anew."
            return Broken("anchor", words, walk.position, walk.entry)
    if walk.position < last:
        return Broken("missing_seal", f"Seals {walk.position + 1} to {last} are gone.", walk.position + 1)
    return None


def _rows(cursor: Any, after: int, last: int) -> Iterator[tuple[Any, ...]]:
    while True:
        cursor.execute(_LINKS, (after, last))
        page = cursor.fetchall()
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1][0]


def _check(walk: _Walk, row: tuple[Any, ...]) -> Broken | None:
    """Whether this link follows on the walk's; moves the walk on."""
    position, era, transaction, entry_id, digest, sealed_at_us, is_there, own_transaction, entry = row
    if position != walk.position + 1:
        return Broken("missing_seal", f"Seal {walk.position + 1} is gone.", walk.position + 1)
    if not is_there:
        return Broken("missing_entry", f"Entry {entry_id} of seal {position} is gone.", position, entry_id)
    is_new_era = era == walk.era + 1
    order = (0, 0) if is_new_era else (walk.transaction, walk.entry)
    if not (is_new_era or era == walk.era) or (transaction, entry_id) <= order:
        return Broken("reordered", f"Seal {position} (entry {entry_id}) does not follow on the one before it.", position, entry_id)
    expected = canonical.link(walk.hash, position, era, sealed_at_us, entry)
    if own_transaction != transaction or expected != bytes(digest):
        return Broken("changed", f"Entry {entry_id} or its seal {position} was changed after it was sealed.", position, entry_id)
    walk.position, walk.era, walk.transaction, walk.entry, walk.hash = position, era, transaction, entry_id, expected
    walk.checked += 1
    return None
