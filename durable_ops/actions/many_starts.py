"""Starts many executions in one call, and answers for each."""

from collections.abc import Sequence

from django.core.exceptions import PermissionDenied
from django.db import transaction

from durable_ops.actions.actor import Actor
from durable_ops.actions.executions import start_act
from durable_ops.audit import log
from durable_ops.models import Right
from execution_engine.core.errors import CommandError
from execution_engine.services.executions import StartedExecution
from execution_engine.services.many import Start, start_each

__all__ = ["Refusal", "Start", "StartedExecution", "start_many"]

MOST = 500
"""Starts in one call. They are one transaction, and nobody should have to wait for its locks for longer than a second."""

Refusal = CommandError | PermissionDenied


def start_many(actor: Actor, starts: Sequence[Start]) -> list[StartedExecution | Refusal]:
    """Starts those that may and can be started, in one transaction with one audit row each. Returns answers and refusals in order.

    Needs the right to start for each function. The caller checks that there are at most `MOST`.
    """
    refused = {function: why for function in {start.function for start in starts} if (why := _why_not(actor, function))}
    allowed = [start for start in starts if start.function not in refused]
    with transaction.atomic():
        answers = start_each(allowed, started_by=actor.name, trace=actor.trace)
        begun = [(start, one) for start, one in zip(allowed, answers, strict=True) if isinstance(one, StartedExecution) and one.created]
        log.append_all(actor, [start_act(start.function, one, start.input_text) for start, one in begun])
    found = iter(answers)
    return [refused[start.function] if start.function in refused else next(found) for start in starts]


def _why_not(actor: Actor, function: str) -> Refusal | None:
    try:
        actor.require(Right.START_EXECUTION, function)
    except (CommandError, PermissionDenied) as refusal:
        return refusal
    return None
