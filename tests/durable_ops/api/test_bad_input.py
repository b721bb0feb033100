"""Whatever is sent, the answer is a 4xx with a code, or what was accepted can be read back everywhere."""

import io
import json
import random
from typing import Any

import pytest
from django.test import Client, RequestFactory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from durable_ops.api.parsers import max_body_bytes
from durable_ops.api.views.executions import ExecutionsView
from durable_ops.models import AuditEntry
from execution_engine.conf import engine_settings
from execution_engine.models import Execution, Signal
from tests.durable_ops.api.conftest import Door, refusal
from tests.durable_ops.api.test_executions import uuid_of
from tests.durable_ops.journal import callback_row, open_callback
from tests.durable_ops.people import bearer
from tests.durable_ops.texts.test_json_text import REFUSED

START = "/executions"


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("place", ["whole body", "as the input"])
def test_what_is_no_strict_json_is_400(admin: Door, case: str, place: str) -> None:
    text, _ = REFUSED[case]
    raw = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    if place == "as the input":
        raw = b'{"function": "echo", "input": ' + raw + b"}"
    if case == "nothing" and place == "whole body":
        return  # no body is an empty object
    refusal(admin.raw(START, raw), 400, "invalid_json")
    assert Execution.objects.count() == 0
    assert AuditEntry.objects.filter(action="execution.start").count() == 0


@pytest.mark.parametrize("route", ["stop", "signal"])
def test_depth_bomb_on_every_route(admin: Door, route: str) -> None:
    started = admin.start()
    for depth in (1000, 100_000):
        bomb = b'{"reason": ' + b"[" * depth + b"]" * depth + b"}"
        refusal(admin.raw(f"/executions/{started['id']}/{route}", bomb), 400, "invalid_json")
    assert Execution.objects.get().status == "RUNNING"


@pytest.mark.parametrize("route", ["succeed", "fail", "heartbeat"])
def test_depth_bomb_leaves_the_callback_open(admin: Door, route: str) -> None:
    callback_id = open_callback(uuid_of(admin.start()), heartbeat=60)
    refusal(admin.raw(f"/callbacks/{callback_id}/{route}", b'{"result": ' + b"[" * 5000 + b"]" * 5000 + b"}"), 400, "invalid_json")
    assert callback_row(callback_id)["status"] == "STARTED"


BODIES: dict[str, Any] = {
    "a list": [],
    "a text": "echo",
    "null": None,
    "a number": 1,
    "nothing in it": {},
    "unknown field": {"function": "echo", "inputs": 1},
    "status given": {"function": "echo", "status": "SUCCEEDED"},
    "claim given": {"function": "echo", "claim_id": "x", "id": "y"},
    "function is a number": {"function": 1},
    "function is null": {"function": None},
    "function is empty": {"function": ""},
    "function is a list": {"function": ["echo"]},
    "function too long": {"function": "x" * 10_000},
    "version is a number": {"function": "echo", "version": 1},
    "name is an object": {"function": "echo", "name": {}},
    "name too long": {"function": "echo", "name": "x" * 201},
    "name with blanks": {"function": "echo", "name": "a b"},
    "name with a line break": {"function": "echo", "name": "a\n"},
    "name with a slash": {"function": "echo", "name": "a/b"},
    "attributes are a list": {"function": "echo", "attributes": []},
    "attributes are a text": {"function": "echo", "attributes": "customer=1"},
}


@pytest.mark.parametrize("case", BODIES)
def test_start_with_a_wrong_body_is_400_and_starts_nothing(admin: Door, case: str) -> None:
    answer = admin.raw(START, json.dumps(BODIES[case]).encode())
    refusal(answer, 400, "invalid_input")
    assert Execution.objects.count() == 0


COMMANDS: list[tuple[str, Any]] = [
    ("executions/{e}/stop", {"reason": 1}),
    ("executions/{e}/stop", {"reason": "x" * 2001}),
    ("executions/{e}/stop", {"error": "text"}),
    ("executions/{e}/stop", {"error": {"ErrorMessage": 1}}),
    ("executions/{e}/stop", {"error": {"Nonsense": "x"}}),
    ("executions/{e}/stop", {"error": {"StackTrace": "x"}}),
    ("executions/{e}/stop", {"error": {"StackTrace": [1]}}),
    ("executions/{e}/stop", {"force": True}),
    ("executions/{e}/stop", []),
    ("executions/{e}/signal", {}),
    ("executions/{e}/signal", {"name": ""}),
    ("executions/{e}/signal", {"name": None, "payload": 1}),
    ("executions/{e}/signal", {"name": "x" * 1000}),
    ("executions/{e}/signal", {"name": "go", "data": 1}),
    ("callbacks/{c}/succeed", {"results": 1}),
    ("callbacks/{c}/succeed", [1]),
    ("callbacks/{c}/succeed", "x"),
    ("callbacks/{c}/fail", {"error": []}),
    ("callbacks/{c}/fail", {"error": {"ErrorType": {}}}),
    ("callbacks/{c}/fail", {"ErrorMessage": "not wrapped"}),
    ("callbacks/{c}/heartbeat", {"x": 1}),
]


@pytest.mark.parametrize(("path", "body"), COMMANDS, ids=str)
def test_commands_with_a_wrong_body_are_400_and_change_nothing(admin: Door, path: str, body: Any) -> None:
    execution_id = uuid_of(admin.start())
    callback_id = open_callback(execution_id, heartbeat=60)
    answer = admin.raw("/" + path.format(e=execution_id, c=callback_id), json.dumps(body).encode())
    refusal(answer, 400, "invalid_input")
    assert Execution.objects.get().status == "RUNNING"
    assert Signal.objects.count() == 0
    assert callback_row(callback_id)["status"] == "STARTED"


def test_body_over_the_limit_is_413_before_it_is_read(admin: Door) -> None:
    body = b'{"function": "echo", "input": "' + b"x" * max_body_bytes() + b'"}'
    assert refusal(admin.raw(START, body), 413, "body_too_large")["limit_bytes"] == max_body_bytes()


def test_payload_over_the_limit_is_413_naming_it(admin: Door) -> None:
    limit = engine_settings().MAX_PAYLOAD_BYTES
    assert admin.raw(START, b'{"function": "echo", "input": "' + b"x" * (limit - 2) + b'"}').status_code == 201
    refusal(admin.raw(START, b'{"function": "echo", "input": "' + b"x" * (limit - 1) + b'"}'), 413, "payload_too_large")
    execution_id = Execution.objects.only("id").get().id
    callback_id = open_callback(execution_id)
    refusal(admin.raw(f"/callbacks/{callback_id}/succeed", b'{"result": "' + b"x" * limit + b'"}'), 413, "payload_too_large")
    big = b'{"name": "go", "payload": "' + b"x" * limit + b'"}'
    refusal(admin.raw(f"/executions/{execution_id}/signal", big), 413, "payload_too_large")
    refusal(admin.post(f"/callbacks/{callback_id}/fail", {"error": {"ErrorData": "x" * 40_000}}), 413, "payload_too_large")
    assert callback_row(callback_id)["status"] == "STARTED"


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "text/json", "application/xml"],
)
def test_other_media_are_415(admin: Door, content_type: str) -> None:
    refusal(admin.raw(START, b'{"function": "echo"}', content_type), 415, "unsupported_media_type")
    assert Execution.objects.count() == 0


@pytest.mark.parametrize("headers", [{"Content-Encoding": "gzip"}, {"Content-Encoding": "deflate"}])
def test_encoded_bodies_are_415_unread(admin: Door, headers: dict[str, str]) -> None:
    refusal(admin.raw(START, b"\x1f\x8b\x08", headers=headers), 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-16", "application/json; charset=nonsense", "application/json; charset=latin-1"]
)
def test_other_character_sets_are_415(admin: Door, content_type: str) -> None:
    refusal(admin.raw(START, b'{"function": "echo"}', content_type), 415, "unsupported_media_type")


def test_chunked_body_is_411_and_not_taken_for_none(admin: Door) -> None:
    callback_id = open_callback(uuid_of(admin.start()))
    answer = admin.raw(f"/callbacks/{callback_id}/succeed", b"", headers={"Transfer-Encoding": "chunked"})
    refusal(answer, 411, "length_required")
    assert callback_row(callback_id)["status"] == "STARTED"


def test_body_shorter_than_announced_is_400(admin: Door, rf: RequestFactory) -> None:
    request = rf.generic("POST", "/api/v1/executions", "{}", content_type="application/json", headers=bearer(admin.user))
    request.META["CONTENT_LENGTH"] = "1000"
    request._stream = io.BytesIO(b'{"function": "echo"}')
    answer = ExecutionsView.as_view()(request)
    assert (answer.status_code, answer.data["code"]) == (400, "invalid_json")


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*", "", "nonsense", "application/json; version=9"])
def test_whatever_is_accepted_answers_are_json(admin: Door, accept: str) -> None:
    answer = admin.client.get("/api/v1/executions", headers={"Accept": accept})
    assert answer.status_code in (200, 406)
    json.loads(answer.content)


QUERIES: list[tuple[str, dict[str, str]]] = [
    ("/executions", {"status": "DONE"}),
    ("/executions", {"state": "x"}),
    ("/executions", {"function": "\x00"}),
    ("/executions", {"name": "x" * 10_000}),
    ("/executions", {"limit": "1000000000"}),
    ("/executions", {"limit": "0"}),
    ("/executions", {"limit": "-1"}),
    ("/executions", {"limit": "9" * 5000}),
    ("/executions", {"limit": "ten"}),
    ("/executions", {"cursor": "x" * 501}),
    ("/executions", {"order_by": "user__password"}),
    ("/executions", {"_connector": "OR 1=1"}),
    ("/executions", {"input__contains": "x"}),
    ("/executions", {"page": "1000000"}),
    ("/executions/{e}/history", {"limit": "1001"}),
    ("/executions/{e}/history", {"reverse_order": "maybe"}),
    ("/executions/{e}/history", {"marker": "x"}),
    ("/callbacks", {"status": "done"}),
    ("/callbacks", {"execution": "x"}),
    ("/functions", {"x": "1"}),
]


@pytest.mark.parametrize(("path", "query"), QUERIES, ids=lambda value: str(value)[:60])
def test_wrong_queries_are_400(admin: Door, path: str, query: dict[str, str]) -> None:
    started = admin.start()
    refusal(admin.get(path.format(e=started["id"]), query), 400, "invalid_input")


@pytest.mark.parametrize("name", ["%" * 199, "_", "\\", "'; drop table durable_execution; --", "a*b", "[a-z]", "\u202e", "😀"])
def test_odd_filters_find_nothing_and_break_nothing(admin: Door, name: str) -> None:
    admin.start(name="n")
    assert admin.get("/executions", {"name": name}).json() == {"results": [], "next": None}


TEXT = st.text(max_size=12)
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats() | TEXT,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(TEXT | st.sampled_from(["function", "input", "name", "error"]), inner, max_size=4)
    ),
    max_leaves=10,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(body=JUNK, seed=st.integers(0, 10**6))
def test_random_bodies_never_break_a_route(admin: Door, body: Any, seed: int) -> None:
    """Whole, wrapped as a start's input, and with bytes changed: no answer is a server error."""
    rng = random.Random(seed)
    whole = json.dumps(body).encode()
    broken = bytearray(whole)
    for _ in range(3):
        broken[rng.randrange(len(broken))] = rng.randrange(256)
    for path in (
        "/executions",
        "/executions/nobody/stop",
        "/executions/nobody/signal",
        "/callbacks/nobody/succeed",
        "/callbacks/nobody/fail",
    ):
        for raw in (whole, bytes(broken)):
            assert admin.raw(path, raw).status_code < 500, (path, raw)
    answer = admin.post("/executions", {"function": "echo", "input": body})
    assert answer.status_code in (201, 400)
    if answer.status_code == 201:
        execution_id = answer.json()["id"]
        assert admin.get(f"/executions/{execution_id}").json()["input"] == body
        assert admin.get(f"/executions/{execution_id}/history").status_code == 200
        assert admin.get("/executions", {"limit": 1}).status_code == 200


@pytest.mark.parametrize(
    "path", ["//", "/%2e%2e/", "/executions/%ff", "/executions/..", "/callbacks/%ff/succeed", "/?x=%ff", "/executions?name=%ff"]
)
def test_odd_addresses_break_nothing(admin: Door, path: str) -> None:
    for method in ("GET", "POST", "HEAD", "OPTIONS", "TRACE"):
        answer = admin.client.generic(method, "/api/v1" + path, "{}", content_type="application/json")
        assert answer.status_code < 500, (method, path)


def test_canary_in_key_and_input_stays_out_of_refusals(admin: Door) -> None:
    bodies = [
        b'{"function": "echo", "input": "canary-7", ',
        b'{"function": "nobody", "input": "canary-7"}',
        b'{"function": "echo", "input": "canary-7", "x": 1}',
    ]
    for body in bodies:
        assert b"canary-7" not in admin.raw(START, body).content
    assert b"dop_canary" not in Client().get("/api/v1/executions", headers={"Authorization": "Bearer dop_canary_x"}).content
