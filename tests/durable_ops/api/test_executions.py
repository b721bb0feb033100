import json
import re
from typing import Any

import pytest
from django.db import connection

from durable_ops.models import AuditEntry, Protection
from execution_engine.models import Execution, Signal
from tests.durable_ops.api.conftest import Door, refusal
from tests.durable_ops.journal import open_callback, register_function
from tests.durable_ops.people import make_user

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def test_start_answers_201_with_the_execution(admin: Door) -> None:
    answer = admin.post("/executions", {"function": "echo", "name": "n-1", "input": {"a": [1, "é"]}, "attributes": {"customer": 42}})
    assert answer.status_code == 201
    body = answer.json()
    expected = {
        "name": "n-1", "function": "echo", "version": "1", "status": "RUNNING", "input": {"a": [1, "é"]}, "result": None, "error": None,
        "attributes": {"customer": 42}, "started_by": "anna (key tests)", "ended_at": None, "payloads_visible": True,
    }  # fmt: skip
    assert {key: body[key] for key in expected} == expected
    assert body["state"] in {"queued", "stranded"}
    assert TIME.fullmatch(body["started_at"])
    assert body["arn"] == f"arn:aws:lambda:us-east-1:000000000000:function:echo:1/durable-execution/n-1/{body['id']}"
    assert Execution.objects.get(id=body["id"]).input == '{"a":[1,"é"]}'
    act = AuditEntry.objects.get(action="execution.start")
    assert (act.object_id, act.channel, act.address, act.actor) == (body["id"], "rest", "127.0.0.1", "anna (key tests)")
    assert act.key_prefix


@pytest.mark.parametrize("value", [None, 0, "text", [], {}, True, 1.5, {"deep": [{"x": None}]}])
def test_input_is_any_json_value(admin: Door, value: Any) -> None:
    started = admin.start(input=value)
    assert admin.get(f"/executions/{started['id']}").json()["input"] == value


def test_input_may_be_absent(admin: Door) -> None:
    assert Execution.objects.get(id=admin.start()["id"]).input is None


def test_name_makes_the_start_idempotent(admin: Door) -> None:
    first = admin.start(name="once", input={"a": 1})
    again = admin.post("/executions", {"function": "echo", "name": "once", "input": {"a": 1}})
    assert (again.status_code, again.json()["id"]) == (200, first["id"])
    other = admin.post("/executions", {"function": "echo", "name": "once", "input": {"a": 2}})
    assert refusal(other, 409, "execution_already_started")["execution_id"] == first["id"]
    assert Execution.objects.count() == 1


def test_unknown_function_and_version(admin: Door) -> None:
    refusal(admin.post("/executions", {"function": "nobody"}), 404, "function_not_found")
    refusal(admin.post("/executions", {"function": "echo", "version": "99"}), 404, "function_not_found")


def test_list_is_paged_and_filtered_without_payloads(admin: Door) -> None:
    register_function("other")
    ids = [admin.start(input={"secret": "x"}, name=f"e{n}")["id"] for n in range(3)]
    admin.post("/executions", {"function": "other"})
    first = admin.get("/executions", {"function": "echo", "limit": 2}).json()
    second = admin.client.get(first["next"]).json()
    assert [one["id"] for one in first["results"] + second["results"]] == ids[::-1]
    assert second["next"] is None
    assert all({"input", "result", "error"}.isdisjoint(one) for one in first["results"])
    assert [one["name"] for one in admin.get("/executions", {"name": "e1"}).json()["results"]] == ["e1"]
    assert admin.get("/executions", {"status": "FAILED"}).json() == {"results": [], "next": None}
    admin.post(f"/executions/{ids[0]}/stop")
    assert [one["id"] for one in admin.get("/executions", {"status": "STOPPED"}).json()["results"]] == [ids[0]]
    assert [one["id"] for one in admin.get("/executions", {"state": "stopped", "status": ""}).json()["results"]] == [ids[0]]


def test_stop_ends_it_with_the_reason(admin: Door) -> None:
    started = admin.start()
    body = admin.post(f"/executions/{started['id']}/stop", {"reason": "wrong customer"}).json()
    assert (body["status"], body["state"]) == ("STOPPED", "stopped")
    assert body["error"] == {"ErrorMessage": "Stopped by anna (key tests): wrong customer", "ErrorType": "Execution.Stopped"}
    assert TIME.fullmatch(body["ended_at"])
    problem = refusal(admin.post(f"/executions/{started['id']}/stop"), 409, "execution_ended")
    assert problem["execution_status"] == "STOPPED"


@pytest.mark.parametrize("keys", [("ErrorType", "ErrorMessage", "ErrorData", "StackTrace"), ("type", "message", "data", "stack_trace")])
def test_stop_keeps_a_given_error(admin: Door, keys: tuple[str, ...]) -> None:
    started = admin.start()
    error = dict(zip(keys, ["T", "m", "d", ["line"]], strict=True))
    body = admin.post(f"/executions/{started['id']}/stop", {"error": error}).json()
    assert body["error"] == {"ErrorType": "T", "ErrorMessage": "m", "ErrorData": "d", "StackTrace": ["line"]}


def test_stop_without_a_body(admin: Door) -> None:
    started = admin.start()
    assert admin.client.generic("POST", f"/api/v1/executions/{started['id']}/stop").status_code == 200


def test_signal_is_buffered(admin: Door) -> None:
    started = admin.start()
    assert admin.post(f"/executions/{started['id']}/signal", {"name": "review", "payload": {"ok": True}}).status_code == 200
    assert admin.post(f"/executions/{started['id']}/signal", {"name": "bare"}).status_code == 200
    rows = Signal.objects.order_by("id").values_list("name", "payload", "sent_by")
    assert list(rows) == [("review", '{"ok":true}', "anna (key tests)"), ("bare", None, "anna (key tests)")]


def test_history_has_aws_events_by_page_and_backwards(admin: Door) -> None:
    started = admin.start(input={"a": 1})
    open_callback(uuid_of(started), "one", timeout=60)
    open_callback(uuid_of(started), "two")
    path = f"/executions/{started['id']}/history"
    events = admin.get(path).json()
    assert events["next"] is None
    assert [(e["EventId"], e["EventType"], e.get("Name")) for e in events["results"]] == [
        (1, "ExecutionStarted", None), (2, "CallbackStarted", "one"), (3, "CallbackStarted", "two"),
    ]  # fmt: skip
    assert events["results"][0]["ExecutionStartedDetails"]["Input"] == {"Payload": '{"a":1}', "Truncated": False}
    assert events["results"][1]["CallbackStartedDetails"]["Timeout"] == 60
    assert all(TIME.fullmatch(e["EventTimestamp"]) for e in events["results"])
    first = admin.get(path, {"limit": 2}).json()
    rest = admin.client.get(first["next"]).json()
    assert first["results"] + rest["results"] == events["results"]
    back = admin.get(path, {"limit": 2, "reverse_order": "true"}).json()
    back_rest = admin.client.get(back["next"]).json()
    assert back["results"] + back_rest["results"] == events["results"][::-1]
    bare = admin.get(path, {"include_execution_data": "false"}).json()["results"][0]
    assert "Payload" not in bare["ExecutionStartedDetails"]["Input"]


def test_operations_by_page(admin: Door) -> None:
    started = admin.start()
    callback_id = open_callback(uuid_of(started), "one")
    open_callback(uuid_of(started), "two")
    path = f"/executions/{started['id']}/operations"
    found = admin.get(path).json()
    own = [one for one in found["results"] if one["type"] == "CALLBACK"]
    assert [(one["name"], one["status"]) for one in own] == [("one", "STARTED"), ("two", "STARTED")]
    assert own[0]["callback_id"] == callback_id
    first = admin.get(path, {"limit": 1}).json()
    assert first["results"] + admin.client.get(first["next"]).json()["results"] == found["results"]


NOBODY = "6f1d9c1e-2b7a-4f55-9c3b-0d1e2f3a4b5c"


@pytest.mark.parametrize("wrong", [NOBODY, "x", "0" * 32, "{" + NOBODY + "}", "%00", "é", "a" * 3000, "1%2F2"])
@pytest.mark.parametrize("route", ["", "/history", "/operations"])
def test_ids_of_nothing_are_404(admin: Door, wrong: str, route: str) -> None:
    assert admin.get(f"/executions/{wrong}{route}").status_code == 404


def test_without_the_right_payloads_are_hidden(admin: Door) -> None:
    started = admin.start(input={"secret": 1})
    approver = Door(make_user("approver"))
    path = f"/executions/{started['id']}"
    body = approver.get(path).json()
    assert (body["input"], body["payloads_visible"]) == (None, False)
    history = approver.get(f"{path}/history")
    assert "secret" not in history.content.decode()
    problem = refusal(approver.get(f"{path}/history", {"include_execution_data": "true"}), 403, "permission_denied")
    assert problem["right"] == "view_payload"


def test_result_that_is_no_json_is_shown_as_text(admin: Door) -> None:
    started = admin.start()
    for stored, shown in [
        ("NaN", "NaN"),
        ("HELLO", "HELLO"),
        ('"\\ud800"', "\ud800"),
        ('{"E": "a\\u0000b"}', {"E": "a\x00b"}),
        ("[1]", [1]),
    ]:
        with connection.cursor() as cursor:
            cursor.execute("update durable_execution set result = %s where id = %s", [stored, started["id"]])
        answer = admin.get(f"/executions/{started['id']}")
        assert answer.status_code == 200
        assert json.loads(answer.content)["result"] == shown


def test_functions_lists_versions(admin: Door) -> None:
    found = admin.get("/functions").json()["results"]
    assert [(one["name"], [v["version"] for v in one["versions"]]) for one in found] == [("echo", ["1"])]


def uuid_of(started: dict[str, Any]) -> Any:
    return Execution.objects.only("id").get(id=started["id"]).id


def test_for_whom_fields_are_masked_errors_are_found_by_type_alone(admin: Door) -> None:
    Protection.objects.create(pattern="*", masked=["iban"])
    started = admin.start()
    path, viewer = f"/executions/{started['id']}/stop", Door(make_user("viewer"))
    admin.post(path, {"error": {"ErrorType": "Bank.Refused", "ErrorMessage": 'iban: DE12 "ErrorType": "DE12'}})
    found = {(door.user.username, text): len(door.get("/executions", {"error": text}).json()["results"])
             for door in (admin, viewer) for text in ("bank.ref", "DE12")}  # fmt: skip
    assert found == {("anna", "bank.ref"): 1, ("anna", "DE12"): 1, (viewer.user.username, "bank.ref"): 1, (viewer.user.username, "DE12"): 0}


def test_tag_changes_with_what_is_masked(admin: Door) -> None:
    path, viewer = f"/executions/{admin.start()['id']}", Door(make_user("viewer"))
    before = [door.get(path).headers["ETag"] for door in (admin, viewer)]
    Protection.objects.create(pattern="echo", masked=["iban"])
    after = [door.get(path).headers["ETag"] for door in (admin, viewer)]
    assert (after[0], after[1] != before[1]) == (before[0], True)
