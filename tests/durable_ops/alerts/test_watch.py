"""Rules: what is counted, when people are told, when they are told again, when it is over."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from durable_ops.actions import alerts as actions
from durable_ops.actions import webhooks
from durable_ops.alerts import watch
from durable_ops.approvals import outbox
from durable_ops.models import Alert, AlertRule, Approval, AuditEntry, Delivery, Outbox
from execution_engine.core.errors import InvalidInputError
from execution_engine.models import FunctionVersion
from execution_engine.selectors import trouble
from tests.durable_ops.webhooks.conftest import SYSTEM
from tests.factories import ago, make_execution, make_operation, make_version, make_worker

pytestmark = pytest.mark.django_db(transaction=True)
Make = Callable[..., AlertRule]


@pytest.fixture
def rule() -> Make:
    def make(kind: str, **values: Any) -> AlertRule:
        return actions.create_rule(SYSTEM, {"name": "ours", "kind": kind, "mail_to": ["ops@example.com"], "threshold": 2, **values})

    return make


def version(name: str = "order-mail") -> FunctionVersion:
    return FunctionVersion.objects.filter(function=name).first() or make_version(name)


def fail(number: int = 1, name: str = "order-mail", *, seconds: float = 1, status: str = "FAILED") -> None:
    for _ in range(number):
        make_execution(version(name), status=status, started_at=ago(seconds=seconds + 1), ended_at=ago(seconds=seconds))


def later(**time: float) -> None:
    """As if so much time had passed since the last look."""
    span = timedelta(**time)
    Alert.objects.update(**{name: F(name) - span for name in ("began_at", "seen_at", "fired_at", "notified_at", "resolved_at")})
    with connection.cursor() as cursor:
        cursor.execute("update durable_execution set ended_at = ended_at - %s", (span,))


def told() -> list[str]:
    return list(Outbox.objects.order_by("id").values_list("template", flat=True))


def test_failures_are_counted_per_function_within_the_time(rule: Make) -> None:
    rule("failed", minutes=10, functions="order-*")
    fail(1)
    fail(1, status="TIMED_OUT", seconds=500)
    fail(5, "other")
    fail(5, "order-small", status="STOPPED")
    fail(5, "order-old", seconds=700)
    assert watch.turn() == 1
    alert = Alert.objects.get()
    assert (alert.function, alert.count, alert.fired_at is not None) == ("order-mail", 2, True)


def test_it_rings_once_then_after_each_quiet_time_and_once_when_it_is_over(rule: Make) -> None:
    rule("failed", minutes=200, quiet_minutes=60)
    fail(3)
    assert [watch.turn() for _ in range(3)] == [1, 0, 0]
    later(minutes=61)
    assert watch.turn() == 1
    assert told() == ["alert_firing", "alert_firing"]
    assert Outbox.objects.order_by("id").last().facts["is_again"]  # type: ignore[union-attr]
    later(minutes=140)
    assert watch.turn() == 1
    assert told() == ["alert_firing", "alert_firing", "alert_resolved"]
    assert (Alert.objects.get().resolved_at is not None, Alert.objects.get().highest) == (True, 3)
    assert watch.turn() == 0


def test_what_comes_back_within_the_quiet_time_is_told_when_that_is_over(rule: Make) -> None:
    rule("failed", minutes=1, quiet_minutes=60)
    fail(2)
    watch.turn()
    later(minutes=5)
    watch.turn()
    fail(2)
    assert watch.turn() == 0, "quiet"
    assert told() == ["alert_firing", "alert_resolved"]
    later(minutes=59)
    fail(2)
    assert watch.turn() == 1
    assert told() == ["alert_firing", "alert_resolved", "alert_firing"]


def test_a_count_on_the_edge_does_not_ring_twice(rule: Make) -> None:
    rule("failed", minutes=1)
    fail(2, seconds=50)
    watch.turn()
    later(seconds=30)
    assert watch.turn() == 0, "below, but seen half a minute ago"
    fail(2)
    assert watch.turn() == 0
    assert Alert.objects.count() == 1 and told() == ["alert_firing"]


def test_stranded_executions_must_stay_so(rule: Make) -> None:
    rule("stranded", minutes=5)
    for _ in range(2):
        make_execution(version(), due_at=ago(seconds=10))
    assert watch.turn() == 0
    later(minutes=6)
    assert watch.turn() == 1
    make_worker(version())
    later(minutes=2)
    assert watch.turn() == 1
    assert told() == ["alert_firing", "alert_resolved"]
    with connection.cursor() as cursor:
        cursor.execute("delete from durable_worker")
    watch.turn()
    make_worker(version())
    later(minutes=2)
    assert watch.turn() == 0, "nobody was told of it"
    assert Alert.objects.count() == 1


def test_a_retry_storm(rule: Make) -> None:
    make_worker(version())
    rule("retry_storm", minutes=1)
    for _ in range(2):
        execution = make_execution(version())
        make_operation(execution, type="STEP", status="PENDING", attempt=2)
    assert trouble.retrying() == {"order-mail": 2}
    watch.turn()
    later(minutes=2)
    assert watch.turn() == 1


def test_old_approvals(rule: Make) -> None:
    rule("old_approval", minutes=60)
    execution = make_execution(version())
    for number in range(3):
        Approval.objects.create(callback_id=f"c{number}", execution_id=execution.id, operation_id=f"o{number}", name="n", title="t")
    assert watch.turn() == 0
    Approval.objects.filter(callback_id__in=["c0", "c1"]).update(asked_at=Now() - timedelta(minutes=61))
    assert watch.turn() == 1
    assert Alert.objects.get().count == 2
    Approval.objects.update(closed_at=Now())
    later(minutes=2)
    assert watch.turn() == 1


def test_mails_say_what_is_wrong_and_where_to_look(rule: Make) -> None:
    rule("failed", name="Payments\nBcc: x@y.z", mail_to=["ops@example.com", "boss@example.com"])
    fail(2)
    watch.turn()
    assert outbox.send_due() == 2
    assert sorted(one.to[0] for one in mail.outbox) == ["boss@example.com", "ops@example.com"]
    first = mail.outbox[0]
    assert first.subject == "Payments Bcc: x@y.z: 2 executions of order-mail failed within 10 minutes"
    assert "/executions/?function=order-mail&status=FAILED" in str(first.body)
    later(minutes=12)
    watch.turn()
    outbox.send_due()
    assert mail.outbox[-1].subject.startswith("Over: ")
    assert "reached 2" in str(mail.outbox[-1].body)


def test_a_webhook_is_told_whatever_it_listens_to(rule: Make) -> None:
    hook = webhooks.create_webhook(SYSTEM, name="chat", url="https://example.com/", types=["execution.ended"]).webhook
    rule("failed", mail_to=[], webhook_id=hook.pk)
    fail(2)
    watch.turn()
    later(minutes=12)
    watch.turn()
    assert list(Delivery.objects.order_by("id").values_list("event", flat=True)) == ["alert.firing", "alert.resolved"]
    data = json.loads(Delivery.objects.first().body)["data"]  # type: ignore[union-attr]
    assert (data["function"], data["count"], data["rule"]) == ("order-mail", 2, "ours")


def test_rules_that_ask_the_same_are_answered_from_one_query(rule: Make) -> None:
    rule("failed")
    with CaptureQueriesContext(connection) as one:
        watch.turn()
    for number in range(3):
        rule("failed", name=str(number))
    with CaptureQueriesContext(connection) as four:
        watch.turn()
    asked = [sum("make_interval" in query["sql"] for query in found.captured_queries) for found in (one, four)]
    assert asked == [1, 1]


@pytest.mark.parametrize(
    "values",
    [
        {"name": " "}, {"kind": "weather"}, {"threshold": 0}, {"threshold": 201}, {"minutes": 0}, {"quiet_minutes": 0},
        {"functions": "a b"}, {"mail_to": ["nobody"]},
        {"mail_to": []}, {"mail_to": ["a@example.com\nb@example.com"]}, {"mail_to": ["a@example.com"] * 21},
        {"webhook_id": 7},
    ],
)  # fmt: skip
def test_rules_that_cannot_be(rule: Make, values: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError) as refused:
        rule(**{"kind": "failed", **values})
    assert refused.value.facts["field"].startswith(next(iter(values)).removesuffix("_id"))
    assert AlertRule.objects.count() == 0


def test_acts_are_audited_and_a_rule_that_is_off_ends_silently(rule: Make) -> None:
    made = rule("failed")
    fail(2)
    watch.turn()
    actions.change_rule(SYSTEM, made.pk, {"is_active": False}, reason="holidays")
    assert (watch.turn(), Alert.objects.count()) == (0, 0)
    actions.remove_rule(SYSTEM, made.pk)
    rows = AuditEntry.objects.order_by("id")
    assert [row.action for row in rows] == ["alert_rule.create", "alert_rule.change", "alert_rule.remove"]
    assert (rows[1].facts["before"], rows[1].facts["after"], rows[1].reason) == ({"is_active": True}, {"is_active": False}, "holidays")
