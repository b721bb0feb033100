"""What people do with approvals: decide, claim, release, reassign. The rules are `approvals/policy.py`.

Lock order: the approval's row, then (in the engine) the execution's, then its operations.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models.functions import Now

from durable_ops.actions.actor import Actor
from durable_ops.approvals import assigning, forms, mails, shown
from durable_ops.approvals.errors import ApprovalChangedError, ApprovalNotFoundError, ApprovalRefusedError
from durable_ops.approvals.facts import person_now, person_of, question_now, waits
from durable_ops.approvals.people import asked_people
from durable_ops.approvals.policy import Question, Refusal, has_decided, is_asked, is_settled, reassign_refusal, refusal, voices
from durable_ops.audit import log
from durable_ops.models import Approval, Assignee, Decision, Right
from durable_ops.permissions import has_right
from durable_ops.webhooks.approval_events import announce
from durable_ops.webhooks.events import EventType
from execution_engine.core.errors import InvalidInputError
from execution_engine.core.serdes import SerDesError
from execution_engine.sdk.approval import ApprovalDecision
from execution_engine.selectors.callbacks import find_callback
from execution_engine.services import callbacks

MAX_COMMENT_CHARACTERS = 2_000


def decide(
    actor: Actor, callback_id: str, *, approved: bool, comment: str = "", fields: Mapping[str, Any] | None = None, seen: str | None = None
) -> Approval:
    """Records one person's decision. The first rejection, or the approval that fills the quorum, completes the callback.

    `seen` is the digest of what the person was shown (`approvals/shown.py`), None for a program that looked at nothing. Raises
    ApprovalNotFoundError, ApprovalRefusedError, ApprovalChangedError, InvalidInputError, CallbackCompletedError.
    """
    with transaction.atomic():
        approval, question = _locked(actor, callback_id)
        _refuse(actor, approval, question, approves=approved)
        _check_words(comment, "comment")
        given = forms.check_fields(approval.form, fields or {}) if approved or fields else {}
        seen_row = _compare(approval, seen)
        by, channel = actor.user.get_username(), str(actor.channel)
        decision = Decision.objects.create(
            approval=approval, by=by, user_key=str(actor.user.pk), redrive_count=approval.redrive_count, approved=approved,
            comment=comment, fields=given, channel=channel, shown=seen_row,
        )  # fmt: skip
        settles = is_settled(question, approves=approved)
        _after(approval, approved=approved, settles=settles)
        facts = {"title": approval.title, "shown": seen_row.digest, "settles": settles, "fields": sorted(given)}
        if given:
            decision.refresh_from_db(fields=["fields"])  # numbers as the database keeps them
            facts["given"] = shown.digest(approval, decision.fields)
        _log(actor, "approval.approve" if approved else "approval.reject", approval, comment, facts)
        announce(EventType.DECIDED, approval, key=str(decision.pk), by=by, approved=approved, channel=channel, settles=settles)
        if settles:
            decision.refresh_from_db(fields=["at"])
            callbacks.succeed_callback(callback_id, _answer(approval, decision).to_text())
    return approval


def is_approval(callback_id: str) -> bool:
    """Whether this callback belongs to an approval. One query."""
    return Approval.objects.filter(callback_id=callback_id).exists()


def answer(actor: Actor, callback_id: str, text: str | None) -> Approval:
    """A decision that a program sends as the result of the callback. Raises as `decide`, and InvalidInputError for any other result."""
    try:
        given = ApprovalDecision.from_text(text)
    except SerDesError as error:
        words = 'this callback is an approval: its result is {"approved": true} or {"approved": false}, with "comment" and "fields"'
        raise InvalidInputError(words, field="result") from error
    return decide(actor, callback_id, approved=given.approved, comment=given.comment, fields=given.fields)


def claim(actor: Actor, callback_id: str) -> Approval:
    """Says "I am on it": nobody else can decide until the claim is released or another person who is asked takes it. Raises as `decide`."""
    with transaction.atomic():
        approval, question = _locked(actor, callback_id)
        _require_asked(actor, question)
        if has_decided(person_now(actor.user), question):
            raise ApprovalRefusedError(Refusal.DECIDED_ALREADY)
        before = _claimant(approval)
        approval.claimed_by, approval.claimed_at = actor.user, Now()
        approval.save(update_fields=["claimed_by", "claimed_at"])
        _log(actor, "approval.claim", approval, "", {"from": before})
    return approval


def release(actor: Actor, callback_id: str) -> Approval:
    """Gives a claim back. Anybody who is asked may do that for somebody who is away. Raises as `decide`."""
    with transaction.atomic():
        approval, question = _locked(actor, callback_id)
        _require_asked(actor, question)
        before = _claimant(approval)
        approval.claimed_by = approval.claimed_at = None
        approval.save(update_fields=["claimed_by", "claimed_at"])
        _log(actor, "approval.release", approval, "", {"from": before})
    return approval


def reassign(actor: Actor, callback_id: str, *, to: Sequence[str] = (), groups: Sequence[str] = (), reason: str) -> Approval:
    """Puts the question to these users (by user name) and groups, and to nobody else. Whoever was asked before stays on record.

    Allowed to whoever could give the last missing approval, and to holders of the right to reassign, but never to the requester. Raises as
    `decide`, and InvalidInputError for people and groups that do not exist, or that are too few for the quorum.
    """
    _check_words(reason, "reason")
    with transaction.atomic():
        approval, question = _locked(actor, callback_id)
        _require_may_reassign(actor, question)
        before = sorted(str(one) for one in approval.assignees.filter(is_active=True))
        asked = _named(to, groups)
        assigning.put_to(approval, asked, instead=True)
        _require_enough(approval, question)
        approval.claimed_by = approval.claimed_at = None
        approval.save(update_fields=["claimed_by", "claimed_at"])
        mails.queue_request(approval)
        _log(actor, "approval.reassign", approval, reason, {"from": before, "to": sorted(str(one) for one in asked)})
    return approval


def _require_may_reassign(actor: Actor, question: Question) -> None:
    found: Refusal | None = Refusal.NOT_ASKED
    if actor.user is not None:
        is_trusted = has_right(actor.user, Right.REASSIGN_APPROVAL)
        found = reassign_refusal(person_now(actor.user), question, is_trusted=is_trusted)
    if found is not None:
        raise ApprovalRefusedError(found)


def _named(users: Sequence[str], groups: Sequence[str]) -> list[Assignee]:
    """The users or groups with these names, each once. Raises InvalidInputError for none, and for the first name that is not found."""
    for field, names in (("to", users), ("groups", groups)):
        for name in names:
            _check_words(name, field)
    if not users and not groups:
        raise InvalidInputError("name at least one user or group", field="to")
    model = get_user_model()
    people = model._default_manager.filter(is_active=True, **{f"{model.USERNAME_FIELD}__in": users})
    keys = {user.get_username(): str(user.pk) for user in people}
    group_keys = assigning.group_keys(groups)
    if unknown := [name for name in users if name not in keys]:
        raise InvalidInputError(f"there is no active user {unknown[0]!r}", field="to", value=unknown[0])
    if unknown := [name for name in groups if name not in group_keys]:
        raise InvalidInputError(f"there is no group {unknown[0]!r}", field="groups", value=unknown[0])
    return [*(Assignee(kind=Assignee.Kind.USER, key=key, name=name) for name, key in keys.items()), *assigning.groups(group_keys)]


def _require_enough(approval: Approval, question: Question) -> None:
    """Raises InvalidInputError, which undoes the change, when too few of those who are now asked may approve."""
    missing = question.quorum - len(question.decided_by)
    found = voices(map(person_of, asked_people(approval)), question)
    if found < missing:
        words = f"{missing} {'person still has' if missing == 1 else 'people still have'} to approve, and of these only {found} may"
        raise InvalidInputError(words, field="to", limit=missing)


def _check_words(text: str, field: str) -> None:
    if len(text) > MAX_COMMENT_CHARACTERS:
        words = f"a {field} has at most {MAX_COMMENT_CHARACTERS} characters, got {len(text)}"
        raise InvalidInputError(words, field=field, limit=MAX_COMMENT_CHARACTERS)
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise InvalidInputError(f"a {field} must not hold NUL or half of a surrogate pair", field=field)


def _claimant(approval: Approval) -> str:
    return approval.claimed_by.get_username() if approval.claimed_by else ""


def _locked(actor: Actor, callback_id: str) -> tuple[Approval, Question]:
    """Locks the approval's row, then reads its rules and whether its callback waits, as they are now."""
    approval = Approval.objects.select_for_update(of=("self",)).select_related("claimed_by").filter(callback_id=callback_id).first()
    if approval is None:
        raise ApprovalNotFoundError("there is no such approval", callback_id=callback_id[:100])
    callback = find_callback(callback_id)
    hidden = ApprovalNotFoundError("there is no such approval", callback_id=callback_id[:100])
    actor.access.require_of_key(Right.DECIDE_CALLBACK, callback.function if callback else None, hidden)
    return approval, question_now(approval, is_waiting=waits(approval, callback))


def _refuse(actor: Actor, approval: Approval, question: Question, *, approves: bool) -> None:
    if actor.user is None:
        raise ApprovalRefusedError(Refusal.NOT_ASKED)
    found = refusal(person_now(actor.user), question, approves=approves)
    if found is None:
        return
    facts: dict[str, Any] = {"outcome": approval.outcome}
    last = approval.decisions.order_by("-id").first()
    if last is not None:
        facts |= {"decided_by": last.by, "decided_at": last.at.isoformat(), "approved": last.approved}
    if found is Refusal.CLAIMED:
        facts["claimed_by"] = _claimant(approval)
    raise ApprovalRefusedError(found, **(facts if found is not Refusal.NOT_ASKED else {}))


def _require_asked(actor: Actor, question: Question) -> None:
    person = None if actor.user is None else person_now(actor.user)
    if person is None or not is_asked(person, question):
        raise ApprovalRefusedError(Refusal.NOT_ASKED)
    if not person.is_active:
        raise ApprovalRefusedError(Refusal.INACTIVE)
    if not question.is_waiting:
        raise ApprovalRefusedError(Refusal.NOT_WAITING)


def _compare(approval: Approval, seen: str | None) -> Any:
    """Compares what is decided about with what the person saw. Raises ApprovalChangedError."""
    content = shown.content_of(approval)
    now = shown.digest(approval, content)
    if seen is not None and seen != now:
        before = approval.shown.filter(digest=seen).first()
        raise ApprovalChangedError(shown.changes(before.content if before else [], content), now)
    return shown.remember(approval, content)


def _after(approval: Approval, *, approved: bool, settles: bool) -> None:
    """After a decision the claim is given back, so that the next person of a quorum can go on."""
    approval.claimed_by = approval.claimed_at = None
    if settles:
        approval.outcome = Approval.Outcome.APPROVED if approved else Approval.Outcome.REJECTED
        approval.closed_at = Now()
    approval.save(update_fields=["claimed_by", "claimed_at", "outcome", "closed_at"])


def _answer(approval: Approval, last: Decision) -> ApprovalDecision:
    made = approval.decisions.filter(redrive_count=approval.redrive_count).order_by("id")
    decisions = tuple({"by": one.by, "approved": one.approved, "comment": one.comment, "at": one.at.isoformat()} for one in made)
    merged = {key: value for one in made for key, value in one.fields.items()}
    return ApprovalDecision(last.approved, last.by, last.comment, merged, decisions, last.at)


def _log(actor: Actor, action: str, approval: Approval, reason: str, facts: Mapping[str, Any]) -> None:
    log.append(actor, log.Act(action, "approval", approval.callback_id, execution_id=approval.execution_id, reason=reason, facts=facts))
