"""Events of executions are found by reading, once each, and told to whoever asked for them."""

import json
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from durable_ops.actions import webhooks as actions
from durable_ops.models import Approval, Delivery, EventCursor, Webhook
from durable_ops.webhooks import collect
from durable_ops.webhooks.approval_events import announce
from durable_ops.webhooks.events import EventType
from execution_engine.models import Execution, FunctionVersion
from tests.durable_ops.journal import open_callback, register_function
from tests.durable_ops.webhooks.conftest import SYSTEM, Receiver
from tests.durable_ops.webhooks.test_deliver import send_all
from tests.factories import make_execution, make_version

pytestmark = pytest.mark.django_db(transaction=True)
Make = Callable[..., actions.NewSecret]


def read() -> None:
    for _ in range(3):
        collect.turn(behind=0)


def ended(status: str = "SUCCEEDED", function: str = "order-mail", **fields: Any) -> Execution:
    now = timezone.now()
    values = {"status": status, "started_at": now, "ended_at": now, "retention_days": 14, **fields}
    version = FunctionVersion.objects.filter(function=function).first() or make_version(function)
    return make_execution(version, **values)


def types() -> Counter[str]:
    return Counter(Delivery.objects.values_list("event", flat=True))


def test_ends_are_told_once_with_what_a_receiver_needs(receiver: Receiver, hook: Make) -> None:
    hook()
    trace = {"traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01", "correlation_id": "order-7"}
    failed = ended("FAILED", error='{"ErrorMessage":"secret","ErrorType":"CardDeclined"}', result=None, **trace)
    ended()
    read()
    assert types() == {"execution.ended": 2, "execution.failed": 1}
    send_all()
    heard = next(one for one in receiver.heard if b"execution.failed" in one.body)
    body = json.loads(heard.body)
    assert (body["type"], body["data"]["execution"], body["data"]["status"]) == ("execution.failed", str(failed.id), "FAILED")
    assert (body["data"]["function"], body["data"]["error_type"]) == ("order-mail", "CardDeclined")
    assert body["data"]["url"].endswith(f"/executions/{failed.id}/")
    assert b"secret" not in heard.body
    assert (heard.headers["traceparent"], heard.headers["X-Correlation-Id"]) == (trace["traceparent"], "order-7")
    EventCursor.objects.all().delete()
    read()
    assert Delivery.objects.count() == 3, "read again, but not promised again"


def test_functions_and_events_are_chosen_by_pattern_and_name(hook: Make) -> None:
    hook(functions="order-*", types=["execution.failed"])
    for status in ("FAILED", "TIMED_OUT", "STOPPED", "SUCCEEDED"):
        ended(status)
    ended("FAILED", function="other")
    read()
    assert types() == {"execution.failed": 2}


def test_what_happened_before_or_while_it_was_off_is_not_told(hook: Make) -> None:
    ended()
    new = hook()
    read()
    actions.change_webhook(SYSTEM, new.webhook.pk, {"is_active": False})
    ended()
    read()
    actions.change_webhook(SYSTEM, new.webhook.pk, {"is_active": True})
    ended()
    read()
    assert types() == {"execution.ended": 1}


def test_an_end_that_is_committed_late_is_found_by_a_later_pass(hook: Make) -> None:
    hook()
    ended()
    late = timezone.now()
    ended()
    read()
    Webhook.objects.update(active_since=late - timedelta(minutes=1))
    make_execution(make_version("late"), status="SUCCEEDED", started_at=late, ended_at=late, retention_days=14)
    EventCursor.objects.filter(name="ends-soon").update(at=late - timedelta(seconds=30))
    read()
    assert Delivery.objects.filter(body__contains='"late"').count() == 1


def test_waiting_for_a_callback_is_told_again_after_a_redrive_only(hook: Make) -> None:
    hook()
    register_function("echo")
    from durable_ops.actions import executions

    execution_id = executions.start_execution(SYSTEM, function="echo", input=None).id
    callback_id = open_callback(execution_id)
    read()
    read()
    assert types() == {"execution.waiting": 1}
    data = json.loads(Delivery.objects.get().body)["data"]
    assert (data["waiting_for"], data["callback"]["callback_id"], data["callback"]["name"]) == ("callback", callback_id, "manager")


def test_nobody_listening_costs_two_queries(transactional_db: None) -> None:
    ended()
    with CaptureQueriesContext(connection) as queries:
        assert collect.turn() == 0
    assert len(queries) == 2
    assert EventCursor.objects.count() == 0


def approval(execution: Execution) -> Approval:
    return Approval.objects.create(callback_id="c", execution_id=execution.id, operation_id="o", name="manager", title="Refund <1>")


def test_approval_events_are_promised_in_the_transaction_of_their_cause(hook: Make) -> None:
    hook()
    asked = approval(ended())
    with transaction.atomic():
        announce(EventType.REQUESTED, asked)
        transaction.set_rollback(True)
    assert Delivery.objects.count() == 0
    with transaction.atomic():
        announce(EventType.REQUESTED, asked)
        announce(EventType.DECIDED, asked, key="1", by="ada", approved=True, channel="mail", settles=True)
    assert types() == {"approval.requested": 1, "approval.decided": 1}
    data = json.loads(Delivery.objects.get(event="approval.decided").body)["data"]
    assert (data["approval"]["title"], data["by"], data["approved"], data["function"]) == ("Refund <1>", "ada", True, "order-mail")


def test_two_collectors_at_once_promise_once(hook: Make) -> None:
    import threading

    from django.db import connections

    hook()
    for _ in range(30):
        ended()

    def run() -> None:
        try:
            read()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    read()
    assert types() == {"execution.ended": 30}
