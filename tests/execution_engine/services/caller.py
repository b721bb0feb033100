"""A function outside the process, played by hand: it holds a token and calls `services.checkpoints`."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from execution_engine import durable_execution
from execution_engine.conf import engine_settings
from execution_engine.core.enums import OperationAction, OperationType
from execution_engine.core.identifiers import execution_arn
from execution_engine.core.records import OperationOptions, OperationRecord, OperationUpdate
from execution_engine.journal import claims, connections, reader, tokens
from execution_engine.journal.claims import Claim, Claimer
from execution_engine.journal.replies import CheckpointReply
from execution_engine.journal.tokens import Token
from execution_engine.models import FunctionVersion
from execution_engine.services import checkpoints, executions

FUNCTION = "test-outside"


@durable_execution(name=FUNCTION)
def outside_function(event: Any, context: Any) -> None:
    """Never runs here: these tests play it."""


def update(kind: str, action: str, identifier: str, **fields: Any) -> OperationUpdate:
    return OperationUpdate(identifier, OperationType(kind), OperationAction(action), **fields)


def step(action: str, identifier: str = "s1", **fields: Any) -> OperationUpdate:
    return update("STEP", action, identifier, **fields)


def context(action: str, identifier: str = "p1", **fields: Any) -> OperationUpdate:
    return update("CONTEXT", action, identifier, **fields)


def wait(identifier: str = "w1", seconds: int = 60, **fields: Any) -> OperationUpdate:
    return update("WAIT", "START", identifier, options=OperationOptions(duration=seconds), **fields)


def callback(identifier: str = "c1", **options: int) -> OperationUpdate:
    return update("CALLBACK", "START", identifier, options=OperationOptions(**options))


def invoke(target: str, identifier: str = "i1", payload: str | None = "1") -> OperationUpdate:
    return update("CHAINED_INVOKE", "START", identifier, payload=payload, options=OperationOptions(function=target))


class Caller:
    """One claimed execution and the token of its invocation."""

    def __init__(self, claim: Claim, wake_seq: int) -> None:
        settings = engine_settings()
        self.claim = claim
        self.id = claim.execution_id
        self.arn = execution_arn(settings.REGION, settings.ACCOUNT, FUNCTION, "1", claim.name, self.id)
        self.token: str | None = tokens.issue(Token(self.id, claim.claim_id, claim.checkpoint_seq, wake_seq, wake_seq))
        self.seen: dict[str, OperationRecord] = {}

    def call(self, *updates: OperationUpdate, client_token: str | None = None) -> CheckpointReply:
        """Sends the updates under the held token, and goes on with the next one."""
        assert self.token is not None
        reply = checkpoints.checkpoint(self.arn, self.token, updates, client_token)
        self.token = reply.token
        self.seen |= {record.id: record for record in reply.operations}
        return reply

    def statuses(self) -> dict[str, str]:
        return {name: str(record.status) for name, record in self.seen.items()}


def claim(execution_id: UUID | None = None, input_text: str | None = "{}", *, versions: Sequence[int] = ()) -> Caller:
    """Starts an execution, or takes the given one, and claims it as a worker would."""
    started = execution_id or executions.start_execution(FUNCTION, input_text).id
    ids = list(versions) or [FunctionVersion.objects.get(function=FUNCTION).id]
    with connections.connect("test") as connection:
        found = claims.claim(connection, Claimer(versions=ids, worker=uuid4(), limit=10, claim_seconds=30))
        mine = next(one for one in found if one.execution_id == started)
        return Caller(mine, reader.load(connection, [started])[started].wake_seq)
