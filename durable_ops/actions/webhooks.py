"""What people and keys do with webhooks: make, change, remove, test, send again."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from durable_ops.actions.actor import Actor
from durable_ops.actions.patterns import check_patterns
from durable_ops.actions.rows import the_one
from durable_ops.audit import log
from durable_ops.models import Delivery, Right, Webhook
from durable_ops.texts import secret_text
from durable_ops.webhooks import addresses, events, signing
from execution_engine.core.errors import CommandError, InvalidInputError

MAX_NAME_LENGTH = 100
MAX_WEBHOOKS = 100
OVERLAP = timedelta(hours=24)
"""How long the old secret signs beside the new one after a rotation."""


class WebhookNotFoundError(CommandError):
    code = "webhook_not_found"
    status = 404


class DeliveryNotFoundError(CommandError):
    code = "delivery_not_found"
    status = 404


@dataclass(frozen=True, slots=True)
class NewSecret:
    """`secret` is shown this once only."""

    webhook: Webhook
    secret: str


def create_webhook(actor: Actor, *, name: str, url: str, types: Collection[str], functions: str = "*") -> NewSecret:
    """Makes an active webhook, which is sent what happens from now on. Raises PermissionDenied, InvalidInputError."""
    actor.require(Right.MANAGE_WEBHOOKS)
    values = _checked({"name": name, "url": url, "events": types, "functions": functions})
    secret = signing.new_secret()
    with transaction.atomic():
        if Webhook.objects.count() >= MAX_WEBHOOKS:
            raise InvalidInputError(f"There are {MAX_WEBHOOKS} webhooks already, and no more are kept.", limit=MAX_WEBHOOKS)
        hook = Webhook.objects.create(**values, secret=secret_text.seal(secret), created_by=actor.name)
        log.append(actor, _act("webhook.create", hook, events=hook.events, functions=hook.functions))
    return NewSecret(hook, secret)


def change_webhook(actor: Actor, webhook_id: int, changes: Mapping[str, Any], *, reason: str = "") -> Webhook:
    """Changes any of name, url, events, functions and is_active. What happens while it is off is never sent.

    Raises PermissionDenied, WebhookNotFoundError, InvalidInputError.
    """
    actor.require(Right.MANAGE_WEBHOOKS)
    is_active = changes.get("is_active")
    values = _checked({name: value for name, value in changes.items() if name != "is_active"})
    with transaction.atomic():
        hook = _locked(webhook_id)
        if is_active is not None and is_active != hook.is_active:
            values["is_active"] = is_active
            values |= {"active_since": Now(), "failures": 0, "blocked_until": None, "stopped_because": ""} if is_active else {}
        before = {name: getattr(hook, name) for name in values if name in _SHOWN and getattr(hook, name) != values[name]}
        if values:
            Webhook.objects.filter(pk=hook.pk).update(**values)
            after = {name: values[name] for name in before}
            log.append(actor, _act("webhook.change", hook, reason, before=_told(before), after=_told(after)))
    return find_webhook(webhook_id)


def rotate_secret(actor: Actor, webhook_id: int) -> NewSecret:
    """Makes a new secret. For 24 hours, the old one signs as well. Raises PermissionDenied, WebhookNotFoundError."""
    actor.require(Right.MANAGE_WEBHOOKS)
    secret = signing.new_secret()
    with transaction.atomic():
        hook = _locked(webhook_id)
        changed = {"secret": secret_text.seal(secret), "previous_secret": hook.secret, "previous_until": Now() + OVERLAP}
        Webhook.objects.filter(pk=hook.pk).update(**changed)
        log.append(actor, _act("webhook.rotate", hook))
    return NewSecret(find_webhook(webhook_id), secret)


def remove_webhook(actor: Actor, webhook_id: int, *, reason: str = "") -> None:
    """Removes it with its deliveries, sent or not. Raises PermissionDenied, WebhookNotFoundError."""
    actor.require(Right.MANAGE_WEBHOOKS)
    with transaction.atomic():
        hook = _locked(webhook_id)
        waiting = hook.deliveries.filter(sent_at=None, due_at__isnull=False).count()
        log.append(actor, _act("webhook.remove", hook, reason, not_delivered=waiting))
        hook.delete()


def send_test(actor: Actor, webhook_id: int) -> Delivery:
    """Promises a delivery of type `webhook.test`, whatever events the webhook is for. One that is off gets it when it is on again.

    Raises PermissionDenied, WebhookNotFoundError.
    """
    actor.require(Right.MANAGE_WEBHOOKS)
    with transaction.atomic():
        hook = _locked(webhook_id)
        now = timezone.now()
        event = events.Event(events.EventType.TEST, f"{hook.pk}:{now.timestamp()}", now, "", None, {"webhook": hook.name, "by": actor.name})
        events.promise_to(hook, event)
        log.append(actor, _act("webhook.test", hook, delivery=event.id))
        return Delivery.objects.select_related("webhook").get(webhook=hook, event_id=event.id)


def redeliver(actor: Actor, delivery_id: int) -> Delivery:
    """Sends a delivery again at once, from the first attempt on, with the same webhook-id. Raises PermissionDenied,
    DeliveryNotFoundError."""
    actor.require(Right.MANAGE_WEBHOOKS)
    with transaction.atomic():
        missing = DeliveryNotFoundError("There is no such delivery.", delivery_id=delivery_id)
        found = the_one(Delivery.objects.select_related("webhook").filter(pk=delivery_id), missing)
        again = {"sent_at": None, "due_at": Now(), "attempts": 0, "expires_at": Now() + events.EXPIRES_AFTER, "leased_until": None}
        Delivery.objects.filter(pk=found.pk).update(**again)
        log.append(actor, _act("webhook.redeliver", found.webhook, delivery=found.event_id, event=found.event))
    return Delivery.objects.select_related("webhook").get(pk=delivery_id)


def find_webhook(webhook_id: int) -> Webhook:
    """Raises WebhookNotFoundError."""
    return _found(Webhook.objects.all(), webhook_id)


_SHOWN = ("name", "url", "events", "functions", "is_active")


def _locked(webhook_id: int) -> Webhook:
    return _found(Webhook.objects.select_for_update(), webhook_id)


def _found(hooks: QuerySet[Webhook], webhook_id: int) -> Webhook:
    return the_one(hooks.filter(pk=webhook_id), WebhookNotFoundError("There is no such webhook.", webhook_id=webhook_id))


def _checked(values: dict[str, Any]) -> dict[str, Any]:
    """The values in the form in which they are stored. Raises InvalidInputError."""
    if "name" in values:
        values["name"] = values["name"].strip()
        if not 0 < len(values["name"]) <= MAX_NAME_LENGTH:
            raise InvalidInputError(f"A webhook needs a name of 1 to {MAX_NAME_LENGTH} characters.", field="name", limit=MAX_NAME_LENGTH)
    if "url" in values:
        addresses.parse_new(values["url"])
    if "events" in values:
        known = {one.value for one in events.LABELS}
        wrong = [one for one in values["events"] if one not in known]
        if wrong or not values["events"]:
            raise InvalidInputError(f"A webhook listens to one or more of {', '.join(sorted(known))}.", field="events", value=wrong[:1])
        values["events"] = sorted(set(values["events"]))
    if "functions" in values:
        check_patterns([values["functions"]], "functions")
    return values


def _act(action: str, hook: Webhook, reason: str = "", **facts: Any) -> log.Act:
    return log.Act(action, "webhook", str(hook.pk), reason=reason, facts={"name": hook.name, **_told({"url": hook.url}), **facts})


def _told(values: Mapping[str, Any]) -> dict[str, Any]:
    """Only the host of an address: for many receivers, such as chat systems, its path or query is the key to write there."""
    if "url" not in values:
        return dict(values)
    parts = urlsplit(values["url"])
    return {**values, "url": f"{parts.scheme}://{parts.netloc}/…", "url_digest": sha256(values["url"].encode()).hexdigest()[:12]}
