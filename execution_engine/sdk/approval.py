"""What an author asks of people, checked before anything is recorded, and what they answered."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from execution_engine.core.serdes import SerDesError
from execution_engine.sdk.durations import MAX_CALLBACK_SECONDS, bounded_seconds
from execution_engine.sdk.errors import ValidationError

MAX_TITLE_CHARACTERS = 200
MAX_DETAILS = 50
MAX_DETAILS_BYTES = 64 * 1024
MAX_QUORUM = 20
MAX_PEOPLE = 200
REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class ApprovalRequest:
    """One question to people. Times are whole seconds; zero means none.

    `groups`, `users` (user names) and `permission` ("app.codename") say who may decide: whoever matches one of them. `details` are shown in
    order, as fields: a flat mapping of JSON values. `form` is a Django form class, a dataclass or a JSON schema; its fields are filled in
    with the decision. `object` is the linked row as (model label, primary key as text). Above the installation's limit for `amount`, a
    mailed link asks for a sign-in.
    """

    title: str
    details: Mapping[str, Any]
    groups: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    permission: str | None = None
    requester: str | None = None
    form: Any = None
    quorum: int = 1
    requester_may_approve: bool = False
    timeout: int = 0
    is_rejected_by_timeout: bool = False
    remind_after: int = 0
    escalate_to: tuple[str, ...] = ()
    escalate_after: int = 0
    amount: Decimal | None = None
    allow_link_decision: bool = True
    object: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class ApprovalDecision:
    """What people decided: the answer of the callback, keys `approved`, `by`, `comment`, `fields`, `decisions`, `decided_at`.

    `by` is the user name of whoever decided last, `decisions` every single one, oldest first: `{"by", "approved", "comment",
    "at"}` with ISO 8601 times in UTC. After a time-out with `on_timeout="rejected"` nobody decided: `timed_out` is true.
    """

    approved: bool
    by: str = ""
    comment: str = ""
    fields: Mapping[str, Any] | None = None
    decisions: tuple[Mapping[str, Any], ...] = ()
    decided_at: datetime | None = None
    timed_out: bool = False

    def to_text(self) -> str:
        """The callback's payload, JSON. `action` is there for code that was written for AWS's callbacks."""
        decided_at = self.decided_at.isoformat() if self.decided_at else None
        facts = {"by": self.by, "comment": self.comment, "fields": dict(self.fields or {}), "decisions": list(self.decisions)}
        action = "approved" if self.approved else REJECTED
        return json.dumps({"action": action, "approved": self.approved, **facts, "decided_at": decided_at}, ensure_ascii=False)

    @classmethod
    def from_text(cls, text: str | None) -> "ApprovalDecision":
        """Reads the answer of a callback. Raises `SerDesError` for a text that is no decision: nothing is approved on a guess."""
        try:
            found = json.loads(text or "null")
            approved = found["approved"] if "approved" in found else {"approved": True, REJECTED: False}[found["action"]]
            if not isinstance(approved, bool):
                raise TypeError("'approved' is neither true nor false")
            at = found.get("decided_at")
            return cls(
                approved=approved,
                by=str(found.get("by") or ""),
                comment=str(found.get("comment") or ""),
                fields=found.get("fields") or {},
                decisions=tuple(found.get("decisions") or ()),
                decided_at=datetime.fromisoformat(at) if at else None,
            )
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise SerDesError(f"the answer of an approval is neither approved nor rejected: {error!r}") from error


def make_request(
    title: str,
    details: Mapping[str, Any] | None,
    group: str | Iterable[str] | None,
    users: Any,
    permission: str | None,
    requester: Any,
    quorum: int,
    timeout: Any,
    on_timeout: str | None,
    remind_after: Any,
    escalate_to: str | Iterable[str] | None,
    escalate_after: Any,
    amount: Any,
    for_object: Any,
    **more: Any,
) -> ApprovalRequest:
    """Checks the arguments of `wait_for_approval`. `users` and `requester` may be Django users. Raises `ValidationError`, which names the
    limit and the value."""
    groups, names = _names(group, "group"), _names(users, "users")
    if not groups and not names and not permission:
        raise ValidationError("an approval needs group=, users= or permission=: who may decide?")
    if not isinstance(quorum, int) or isinstance(quorum, bool) or not 1 <= quorum <= MAX_QUORUM:
        raise ValidationError(f"quorum is 1 to {MAX_QUORUM} people, got {quorum!r}")
    if names and not groups and not permission and quorum > len(set(names)):
        raise ValidationError(f"quorum is {quorum}, but only {len(set(names))} users are named")
    if on_timeout not in (None, REJECTED):
        raise ValidationError(f'on_timeout is None or "{REJECTED}" (silence never approves), got {on_timeout!r}')
    if escalate_to and not escalate_after:
        raise ValidationError("escalate_to needs escalate_after=")
    if escalate_after and not escalate_to:
        raise ValidationError("escalate_after needs escalate_to=: who is asked as well?")
    return ApprovalRequest(
        title=_title(title),
        details=_details(details),
        groups=groups,
        users=names,
        permission=permission,
        requester=None if requester is None else _name(requester),
        quorum=quorum,
        timeout=_seconds(timeout, "timeout"),
        is_rejected_by_timeout=on_timeout == REJECTED,
        remind_after=_seconds(remind_after, "remind_after"),
        escalate_to=_names(escalate_to, "escalate_to"),
        escalate_after=_seconds(escalate_after, "escalate_after"),
        amount=None if amount is None else _decimal(amount),
        object=None if for_object is None else _label(for_object),
        **more,
    )


def _title(title: Any) -> str:
    """The title on one line, because it becomes the subject of a mail."""
    plain = " ".join(title.split()) if isinstance(title, str) else ""
    if not 0 < len(plain) <= MAX_TITLE_CHARACTERS or not _is_storable(plain):
        raise ValidationError(f"the title of an approval has 1 to {MAX_TITLE_CHARACTERS} characters without NUL, got {title!r:.100}")
    return plain


def _is_storable(text: str) -> bool:
    """Whether PostgreSQL can store the text: without NUL and without lone surrogates."""
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _details(details: Mapping[str, Any] | None) -> Mapping[str, Any]:
    found = dict(details or {})
    if len(found) > MAX_DETAILS:
        raise ValidationError(f"at most {MAX_DETAILS} details, got {len(found)}")
    try:
        text = json.dumps(found, default=str, ensure_ascii=False, allow_nan=False)
        size = len(text.encode())
    except (ValueError, TypeError) as error:
        raise ValidationError(f"the details of an approval must be JSON: {error}") from error
    if size > MAX_DETAILS_BYTES or "\\u0000" in text:
        raise ValidationError(f"the details of an approval are at most {MAX_DETAILS_BYTES} bytes without NUL, got {size}")
    plain: Mapping[str, Any] = json.loads(text)
    return plain


def _names(given: Any, what: str) -> tuple[str, ...]:
    if given is None:
        return ()
    many = [given] if isinstance(given, str) or hasattr(given, "get_username") else list(given)
    if len(many) > MAX_PEOPLE:
        raise ValidationError(f"{what} takes at most {MAX_PEOPLE} names, got {len(many)}")
    return tuple(dict.fromkeys(_name(one) for one in many))


def _name(given: Any) -> str:
    name = given.get_username() if hasattr(given, "get_username") else getattr(given, "name", given)
    if not isinstance(name, str) or not 0 < len(name) <= 150 or not _is_storable(name):
        raise ValidationError(f"a person or group is named by a text of 1 to 150 characters, got {given!r:.100}")
    return name


def _seconds(given: Any, what: str) -> int:
    return 0 if given is None else bounded_seconds(given, what, low=1, high=MAX_CALLBACK_SECONDS)


def _decimal(amount: Any) -> Decimal:
    try:
        found = Decimal(str(amount))
    except InvalidOperation:
        found = Decimal("NaN")
    if isinstance(amount, bool) or not found.is_finite() or abs(found) >= Decimal(10) ** 15:
        raise ValidationError(f"amount is a number below 10^15, got {amount!r:.100}")
    return found


def _label(instance: Any) -> tuple[str, str]:
    """(`app.model`, primary key) of a saved Django row."""
    meta = getattr(instance, "_meta", None)
    if meta is None or instance.pk is None:
        raise ValidationError(f"for_object takes a saved Django model instance, got {instance!r:.100}")
    return meta.label_lower, str(instance.pk)
