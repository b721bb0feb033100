"""Checkpoints over HTTP: what boto3 sends and reads, who may, and what is refused."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from botocore.exceptions import ClientError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from durable_ops.actions import api_keys
from durable_ops.actions.actor import Actor, Channel
from durable_ops.doors import known_keys
from durable_ops.doors.known_keys import KNOWN_KEYS
from execution_engine.journal.outside import CONNECTIONS
from execution_engine.models import Execution
from tests.durable_ops.journal import claim_outside
from tests.durable_ops.people import bearer, make_key, make_limited, make_user

STEP = {"Id": "s1", "Type": "STEP", "SubType": "Step", "Name": "charge"}


@pytest.fixture(autouse=True)
def nothing_left(transactional_db: None) -> Iterator[None]:
    KNOWN_KEYS.forget()
    yield
    CONNECTIONS.close()


@pytest.fixture
def web() -> Client:
    """An administrator's program."""
    return Client(headers=bearer(make_user("administrator", "root")))


def address(arn: str, call: str = "checkpoint") -> str:
    return f"/2025-12-01/durable-executions/{quote(arn, safe='')}/{call}"


def post(web: Client, arn: str, body: Any, **more: Any) -> Any:
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    return web.post(address(arn), text, content_type="application/json", **more)


def test_boto3_records_a_step_and_reads_it_back(client: Any) -> None:
    ((arn, token),) = claim_outside("echo")
    first = client.checkpoint_durable_execution(
        DurableExecutionArn=arn, CheckpointToken=token, Updates=[{**STEP, "Action": "START"}, {**STEP, "Action": "SUCCEED", "Payload": "1"}]
    )
    (found,) = first["NewExecutionState"]["Operations"]
    assert (found["Id"], found["Status"], found["StepDetails"]) == ("s1", "SUCCEEDED", {"Attempt": 1, "Result": "1"})
    assert found["StartTimestamp"].tzinfo is not None
    assert "NextMarker" not in first["NewExecutionState"]
    state = client.get_durable_execution_state(DurableExecutionArn=arn, CheckpointToken=first["CheckpointToken"], MaxItems=1)
    assert state["Operations"][0]["ExecutionDetails"] == {"InputPayload": "{}"}
    rest = client.get_durable_execution_state(DurableExecutionArn=arn, CheckpointToken=first["CheckpointToken"], Marker=state["NextMarker"])
    assert [one["Id"] for one in rest["Operations"]] == ["s1"]
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="Invalid checkpoint token"):
        client.checkpoint_durable_execution(DurableExecutionArn=arn, CheckpointToken=token)


def test_boto3_ends_an_execution(client: Any) -> None:
    ((arn, token),) = claim_outside("echo")
    result = {"Id": "result-1", "Type": "EXECUTION", "Action": "SUCCEED", "Payload": '{"a":1}'}
    answer = client.checkpoint_durable_execution(DurableExecutionArn=arn, CheckpointToken=token, Updates=[result])
    assert "CheckpointToken" not in answer
    assert client.get_durable_execution(DurableExecutionArn=arn)["Result"] == '{"a":1}'


def test_the_same_call_again_gets_the_same_bytes(web: Client) -> None:
    ((arn, token),) = claim_outside("echo")
    body = {"CheckpointToken": token, "ClientToken": "once", "Updates": [{"Id": "c1", "Type": "CALLBACK", "Action": "START"}]}
    first, again = post(web, arn, body), post(web, arn, body)
    assert (first.status_code, first.content) == (200, again.content)
    other = post(web, arn, {**body, "Updates": []})
    assert (other.status_code, other["x-amzn-ErrorType"]) == (400, "InvalidParameterValueException")


def test_a_known_key_costs_no_query_of_django(web: Client) -> None:
    ((arn, token),) = claim_outside("echo")
    token = post(web, arn, {"CheckpointToken": token}).json()["CheckpointToken"]
    with CaptureQueriesContext(connection) as queries:
        assert post(web, arn, {"CheckpointToken": token, "Updates": [{**STEP, "Action": "START"}]}).status_code == 200
    assert [query["sql"] for query in queries] == []


def test_a_revoked_key_is_believed_for_a_second_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    ((arn, token),) = claim_outside("echo")
    user = make_user("administrator")
    made = api_keys.create_key(Actor(user=user, channel=Channel.COMMAND), user=user, name="remote")
    web = Client(headers={"Authorization": f"Bearer {made.secret}"})
    now = 1000.0
    monkeypatch.setattr(known_keys.time, "monotonic", lambda: now)
    token = post(web, arn, {"CheckpointToken": token}).json()["CheckpointToken"]
    api_keys.revoke_key(Actor(user=user, channel=Channel.COMMAND), made.key.pk)
    now += known_keys.KNOWN_SECONDS
    refused = post(web, arn, {"CheckpointToken": token})
    assert (refused.status_code, refused["x-amzn-ErrorType"]) == (403, "UnrecognizedClientException")
    assert known_keys.KNOWN_SECONDS == 1.0


@pytest.mark.parametrize("role", ["viewer", "operator", "approver", "nobody"])
def test_other_roles_may_not(role: str) -> None:
    ((arn, token),) = claim_outside("echo")
    web = Client(headers=bearer(make_user(role)))
    for answer in (post(web, arn, {"CheckpointToken": token}), web.get(address(arn, "state"), {"CheckpointToken": token})):
        assert (answer.status_code, answer["x-amzn-ErrorType"]) == (403, "AccessDeniedException")


def test_of_another_function_nothing_is_known() -> None:
    ((arn, token),) = claim_outside("echo")
    web = Client(headers={"Authorization": f"Bearer {make_key(make_limited('administrator', 'billing-*'))}"})
    answer = post(web, arn, {"CheckpointToken": token})
    assert (answer.status_code, answer["x-amzn-ErrorType"]) == (400, "InvalidParameterValueException")
    assert Execution.objects.get().checkpoint_seq == 0


REFUSED = {
    "no JSON": ("{", "InvalidParameterValueException"),
    "a list": ("[]", "InvalidParameterValueException"),
    "a key twice": ('{"CheckpointToken": "a", "CheckpointToken": "b"}', "InvalidParameterValueException"),
    "NUL": ('{"CheckpointToken": "a\\u0000"}', "InvalidParameterValueException"),
    "no token": ("{}", "InvalidParameterValueException"),
    "a number as token": ('{"CheckpointToken": 5}', "InvalidParameterValueException"),
    "a long token": (json.dumps({"CheckpointToken": "x" * 2049}), "InvalidParameterValueException"),
    "updates as object": ('{"CheckpointToken": "a", "Updates": {}}', "InvalidParameterValueException"),
    "an update as text": ('{"CheckpointToken": "a", "Updates": ["x"]}', "InvalidParameterValueException"),
    "bytes": (b"\xff\xfe", "InvalidParameterValueException"),
    "deep": ('{"CheckpointToken": ' + "[" * 5000 + "]" * 5000 + "}", "InvalidParameterValueException"),
    "NaN": ('{"CheckpointToken": NaN}', "InvalidParameterValueException"),
}


@pytest.mark.parametrize(("body", "kind"), REFUSED.values(), ids=REFUSED)
def test_a_bad_body_is_refused_as_lambda_does(web: Client, body: str | bytes, kind: str) -> None:
    ((arn, _),) = claim_outside("echo")
    answer = post(web, arn, body)
    assert (answer.status_code, answer["x-amzn-ErrorType"], answer.json()["Type"]) == (400, kind, "User")
    assert Execution.objects.get().checkpoint_seq == 0


@pytest.mark.parametrize("arn", ["x", "arn:aws:lambda:us-east-1:000000000000:function:echo:1/durable-execution/a/b", "%00", "é"])
def test_a_bad_arn_is_refused(web: Client, arn: str) -> None:
    answer = post(web, arn, {"CheckpointToken": "a"})
    assert (answer.status_code, answer["x-amzn-ErrorType"]) == (400, "InvalidParameterValueException")


@pytest.mark.parametrize("query", [{}, {"CheckpointToken": "x" * 2049}, {"MaxItems": "1001"}, {"MaxItems": "-1"}, {"Marker": "bm9wZQ=="}])
def test_a_bad_query_of_state_is_refused(web: Client, query: dict[str, str]) -> None:
    ((arn, token),) = claim_outside("echo")
    asked = query if "CheckpointToken" in query or not query else {"CheckpointToken": token, **query}
    answer = web.get(address(arn, "state"), asked)
    assert (answer.status_code, answer["x-amzn-ErrorType"]) == (400, "InvalidParameterValueException")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/2025-12-01/"),
        ("get", "/2025-12-01/nothing"),
        ("post", "/2025-12-01/durable-executions/x/checkpoint/"),
        ("get", "/2025-12-01/a%0Ab"),
        ("post", "/2015-03-31/functions/"),
        ("options", "/2025-12-01/nothing"),
        ("delete", "/2015-03-31/event-source-mappings/"),
    ],
)
def test_an_unknown_call_is_answered_in_json(web: Client, method: str, path: str) -> None:
    answer = getattr(web, method)(path)
    assert (answer.status_code, answer["x-amzn-ErrorType"]) == (404, "UnknownOperationException")
    assert answer["Content-Type"] == "application/json"


@pytest.mark.parametrize("method", ["head", "options", "put", "get"])
def test_another_method_is_no_call(web: Client, method: str) -> None:
    answer = getattr(web, method)(address("x"))
    assert (answer.status_code, answer["x-amzn-ErrorType"]) == (404, "UnknownOperationException")


def test_nobody_is_answered_without_a_key() -> None:
    answer = post(Client(), "x", {})
    assert (answer.status_code, answer["x-amzn-ErrorType"]) == (403, "MissingAuthenticationTokenException")


def test_a_refusal_names_itself_to_boto3(client: Any) -> None:
    ((arn, token),) = claim_outside("echo")
    twice = [{**STEP, "Action": "START"}, {**STEP, "Action": "START"}]
    with pytest.raises(ClientError) as caught:
        client.checkpoint_durable_execution(DurableExecutionArn=arn, CheckpointToken=token, Updates=twice)
    assert caught.value.response["Error"]["Code"] == "InvalidParameterValueException"
    assert "has more than one update in this call" in caught.value.response["Error"]["Message"]
