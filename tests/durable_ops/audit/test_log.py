import pytest
from django.db import DatabaseError, connection, transaction

from durable_ops.actions.actor import Actor, Channel
from durable_ops.audit import log
from durable_ops.models import AppendOnlyError, AuditEntry
from tests.durable_ops.people import make_user

ACT = log.Act("execution.stop", "execution", "e1", reason="too slow", facts={"error_type": "X"})


@pytest.mark.django_db
def test_append_keeps_who_what_where_and_why() -> None:
    user = make_user("operator", "olga")
    log.append(Actor(user=user, channel=Channel.CONSOLE, address="10.0.0.7"), ACT)
    row = AuditEntry.objects.get()
    assert (row.actor, row.user_id, row.key_prefix, row.channel, row.address) == ("olga", str(user.pk), "", "console", "10.0.0.7")
    assert (row.action, row.object_type, row.object_id, row.reason, row.facts) == (
        "execution.stop",
        "execution",
        "e1",
        "too slow",
        {"error_type": "X"},
    )
    assert row.at is not None


@pytest.mark.django_db
def test_deeds_outlive_the_person() -> None:
    user = make_user("operator", "olga")
    log.append(Actor(user=user), ACT)
    user.delete()
    assert AuditEntry.objects.get().actor == "olga"


@pytest.mark.django_db(transaction=True)
def test_append_needs_the_transaction_of_its_act() -> None:
    with pytest.raises(transaction.TransactionManagementError):
        log.append(Actor(user=None, channel=Channel.COMMAND), ACT)


@pytest.mark.django_db
def test_model_refuses_change_and_removal() -> None:
    log.append(Actor(user=None, channel=Channel.COMMAND), ACT)
    row = AuditEntry.objects.get()
    for attempt in (row.save, row.delete, AuditEntry.objects.all().delete, lambda: AuditEntry.objects.update(reason="x")):
        with pytest.raises(AppendOnlyError):
            attempt()


@pytest.mark.django_db
@pytest.mark.parametrize("sql", ["update durable_ops_audit_entry set reason = 'x'", "delete from durable_ops_audit_entry"])
def test_database_refuses_change_and_removal(sql: str) -> None:
    log.append(Actor(user=None, channel=Channel.COMMAND), ACT)
    with pytest.raises(DatabaseError, match="only ever added"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert AuditEntry.objects.get().reason == "too slow"
