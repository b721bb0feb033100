"""How people and keys answer callbacks. A callback that belongs to an approval follows the approval's rules, whoever calls."""

import json
import re
from collections.abc import Callable
from typing import Any

from django.db import transaction

from durable_ops.actions import approvals
from durable_ops.actions.actor import Actor
from durable_ops.actions.executions import size
from durable_ops.audit import log
from durable_ops.models import Right
from execution_engine.core.errors import CallbackNotFoundError
from execution_engine.core.records import ErrorObject
from execution_engine.selectors.callbacks import find_callback
from execution_engine.services import callbacks

_ID = re.compile(r"[A-Za-z0-9_.:=/+-]{1,1024}")


def succeed(actor: Actor, callback_id: str, result_text: str | None) -> None:
    """Completes a callback with the text that the waiting code receives; None for no result.

    An approval accepts only `{"approved": true | false}` or `{"action": "approved" | "rejected"}`, with `comment` and `fields`. Raises
    PermissionDenied, CallbackNotFoundError, CallbackCompletedError (somebody was first), PayloadTooLargeError, and for an approval what
    `approvals.decide` raises.
    """
    _check_id(callback_id)
    if approvals.is_approval(callback_id):
        approvals.answer(actor, callback_id, result_text)
        return
    _require_on(actor, Right.ANSWER_CALLBACK, callback_id)
    _answer(
        actor,
        "callback.succeed",
        callback_id,
        lambda: callbacks.succeed_callback(callback_id, result_text),
        result_bytes=size(result_text),
    )


def fail(actor: Actor, callback_id: str, error: ErrorObject) -> None:
    """Completes a callback with an error, which is raised in the waiting code; rejects an approval. Raises as `succeed`."""
    _check_id(callback_id)
    if approvals.is_approval(callback_id):
        approvals.decide(actor, callback_id, approved=False, comment=error.message or error.type or "")
        return
    _require_on(actor, Right.ANSWER_CALLBACK, callback_id)
    _answer(actor, "callback.fail", callback_id, lambda: callbacks.fail_callback(callback_id, error), error_type=error.type)


def heartbeat(actor: Actor, callback_id: str) -> None:
    """Restarts the callback's heartbeat time-out. Raises as `succeed`.

    Writes no audit row: a heartbeat decides nothing, and a machine sends one every few seconds.
    """
    _check_id(callback_id)
    _require_on(actor, Right.ANSWER_CALLBACK, callback_id)
    with transaction.atomic():
        callbacks.heartbeat_callback(callback_id)


def decide(actor: Actor, callback_id: str, *, approved: bool, comment: str = "") -> None:
    """For the pages behind approve and reject: completes the callback with `{"action", "by", "comment"}` as JSON text.

    `action` is "approved" or "rejected", `by` the user name. Raises as `succeed`.
    """
    _check_id(callback_id)
    if approvals.is_approval(callback_id):
        approvals.decide(actor, callback_id, approved=approved, comment=comment)
        return
    _require_on(actor, Right.DECIDE_CALLBACK, callback_id)
    action = "approved" if approved else "rejected"
    by = actor.name if actor.user is None else actor.user.get_username()
    text = json.dumps({"action": action, "by": by, "comment": comment}, ensure_ascii=False, separators=(",", ":"))
    verb = "callback.approve" if approved else "callback.reject"
    _answer(actor, verb, callback_id, lambda: callbacks.succeed_callback(callback_id, text), reason=comment)


def _require_on(actor: Actor, right: Right, callback_id: str) -> None:
    """Raises CallbackNotFoundError for a callback of a function that the actor may not see, as for one that does not exist."""
    _check_id(callback_id)
    actor.require(right)
    if not actor.access.has_all(right) and (found := find_callback(callback_id)) is not None:
        actor.require(right, found.function, CallbackNotFoundError("There is no such callback.", callback_id=callback_id[:100]))


def _check_id(callback_id: str) -> None:
    """Raises CallbackNotFoundError for a text that cannot be the id of a callback."""
    if not _ID.fullmatch(callback_id):
        raise CallbackNotFoundError("There is no such callback.", callback_id=callback_id[:100])


def _answer(actor: Actor, action: str, callback_id: str, command: Callable[[], None], *, reason: str = "", **facts: Any) -> None:
    with transaction.atomic():
        command()
        found = find_callback(callback_id)
        execution_id = found.execution_id if found else None
        facts = {"callback": found.name if found else None, **facts}
        log.append(actor, log.Act(action, "callback", callback_id, execution_id=execution_id, reason=reason, facts=facts))
