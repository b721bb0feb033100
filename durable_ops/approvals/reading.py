"""Who may read the details of an approval: those to whom it is put, and those who may read payloads of its function."""

from collections.abc import Sequence
from typing import Any

from durable_ops.approvals.policy import Person, Question, is_asked
from durable_ops.models import Approval, Right
from durable_ops.permissions import access_of
from durable_ops.selectors.masking import MASK, masking_of
from execution_engine.selectors.callbacks import CallbackRow


def readable_details(
    user: Any, person: Person, question: Question, approval: Approval, callback: CallbackRow | None, details: Sequence[Sequence[Any]]
) -> list[list[Any]]:
    """All details, unmasked, for whoever is or was asked, asked for it, claimed it or decided: the author meant them for these people.

    For others they are payloads: masked by label and field, and hidden without the right to read payloads.
    """
    if is_asked(person, question) or person.key in {approval.requester_key, question.claimed_by, *question.decided_by}:
        return [list(one) for one in details]
    access = access_of(user)
    function = callback.function if callback else None
    if not (access.may(Right.VIEW_PAYLOAD, function) if function else access.has_all(Right.VIEW_PAYLOAD)):
        return []
    masks = masking_of(access).of(function or "")
    return [[label, MASK if masks.hides(str(label)) else masks.value(value)] for label, value in details]
