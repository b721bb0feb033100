"""With tables that belong to another role, the application adds and reads, seals and verifies, and can do nothing else."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection as django_connection

from durable_ops.audit import protection, seals, verify
from execution_engine.journal import connections
from tests.durable_ops.audit.test_chain import INSERT, write

OWNER, APPLICATION = "audit_owner_of_tests", "application_of_tests"


@pytest.fixture
def admin(transactional_db: None) -> Iterator[psycopg.Connection[Any]]:
    """Gives the tables away and takes them back."""
    with connections.connect("admin") as found:
        (me,) = found.execute("select current_user").fetchone() or ("",)
        for role in (OWNER, APPLICATION):
            found.execute(f"create role {role}")
        found.execute(f"grant usage on schema public to {APPLICATION}")
        found.execute(f"grant all on all tables in schema public to {APPLICATION}")
        try:
            for _ in range(2):
                with found.transaction():
                    for statement in protection.statements(OWNER, APPLICATION):
                        found.execute(statement)
            yield found
        finally:
            found.execute("reset session authorization")
            for role in (OWNER, APPLICATION):
                found.execute(f"reassign owned by {role} to {me}")
                found.execute(f"drop owned by {role}")
                found.execute(f"drop role {role}")


def test_the_application_adds_reads_seals_and_verifies(admin: Any) -> None:
    admin.execute(f"set session authorization {APPLICATION}")
    admin.execute(INSERT, ("mine",))
    assert admin.execute("select object_id from durable_ops_audit_entry").fetchall() == [("mine",)]
    assert seals.turn(admin) == 1
    with django_connection.cursor() as cursor:
        cursor.execute(f"set session authorization {APPLICATION}")
        try:
            found = verify.verify()
        finally:
            cursor.execute("reset session authorization")
    assert (found.broken, found.checked, found.is_protected) == (None, 1, True)
    assert not verify.verify().is_protected


FORBIDDEN = [
    "update {} set {} = {}",
    "delete from {}",
    "truncate {}",
    "alter table {} disable trigger all",
    "drop table {}",
    "create trigger t before insert on {} for each row execute function durable_ops_refuse_audit_change()",
]


@pytest.mark.parametrize("table", ["durable_ops_audit_entry", "durable_ops_audit_seal"])
@pytest.mark.parametrize("sql", FORBIDDEN)
def test_the_application_can_do_nothing_else(admin: Any, sql: str, table: str) -> None:
    write("mine")
    seals.turn(admin)
    admin.execute(f"set session authorization {APPLICATION}")
    column = "reason" if table.endswith("entry") else "era"
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        admin.execute(sql.format(table, column, column))


def test_the_application_cannot_change_what_refuses(admin: Any) -> None:
    admin.execute(f"set session authorization {APPLICATION}")
    for sql in (
        "create or replace function durable_ops_refuse_audit_change() returns trigger language plpgsql as 'begin return old; end'",
        "drop function durable_ops_refuse_audit_change() cascade",
        "set session_replication_role = replica",
        f"set role {OWNER}",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            admin.execute(sql)
