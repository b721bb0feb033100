"""How people and keys set the limits of functions."""

from dataclasses import asdict

from django.db import transaction

from durable_ops.actions.actor import Actor
from durable_ops.audit import log
from durable_ops.models import Right
from execution_engine.core.limits import Limits
from execution_engine.selectors.limits import FunctionLimits, function_limits
from execution_engine.services.limits import set_limits


def change_limits(actor: Actor, function: str, limits: Limits, *, revision: int | None = None, reason: str = "") -> FunctionLimits:
    """Sets all limits of a function at once; None means no limit. They count from the next claim on; invocations that run go on.

    With `revision`, only if nobody changed them since. Raises PermissionDenied, FunctionNotFoundError, InvalidInputError,
    ChangedMeanwhileError.
    """
    actor.require(Right.MANAGE_LIMITS, function)
    with transaction.atomic():
        before = asdict(set_limits(function, limits, revision=revision).limits)
        after = asdict(limits)
        if before != after:
            facts = {"before": before, "after": after}
            log.append(actor, log.Act("limits.change", "function", function, reason=reason, facts=facts, function=function))
    return function_limits([function])[function]
