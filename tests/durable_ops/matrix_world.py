"""What the matrix of roles is asked about: two functions with the same of everything, one within a limited person's reach."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction
from django.test import Client
from django.utils import timezone

from durable_ops.actions import schedules
from durable_ops.actions.actor import Actor, Channel
from durable_ops.audit import log
from durable_ops.models import (
    AlertRule,
    ApiKey,
    Approval,
    AuditEntry,
    Batch,
    BatchItem,
    Delivery,
    Outbox,
    RedriveRequest,
    SavedView,
    Webhook,
)
from durable_ops.texts.secret_text import seal
from execution_engine.core.identifiers import execution_arn
from execution_engine.core.schedules import ScheduleValues
from execution_engine.models import Execution, Operation
from execution_engine.services.executions import start_execution
from tests.durable_ops.journal import open_callback, register_function
from tests.durable_ops.people import make_key, make_limited, make_user

COMMAND = Actor(user=None, channel=Channel.COMMAND)
MARK = {"own": "mine-at-hand", "foreign": "far-away"}
"""Names of executions: what must not be seen of the foreign one anywhere."""


@dataclass(frozen=True)
class Person:
    """`browser` is signed in, `program` sends a key of theirs."""

    user: Any
    browser: Client
    program: Client


@dataclass(frozen=True)
class Things:
    """One of everything of a function, by the names of the keywords in addresses."""

    function: str
    keywords: dict[str, Any]


def make_person(role: str, *, is_limited: bool) -> Person:
    name = f"{role}-{'limited' if is_limited else 'whole'}"
    user = make_limited(role, "own-*", username=name) if is_limited and role != "nobody" else make_user(role, name)
    user.is_staff = True
    user.save()
    browser = Client(raise_request_exception=False)
    browser.force_login(user)
    return Person(user, browser, Client(raise_request_exception=False, headers={"Authorization": f"Bearer {make_key(user)}"}))


def make_things(kind: str) -> Things:
    """`kind` is "own" or "foreign"."""
    function, name = register_function(f"{kind}-f"), MARK[kind]
    started = start_execution(function, '{"secret": 1}', name=name)
    callback_id, asked_id = open_callback(started.id, "program"), open_callback(started.id, f"manager-{name}")
    operation = Operation.objects.get(callback_id=callback_id)
    approval = Approval.objects.create(
        callback_id=asked_id, execution_id=started.id, operation_id="x", name="manager", title=f"Approve {name}"
    )
    with transaction.atomic():
        log.append(COMMAND, log.Act("execution.start", "execution", str(started.id), execution_id=started.id))
    values = ScheduleValues(name=f"nightly {name}", function=function, rule="0 3 * * *")
    request = RedriveRequest.objects.create(
        execution_id=started.id, function=function, execution_name=name, redrive_count=0, replaces_input=True, input="1", reason="x",
        digest="x", requester=make_user("administrator", f"asker-{kind}"), requester_name="asker",
        expires_at=timezone.now() + timedelta(hours=1),
    )  # fmt: skip
    return Things(
        function,
        {
            "execution_id": started.id,
            "operation_id": operation.id,
            "callback_id": callback_id,
            "arn": arn(started.id),
            "function": function,
            "name": function,
            "approval": approval.pk,
            "mail": Outbox.objects.create(message_id=f"<{kind}@x>", template="request", approval=approval).pk,
            "redrive_request": request.pk,
            "entry_id": AuditEntry.objects.get(execution_id=started.id).pk,
            "schedule_id": schedules.create_schedule(COMMAND, values).id,
        },
    )


def arn(execution_id: Any) -> str:
    execution = Execution.objects.get(pk=execution_id)
    return execution_arn("us-east-1", "000000000000", execution.function, execution.version, execution.name, execution.id)


def make_whole() -> dict[str, Any]:
    """What concerns no function: a webhook with a delivery, a rule for alerts, a role, a person."""
    hook = Webhook.objects.create(name="hook", url="https://example.org/", secret=seal("s"))
    delivery = Delivery.objects.create(webhook=hook, event_id="e", event="x", body="{}", expires_at=timezone.now())
    return {
        "webhook_id": hook.pk,
        "delivery_id": delivery.pk,
        "rule_id": AlertRule.objects.create(name="rule", kind="failed", minutes=5).pk,
        "group_id": Group.objects.get(name="operator").pk,
        "user_id": (somebody := make_user("nobody", "somebody").pk),
        "id": somebody,
    }


def make_of_person(user: Any, things: Things) -> dict[str, Any]:
    """What belongs to a person: a key, a view, a batch of an execution."""
    batch = Batch.objects.create(act="stop", total=1, user=user, actor="x", channel="console", status="done", confirmed_at=timezone.now())
    BatchItem.objects.create(batch=batch, execution_id=things.keywords["execution_id"], label="item", outcome="failed")
    key = ApiKey.objects.create(prefix=f"p{user.pk}", digest=str(user.pk), name="one", user=user)
    view = SavedView.objects.create(name="view", query="status=FAILED", user=user)
    return {"batch_id": batch.pk, "key_id": key.pk, "view_id": view.pk}
