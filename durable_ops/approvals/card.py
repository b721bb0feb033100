"""One approval as a person sees it, in the inbox and behind a mailed link alike: the question, its progress, what this person may do."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import prefetch_related_objects

from durable_ops.approvals import forms, shown
from durable_ops.approvals.facts import ends_at, person_of, question_now, waits
from durable_ops.approvals.policy import Question, Refusal, is_asked, reassign_refusal, refusal
from durable_ops.approvals.reading import readable_details
from durable_ops.models import Approval, Assignee, Decision, Outbox, Right
from durable_ops.permissions import has_right
from durable_ops.selectors.assignees import gone_groups, named
from execution_engine.selectors.callbacks import CallbackRow, find_callback

MAILS_SHOWN = 30
_INPUTS = {"integer": "number", "number": "number", "boolean": "checkbox"}
_FORMATS = {"date": "date", "date-time": "datetime-local", "email": "email"}


@dataclass(frozen=True, slots=True)
class Field:
    """A field asked with the decision; `input` is the type of its HTML input, `choices` makes it a select, `value` is what was typed."""

    name: str
    label: str
    input: str
    help: str
    is_required: bool
    choices: tuple[str, ...]
    attributes: Mapping[str, Any]
    value: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """`digest` names what is shown. `asked` are those who still have to decide; of their groups, `gone_groups` do not exist any more.

    `approve_refusal` and `reject_refusal` say why this person may not; None when they may.
    """

    approval: Approval
    callback: CallbackRow | None
    details: list[list[Any]]
    digest: str
    question: Question
    decisions: list[Decision]
    fields: list[Field]
    comment: str
    mails: list[Outbox]
    asked: list[Assignee]
    gone_groups: list[str]
    is_asked: bool
    may_reassign: bool
    approve_refusal: Refusal | None
    reject_refusal: Refusal | None

    @property
    def ends_at(self) -> datetime | None:
        return ends_at(self.approval, self.callback)

    @property
    def is_waiting(self) -> bool:
        return self.question.is_waiting

    @property
    def may_decide(self) -> bool:
        return self.approve_refusal is None or self.reject_refusal is None

    @property
    def missing(self) -> int:
        """How many more people have to approve."""
        return max(0, self.question.quorum - len(self.question.decided_by))


def make_card(approval: Approval, user: Any, typed: Mapping[str, str] | None = None) -> Card:
    """Reads what is true now and stores what it shows, so that a decision can be compared with it.

    `typed` are the values of a decision that was refused, so that nobody has to type them twice.
    """
    callback = find_callback(approval.callback_id)
    prefetch_related_objects([approval], named())
    asked = [one for one in approval.assignees.all() if one.is_active]
    question = question_now(approval, is_waiting=waits(approval, callback))
    content = shown.content_of(approval)
    person = person_of(user)
    if question.is_waiting:
        shown.remember(approval, content)
    return Card(
        approval=approval,
        callback=callback,
        details=readable_details(user, person, question, approval, callback, content[1:]),
        digest=shown.digest(approval, content),
        question=question,
        decisions=list(approval.decisions.order_by("id")),
        fields=fields_of(approval.form, typed or {}),
        comment=(typed or {}).get("comment", ""),
        mails=list(approval.mails.select_related("user").order_by("-id")[:MAILS_SHOWN]),
        asked=asked,
        gone_groups=gone_groups(asked) if question.is_waiting else [],
        is_asked=is_asked(person, question),
        may_reassign=reassign_refusal(person, question, is_trusted=has_right(user, Right.REASSIGN_APPROVAL)) is None,
        approve_refusal=refusal(person, question, approves=True),
        reject_refusal=refusal(person, question, approves=False),
    )


def fields_of(schema: dict[str, Any] | None, typed: Mapping[str, str]) -> list[Field]:
    if schema is None:
        return []
    required = schema.get("required", ())
    return [_field(name, one, name in required, typed.get(f"field_{name}", "")) for name, one in forms.properties_of(schema).items()]


def _field(name: str, schema: dict[str, Any], is_required: bool, value: str) -> Field:
    html = {"maxLength": "maxlength", "minLength": "minlength", "minimum": "min", "maximum": "max", "pattern": "pattern"}
    attributes = {html[key]: schema[key] for key in html if key in schema}
    if schema.get("type") == "number":
        attributes["step"] = "any"
    kind = _INPUTS.get(str(schema.get("type"))) or _FORMATS.get(str(schema.get("format"))) or "text"
    choices = tuple(str(one) for one in schema.get("enum", ()))
    return Field(name, forms.label_of(name, schema), kind, str(schema.get("description", "")), is_required, choices, attributes, value)


def fields_from_post(schema: Mapping[str, Any] | None, posted: Mapping[str, str]) -> dict[str, Any]:
    """What a browser sent for these fields, as JSON values of the schema's types. An empty field counts as not given.

    A number that cannot be read stays a text, which the schema then refuses by the field's name.
    """
    found: dict[str, Any] = {}
    for name, one in (schema or {}).get("properties", {}).items():
        text = posted.get(f"field_{name}", "").strip()
        if one.get("type") == "boolean":
            found[name] = text == "on"
        elif text:
            found[name] = _number(text) if one.get("type") in ("integer", "number") else text
    return found


def _number(text: str) -> Any:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        value = float(text)
    except ValueError:
        return text
    return value if abs(value) < float("inf") else text
