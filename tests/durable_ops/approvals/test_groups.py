"""Groups that are asked: known by their key and shown by today's name; and a question that is put to a group instead."""

import importlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext

from durable_ops.actions import approvals
from durable_ops.actions.actor import Actor
from durable_ops.approvals import inbox, reminders
from durable_ops.approvals.errors import ApprovalRefusedError
from durable_ops.approvals.inbox import Box
from durable_ops.models import Approval, Assignee, AuditEntry, Outbox
from execution_engine.core.errors import InvalidInputError
from tests.durable_ops.people import make_user

pytestmark = pytest.mark.django_db
Ask = Callable[..., tuple[Any, Approval]]
Make = Callable[..., Actor]


def titles(actor: Actor) -> list[str]:
    return [row.approval.title for row in inbox.rows(actor.user, Box.GROUPS)]


def test_a_question_follows_its_group_to_a_new_name(ask: Ask, actor: Make, client: Client) -> None:
    mona = actor("mona", "managers")
    execution, approval = ask(title="Expense")
    Group.objects.filter(name="managers").update(name="leaders")
    thief = actor("thief", "managers")  # a new group takes over the name, and nothing else
    assert (titles(mona), titles(thief), inbox.waiting_for(mona.user), inbox.waiting_for(thief.user)) == (["Expense"], [], 1, 0)
    with pytest.raises(ApprovalRefusedError):
        approvals.decide(thief, approval.callback_id, approved=True)
    client.force_login(mona.user)
    page = client.get(f"/approvals/{approval.pk}/").content.decode()
    assert ("group leaders" in page, "group managers" in page, "does not exist" in page) == (True, False, False)
    approvals.decide(mona, approval.callback_id, approved=True)
    execution.skip_time(60)
    assert execution.get_result()["by"] == "mona"


def test_escalation_follows_a_renamed_group(ask: Ask, actor: Make) -> None:
    fay = actor("fay", "finance")
    _, approval = ask(escalate_to="finance", escalate_after=timedelta(days=1))
    Group.objects.filter(name="finance").update(name="treasury")
    actor("thief", "finance")
    Approval.objects.update(escalate_at=Now())
    assert reminders.escalate() == 1
    assert [mail.user for mail in Outbox.objects.filter(template="approval_escalation")] == [fay.user]
    approvals.decide(fay, approval.callback_id, approved=True)


def test_a_question_is_put_to_a_group_instead(ask: Ask, actor: Make) -> None:
    mona, fay = actor("mona", "managers"), actor("fay", "finance")
    _, approval = ask(title="Expense")
    approvals.reassign(mona, approval.callback_id, groups=["finance"], reason="not ours")
    assert (titles(mona), titles(fay)) == ([], ["Expense"])
    assert Outbox.objects.latest("id").user == fay.user
    entry = AuditEntry.objects.latest("id")
    assert (entry.action, entry.reason, entry.facts) == (
        "approval.reassign", "not ours", {"from": ["group managers"], "to": ["group finance"]},
    )  # fmt: skip
    with pytest.raises(ApprovalRefusedError):
        approvals.decide(mona, approval.callback_id, approved=True)
    root = Actor(make_user("administrator"))
    approvals.reassign(root, approval.callback_id, to=["mona"], groups=["managers"], reason="back")
    assert sorted(approval.assignees.values_list("name", "is_active")) == [("finance", False), ("managers", True), ("mona", True)]
    approvals.decide(mona, approval.callback_id, approved=True)


def test_a_group_is_asked_again_under_its_new_name(ask: Ask, actor: Make, person: Callable[..., User]) -> None:
    """One row for each who was ever asked: nobody is listed twice."""
    mona = actor("mona", "managers")
    person("ed")
    _, approval = ask()
    approvals.reassign(mona, approval.callback_id, to=["ed"], reason="holiday")
    Group.objects.filter(name="managers").update(name="leaders")
    approvals.reassign(Actor(make_user("administrator")), approval.callback_id, groups=["leaders"], reason="back")
    assert sorted(approval.assignees.values_list("name", "is_active")) == [("ed", False), ("leaders", True)]


@pytest.mark.parametrize(
    ("who", "words"),
    [
        ({"groups": ["ghosts"]}, "no group 'ghosts'"),
        ({"groups": ["empty"]}, "only 0 may"),
        ({"groups": ["requesters"]}, "only 0 may"),
        ({"to": ["rita"], "groups": ["requesters"]}, "only 0 may"),
        ({"to": ["ed"], "groups": ["twins"]}, "only 1 may"),
        ({"groups": ["a\x00"]}, "NUL"),
        ({"to": ["left"]}, "no active user 'left'"),
        ({}, "at least one user or group"),
    ],
)
def test_too_few_who_may_approve_are_refused_and_nothing_changes(
    ask: Ask, person: Callable[..., User], who: dict[str, list[str]], words: str
) -> None:
    person("rita", "requesters")
    person("left", is_active=False)
    Group.objects.create(name="empty")
    for name in ("ed", "twin"):  # two accounts, one mailbox, one voice
        person(name, "twins")
    User.objects.filter(username="twin").update(email="ED@example.com")
    root = Actor(make_user("administrator"))
    _, approval = ask(requester="rita", quorum=2 if "ed" in who.get("to", ()) else 1)
    with pytest.raises(InvalidInputError, match=words):
        approvals.reassign(root, approval.callback_id, **who, reason="x")
    assert [str(one) for one in approval.assignees.filter(is_active=True)] == ["group managers"]


def test_accounts_with_one_mailbox_see_that_they_have_decided(ask: Ask, actor: Make, client: Client) -> None:
    mona, twin = (actor(name, "managers") for name in ("mona", "twin"))
    User.objects.filter(username="twin").update(email="Mona@example.com")
    twin.user.refresh_from_db()
    _, approval = ask(quorum=2)
    ask(title="Own", requester="mona")
    approvals.decide(mona, approval.callback_id, approved=True)
    own, shared = (row.approve_refusal for row in sorted(inbox.rows(twin.user, Box.GROUPS), key=lambda row: -row.approval.pk))
    assert (own, shared) == ("requester_may_not_approve", "decided_already")
    with pytest.raises(ApprovalRefusedError):
        approvals.claim(twin, approval.callback_id)
    client.force_login(twin.user)
    page = client.get("/approvals/").content.decode()
    assert "You have decided already" in page and "You asked for this yourself" in page
    assert page.count('value="approve"') == 0


@pytest.mark.parametrize("count", [1, 4])
def test_an_inbox_costs_the_same_whatever_its_length(ask: Ask, actor: Make, count: int) -> None:
    mona = actor("mona", "managers")
    actor("rita")
    for _ in range(count):
        ask(requester="rita")
    with CaptureQueriesContext(connection) as queries:
        assert len(inbox.rows(mona.user, Box.GROUPS)) == count
    assert len(queries) == 10


def test_rows_of_before_get_the_keys_of_today(ask: Ask, actor: Make) -> None:
    """The migration over rows that knew groups by name: one that is gone keeps no key."""
    fill = importlib.import_module("durable_ops.migrations.0018_asked_groups_by_key").fill
    mona = actor("mona", "managers")
    _, approval = ask(title="Expense", escalate_to="managers", escalate_after=timedelta(days=1))
    Assignee.objects.create(approval=approval, kind="group", name="gone")
    Assignee.objects.create(approval=approval, kind="permission", name="shop.pay")
    Assignee.objects.update(key="")
    Approval.objects.update(escalate_to=["managers", "gone"])
    fill(apps, None)
    key = str(Group.objects.get(name="managers").pk)
    assert sorted(approval.assignees.values_list("key", "name")) == [("", "gone"), (key, "managers"), ("shop.pay", "shop.pay")]
    approval.refresh_from_db()
    assert approval.escalate_to == [[key, "managers"], ["", "gone"]]
    assert titles(mona) == ["Expense"]
