"""Sends what was promised to webhooks: at least once, each event under one webhook-id, in no promised order.

A delivery is leased before it is sent, so that a process that dies in between leaves it to be sent again. Attempts go on for three days,
at most twelve, further and further apart. After five failures in a row nothing is sent to a webhook for a while, then one delivery
tries whether it is back: an address that hangs keeps nobody else's deliveries waiting.
"""

import logging
import random
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from http.client import HTTPException
from typing import Any

from django.db import connections, transaction
from django.db.models import Count, F, Q
from django.db.models.functions import Now

from durable_ops.models import Delivery, Webhook
from durable_ops.webhooks import addresses, posting, signing
from execution_engine.core.errors import InvalidInputError

logger = logging.getLogger(__name__)

AT_ONCE = 8
"""Attempts of one process."""

AT_ONCE_PER_WEBHOOK = 3
LEASE = timedelta(seconds=60)
WAITS = (5, 30, 120, 600, 1800, 3600, 3600, 2 * 3600, 4 * 3600, 8 * 3600, 12 * 3600)
"""Seconds after the first, second, ... failure; one attempt more than there are waits."""

MAX_ATTEMPTS = len(WAITS) + 1
JITTER = 0.2
BREAKS_AFTER = 5
BREAK_SECONDS, LONGEST_BREAK_SECONDS = 30, 3600
KEPT_DAYS = 30
GONE = 410

_slots = threading.Semaphore(AT_ONCE)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt. `error` is empty for a success; `is_final` when trying again cannot help."""

    error: str = ""
    status: int | None = None
    excerpt: str = ""
    milliseconds: int | None = None
    is_final: bool = False


def turn(_: Any = None) -> int:
    """A duty: begins what is due, each attempt on a thread of its own; answers how many. Waits for none of them."""
    free = 0
    while free < AT_ONCE and _slots.acquire(blocking=False):
        free += 1
    leased: list[int] = []
    try:
        leased = lease(free) if free else []
    finally:
        for _unused in range(free - len(leased)):
            _slots.release()
    for delivery_id in leased:
        threading.Thread(target=_attempt_on_thread, args=(delivery_id,), name="durable-webhook", daemon=True).start()
    return len(leased)


def lease(most: int) -> list[int]:
    """Takes up to this many deliveries that are due, a few of each webhook, so that none keeps the others from their turn."""
    with transaction.atomic():
        found: list[int] = []
        # Locked, so that two processes do not each take as many of one webhook as both together may.
        open_hooks = Webhook.objects.filter(Q(blocked_until=None) | Q(blocked_until__lte=Now()), is_active=True)
        due = Q(deliveries__sent_at=None, deliveries__due_at__lte=Now())
        ids = open_hooks.filter(due).values("id").distinct()
        for hook in Webhook.objects.filter(id__in=ids).select_for_update(skip_locked=True).order_by("id"):
            found += _due(hook, most - len(found))
        Delivery.objects.filter(id__in=found).update(attempts=F("attempts") + 1, leased_until=Now() + LEASE, due_at=Now() + LEASE)
    return found


def attempt(delivery_id: int) -> None:
    """Sends a leased delivery once and notes what came of it."""
    delivery = Delivery.objects.select_related("webhook").filter(id=delivery_id, sent_at=None).first()
    if delivery is None:
        return
    outcome = send(delivery)
    with transaction.atomic():
        _note(delivery, outcome)


def send(delivery: Delivery) -> Outcome:
    """One attempt; raises nothing."""
    hook, body = delivery.webhook, delivery.body.encode()
    secrets = [hook.secret]
    if hook.previous_secret and Webhook.objects.filter(id=hook.id, previous_until__gt=Now()).exists():
        secrets.append(hook.previous_secret)
    signed = signing.headers(secrets, delivery.event_id, int(time.time()), body)
    if signed is None:
        return Outcome("SECRET_KEY has changed, and the webhook's secret cannot be read: make a new secret", is_final=True)
    try:
        return _post(hook.url, body, {"User-Agent": "durable-ops", **delivery.headers, **signed})
    except (InvalidInputError, addresses.ForbiddenAddressError) as error:
        return Outcome(f"not sent: {error}", is_final=True)
    except (OSError, HTTPException, ValueError) as error:
        return Outcome(f"{type(error).__name__}: {error}")


def forget_old(_: Any = None) -> int:
    """A duty: gives up what is too old to be tried again, and removes what is older than 30 days, a thousand at a time."""
    expired = Delivery.objects.filter(sent_at=None, due_at__isnull=False, expires_at__lte=Now())
    expired.update(due_at=None, leased_until=None, last_error="given up: too old")
    old = (
        Delivery.objects.filter(created_at__lt=Now() - timedelta(days=KEPT_DAYS)).order_by("created_at").values_list("id", flat=True)[:1000]
    )
    return Delivery.objects.filter(id__in=list(old)).delete()[0]


def _post(url: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
    target = addresses.parse(url)
    answer = posting.post(target, addresses.resolve(target)[0], body, headers)
    error = "" if answer.is_success else f"answered {answer.status}"
    return Outcome(error, answer.status, answer.excerpt, answer.milliseconds, is_final=answer.status == GONE)


def _due(hook: Webhook, most: int) -> list[int]:
    under_way = hook.deliveries.filter(leased_until__gt=Now()).aggregate(number=Count("id"))["number"]
    room = (1 if hook.failures >= BREAKS_AFTER else AT_ONCE_PER_WEBHOOK) - under_way
    due = hook.deliveries.filter(sent_at=None, due_at__lte=Now(), expires_at__gt=Now()).order_by("due_at", "id")
    return list(due.values_list("id", flat=True)[: max(0, min(room, most))])


def _note(delivery: Delivery, outcome: Outcome) -> None:
    """Lock order: the webhook, then its delivery, as `lease`."""
    hook = Webhook.objects.select_for_update().filter(id=delivery.webhook_id).first()
    if hook is None:
        return
    changes: dict[str, Any] = {
        "leased_until": None,
        "tried_at": Now(),
        "status": outcome.status,
        "excerpt": outcome.excerpt,
        "milliseconds": outcome.milliseconds,
        "last_error": outcome.error[:1000].replace("\x00", "\ufffd"),
    }
    mine = Delivery.objects.filter(id=delivery.id, sent_at=None)
    if not outcome.error:
        mine.update(**changes, sent_at=Now(), due_at=None)
        Webhook.objects.filter(id=hook.id).update(failures=0, blocked_until=None, delivered_at=Now())
        return
    logger.info("webhook %s: %s was not delivered (attempt %d): %s", hook.name, delivery.event_id, delivery.attempts, outcome.error)
    wait = None if outcome.is_final else _wait(delivery.attempts)
    due_at = None if wait is None else Now() + timedelta(seconds=wait)
    mine.update(**changes, due_at=due_at)
    if due_at is not None:
        mine.filter(due_at__gt=F("expires_at")).update(due_at=None)
    _count_failure(hook, is_gone=outcome.status == GONE)


def _wait(attempts: int) -> float | None:
    """Seconds until the next attempt, None after the last."""
    if attempts >= MAX_ATTEMPTS:
        return None
    return WAITS[max(attempts, 1) - 1] * random.uniform(1 - JITTER, 1 + JITTER)


def _count_failure(hook: Webhook, *, is_gone: bool) -> None:
    failures = hook.failures + 1
    changes: dict[str, Any] = {"failures": failures}
    if failures >= BREAKS_AFTER:
        seconds = min(LONGEST_BREAK_SECONDS, BREAK_SECONDS * 2 ** min(failures - BREAKS_AFTER, 20))
        changes["blocked_until"] = Now() + timedelta(seconds=seconds)
    if is_gone:
        changes |= {"is_active": False, "stopped_because": "it answered 410 Gone"}
    Webhook.objects.filter(id=hook.id).update(**changes)


def _attempt_on_thread(delivery_id: int) -> None:
    try:
        attempt(delivery_id)
    except Exception:  # the lease ends, and it is tried again
        logger.exception("delivery %d failed", delivery_id)
    finally:
        connections.close_all()
        _slots.release()
