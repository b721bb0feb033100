"""From the outbox to a mail and from its link to a decision: what opens, what decides, and what never does."""

import logging
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core import mail
from django.core.cache import cache
from django.core.mail.backends.locmem import EmailBackend
from django.db import transaction
from django.db.models.functions import Now
from django.test import Client

from durable_ops.actions import approvals
from durable_ops.actions.actor import Actor
from durable_ops.approvals import links, outbox, reminders
from durable_ops.dashboard.views.mailed_approval import MISSES_PER_MINUTE
from durable_ops.models import Approval, ApprovalLink, Outbox
from durable_ops.web.redaction import RedactLinks

pytestmark = pytest.mark.django_db
Ask = Callable[..., tuple[Any, Approval]]
_REFUSED: list[str] = []


class RefusingBackend(EmailBackend):
    """A real backend that keeps what it accepts and refuses the first mail it sees."""

    def send_messages(self, messages: list[Any]) -> int:
        if not _REFUSED:
            _REFUSED.append("once")
            raise ConnectionRefusedError("nobody listens")
        return int(super().send_messages(messages))


@pytest.fixture(autouse=True)
def fresh() -> None:
    cache.clear()
    _REFUSED.clear()


@pytest.fixture
def mona(person: Callable[..., User]) -> User:
    return person("mona", "managers")


def mailed_link() -> str:
    outbox.send_due()
    found = re.search(r"/a/\S+", str(mail.outbox[-1].body))
    assert found is not None
    return found[0]


def value_of(page: Any) -> str:
    found = re.search(r'name="value" value="([^"]+)"', page.content.decode())
    assert found is not None
    return found[1]


def decide(client: Client, address: str, decision: str, **more: str) -> Any:
    return client.post(address, {"value": value_of(client.get(address)), "decision": decision, **more})


def test_one_mail_with_text_html_and_a_link_that_only_the_mail_knows(mona: User, ask: Ask) -> None:
    _, approval = ask(requester="rita")
    address = mailed_link()
    message = mail.outbox[0]
    assert (message.subject, message.to) == ("Expense E-1: 120.00", ["mona@example.com"])
    assert "Amount: 120.00" in message.body
    assert "Category" in message.alternatives[0][0]
    assert Outbox.objects.get().message_id == message.extra_headers["Message-ID"]
    token = address.removeprefix("/a/")
    assert token not in repr(list(ApprovalLink.objects.values())) + repr(list(Outbox.objects.values()))
    outbox.send_due()
    assert len(mail.outbox) == 1
    assert approval.links.count() == 1


def test_looking_decides_nothing_and_one_press_does(mona: User, ask: Ask, client: Client) -> None:
    execution, approval = ask()
    address = mailed_link()
    for method in ("get", "head", "options", "get"):
        assert getattr(client, method)(address).status_code == 200
    assert approval.decisions.count() == 0
    page = client.get(address)
    assert page["Referrer-Policy"] == "no-referrer"
    assert address not in page.content.decode()
    assert "Expense" not in re.search(r"<title>(.*?)</title>", page.content.decode(), re.DOTALL)[1]  # type: ignore[index]
    done = decide(client, address, "approve", comment="by phone")
    assert (done.status_code, approval.decisions.get().channel) == (200, "mail")
    execution.skip_time(60)
    assert execution.get_result()["approved"] is True


def test_a_post_that_did_not_open_the_page_decides_nothing(mona: User, ask: Ask) -> None:
    _, approval = ask()
    address = mailed_link()
    assert Client(enforce_csrf_checks=True).post(address, {"decision": "approve"}).status_code == 403
    other = links.make(approval, User.objects.create_user("eve"))
    foreign = value_of(Client().get(f"/a/{other}")) if Client().get(f"/a/{other}").status_code == 200 else "x"
    for value in ("", "x", foreign):
        assert Client().post(address, {"decision": "approve", "value": value}).status_code == 403
    assert approval.decisions.count() == 0


def test_used_and_contrary_links_say_who_decided(mona: User, ask: Ask, client: Client) -> None:
    _, approval = ask()
    address = mailed_link()
    page = client.get(address)
    assert decide(client, address, "reject").status_code == 200
    assert client.get(address).status_code == 410
    again = {"value": value_of(page)}
    assert client.post(address, {**again, "decision": "reject"}).status_code == 410
    contrary = client.post(address, {**again, "decision": "approve"})
    assert contrary.status_code == 409
    assert "mona" in contrary.content.decode()
    assert approval.decisions.count() == 1


def test_late_stopped_and_redriven_links_are_gone(mona: User, ask: Ask, client: Client) -> None:
    execution, approval = ask(timeout=timedelta(days=7))
    address = mailed_link()
    execution.stop("enough")
    assert client.get(address).status_code == 410
    assert reminders.close_ended() == 1
    approval.refresh_from_db()
    assert approval.outcome == Approval.Outcome.WITHDRAWN

    late, _ = ask(timeout=timedelta(days=7))
    address = mailed_link()
    late.skip_time(timedelta(days=8))
    assert client.get(address).status_code == 410
    reminders.close_ended()
    assert "silence approves nothing" in client.get(address).content.decode()


def test_a_link_forwarded_to_somebody_who_is_signed_in_is_refused(mona: User, ask: Ask, client: Client, person: Any) -> None:
    ask()
    address = mailed_link()
    client.force_login(person("max", "managers"))
    assert client.get(address).status_code == 403
    assert client.post(address, {"decision": "approve"}).status_code == 403


def test_rights_that_are_gone_close_the_link(mona: User, ask: Ask, client: Client) -> None:
    _, approval = ask()
    address = mailed_link()
    page = client.get(address)
    mona.groups.remove(Group.objects.get(name="managers"))
    assert client.get(address).status_code == 403
    assert client.post(address, {"value": value_of(page), "decision": "approve"}).status_code == 403
    assert approval.decisions.count() == 0


def test_a_changed_row_is_shown_with_its_difference_before_anybody_decides(mona: User, ask: Ask, client: Client, person: Any) -> None:
    carl = person("carl", first_name="Carl")
    _, approval = ask(for_object=carl)
    address = mailed_link()
    page = client.get(address)
    User.objects.filter(pk=carl.pk).update(first_name="Carla")
    answer = client.post(address, {"value": value_of(page), "decision": "approve"})
    assert answer.status_code == 409
    assert "<s>Carl</s>" in answer.content.decode()
    assert approval.decisions.count() == 0
    assert client.post(address, {"value": value_of(answer), "decision": "approve"}).status_code == 200


def test_what_was_typed_stays_when_a_decision_is_refused(mona: User, ask: Ask, client: Client) -> None:
    properties = {"account": {"type": "string", "maxLength": 4}, "urgent": {"type": "boolean"}, "centre": {"enum": ["a", "b"]}}
    _, approval = ask(form={"type": "object", "properties": properties})
    typed = {"field_account": "47<110", "field_urgent": "on", "field_centre": "b", "comment": "as <agreed>"}
    refused = decide(client, mailed_link(), "approve", **typed)
    client.force_login(mona)
    signed_in = client.post(f"/approvals/{approval.pk}/decide/", {"decision": "approve", "seen": "", **typed})
    for answer in (refused, signed_in):
        page = answer.content.decode()
        wanted = ['value="47&lt;110"', 'name="field_urgent" checked', "<option selected>b</option>", ">as &lt;agreed&gt;</textarea>"]
        assert [one for one in wanted if one not in page] == []
    assert (refused.status_code, approval.decisions.count()) == (400, 0)


def test_large_amounts_ask_for_a_sign_in(mona: User, ask: Ask, client: Client, settings: Any) -> None:
    settings.APPROVAL_SIGN_IN_ABOVE = "1000"
    ask(amount="1000.01")
    address = mailed_link()
    page = client.get(address)
    assert "Sign in and decide" in page.content.decode()
    assert client.post(address, {"value": value_of(page), "decision": "approve"}).status_code == 403
    client.force_login(mona)
    assert decide(client, address, "approve").status_code == 200


def test_forged_and_guessed_links_get_one_answer_and_then_none(mona: User, ask: Ask, client: Client) -> None:
    ask()
    token = mailed_link().removeprefix("/a/")
    random, _, mac = token.partition(".")
    guesses = ["x", "x" * 5000, f"{random}.", random, f"{random}.{mac[:-1]}A", f"{random[:-1]}.{mac}", "\u2028", f"{token}x"]
    answers = {(answer.status_code, answer.content) for guess in guesses if (answer := client.get(f"/a/{guess}"))}
    assert {status for status, _ in answers} == {404}
    assert len({re.sub(rb'data-now="[^"]*"', b"", content) for _, content in answers}) == 1
    for _ in range(MISSES_PER_MINUTE):
        last = client.get("/a/guess")
    assert last.status_code == 429
    assert client.get(f"/a/{token}").status_code == 200  # whoever was mailed may share the guesser's address


def test_a_link_row_that_somebody_wrote_into_the_table_opens_nothing(mona: User, ask: Ask, client: Client) -> None:
    _, approval = ask()
    eve = User.objects.create_user("eve")
    forged = ApprovalLink.objects.create(approval=approval, user=eve, digest=links._digest("a.b"), expires_at=Now() + timedelta(days=1))
    assert forged.pk is not None
    assert client.get("/a/a.b").status_code == 404


def test_a_refused_mail_is_sent_later_under_the_same_id(mona: User, ask: Ask, settings: Any) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.RefusingBackend"
    ask()
    assert outbox.send_due() == 0
    waiting = Outbox.objects.get()
    assert (waiting.attempts, waiting.last_error) == (1, "ConnectionRefusedError: nobody listens")
    assert outbox.send_due() == 0
    Outbox.objects.update(due_at=Now())
    assert outbox.send_due() == 1
    assert mail.outbox[0].extra_headers["Message-ID"] == waiting.message_id


def test_a_rolled_back_question_mails_nobody(mona: User, ask: Ask) -> None:
    point = transaction.savepoint()
    ask()
    transaction.savepoint_rollback(point)
    assert outbox.send_due() == 0
    assert mail.outbox == []


def test_reminders_and_escalation_ask_again_and_ask_others(mona: User, ask: Ask, person: Any) -> None:
    person("fiona", "finance")
    _, approval = ask(remind_after=timedelta(days=1), escalate_to="finance", escalate_after=timedelta(days=3))
    outbox.send_due()
    assert (reminders.remind(), reminders.escalate()) == (0, 0)
    Approval.objects.update(remind_at=Now(), escalate_at=Now())
    assert (reminders.remind(), reminders.escalate()) == (1, 1)
    outbox.send_due()
    assert [(sent.subject, sent.to[0]) for sent in mail.outbox] == [
        ("Expense E-1: 120.00", "mona@example.com"),
        ("Reminder: Expense E-1: 120.00", "mona@example.com"),
        ("Escalated: Expense E-1: 120.00", "fiona@example.com"),
    ]
    assert reminders.escalate() == 0
    approval.refresh_from_db()
    assert (approval.reminders, approval.escalated_at is not None, approval.remind_at is not None) == (1, True, True)


def test_no_mail_is_sent_for_what_was_decided_meanwhile(mona: User, ask: Ask) -> None:
    execution, _ = ask()
    execution.get_pending_approvals()[0].decide(True, by="mona")
    assert outbox.send_due() == 0
    assert Outbox.objects.get().last_error == "no longer needed"


def test_a_redrive_asks_again(mona: User, ask: Ask, client: Client) -> None:
    from execution_engine.services.redrive import redrive_execution

    execution, approval = ask()
    address = mailed_link()
    execution.stop("by mistake")
    reminders.close_ended()
    redrive_execution(execution._execution.id, reason="on again")
    execution.skip_time(60)
    approval.refresh_from_db()
    assert (approval.outcome, approval.redrive_count) == (Approval.Outcome.OPEN, 1)
    old = client.get(address)
    assert (old.status_code, "A newer mail asks for this" in old.content.decode()) == (410, True)
    assert client.get(mailed_link()).status_code == 200


def test_no_log_line_carries_a_token() -> None:
    arguments = ("CSRF", "/a/abcdefghijkl.mnop?x=1")
    record = logging.LogRecord("django.security.csrf", logging.WARNING, "", 1, "Forbidden (%s): %s", arguments, None)
    assert RedactLinks().filter(record)
    assert record.getMessage() == "Forbidden (CSRF): /a/…?x=1"


def test_a_refusal_behind_a_link_says_why_and_keeps_the_comment(mona: User, ask: Ask, person: Callable[..., User], client: Client) -> None:
    _, approval = ask()
    address = mailed_link()
    value = value_of(client.get(address))
    max_ = Actor(person("max", "managers"))
    approvals.claim(max_, approval.callback_id)
    sent = {"value": value, "decision": "approve", "comment": "as <agreed>"}
    answer = client.post(address, sent)
    html = answer.content.decode()
    assert (answer.status_code, "max has claimed it" in html, "as &lt;agreed&gt;</textarea>" in html) == (403, True, True)
    approvals.decide(max_, approval.callback_id, approved=False)
    answer = client.post(address, sent)
    html = answer.content.decode()
    assert (answer.status_code, "Already rejected" in html, "as &lt;agreed&gt;</textarea>" in html) == (409, True, True)
    assert approval.decisions.count() == 1


def test_mails_tell_values_in_words_and_whether_to_sign_in(mona: User, ask: Ask) -> None:
    ask(
        details={"Renewal": True, "Terms": {"months": 36, "late": ["fee", "exit"]}},
        allow_link_decision=False,
        remind_after=timedelta(days=1),
    )
    Approval.objects.update(remind_at=Now())
    assert reminders.remind() == 1
    outbox.send_due()
    text, html = str(mail.outbox[0].body), str(mail.outbox[0].alternatives[0][0])
    for told in (text, html):
        assert ("yes" in told, "late: fee, exit" in told, "asked to sign in" in told, "yours alone" in told) == (True, True, True, False)
    assert str(mail.outbox[1].body).splitlines()[0].startswith("mona: still waiting for your decision, since ")
    assert "is asked for:" not in str(mail.outbox[1].body)
