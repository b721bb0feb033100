"""Deliveries: signed, bounded, tried again, leased, broken off; and what a receiver may do to us."""

import base64
import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models.functions import Now

from durable_ops.actions import webhooks as actions
from durable_ops.models import AuditEntry, Delivery, Webhook
from durable_ops.webhooks import deliver
from tests.durable_ops.webhooks.conftest import SYSTEM, Receiver
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
Make = Callable[..., actions.NewSecret]


def send_all() -> int:
    """Each delivery that is due, once, one after another."""
    leased = deliver.lease(100)
    for one in leased:
        deliver.attempt(one)
    return len(leased)


def make_due() -> None:
    Delivery.objects.filter(sent_at=None, due_at__isnull=False).update(due_at=Now(), leased_until=None)
    Webhook.objects.update(blocked_until=None)


def test_a_delivery_is_signed_as_the_standard_says(receiver: Receiver, hook: Make) -> None:
    new = hook()
    delivery = actions.send_test(SYSTEM, new.webhook.pk)
    assert send_all() == 1
    (heard,) = receiver.heard
    assert heard.path == "/hook?a=b"
    assert heard.headers["Content-Type"] == "application/json"
    assert heard.headers["Host"] == f"127.0.0.1:{receiver.port}"
    message_id, timestamp, signed = (heard.headers[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
    key = base64.b64decode(new.secret.removeprefix("whsec_"))
    expected = hmac.digest(key, f"{message_id}.{timestamp}.".encode() + heard.body, hashlib.sha256)
    assert (message_id, signed) == (delivery.event_id, "v1," + base64.b64encode(expected).decode())
    assert json.loads(heard.body)["type"] == "webhook.test"
    delivery.refresh_from_db()
    assert (delivery.sent_at is not None, delivery.due_at, delivery.status, delivery.attempts) == (True, None, 200, 1)
    assert delivery.excerpt == "thank you\ufffd"
    assert send_all() == 0


def test_both_secrets_sign_while_a_rotation_overlaps(receiver: Receiver, hook: Make) -> None:
    new = hook()
    actions.rotate_secret(SYSTEM, new.webhook.pk)
    actions.send_test(SYSTEM, new.webhook.pk)
    send_all()
    Webhook.objects.update(previous_until=Now() - timedelta(seconds=1))
    actions.send_test(SYSTEM, new.webhook.pk)
    send_all()
    assert [len(heard.headers["webhook-signature"].split()) for heard in receiver.heard] == [2, 1]
    stored = str(list(Webhook.objects.values()))
    assert new.secret not in stored and new.secret.removeprefix("whsec_") not in stored


@pytest.mark.parametrize("mood", ["wrong", "redirect", "hang", "drip", "huge header", "reset", "garbage"])
def test_a_bad_answer_is_noted_and_tried_again(receiver: Receiver, hook: Make, impatient: None, mood: str) -> None:
    actions.send_test(SYSTEM, hook().webhook.pk)
    receiver.mood = mood
    assert send_all() == 1
    delivery = Delivery.objects.get()
    assert (delivery.sent_at, delivery.attempts, delivery.last_error != "") == (None, 1, True)
    assert delivery.due_at is not None
    assert send_all() == 0, "not before its time"
    assert len(receiver.heard) == 1, "no redirect is followed"
    receiver.mood = "ok"
    make_due()
    assert send_all() == 1
    first, second = (heard.headers["webhook-id"] for heard in receiver.heard)
    assert first == second
    assert Delivery.objects.get().sent_at is not None
    assert Webhook.objects.get().failures == 0


@pytest.mark.parametrize("mood", ["huge", "slow body"])
def test_an_answer_is_read_no_further_than_it_is_shown(receiver: Receiver, hook: Make, impatient: None, mood: str) -> None:
    actions.send_test(SYSTEM, hook().webhook.pk)
    receiver.mood = mood
    send_all()
    delivery = Delivery.objects.get()
    assert delivery.sent_at is not None
    assert 0 < len(delivery.excerpt) <= 2048


def test_attempts_are_bounded_in_number_and_age(receiver: Receiver, hook: Make) -> None:
    actions.send_test(SYSTEM, hook().webhook.pk)
    receiver.mood = "wrong"
    for _ in range(deliver.MAX_ATTEMPTS):
        make_due()
        assert send_all() == 1
    make_due()
    assert send_all() == 0
    assert Delivery.objects.get().due_at is None
    assert len(receiver.heard) == deliver.MAX_ATTEMPTS
    again = actions.redeliver(SYSTEM, Delivery.objects.get().pk)
    Delivery.objects.filter(pk=again.pk).update(expires_at=Now())
    make_due()
    assert send_all() == 0
    deliver.forget_old()
    assert Delivery.objects.get().last_error == "given up: too old"


def test_waits_grow_and_are_spread() -> None:
    waits = [{round(deliver._wait(attempt) or 0, 6) for _ in range(50)} for attempt in range(1, deliver.MAX_ATTEMPTS)]
    assert all(len(found) > 1 for found in waits)
    assert all(0.79 * base <= min(found) and max(found) <= 1.21 * base for found, base in zip(waits, deliver.WAITS, strict=True))
    assert deliver._wait(deliver.MAX_ATTEMPTS) is None
    assert sum(deliver.WAITS) * (1 + deliver.JITTER) < 3 * 24 * 3600


def test_a_webhook_that_fails_again_and_again_is_left_alone_and_tried_with_one(receiver: Receiver, hook: Make) -> None:
    new = hook()
    for _ in range(deliver.BREAKS_AFTER):
        actions.send_test(SYSTEM, new.webhook.pk)
    receiver.mood = "wrong"
    while send_all():
        pass
    found = Webhook.objects.get()
    assert found.failures == deliver.BREAKS_AFTER and found.blocked_until is not None
    Delivery.objects.update(due_at=Now(), leased_until=None)
    assert send_all() == 0, "nothing while the breaker is open"
    Webhook.objects.update(blocked_until=Now())
    receiver.mood = "ok"
    assert send_all() == 1, "one tries whether it is back"
    assert send_all() == deliver.AT_ONCE_PER_WEBHOOK


def test_one_that_hangs_does_not_keep_others_waiting(receiver: Receiver, hook: Make) -> None:
    """It gets its few attempts, and no more while they are under way."""
    bad, good = hook(name="bad"), hook(name="good")
    for _ in range(10):
        actions.send_test(SYSTEM, bad.webhook.pk)
    actions.send_test(SYSTEM, good.webhook.pk)
    leased = [Delivery.objects.get(pk=one).webhook.name for one in deliver.lease(8)]
    assert sorted(leased) == ["bad"] * deliver.AT_ONCE_PER_WEBHOOK + ["good"]
    assert deliver.lease(8) == []


def test_one_that_is_gone_is_switched_off(receiver: Receiver, hook: Make) -> None:
    actions.send_test(SYSTEM, hook().webhook.pk)
    receiver.mood = "gone"
    send_all()
    found = Webhook.objects.get()
    assert (found.is_active, found.stopped_because) == (False, "it answered 410 Gone")
    assert Delivery.objects.get().due_at is None
    actions.change_webhook(SYSTEM, found.pk, {"is_active": True})
    assert Webhook.objects.get().stopped_because == ""


def test_a_turn_waits_for_nobody(receiver: Receiver, hook: Make) -> None:
    actions.send_test(SYSTEM, hook().webhook.pk)
    receiver.mood = "hang"
    assert deliver.turn() == 1
    wait_until(lambda: len(receiver.heard) == 1)
    assert deliver.turn() == 0
    receiver.release.set()
    wait_until(lambda: Delivery.objects.get().leased_until is None)


def test_a_changed_secret_key_is_named(receiver: Receiver, hook: Make, settings: Any) -> None:
    actions.send_test(SYSTEM, hook().webhook.pk)
    settings.SECRET_KEY = "another" * 10
    send_all()
    assert receiver.heard == []
    assert "SECRET_KEY" in Delivery.objects.get().last_error


KILLED = """
import os, sys, django
django.setup()
from django.conf import settings
settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
from durable_ops.webhooks import deliver
print(deliver.turn(), flush=True)
sys.stdin.read()
"""


def test_a_worker_that_is_killed_in_the_middle_leaves_it_to_be_sent_again(
    receiver: Receiver, hook: Make, database_url: str, repository: Path
) -> None:
    actions.send_test(SYSTEM, hook().webhook.pk)
    receiver.mood = "hang"
    environment = {**os.environ, "DATABASE_URL": database_url, "DJANGO_SETTINGS_MODULE": "durable_ops.settings", "DURABLE_LOCAL": "1"}
    options: dict[str, Any] = {"cwd": repository, "env": environment, "stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", KILLED], **options) as worker:
        wait_until(lambda: len(receiver.heard) == 1)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    delivery = Delivery.objects.get()
    assert (delivery.sent_at, delivery.attempts) == (None, 1)
    assert send_all() == 0, "its lease has not ended"
    receiver.mood = "ok"
    make_due()
    assert send_all() == 1
    assert receiver.heard[0].headers["webhook-id"] == receiver.heard[1].headers["webhook-id"]
    assert Delivery.objects.get().sent_at is not None


def test_acts_are_audited_without_the_secret(hook: Make) -> None:
    new = hook()
    actions.change_webhook(SYSTEM, new.webhook.pk, {"functions": "order-*"}, reason="fewer")
    actions.rotate_secret(SYSTEM, new.webhook.pk)
    actions.redeliver(SYSTEM, actions.send_test(SYSTEM, new.webhook.pk).pk)
    actions.remove_webhook(SYSTEM, new.webhook.pk)
    rows = list(AuditEntry.objects.order_by("id"))
    verbs = ["create", "change", "rotate", "test", "redeliver", "remove"]
    assert [row.action for row in rows] == [f"webhook.{verb}" for verb in verbs]
    assert (rows[1].facts["before"], rows[1].facts["after"]) == ({"functions": "*"}, {"functions": "order-*"})
    assert "whsec" not in str([row.facts for row in rows])
    assert Delivery.objects.count() == 0
