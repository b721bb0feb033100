"""What is the same for every call: keys, addresses that nobody has, headers, and who is noted."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from durable_ops.doors import rate
from durable_ops.models import AuditEntry
from execution_engine.models import Execution
from tests.durable_ops.journal import register_function
from tests.durable_ops.people import bearer, make_user

ARN = "arn:aws:lambda:us-east-1:000000000000:function:echo:1/durable-execution/none/01a1fecc-e239-740d-841a-3f405e9d6f72"
LIST = "/2025-12-01/functions/echo/durable-executions"
INVOKE = "/2015-03-31/functions/echo/invocations"
ADDRESSES = [
    INVOKE, LIST, f"/2025-12-01/durable-executions/{ARN}", f"/2025-12-01/durable-executions/{ARN}/history",
    f"/2025-12-01/durable-executions/{ARN}/stop", f"/2025-12-01/durable-executions/{ARN}/checkpoint",
    "/2025-12-01/durable-execution-callbacks/x/succeed",
]  # fmt: skip
NOWHERE = [
    "/2015-03-31/", "/2025-12-01/", "/2015-03-31/functions", "/2015-03-31/functions/echo", "/2015-03-31/functions/echo/invocations/",
    "/2025-12-01/functions/echo/durable-executions/", "/2025-12-01/durable-execution-callbacks/x", "/2025-12-01/a%0Ab",
    "/2015-03-31//functions/x", "/2025-12-01/functions//durable-executions",
]  # fmt: skip


@pytest.fixture
def program(db: None) -> Client:
    register_function("echo")
    return Client(raise_request_exception=False, headers=bearer(make_user("administrator", "anna")))


def kind(answer: Any) -> tuple[int, str]:
    """Status and error type, after checking the fixed part of a refusal."""
    body = json.loads(answer.content)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["x-amzn-RequestId"]
    assert body["Type"] == "User"
    assert body.get("Message") or body.get("message")
    return answer.status_code, answer.headers["x-amzn-ErrorType"]


def test_addresses_that_nobody_has(program: Client) -> None:
    for address in NOWHERE:
        for method in ("get", "post", "delete", "put", "options"):
            assert kind(getattr(program, method)(address)) == (404, "UnknownOperationException"), (method, address)


def test_methods_that_a_call_does_not_have(program: Client) -> None:
    for address in ADDRESSES:
        for method in ("put", "patch", "options"):
            assert kind(getattr(program, method)(address)) == (404, "UnknownOperationException"), (method, address)
        assert program.head(address).status_code == 404


def test_nobody_without_a_key(db: None) -> None:
    signed_in = Client()
    signed_in.force_login(make_user("administrator"))
    for client in (Client(), signed_in):
        for address in ADDRESSES:
            for method in ("get", "post", "delete"):
                assert kind(getattr(client, method)(address)) == (403, "MissingAuthenticationTokenException")


def test_a_key_that_guesses_is_held_up(db: None) -> None:
    found = [kind(Client().get(LIST, headers={"Authorization": "Bearer dop_x_y"})) for _ in range(62)]
    assert found == [(403, "UnrecognizedClientException")] * 60 + [(429, "TooManyRequestsException")] * 2


def test_a_refused_attempt_is_noted(db: None) -> None:
    viewer = Client(headers=bearer(make_user("viewer")))
    assert kind(viewer.post(INVOKE, "{}", content_type="application/json")) == (403, "AccessDeniedException")
    entry = AuditEntry.objects.get(action="attempt.refused")
    assert (entry.actor, entry.channel) == ("viewer (key tests)", "lambda")


def test_answers_are_kept_by_nobody(program: Client) -> None:
    answer = program.get(LIST)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert answer.json() == {"DurableExecutions": []}


HEADERS: dict[str, tuple[dict[str, str], tuple[int, str]]] = {
    "in chunks": ({"HTTP_TRANSFER_ENCODING": "chunked"}, (400, "InvalidRequestContentException")),
    "packed": ({"HTTP_CONTENT_ENCODING": "gzip"}, (415, "UnsupportedMediaTypeException")),
    "correlation": ({"HTTP_X_CORRELATION_ID": "a b"}, (400, "InvalidParameterValueException")),
}


@pytest.mark.parametrize("case", HEADERS)
def test_headers_that_are_refused(program: Client, case: str) -> None:
    headers, wanted = HEADERS[case]
    assert kind(program.generic("POST", INVOKE, b"{}", content_type="application/json", **headers)) == wanted
    assert Execution.objects.count() == 0


def test_a_canary_in_key_and_input_stays_out_of_refusals(program: Client) -> None:
    canary = "canary-4711"
    answer = program.generic("POST", INVOKE, f'{{"a": "{canary}", "a": 1}}'.encode(), content_type="application/json")
    assert kind(answer) == (400, "InvalidRequestContentException")
    assert canary not in answer.content.decode()
    answer = Client().get(LIST, headers={"Authorization": f"Bearer dop_x_{canary}"})
    assert canary not in answer.content.decode() + str(answer.headers)


NO_OBJECTS = [
    b"[]", b'"x"', b"1", b"{", b'{"Reason": 1}', b'{"Reason": "\\u0000"}', b'{"a": NaN}', b"[" * 5000, b'{"Reason": 1, "Reason": 1}',
]  # fmt: skip


def test_bodies_that_are_no_objects(program: Client) -> None:
    pause = f"/2025-12-01/durable-executions/{ARN}/pause"
    for body in NO_OBJECTS:
        assert kind(program.generic("POST", pause, body, content_type="application/json")) == (400, "InvalidParameterValueException"), body


def test_traces_travel_from_headers(program: Client) -> None:
    traceparent = "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01"
    headers = {"traceparent": traceparent, "X-Correlation-Id": "order-7", "X-Amz-Invocation-Type": "Event"}
    assert program.generic("POST", INVOKE, b"1", headers=headers).status_code == 202
    row = Execution.objects.get()
    assert (row.traceparent, row.correlation_id) == (traceparent, "order-7")


def test_calls_beyond_the_rate_of_a_key_wait(program: Client, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    counter = rate.Counter("")
    monkeypatch.setattr(rate, "_counter", lambda: counter)
    settings.API_CALLS_PER_MINUTE = 2
    answers = [program.get(LIST) for _ in range(3)]
    assert [answer.status_code for answer in answers[:2]] == [200, 200]
    assert kind(answers[2]) == (429, "TooManyRequestsException")
    assert 1 <= int(answers[2].headers["Retry-After"]) <= 60
    assert answers[2].json()["Reason"] == "CallerRateLimitExceeded"


def test_calls_ask_the_database_no_more_than_they_need(program: Client) -> None:
    """Key, own rights, rights of groups; then what the call is about. An invocation has a transaction with its audit row."""
    started = program.generic("POST", INVOKE, b"1", headers={"X-Amz-Invocation-Type": "Event"})
    execution = f"/2025-12-01/durable-executions/{started.headers['X-Amz-Durable-Execution-Arn']}"
    wanted = {INVOKE: ("POST", 3 + 2 + 2), execution: ("GET", 3 + 2), f"{execution}/history": ("GET", 3 + 3), LIST: ("GET", 3 + 1)}
    for address, (method, number) in wanted.items():
        with CaptureQueriesContext(connection) as queries:
            program.generic(method, address, b"", headers={"X-Amz-Invocation-Type": "Event"})
        assert len(queries) == number, (address, [query["sql"] for query in queries])
