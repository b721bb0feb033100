"""What the headers of an Invoke ask for, as the service model types them."""

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass

from durable_ops.lambda_api import errors, queries
from durable_ops.lambda_api.errors import LambdaError
from durable_ops.texts import json_text
from execution_engine.core import wire

WAITS, EVENT, DRY_RUN = KINDS = ("RequestResponse", "Event", "DryRun")
LOG_TYPES = ("None", "Tail")
MAX_CLIENT_CONTEXT = 3_583
"""AWS's limit, in characters of base64."""


@dataclass(frozen=True, slots=True)
class Asked:
    """`client_context` is a JSON object as it was sent; it and `wants_log` are for callers who wait."""

    kind: str
    name: str | None
    tenant: str | None
    client_context: str | None
    wants_log: bool


def kind_of(headers: Mapping[str, str]) -> str:
    return headers.get("X-Amz-Invocation-Type", WAITS)


def read(headers: Mapping[str, str]) -> Asked:
    """Raises InvalidInputError, LambdaError."""
    kind = kind_of(headers)
    if kind not in KINDS:
        raise wire.refused("", "InvocationType", f"must be one of {', '.join(KINDS)}", value=kind)
    log_type = headers.get("X-Amz-Log-Type", LOG_TYPES[0])
    if log_type not in LOG_TYPES:
        raise wire.refused("", "LogType", f"must be one of {', '.join(LOG_TYPES)}", value=log_type)
    client_context = _client_context(headers)
    return Asked(
        kind,
        queries.text(headers, "X-Amz-Durable-Execution-Name", high=64, pattern=wire.TOKEN),
        queries.text(headers, "X-Amz-Tenant-Id", high=256, pattern=wire.TENANT),
        client_context if kind == WAITS else None,
        kind == WAITS and log_type == "Tail",
    )


def _client_context(headers: Mapping[str, str]) -> str | None:
    encoded = queries.text(headers, "X-Amz-Client-Context", high=MAX_CLIENT_CONTEXT)
    if encoded is None:
        return None
    try:
        raw = b64decode(encoded, validate=True)
        is_object = isinstance(json_text.parse(raw), dict)
    except ValueError:
        is_object = False
    if not is_object:
        raise LambdaError(errors.INVALID_CONTENT, "Client context must be a valid Base64-encoded JSON object.")
    return raw.decode()
