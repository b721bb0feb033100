"""Our error types against AWS's service model, as botocore carries it."""

import botocore.session
import pytest
from django.db import OperationalError

from durable_ops.lambda_api import errors
from durable_ops.lambda_api.errors import Kind
from execution_engine.core.errors import CommandError

MODEL = botocore.session.get_session().get_service_model("lambda")
KINDS = [value for value in vars(errors).values() if isinstance(value, Kind)]
IN_FRONT = {
    "MissingAuthenticationTokenException", "UnrecognizedClientException", "InvalidSignatureException", "IncompleteSignatureException",
    "AccessDeniedException", "RequestTimeoutException", "UnknownOperationException",
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_type_is_one_of_the_model_or_of_the_front(kind: Kind) -> None:
    if kind.name in IN_FRONT:
        assert kind.name not in MODEL.shape_names
        return
    shape = MODEL.shape_for(kind.name)
    assert shape.metadata["error"]["httpStatusCode"] == kind.status
    assert {"Type", kind.text_key} <= set(shape.members)
    assert shape.metadata["error"].get("senderFault", False) is not kind.is_ours


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 409, 410, 411, 412, 413, 415, 422, 429])
def test_no_refusal_of_a_command_becomes_a_server_error(status: int) -> None:
    error = CommandError("no")
    error.status = status
    answer = errors.refusal(error, {})
    assert answer is not None
    assert 400 <= answer.status_code < 500


def test_what_is_no_refusal_says_nothing_of_its_cause() -> None:
    assert errors.refusal(ValueError("secret"), {}) is None
    assert b"secret" not in errors.server_error().content
    answer = errors.refusal(OperationalError("connection to 10.0.0.7 failed"), {})
    assert answer is not None
    assert (answer.status_code, answer.headers["Retry-After"]) == (500, "2")
    assert b"10.0.0.7" not in answer.content
