"""Callbacks answered by unmodified boto3."""

from functools import partial
from typing import Any
from uuid import UUID

import pytest

from durable_ops.models import AuditEntry
from execution_engine.models import Operation
from tests.durable_ops.journal import callback_row, open_callback
from tests.durable_ops.lambda_api.conftest import bearer_client, refused, start
from tests.durable_ops.people import make_key, make_user


@pytest.fixture
def callback_id(client: Any) -> str:
    return open_callback(UUID(start(client, None).rpartition("/")[2]), heartbeat=60)


RESULTS = {
    "JSON": b'{ "approved" : true }',
    "no JSON": b"shipped, thank you",
    "other scripts": "bezahlt \U0001f4b8".encode(),
    "depth": b"[" * 5000 + b"]" * 5000,
    "number beyond a double": b"1e400",
    "keys twice": b'{"a": 1, "a": 2}',
    "blanks": b"  \n",
}


def test_the_result_is_kept_byte_for_byte(client: Any) -> None:
    for result in RESULTS.values():
        callback_id = open_callback(UUID(start(client, None).rpartition("/")[2]))
        client.send_durable_execution_callback_success(CallbackId=callback_id, Result=result)
        row = callback_row(callback_id)
        assert (row["status"], row["payload"].encode()) == ("SUCCEEDED", result)
    assert set(AuditEntry.objects.filter(action="callback.succeed").values_list("channel", flat=True)) == {"lambda"}


def test_no_result(client: Any, callback_id: str) -> None:
    client.send_durable_execution_callback_success(CallbackId=callback_id)
    assert (callback_row(callback_id)["status"], callback_row(callback_id)["payload"]) == ("SUCCEEDED", None)


def test_failure(client: Any, callback_id: str) -> None:
    error = {"ErrorMessage": "declined", "ErrorType": "Card", "ErrorData": "x", "StackTrace": ["a", "b"]}
    client.send_durable_execution_callback_failure(CallbackId=callback_id, Error=error)
    found = Operation.objects.get(callback_id=callback_id)
    assert found.status == "FAILED"
    history = client.get_durable_execution_history(DurableExecutionArn=_arn(client))["Events"]
    assert history[-1]["CallbackFailedDetails"]["Error"]["Payload"] == error


def test_failure_without_an_error(client: Any, callback_id: str) -> None:
    client.send_durable_execution_callback_failure(CallbackId=callback_id)
    assert callback_row(callback_id)["status"] == "FAILED"


def test_heartbeat_moves_the_timer(client: Any, callback_id: str) -> None:
    before = callback_row(callback_id)["due_at"]
    client.send_durable_execution_callback_heartbeat(CallbackId=callback_id)
    assert callback_row(callback_id)["due_at"] > before


CALLS = {
    "succeed": ("send_durable_execution_callback_success", {"Result": b"2"}),
    "fail": ("send_durable_execution_callback_failure", {"Error": {"ErrorType": "Late"}}),
    "heartbeat": ("send_durable_execution_callback_heartbeat", {}),
}


def test_the_first_answer_wins(client: Any, callback_id: str) -> None:
    client.send_durable_execution_callback_success(CallbackId=callback_id, Result=b"1")
    for name, values in CALLS.values():
        refused(partial(getattr(client, name), CallbackId=callback_id, **values), "CallbackTimeoutException", 400)
    assert callback_row(callback_id)["payload"] == "1"


def test_an_unknown_callback(client: Any) -> None:
    for name, values in CALLS.values():
        for unknown in ("nobody", "a/b+c==", "with blanks", "%2e%2e/x", "ü", "a\nb", "a\x00b"):
            refused(partial(getattr(client, name), CallbackId=unknown, **values), "ResourceNotFoundException", 404)


def test_what_cannot_be_kept_is_refused_and_changes_nothing(client: Any, callback_id: str) -> None:
    for result in (b"a\x00b", b"\xff\xfe", "half \ud800".encode("utf-8", "surrogatepass"), b"x" * (1024 * 1024 + 1)):
        call = partial(client.send_durable_execution_callback_success, CallbackId=callback_id, Result=result)
        refused(call, "InvalidParameterValueException", 400)
    assert callback_row(callback_id)["status"] == "STARTED"


def test_who_may_not_answer_is_refused(client: Any, live_server: Any, callback_id: str) -> None:
    for role in ("viewer", "operator", "approver", "nobody"):
        other = bearer_client(live_server.url, make_key(make_user(role)))
        for name, values in CALLS.values():
            refused(partial(getattr(other, name), CallbackId=callback_id, **values), "AccessDeniedException", 403)
    assert callback_row(callback_id)["status"] == "STARTED"


def _arn(client: Any) -> str:
    return str(client.list_durable_executions_by_function(FunctionName="echo")["DurableExecutions"][0]["DurableExecutionArn"])
