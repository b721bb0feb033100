"""Decisions through the corridor, on the test database: the callback, the record and the audit row are one."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from durable_ops.actions import approvals, callbacks
from durable_ops.actions.actor import Actor, Channel
from durable_ops.approvals import shown
from durable_ops.approvals.errors import ApprovalChangedError, ApprovalNotFoundError, ApprovalRefusedError
from durable_ops.models import Approval, AuditEntry, Outbox
from execution_engine.core.errors import InvalidInputError
from execution_engine.core.records import ErrorObject
from tests.durable_ops.people import make_user

pytestmark = pytest.mark.django_db
Ask = Callable[..., tuple[Any, Approval]]
Make = Callable[..., Actor]


def refused(code: str, actor: Actor, approval: Approval, **decision: Any) -> ApprovalRefusedError:
    with pytest.raises(ApprovalRefusedError) as found:
        approvals.decide(actor, approval.callback_id, **{"approved": True, **decision})
    assert found.value.code == code
    return found.value


def test_a_decision_completes_the_callback_and_is_audited(ask: Ask, actor: Make) -> None:
    execution, approval = ask()
    seen = shown.digest(approval, shown.content_of(approval))
    approvals.decide(actor("mona", "managers"), approval.callback_id, approved=True, comment="fine", seen=seen)
    execution.skip_time(60)  # the decision was made by the database clock
    assert execution.get_result() == {"approved": True, "by": "mona", "fields": {}, "votes": 1}
    approval.refresh_from_db()
    assert (approval.outcome, approval.closed_at is not None) == ("approved", True)
    entry = AuditEntry.objects.order_by("-id")[0]
    assert (entry.action, entry.actor, entry.reason, entry.facts["shown"]) == ("approval.approve", "mona", "fine", seen)


def test_the_testing_kit_decides_by_the_same_rules(ask: Ask, person: Callable[..., User]) -> None:
    execution, _ = ask(quorum=2)
    person("mona", "managers")
    person("max", "managers")
    person("eve")
    pending = execution.get_pending_approvals()[0]
    pending.decide(True, by="mona")
    for stranger in ("eve", "nobody at all"):
        with pytest.raises(ApprovalRefusedError):
            pending.decide(True, by=stranger)
    pending.decide(True, by="max")
    assert execution.get_result() == {"approved": True, "by": "max", "fields": {}, "votes": 2}


def test_losers_are_told_who_decided(ask: Ask, actor: Make) -> None:
    _, approval = ask()
    approvals.decide(actor("mona", "managers"), approval.callback_id, approved=False)
    error = refused("approval_not_waiting", actor("max", "managers"), approval)
    assert (error.facts["decided_by"], error.facts["approved"], error.status) == ("mona", False, 409)
    assert approval.decisions.count() == 1


def test_rights_are_those_of_the_moment(ask: Ask, actor: Make) -> None:
    _, approval = ask()
    mona = actor("mona", "managers")
    mona.user.groups.remove(Group.objects.get(name="managers"))
    assert refused("approval_not_yours", mona, approval).facts == {}
    mona.user.groups.add(Group.objects.get(name="managers"))
    User.objects.filter(pk=mona.user.pk).update(is_active=False)  # while the decision was on its way
    assert refused("person_inactive", mona, approval).status == 403


def test_a_claim_holds_others_off_until_it_is_released(ask: Ask, actor: Make) -> None:
    _, approval = ask()
    mona, max_ = actor("mona", "managers"), actor("max", "managers")
    approvals.claim(mona, approval.callback_id)
    assert refused("claimed_by_another", max_, approval).facts["claimed_by"] == "mona"
    approvals.release(max_, approval.callback_id)
    approvals.decide(max_, approval.callback_id, approved=True)


def test_what_changed_since_it_was_shown_is_refused_with_the_difference(ask: Ask, actor: Make) -> None:
    linked = User.objects.create_user("customer", first_name="Carl")
    _, approval = ask(for_object=linked)
    seen = shown.remember(approval, shown.content_of(approval)).digest
    User.objects.filter(pk=linked.pk).update(first_name="Carla")
    mona = actor("mona", "managers")
    with pytest.raises(ApprovalChangedError) as found:
        approvals.decide(mona, approval.callback_id, approved=True, seen=seen)
    assert [(one.label, one.before, one.now) for one in found.value.changes] == [("First name", "Carl", "Carla")]
    approvals.decide(mona, approval.callback_id, approved=True, seen=shown.digest(approval, shown.content_of(approval)))


def test_fields_are_checked_against_the_form(ask: Ask, actor: Make) -> None:
    schema = {"type": "object", "properties": {"account": {"type": "string", "maxLength": 4}}, "required": ["account"]}
    execution, approval = ask(form=schema)
    mona = actor("mona", "managers")
    for fields in ({}, {"account": 5}, {"account": "47110"}, {"account": "4711", "more": 1}):
        with pytest.raises(InvalidInputError):
            approvals.decide(mona, approval.callback_id, approved=True, fields=fields)
    assert approval.decisions.count() == 0
    approvals.decide(mona, approval.callback_id, approved=True, fields={"account": "4711"})
    execution.skip_time(60)  # the decision was made by the database clock
    assert execution.get_result()["fields"] == {"account": "4711"}


def test_everybody_asked_gets_one_mail_and_the_requester_none(ask: Ask, person: Callable[..., User]) -> None:
    for name in ("mona", "max", "rita"):
        person(name, "managers")
    person("gone", "managers", is_active=False)
    person("eve")
    _, approval = ask(requester="rita", users=["mona"])
    assert sorted(mail.user.get_username() for mail in Outbox.objects.filter(approval=approval)) == ["max", "mona"]


def test_unknown_people_fail_the_function_and_ask_nobody(ask: Ask) -> None:
    for options in ({"group": "ghosts"}, {"users": ["ghost"]}, {"permission": "shop.haunt"}):
        with pytest.raises(AssertionError, match="there is no"):
            ask(**options)
    assert not Approval.objects.exists()
    assert not Outbox.objects.exists()


def test_an_approval_that_is_not_there(actor: Make) -> None:
    with pytest.raises(ApprovalNotFoundError):
        approvals.decide(actor("mona"), "no such callback", approved=True)


def test_a_program_that_answers_the_callback_is_held_to_the_same_rules(ask: Ask, actor: Make) -> None:
    execution, approval = ask()
    administrator = Actor(make_user("administrator"), channel=Channel.REST)
    with pytest.raises(ApprovalRefusedError):
        callbacks.succeed(administrator, approval.callback_id, '{"approved": true}')
    with pytest.raises(ApprovalRefusedError):
        callbacks.fail(administrator, approval.callback_id, ErrorObject(message="no"))
    with pytest.raises(ApprovalRefusedError):
        callbacks.decide(administrator, approval.callback_id, approved=True)
    mona = actor("mona", "managers")
    for text in (None, "yes", '{"paid": true}'):
        with pytest.raises(InvalidInputError):
            callbacks.succeed(mona, approval.callback_id, text)
    callbacks.succeed(mona, approval.callback_id, '{"action": "approved", "by": "somebody else"}')
    execution.skip_time(60)
    assert execution.get_result()["by"] == "mona"
