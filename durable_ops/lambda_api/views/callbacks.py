"""Callbacks: succeed, fail, heartbeat. What turns out to be an approval is decided by its policy, whoever calls."""

from typing import Any, ClassVar

from durable_ops.actions import callbacks as actions
from durable_ops.actions.actor import Actor
from durable_ops.lambda_api import errors
from durable_ops.lambda_api.door import MIB, LambdaView, read_object
from durable_ops.lambda_api.errors import LambdaError
from durable_ops.models import Right
from execution_engine.core import wire

# The service model of these calls has no conflict: an approval that is over answers as a callback that is.
KINDS = {**LambdaView.kinds, errors.CONFLICT: errors.CALLBACK_TIMEOUT}


class SucceedView(LambdaView):
    rights: ClassVar = {"POST": None}
    kinds: ClassVar = KINDS
    body_bytes = MIB

    def post(self, actor: Actor, body: bytes, callback_id: str) -> dict[str, Any]:
        """SendDurableExecutionCallbackSuccess: the body is the result, kept byte for byte; no body is no result."""
        try:
            text = body.decode()
        except UnicodeDecodeError as error:
            raise LambdaError(errors.INVALID_PARAMETER, f"Result must be UTF-8: byte {error.start} is not.") from error
        actions.succeed(actor, callback_id, text or None)
        return {}


class FailView(LambdaView):
    rights: ClassVar = {"POST": None}
    kinds: ClassVar = KINDS

    def post(self, actor: Actor, body: bytes, callback_id: str) -> dict[str, Any]:
        """SendDurableExecutionCallbackFailure: the body is an error object, or nothing."""
        actions.fail(actor, callback_id, wire.read_error(read_object(body)))
        return {}


class HeartbeatView(LambdaView):
    rights: ClassVar = {"POST": Right.ANSWER_CALLBACK}
    kinds: ClassVar = KINDS

    def post(self, actor: Actor, _: bytes, callback_id: str) -> dict[str, Any]:
        """SendDurableExecutionCallbackHeartbeat."""
        actions.heartbeat(actor, callback_id)
        return {}
