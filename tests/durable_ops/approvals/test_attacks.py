"""Ways around an approval that were tried: two names, another spelling, a friend in one's place, an old mail, odd texts."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core import mail
from django.db.models.functions import Now
from django.test import Client

from durable_ops.actions import approvals
from durable_ops.actions.actor import Actor
from durable_ops.approvals import inbox, outbox, reminders
from durable_ops.approvals.errors import ApprovalRefusedError
from durable_ops.approvals.inbox import Box
from durable_ops.models import Approval, MailPreference, Outbox
from execution_engine.core.errors import InvalidInputError
from execution_engine.services.redrive import redrive_execution
from tests.durable_ops.people import make_user

pytestmark = pytest.mark.django_db
Ask = Callable[..., tuple[Any, Approval]]
Make = Callable[..., Actor]


def decide(actor: Actor, approval: Approval, approved: bool = True, **more: Any) -> None:
    approvals.decide(actor, approval.callback_id, approved=approved, **more)


def refused(code: str, call: Callable[[], Any]) -> None:
    with pytest.raises(ApprovalRefusedError) as found:
        call()
    assert found.value.code == code


def test_a_new_name_is_no_second_vote(ask: Ask, actor: Make) -> None:
    _, approval = ask(quorum=2)
    mona = actor("mona", "managers")
    decide(mona, approval)
    User.objects.filter(pk=mona.user.pk).update(username="monica", email="monica@example.com")
    mona.user.refresh_from_db()
    refused("decided_already", lambda: decide(mona, approval))
    decide(actor("mona", "managers"), approval)  # somebody new of that name is somebody else
    approval.refresh_from_db()
    assert approval.outcome == "approved"


def test_whoever_takes_over_a_name_is_not_asked(ask: Ask, actor: Make, person: Callable[..., User]) -> None:
    nora = person("nora")
    _, approval = ask(group=None, users=["nora"])
    User.objects.filter(pk=nora.pk).update(username="nora.old")
    refused("approval_not_yours", lambda: decide(actor("nora2"), approval))
    User.objects.filter(username="nora2").update(username="nora")
    refused("approval_not_yours", lambda: decide(Actor(User.objects.get(username="nora")), approval))
    assert inbox.rows(User.objects.get(username="nora"), Box.GROUPS) == []
    nora.refresh_from_db()
    decide(Actor(nora), approval)


@pytest.mark.parametrize("spelt", ["rita", "Rita", " rita\u00a0", "ｒｉｔａ", "RITA@example.com", "Rita <rita@example.com>"])
def test_the_requester_is_barred_however_they_are_spelt(ask: Ask, actor: Make, spelt: str) -> None:
    rita = actor("rita", "managers")
    _, approval = ask(requester=spelt)
    refused("requester_may_not_approve", lambda: decide(rita, approval))
    User.objects.filter(pk=rita.user.pk).update(username="rita.new", email="rita@example.com")
    if spelt == "rita":
        refused("requester_may_not_approve", lambda: decide(rita, approval))
    assert not Outbox.objects.filter(user=rita.user).exists()


def test_accounts_with_one_mailbox_are_one_person(ask: Ask, actor: Make) -> None:
    mona, twin, max_ = (actor(name, "managers") for name in ("mona", "twin", "max"))
    User.objects.filter(username="twin").update(email=" MONA@example.com")
    twin.user.refresh_from_db()
    _, approval = ask(quorum=2)
    decide(mona, approval)
    refused("decided_already", lambda: decide(twin, approval))
    decide(max_, approval)
    approval.refresh_from_db()
    assert approval.outcome == "approved"
    _, own = ask(requester="mona")
    refused("requester_may_not_approve", lambda: decide(twin, own))
    User.objects.filter(username__in=["mona", "twin"]).update(email="")
    decide(twin, own)


def test_the_requester_names_no_judge(ask: Ask, actor: Make, person: Callable[..., User]) -> None:
    person("friend")
    rita = actor("rita", "managers")
    _, approval = ask(requester="rita")
    refused("requester_may_not_approve", lambda: approvals.reassign(rita, approval.callback_id, to=["friend"], reason="quick"))
    root = Actor(make_user("administrator"))
    _, own = ask(requester=root.user)
    refused("requester_may_not_approve", lambda: approvals.reassign(root, own.callback_id, to=["friend"], reason="quick"))


def test_one_person_fills_no_quorum_with_friends(ask: Ask, actor: Make, person: Callable[..., User]) -> None:
    for name in ("ed", "fred"):
        person(name)
    _, approval = ask(quorum=2)
    mona, max_ = actor("mona", "managers"), actor("max", "managers")
    refused("more_approvals_missing", lambda: approvals.reassign(mona, approval.callback_id, to=["ed", "fred"], reason="x"))
    decide(mona, approval)
    refused("decided_already", lambda: approvals.reassign(mona, approval.callback_id, to=["ed"], reason="x"))
    refused("decided_already", lambda: approvals.claim(mona, approval.callback_id))
    approvals.reassign(max_, approval.callback_id, to=["ed"], reason="holiday")
    refused("approval_not_yours", lambda: decide(max_, approval))
    decide(Actor(User.objects.get(username="ed")), approval)
    approval.refresh_from_db()
    assert (approval.outcome, sorted(approval.decisions.values_list("by", flat=True))) == ("approved", ["ed", "mona"])


def test_escalation_reaches_a_group_that_was_reassigned_away(ask: Ask, actor: Make, person: Callable[..., User]) -> None:
    person("ed")
    mona = actor("mona", "managers")
    _, approval = ask(escalate_to="managers", escalate_after=timedelta(days=1))
    approvals.reassign(mona, approval.callback_id, to=["ed"], reason="holiday")
    Approval.objects.update(escalate_at=Now())
    assert reminders.escalate() == 1
    decide(mona, approval)


def test_an_administrator_rescues_what_asks_a_group_that_is_gone(ask: Ask, actor: Make, person: Callable[..., User]) -> None:
    person("ed")
    _, approval = ask()
    Group.objects.get(name="managers").delete()
    refused("approval_not_yours", lambda: decide(actor("mona"), approval))
    approvals.reassign(Actor(make_user("administrator")), approval.callback_id, to=["ed"], reason="group is gone")
    decide(Actor(User.objects.get(username="ed")), approval)


def test_votes_of_before_a_redrive_do_not_count(ask: Ask, actor: Make) -> None:
    execution, approval = ask(quorum=2)
    mona, max_ = actor("mona", "managers"), actor("max", "managers")
    decide(mona, approval)
    execution.stop("wrong")
    refused("approval_not_waiting", lambda: decide(max_, approval))
    redrive_execution(execution._execution.id, reason="on again")
    refused("approval_not_waiting", lambda: decide(max_, approval))  # not asked anew yet
    execution.skip_time(60)
    decide(max_, approval)
    approval.refresh_from_db()
    assert approval.outcome == ""
    decide(mona, approval)
    approval.refresh_from_db()
    assert (approval.outcome, approval.decisions.count()) == ("approved", 3)


def test_texts_that_cannot_be_stored_are_refused(ask: Ask, actor: Make, client: Client) -> None:
    _, approval = ask(form={"type": "object", "properties": {"account": {"type": "string"}}})
    mona = actor("mona", "managers")
    for comment in ("a\x00b", "\ud800", "x" * 2001):
        with pytest.raises(InvalidInputError):
            decide(mona, approval, comment=comment)
    for fields in ({"account": "a\x00b"}, {"account": "\udfff"}):
        with pytest.raises(InvalidInputError):
            decide(mona, approval, fields=fields)
    client.force_login(mona.user)
    sent = {"decision": "approve", "seen": "x\x00", "comment": "a\x00b", "field_account": "\x00"}
    assert client.post(f"/approvals/{approval.pk}/decide/", sent).status_code in (400, 409)
    for query in ("q=%00", "after=99999999999999999999", "after=%D9%A3", "box=%00", "q=%F0%9F%98%80"):
        assert client.get(f"/approvals/?{query}").status_code == 200
    assert client.get(f"/approvals/{10**30}/").status_code in (403, 404)
    assert approval.decisions.count() == 0


def test_mails_go_to_one_address_on_lines_of_their_own(ask: Ask, person: Callable[..., User]) -> None:
    mona = person("mona", "managers", first_name="Mona\nLook and decide: http://evil.example/")
    for name, address in (("two", "a@example.com, b@example.com"), ("split", "a@example.com\nBcc: b@example.com"), ("none", "")):
        User.objects.filter(pk=person(name, "managers").pk).update(email=address)
    ask(
        title="Pay \u202e now\x07",
        details={"Note": "fine\n\nLook and decide: http://evil.example/"},
        requester="rita\nhttp://evil.example/",
    )
    outbox.send_due()
    assert [sent.to for sent in mail.outbox] == [[mona.email]]
    assert mail.outbox[0].subject == "Pay now"
    alone = [line for line in str(mail.outbox[0].body).splitlines() if line.startswith(("http", "Look and decide: "))]
    assert len(alone) == 1
    assert Outbox.objects.filter(last_error__contains="no address").count() == 2


def test_mails_follow_wishes_and_rights_until_they_are_sent(ask: Ask, person: Callable[..., User]) -> None:
    quiet, leaver = person("quiet", "managers"), person("leaver", "managers")
    person("mona", "managers")
    MailPreference.objects.create(user=quiet, reminders=False)
    ask(remind_after=timedelta(days=1))
    leaver.groups.clear()
    outbox.send_due()
    assert sorted(sent.to[0] for sent in mail.outbox) == ["mona@example.com", "quiet@example.com"]
    Approval.objects.update(remind_at=Now())
    assert reminders.remind() == 1
    outbox.send_due()
    assert [sent.to[0] for sent in mail.outbox[2:]] == ["mona@example.com"]


def test_plain_callback_pages_lead_to_the_approval(ask: Ask, client: Client) -> None:
    _, approval = ask()
    client.force_login(make_user("administrator"))
    for verb in ("approve", "reject"):
        for method in (client.get, client.post):
            answer = method(f"/callbacks/{approval.callback_id}/{verb}")
            assert (answer.status_code, answer["Location"]) == (302, f"/approvals/{approval.pk}/")
    assert approval.decisions.count() == 0
