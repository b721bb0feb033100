"""Why a decision was refused; each with the stable code of its reason."""

from collections.abc import Sequence
from typing import Any

from durable_ops.approvals.policy import Refusal
from durable_ops.approvals.shown import Change
from execution_engine.core.errors import CommandError

_WORDS = {
    Refusal.NOT_WAITING: (409, "This approval is no longer waiting."),
    Refusal.INACTIVE: (403, "This person is no longer active."),
    Refusal.NOT_ASKED: (403, "This approval is not put to you."),
    Refusal.REQUESTER: (403, "You asked for this yourself; somebody else has to approve it."),
    Refusal.DECIDED_ALREADY: (409, "You have decided already."),
    Refusal.CLAIMED: (409, "Somebody else has claimed it."),
    Refusal.QUORUM: (403, "More than one approval is missing; only an administrator can put that to somebody else."),
}


class ApprovalRefusedError(CommandError):
    """`code` is that of the reason. Facts say who decided and when, or who holds the claim."""

    def __init__(self, refusal: Refusal, **facts: Any) -> None:
        self.status, words = _WORDS[refusal]
        self.code = refusal.value
        self.refusal = refusal
        super().__init__(words, **facts)


class ApprovalChangedError(CommandError):
    """What the person saw is not what is there now; `changes` are the fields that differ."""

    code = "approval_changed"
    status = 409

    def __init__(self, changes: Sequence[Change], now: str) -> None:
        labels = ", ".join(change.label for change in changes) or "something"
        super().__init__(f"It changed since you looked: {labels}. Look again before you decide.", shown=now)
        self.changes = tuple(changes)


class ApprovalNotFoundError(CommandError):
    code = "approval_not_found"
    status = 404
