"""The sealed chain: what it finds, what it cannot find without an anchor, and the order of commits."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection as django_connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from durable_ops.actions.actor import Actor, Channel
from durable_ops.audit import canonical, log, seals, verify
from durable_ops.models import AuditEntry, AuditSeal
from execution_engine.journal import connections

SYSTEM = Actor(user=None, channel=Channel.COMMAND, address="root")
TABLES = {"entry": "durable_ops_audit_entry", "seal": "durable_ops_audit_seal"}


@pytest.fixture
def connection(transactional_db: None) -> Iterator[psycopg.Connection[Any]]:
    with connections.connect("test") as found:
        yield found


@pytest.fixture
def chain(connection: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """Five sealed entries."""
    write(*"abcde")
    assert seals.turn(connection) == 5
    return connection


def write(*names: str) -> None:
    for name in names:
        append_one(name)


def append_one(name: str) -> None:
    from django.db import transaction

    with transaction.atomic():
        log.append(SYSTEM, log.Act("execution.stop", "execution", name, reason="why", facts={"count": 1, "who": "é"}))


def as_owner(sql: str, *params: Any) -> None:
    """What whoever owns the tables can do: without the triggers, and without a trace."""
    with connections.connect("owner") as owner:
        owner.execute("set session_replication_role = replica")
        owner.execute(sql, params)


def problem() -> str | None:
    found = verify.verify().broken
    return found and found.code


def test_what_was_written_verifies(chain: Any) -> None:
    found = verify.verify()
    assert (found.broken, found.checked, found.first, found.last, found.eras, found.tail.count) == (None, 5, 1, 5, 1, 0)
    assert found.anchor == str(AuditSeal.objects.get(position=5))
    write("f")
    assert verify.verify().tail.count == 1
    seals.turn(chain)
    assert verify.verify(anchors={5: found.head}).broken is None


@pytest.mark.django_db(transaction=True)
def test_an_empty_log_verifies() -> None:
    found = verify.verify()
    assert (found.broken, found.checked, found.last) == (None, 0, 0)


def columns_of(table: str) -> dict[str, str]:
    with django_connection.cursor() as cursor:
        cursor.execute("select column_name, data_type from information_schema.columns where table_name = %s", (table,))
        return dict(cursor.fetchall())


@pytest.mark.django_db
def test_every_column_is_covered() -> None:
    assert set(canonical.COLUMNS) == set(columns_of(TABLES["entry"]))


CHANGED = {
    "bigint": "{} + 1",
    "integer": "{} + 1",
    "text": "coalesce({}, '') || ' '",
    "jsonb": "{} || '{{\"x\": null}}'",
    "uuid": "'6f1d9c1e-2b7a-4f55-9c3b-0d1e2f3a4b5c'",
    "timestamp with time zone": "{} + interval '1 microsecond'",
    "bytea": "set_byte({0}, 31, get_byte({0}, 31) # 1)",
}


@pytest.mark.parametrize("table", TABLES)
def test_a_change_of_any_column_is_found(chain: Any, table: str) -> None:
    key = "id" if table == "entry" else "position"
    third = AuditSeal.objects.get(position=3)
    number = third.entry_id if table == "entry" else 3
    for column, kind in columns_of(TABLES[table]).items():
        sql = f"update {TABLES[table]} set {column} = {CHANGED[kind].format(column)} where {key} = %s"
        before = list(rows(TABLES[table]))
        with connections.connect("owner") as owner:
            owner.execute("set session_replication_role = replica")
            with owner.transaction():
                # Numbers that are taken already would be refused by the index, which an owner can drop.
                owner.execute(sql if column not in ("id", "position", "entry_id") else sql.replace("+ 1", "+ 1000"), (number,))
        found = verify.verify().broken
        assert found is not None and found.position == 3, column
        restore(TABLES[table], before)
        assert problem() is None


def rows(table: str) -> Iterator[dict[str, Any]]:
    with connections.connect("reader") as reader:
        cursor = reader.execute(f"select to_jsonb(t)::text from {table} t order by 1")
        yield from cursor.fetchall()


def restore(table: str, before: list[Any]) -> None:
    with connections.connect("owner") as owner:
        owner.execute("set session_replication_role = replica")
        with owner.transaction():
            owner.execute(f"delete from {table}")
            for (text,) in before:
                owner.execute(f"insert into {table} select * from jsonb_populate_record(null::{table}, %s::jsonb)", (text,))


@pytest.mark.parametrize(
    ("sql", "code", "position"),
    [
        ("delete from durable_ops_audit_entry where id = {3}", "missing_entry", 3),
        ("delete from durable_ops_audit_seal where position = 3", "missing_seal", 3),
        ("delete from durable_ops_audit_entry where id = {5}", "missing_entry", 5),
        ("update durable_ops_audit_seal set position = position * -1 where position in (2, 3)", "missing_seal", 2),
        ("update durable_ops_audit_entry set facts = facts - 'count' where id = {1}", "changed", 1),
    ],
)
def test_what_its_owner_takes_away_is_named(chain: Any, sql: str, code: str, position: int) -> None:
    ids = {seal.position: seal.entry_id for seal in AuditSeal.objects.all()}
    as_owner(sql.format(None, *(ids[n] for n in range(1, 6))))
    found = verify.verify().broken
    assert found is not None
    assert (found.code, found.position) == (code, position)


def test_entries_that_change_places_are_found(chain: Any) -> None:
    two, three = (AuditSeal.objects.get(position=n).entry_id for n in (2, 3))
    as_owner("update durable_ops_audit_seal set entry_id = -1 where position = 2")
    as_owner("update durable_ops_audit_seal set entry_id = %s where position = 3", two)
    as_owner("update durable_ops_audit_seal set entry_id = %s where position = 2", three)
    assert problem() in ("changed", "reordered")


def test_an_entry_put_in_behind_the_seals_is_found_and_never_sealed(chain: Any) -> None:
    head = AuditSeal.objects.get(position=4)
    as_owner(
        "insert into durable_ops_audit_entry (id, at, actor, channel, key_prefix, address, action, object_type, object_id, reason, facts,"
        " transaction_id) select 900, at, 'mallory', channel, '', '', action, object_type, object_id, reason, facts, transaction_id"
        " from durable_ops_audit_entry where id = %s",
        head.entry_id,
    )
    for _ in range(2):
        found = verify.verify().broken
        assert found is not None and (found.code, found.entry_id) == ("inserted", 900)
        write("later")
        assert seals.turn(chain) == 1


def test_a_cut_tail_is_found_by_an_anchor_alone(chain: Any) -> None:
    """With entries and seals gone together nothing is left to see; the hash that was written down elsewhere tells."""
    anchors = {5: verify.verify().head}
    newest = AuditSeal.objects.get(position=5).entry_id
    as_owner("delete from durable_ops_audit_seal where position = 5")
    assert verify.verify().tail.count == 1
    as_owner("delete from durable_ops_audit_entry where id = %s", newest)
    assert problem() is None
    found = verify.verify(anchors=anchors).broken
    assert found is not None and (found.code, found.position) == ("anchor", 5)
    write("other")
    seals.turn(chain)
    assert problem() is None
    found = verify.verify(anchors=anchors).broken
    assert found is not None and found.code == "anchor"


def test_a_bounded_look_begins_within_the_chain(chain: Any) -> None:
    found = verify.verify(newest=2)
    assert (found.first, found.last, found.checked, found.broken) == (4, 5, 2, None)
    as_owner("update durable_ops_audit_entry set reason = 'x' where id = %s", AuditSeal.objects.get(position=2).entry_id)
    assert verify.verify(newest=2).broken is None
    assert problem() == "changed"


def test_a_late_commit_of_a_smaller_id_takes_its_place(connection: Any) -> None:
    with connections.connect("slow") as slow, slow.transaction():
        slow.execute(INSERT, ("slow",))
        write("quick")
        assert seals.turn(connection) == 0, "the older transaction may still come before it"
    assert seals.turn(connection) == 2
    assert list(AuditSeal.objects.order_by("position").values_list("entry__object_id", flat=True)) == ["slow", "quick"]
    assert problem() is None


def test_a_late_commit_of_a_later_transaction_with_a_smaller_id(connection: Any) -> None:
    """Ids are taken before the number of the transaction: the chain need not follow them."""
    taken = connection.execute("select nextval(pg_get_serial_sequence('durable_ops_audit_entry', 'id'))").fetchone()[0]
    write("first")
    assert seals.turn(connection) == 1
    connection.execute(INSERT.replace("(actor", "(id, actor").replace("values (", f"values ({taken}, "), ("second",))
    assert seals.turn(connection) == 1
    assert [seal.entry_id > taken for seal in AuditSeal.objects.order_by("position")] == [True, False]
    assert problem() is None


def test_gaps_of_rolled_back_entries_need_no_proof(connection: Any) -> None:
    for number in range(6):
        with connections.connect("other") as other, other.transaction() as block:
            other.execute(INSERT, (str(number),))
            if number % 2:
                raise psycopg.Rollback(block)
    assert seals.turn(connection) == 3
    assert problem() is None


INSERT = (
    "insert into durable_ops_audit_entry (actor, key_prefix, channel, address, action, object_type, object_id, reason, facts)"
    " values ('x', '', 'command', '', 'execution.stop', 'execution', %s, '', '{}')"
)


def test_a_broken_sealer_by_ids_would_be_caught(connection: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variant that seals whatever it sees, in order of ids: a late commit then stands behind the newest seal."""
    broken = seals._DUE.replace("pg_snapshot_xmin(pg_current_snapshot())", "pg_snapshot_xmax(pg_current_snapshot())")
    assert broken != seals._DUE
    monkeypatch.setattr(seals, "_DUE", broken)
    with connections.connect("slow") as slow, slow.transaction():
        slow.execute(INSERT, ("slow",))
        write("quick")
        assert seals.turn(connection) == 1
    assert problem() == "inserted"


def test_many_sealers_and_writers_make_one_chain(connection: Any) -> None:
    done = threading.Event()
    sealed: list[int] = []

    def seal_on() -> None:
        with connections.connect("sealer") as own:
            while not done.is_set():
                sealed.append(seals.turn(own))

    def write_on(writer: int) -> None:
        with connections.connect("writer") as own:
            for number in range(40):
                with own.transaction() as block:
                    own.execute(INSERT, (f"{writer}-{number}",))
                    if number % 7 == 0:
                        raise psycopg.Rollback(block)

    sealers = [threading.Thread(target=seal_on) for _ in range(3)]
    writers = [threading.Thread(target=write_on, args=(n,)) for n in range(4)]
    for thread in (*sealers, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    for thread in sealers:
        thread.join()
    sealed.append(seals.turn(connection))
    assert sum(sealed) == AuditSeal.objects.count() == AuditEntry.objects.count() == 4 * 34
    assert problem() is None


def test_a_restored_database_begins_a_new_era(chain: Any) -> None:
    """Its transactions count from the start: what was sealed before stands in the future."""
    for seal in list(AuditSeal.objects.order_by("position")):
        as_owner("update durable_ops_audit_entry set transaction_id = transaction_id + 1000000 where id = %s", seal.entry_id)
    as_owner("delete from durable_ops_audit_seal")
    assert seals.turn(chain) == 5
    write("after", "later")
    assert seals.turn(chain) == 2
    assert seals.turn(chain) == 0
    found = verify.verify()
    assert (found.broken, found.checked, found.eras) == (None, 7, 2)


def flip(text: bytes, place: int, bit: int) -> bytes:
    changed = bytearray(text)
    changed[place % len(changed)] ^= 1 << bit
    return bytes(changed)


TEXTS = st.lists(st.none() | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=3, max_size=6)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(one=TEXTS, other=TEXTS)
def test_different_entries_have_different_hashes(one: list[str | None], other: list[str | None]) -> None:
    """Also where texts move from one column into the next, or a null becomes an empty text."""
    hashes = {canonical.link(canonical.FIRST, 1, 1, "0", entry) for entry in (one, other)}
    assert len(hashes) == (1 if one == other else 2)


@settings(max_examples=100, deadline=None)
@given(place=st.integers(0, 31), bit=st.integers(0, 7))
def test_every_bit_of_the_hash_before_counts(place: int, bit: int) -> None:
    own: Callable[[bytes], bytes] = lambda before: canonical.link(before, 1, 1, "0", ["a"])  # noqa: E731
    assert own(flip(canonical.FIRST, place, bit)) != own(canonical.FIRST)


def test_the_seals_refuse_change_and_removal(chain: Any) -> None:
    for sql in ("update durable_ops_audit_seal set era = 2", "delete from durable_ops_audit_seal"):
        with pytest.raises(psycopg.DatabaseError, match="only ever added"):
            chain.execute(sql)
