"""Whatever stands in an address, a query, a header or a body: an answer that an SDK can read, and never a server error."""

import json
import string
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.durable_ops.journal import open_callback, register_function
from tests.durable_ops.lambda_api.test_access import CALLS
from tests.durable_ops.people import bearer, make_user

MEMBERS = [
    *("ErrorMessage", "ErrorType", "StackTrace", "Reason", "ClientToken", "ExecutionTimeoutPaused", "CheckpointToken", "Updates", "Id"),
    *("Type", "Action", "Payload", "Error", "StepOptions", "NextAttemptDelaySeconds", "WaitOptions", "WaitSeconds", "Name", "ParentId"),
]
PARAMETERS = [
    *("MaxItems", "Marker", "ReverseOrder", "IncludeExecutionData", "Statuses", "StartedAfter", "StartedBefore"),
    *("DurableExecutionName", "Qualifier", "CheckpointToken"),
]
VALUES_OF_PARAMETERS = ["", "-1", "0", "1e9", "true", "2026-01-01T00:00:00Z", "9999-12-31T23:59:59-23:00", "\x00", "RUNNING", "$LATEST"]
WORDS = ["STEP", "START", "SUCCEED", "WAIT", "CONTEXT", "EXECUTION", "CHAINED_INVOKE", "", "x", "\x00", "\ud800", "a" * 300]
TEXTS = st.one_of(st.sampled_from(WORDS), st.text(st.characters(codec=None), max_size=20))
NUMBERS = st.one_of(st.integers(), st.floats(), st.sampled_from([10**400, -1, 2**63]))
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=4)),
    max_leaves=12,
)
BODIES = st.one_of(st.binary(max_size=60), VALUES.map(lambda value: json.dumps(value).encode()))
QUERIES = st.dictionaries(
    st.sampled_from(PARAMETERS),
    st.one_of(st.sampled_from(VALUES_OF_PARAMETERS), st.text(st.characters(exclude_categories=["Cs"]), max_size=20)),
    max_size=4,
)
HEADER_TEXTS = st.text(string.printable.replace("\n", "").replace("\r", ""), max_size=20)
HEADERS = st.dictionaries(
    st.sampled_from(["X-Amz-Durable-Execution-Name", "X-Amz-Tenant-Id", "X-Amzn-Trace-Id", "traceparent", "X-Amz-Client-Context"]),
    HEADER_TEXTS,
    max_size=3,
)
PLACES = st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30))


@pytest.fixture
def open_door(db: None) -> tuple[Client, dict[str, str]]:
    register_function("echo")
    client = Client(raise_request_exception=False, headers=bearer(make_user("administrator", "anna")))
    answer = client.generic("POST", "/2015-03-31/functions/echo/invocations", b"1", headers={"X-Amz-Invocation-Type": "Event"})
    arn = answer.headers["X-Amz-Durable-Execution-Arn"]
    callback = open_callback(UUID(arn.rpartition("/")[2]), heartbeat=3600)
    return client, {"arn": arn, "function": "echo", "callback": callback}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(place=PLACES, query=QUERIES, headers=HEADERS, body=BODIES)
def test_no_server_errors(open_door: Any, place: str | None, query: dict[str, str], headers: dict[str, str], body: bytes) -> None:
    client, places = open_door
    chosen = dict.fromkeys(places, place) if place is not None else places
    for call, (method, address, more) in CALLS.items():
        path = address.partition("?")[0].format(**{name: quote(value, safe="") for name, value in chosen.items()})
        asked = "&".join(f"{name}={quote(value)}" for name, value in query.items())
        answer = client.generic(method, f"{path}?{asked}", body, headers=headers, **more)
        assert answer.status_code < 500, (call, answer.status_code, answer.content)
        if answer.status_code >= 400:
            assert answer.headers["x-amzn-ErrorType"], call
            assert json.loads(answer.content)["Type"] == "User"
