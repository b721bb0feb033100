"""Claimed executions of a function that nobody serves, for callers that play it."""

from uuid import uuid4

from django.db import connection

from execution_engine.conf import engine_settings
from execution_engine.core.identifiers import execution_arn
from execution_engine.journal import claims, connections, functions, tokens
from execution_engine.journal.tokens import Token
from execution_engine.services import executions
from tests.durable_ops.journal import register_function

FUNCTION = "bench-outside"


def claimed(count: int) -> list[tuple[str, str]]:
    """ARN and first token of each."""
    register_function(FUNCTION)
    started = executions.start_executions(FUNCTION, ["{}"] * count)
    with connection.cursor() as cursor:
        version = functions.find_version(cursor, FUNCTION, "1").id
    settings = engine_settings()
    found = []
    with connections.connect("bench") as own:
        for one in claims.claim(own, versions=[version], worker=uuid4(), limit=count, claim_seconds=3600):
            arn = execution_arn(settings.REGION, settings.ACCOUNT, FUNCTION, "1", one.name, one.execution_id)
            found.append((arn, tokens.issue(Token(one.execution_id, one.claim_id, one.checkpoint_seq, one.wake_seq, one.wake_seq))))
    assert len(found) == len(started)
    return found
