"""`verify_audit_log` and `protect_audit_log`."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from durable_ops.audit import seals
from durable_ops.models import AuditSeal
from execution_engine.journal import connections
from tests.durable_ops.audit.test_chain import as_owner, write

pytestmark = pytest.mark.django_db(transaction=True)


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


@pytest.fixture(autouse=True)
def _chain(transactional_db: None) -> None:
    write("a", "b", "c")
    with connections.connect("test") as found:
        seals.turn(found)


def test_a_whole_chain_is_reported_with_its_anchor() -> None:
    anchor = str(AuditSeal.objects.get(position=3))
    assert f"anchor: {anchor}" in run("verify_audit_log")
    write("d")
    found = json.loads(run("verify_audit_log", "--json", "--expect", anchor))
    assert (found["ok"], found["checked"], found["anchor"], found["unsealed"]["count"], found["broken"]) == (True, 3, anchor, 1, None)
    assert json.loads(run("verify_audit_log", "--json", "--newest", "1"))["first"] == 3


def test_a_broken_one_fails_and_names_the_row() -> None:
    row = AuditSeal.objects.get(position=2).entry_id
    as_owner("update durable_ops_audit_entry set reason = 'x' where id = %s", row)
    with pytest.raises(CommandError, match=f"Entry {row} ") as failed:
        run("verify_audit_log")
    assert failed.value.returncode == 1
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("verify_audit_log", "--json", stdout=out)
    assert json.loads(out.getvalue())["broken"]["entry_id"] == row


@pytest.mark.parametrize("wrong", [["--newest", "0"], ["--expect", "3"], ["--expect", f"x:{'a' * 64}"]])
def test_wrong_arguments(wrong: list[str]) -> None:
    with pytest.raises(CommandError):
        run("verify_audit_log", *wrong)


def test_the_sql_of_the_protection_is_printed_quoted() -> None:
    text = run("protect_audit_log", "--owner", 'au"dit', "--application", "app")
    assert text.startswith("begin;") and text.rstrip().endswith("commit;")
    assert 'owner to "au""dit";' in text and 'grant insert, select on "public"."durable_ops_audit_entry"' in text


@pytest.mark.parametrize("roles", [("nobody_here", "app"), ("same", "same")])
def test_roles_that_cannot_be(roles: Any) -> None:
    with pytest.raises(CommandError):
        run("protect_audit_log", "--owner", roles[0], "--application", roles[1], "--apply")
