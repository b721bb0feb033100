"""Person x rule x channel, all combinations: the same verdict on every channel, and the inbox says what the policy says."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import transaction
from django.db.models.functions import Now
from django.test import Client

from durable_ops.actions import approvals as actions
from durable_ops.actions.approval_desk import Desk
from durable_ops.approvals import inbox, links, policy, shown
from durable_ops.approvals.inbox import Box
from durable_ops.models import Approval, ApprovalLink, Decision
from execution_engine.core.errors import CommandError
from execution_engine.sdk.approval import ApprovalDecision
from tests.durable_ops.api.conftest import Door
from tests.durable_ops.approvals.test_policy import PEOPLE, expected
from tests.durable_ops.people import bearer

pytestmark = pytest.mark.django_db
NAMES = {who: facts.key for who, facts in PEOPLE.items()}
Ask = Callable[..., tuple[Any, Approval]]


def by_console(user: User, approval: Approval, approved: bool) -> None:
    client = Client()
    client.force_login(user)
    answer = "approve" if approved else "reject"
    seen = shown.digest(approval, shown.content_of(approval))
    client.post(f"/approvals/{approval.pk}/decide/", {"decision": answer, "seen": seen})


def by_mail(user: User, approval: Approval, approved: bool) -> None:
    """With the page's own value, also where the page would not show a form."""
    token = links.make(approval, user)
    link = ApprovalLink.objects.get(digest=links._digest(token))
    value = links.page_value(link, shown.digest(approval, shown.content_of(approval)))
    Client().post(f"/a/{token}", {"decision": "approve" if approved else "reject", "value": value})


def by_rest(user: User, approval: Approval, approved: bool) -> None:
    Door(user).post(f"/approvals/{approval.pk}/decide", {"approved": approved})


def by_callback(user: User, approval: Approval, approved: bool) -> None:
    Door(user).post(f"/callbacks/{approval.callback_id}/succeed", {"result": {"approved": approved}})


def by_failing_callback(user: User, approval: Approval, approved: bool) -> None:
    """A program can only reject this way."""
    if approved:
        by_callback(user, approval, approved)
    else:
        Door(user).post(f"/callbacks/{approval.callback_id}/fail", {"error": {"ErrorMessage": "no"}})


def by_lambda(user: User, approval: Approval, approved: bool) -> None:
    """As AWS's SDKs answer a callback: the body is the result."""
    address = f"/2025-12-01/durable-execution-callbacks/{approval.callback_id}/succeed"
    body = b'{"approved": true}' if approved else b'{"approved": false}'
    Client(headers=bearer(user)).generic("POST", address, body)


def by_command(user: User, approval: Approval, approved: bool) -> None:
    try:
        Desk().decide(approval.callback_id, ApprovalDecision(approved=approved, by=user.get_username()))
    except CommandError:
        return


CHANNELS = (by_console, by_mail, by_rest, by_callback, by_failing_callback, by_lambda, by_command)


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def people(person: Callable[..., User]) -> dict[str, User]:
    in_group = {"in the group", "requester", "decided before", "left the company"}
    found = {who: person(name, *(["managers"] if who in in_group else ["viewers"])) for who, name in NAMES.items()}
    permission = Permission.objects.get(codename="manage_prices")
    found["with the permission"].user_permissions.add(permission)
    User.objects.filter(pk=found["left the company"].pk).update(is_active=False)
    return {who: User.objects.get(pk=user.pk) for who, user in found.items()}


def made_by(decide: Any, user: User, approval: Approval, approved: bool) -> bool:
    """Whether a decision was stored."""
    with undone():
        decide(user, approval, approved)
        return Decision.objects.filter(approval=approval, user_key=str(user.pk), by=user.username).count() > (user.username == "dan")


def cells(ask: Ask, people: dict[str, User]) -> Iterator[tuple[str, User, Approval, dict[str, Any]]]:
    options = {"users": ["ann"], "permission": "durable_ops.manage_prices", "quorum": 2, "requester": "rita"}
    for allowed, waiting in product((True, False), repeat=2):
        execution, approval = ask(**options, requester_may_approve=allowed)
        by_command(people["decided before"], approval, True)
        if not waiting:
            execution.stop("enough")
        for claimed, who in product(("", "ann", "ben"), PEOPLE):
            holder = User.objects.get(username=claimed) if claimed else None
            Approval.objects.filter(pk=approval.pk).update(claimed_by=holder, claimed_at=Now() if holder else None)
            approval.refresh_from_db()
            yield who, people[who], approval, {"waiting": waiting, "allowed": allowed, "claimed": claimed}


def verdicts(ask: Ask, people: dict[str, User]) -> Iterator[tuple[bool, Any]]:
    """For each cell: whether the channel did as the policy says, and which it was."""
    for who, user, approval, rule in cells(ask, people):
        for approves in (True, False):
            wanted = expected(who, **rule, approves=approves) is None
            for decide in CHANNELS:
                yield made_by(decide, user, approval, approves) is wanted, (who, rule, approves, decide.__name__)


def test_every_channel_gives_the_same_verdict(ask: Ask, people: dict[str, User], figures: Callable[..., None]) -> None:
    found = list(verdicts(ask, people))
    assert [cell for is_right, cell in found if not is_right] == []
    figures("decision matrix", cells=len(found), differences=0)


def test_the_inbox_says_what_the_policy_says(ask: Ask, people: dict[str, User]) -> None:
    for who, user, approval, rule in cells(ask, people):
        if not user.is_active:
            continue  # nobody without an account has an inbox
        sees_all = Permission.objects.get(codename="view_execution", content_type__app_label="durable_ops")
        user.user_permissions.add(sees_all)
        (row,) = [one for one in inbox.rows(user, Box.ALL) if one.approval.pk == approval.pk]
        wanted = [expected(who, **rule, approves=approves) is None for approves in (True, False)]
        assert [row.approve_refusal is None, row.reject_refusal is None] == wanted, (who, rule)
        asked = any(one.approval.pk == approval.pk for one in inbox.rows(user, Box.GROUPS))
        assert asked is (who not in ("stranger", "decided before")), (who, rule)


def test_an_action_with_rules_of_its_own_is_caught(ask: Ask, people: dict[str, User], monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken variant: an action that forgets claims and requesters, as a second copy of the rules would."""

    def forgets(person: policy.Person, question: policy.Question, *, approves: bool) -> policy.Refusal | None:
        return policy.refusal(person, replace(question, claimed_by="", requester_may_approve=True), approves=approves)

    monkeypatch.setattr(actions, "refusal", forgets)
    assert any(not is_right for is_right, _ in verdicts(ask, people))
