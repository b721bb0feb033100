"""CheckpointDurableExecution and GetDurableExecutionState: how a function that runs somewhere else records what it does.

Machine traffic under a claim: history, no audit row. So this is the one door that reaches a command of the engine without the corridor.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from django.http import HttpRequest

from durable_ops.actions.actor import Actor
from durable_ops.doors.known_keys import KNOWN_KEYS
from durable_ops.lambda_api import errors, queries
from durable_ops.lambda_api.door import ENVELOPE_BYTES, LambdaView, read_object, reference_of
from durable_ops.lambda_api.errors import LambdaError
from durable_ops.models import Right
from execution_engine.conf import engine_settings
from execution_engine.core import wire
from execution_engine.core.errors import InvalidTokenError
from execution_engine.services import checkpoints

MAX_TOKEN = 2048
TOKEN = wire.Field("CheckpointToken", "token", str, is_required=True, low=1, high=MAX_TOKEN)
CLIENT_TOKEN = wire.Field("ClientToken", "client_token", str, low=1, high=64, pattern=wire.VISIBLE)
# The service model of these calls knows no other refusal of what was sent.
KINDS = {**LambdaView.kinds, errors.NOT_FOUND: errors.INVALID_PARAMETER, errors.TOO_LARGE: errors.INVALID_PARAMETER}


class CheckpointView(LambdaView):
    rights: ClassVar = {"POST": Right.CHECKPOINT_EXECUTION}
    kinds: ClassVar = KINDS
    keys: ClassVar = KNOWN_KEYS
    is_counted: ClassVar = False  # a token is good for one call, and the rate is the handler's

    @property
    def body_bytes(self) -> int:  # type: ignore[override]
        """As much as the result of an execution, which JSON's escapes make twice as long at most, and as one that is too large: refused
        here it would leave AWS's JavaScript SDK waiting for ever."""
        return engine_settings().MAX_PAYLOAD_BYTES * 2 + ENVELOPE_BYTES

    def post(self, actor: Actor, body: bytes, arn: str) -> dict[str, Any]:
        """`CheckpointToken`, `Updates`?, `ClientToken`? → `{"CheckpointToken"?, "NewExecutionState": {"Operations", "NextMarker"?}}`."""
        given = read_object(body)
        token, client_token = (field.read(given, "", is_bounded=True) for field in (TOKEN, CLIENT_TOKEN))
        updates = wire.updates(given.get("Updates"))
        actor.require_on(Right.CHECKPOINT_EXECUTION, reference_of(arn).id)
        with _refused_in_words_of(self.request):
            reply = checkpoints.checkpoint(arn, token, updates, client_token)
        answer: dict[str, Any] = {"NewExecutionState": _page(reply.operations, reply.marker)}
        return answer if reply.token is None else {"CheckpointToken": reply.token, **answer}


class StateView(LambdaView):
    rights: ClassVar = {"GET": Right.CHECKPOINT_EXECUTION}
    kinds: ClassVar = KINDS
    keys: ClassVar = KNOWN_KEYS
    is_counted: ClassVar = False  # a token is good for one call, and the rate is the handler's

    def get(self, actor: Actor, _: bytes, arn: str) -> dict[str, Any]:
        """`?CheckpointToken&Marker?&MaxItems?` → `{"Operations", "NextMarker"?}`; the token is not consumed."""
        query = self.request.GET
        token = queries.text(query, "CheckpointToken", high=MAX_TOKEN)
        if token is None:
            raise wire.refused("", "CheckpointToken", "is required")
        actor.require_on(Right.CHECKPOINT_EXECUTION, reference_of(arn).id)
        with _refused_in_words_of(self.request):
            page = checkpoints.state(arn, token, query.get("Marker") or None, queries.max_items(query))
        return _page(page.operations, page.marker)


@contextmanager
def _refused_in_words_of(request: HttpRequest) -> Iterator[None]:
    """AWS's SDKs know a worthless token by how the message begins, and not by the same letters. One that does not know it takes the
    refusal for an error of the handler and answers FAILED, which would end an execution that is only being paused."""
    try:
        yield
    except InvalidTokenError as error:
        if "aws-sdk-js/" in request.headers.get("User-Agent", ""):
            raise LambdaError(errors.INVALID_PARAMETER, "Invalid Checkpoint Token") from error
        raise


def _page(operations: Any, marker: str | None) -> dict[str, Any]:
    page: dict[str, Any] = {"Operations": [wire.operation(record) for record in operations]}
    return page if marker is None else {**page, "NextMarker": marker}
