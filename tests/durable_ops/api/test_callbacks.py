import json
from typing import Any

import pytest

from tests.durable_ops.api.conftest import Door, refusal
from tests.durable_ops.api.test_executions import uuid_of
from tests.durable_ops.journal import callback_row, open_callback


@pytest.fixture
def callback_id(admin: Door) -> str:
    return open_callback(uuid_of(admin.start()), "manager", heartbeat=60)


def test_pending_lists_who_waits(admin: Door, callback_id: str) -> None:
    other = admin.start()
    second = open_callback(uuid_of(other), "finance", timeout=3600)
    found = admin.get("/callbacks", {"status": "pending"}).json()
    assert [(one["callback_id"], one["name"]) for one in found["results"]] == [(callback_id, "manager"), (second, "finance")]
    assert found["results"][1]["execution"] == other["id"]
    assert found["results"][1]["timeout_at"]
    only = admin.get("/callbacks", {"status": "pending", "execution": other["id"]}).json()["results"]
    assert [one["callback_id"] for one in only] == [second]
    admin.post(f"/callbacks/{second}/succeed")
    assert admin.get("/callbacks", {"execution": other["id"]}).json() == {"results": [], "next": None}


def test_pending_is_paged(admin: Door) -> None:
    execution_id = uuid_of(admin.start())
    ids = [open_callback(execution_id, f"c{n}") for n in range(3)]
    first = admin.get("/callbacks", {"limit": 2}).json()
    rest = admin.client.get(first["next"]).json()
    assert [one["callback_id"] for one in first["results"] + rest["results"]] == ids
    assert rest["next"] is None


TEXTS: dict[str, tuple[bytes, str | None]] = {
    "object keeps its blanks": (b'{"result": {"status": "approved"}}', '{"status": "approved"}'),
    "compact object": (b'{"result":{"a":[1,2]}}', '{"a":[1,2]}'),
    "string with its quotes": (b'{"result": "abc"}', '"abc"'),
    "string that is a JSON string": (b'{"result": "\\"abc\\""}', '"abc"'),
    "string that is a JSON object": (b'{"result": "{\\"status\\": \\"approved\\"}"}', '{"status": "approved"}'),
    "string that looks like a number": (b'{"result": "123"}', '"123"'),
    "string that looks like JSON": (b'{"result": "{x"}', '"{x"'),
    "number": (b'{"result": 1.50}', "1.50"),
    "false": (b'{"result": false}', "false"),
    "null": (b'{"result": null}', None),
    "absent": (b"{}", None),
    "no body": (b"", None),
    "other scripts": ('{"result": {"é": "✓"}}'.encode(), '{"é": "✓"}'),
}


@pytest.mark.parametrize("case", TEXTS)
def test_result_is_kept_as_it_was_sent(admin: Door, callback_id: str, case: str) -> None:
    body, stored = TEXTS[case]
    answer = admin.raw(f"/callbacks/{callback_id}/succeed", body)
    assert answer.status_code == 200, answer.content
    row = callback_row(callback_id)
    assert (row["status"], row["payload"]) == ("SUCCEEDED", stored)


@pytest.mark.parametrize(
    "body", [{"ErrorType": "T", "ErrorMessage": "m", "StackTrace": ["a"]}, {"type": "T", "message": "m", "stack_trace": ["a"]}]
)
def test_fail_takes_both_spellings(admin: Door, callback_id: str, body: dict[str, Any]) -> None:
    assert admin.post(f"/callbacks/{callback_id}/fail", {"error": body}).status_code == 200
    assert json.loads(callback_row(callback_id)["error"]) == {"ErrorType": "T", "ErrorMessage": "m", "StackTrace": ["a"]}


def test_fail_without_error(admin: Door, callback_id: str) -> None:
    assert admin.post(f"/callbacks/{callback_id}/fail").status_code == 200
    assert callback_row(callback_id)["status"] == "FAILED"


def test_heartbeat(admin: Door, callback_id: str) -> None:
    before = callback_row(callback_id)["due_at"]
    assert admin.post(f"/callbacks/{callback_id}/heartbeat").status_code == 200
    assert callback_row(callback_id)["due_at"] > before


def test_first_answer_wins(admin: Door, callback_id: str) -> None:
    admin.post(f"/callbacks/{callback_id}/succeed", {"result": 1})
    for verb in ("succeed", "fail", "heartbeat"):
        assert refusal(admin.post(f"/callbacks/{callback_id}/{verb}"), 409, "callback_completed")["callback_status"] == "SUCCEEDED"
    assert callback_row(callback_id)["payload"] == "1"


@pytest.mark.parametrize("wrong", ["nobody-knows", "%00", "a" * 3000, "é", "a b", "..%2F..%2Fetc"])
@pytest.mark.parametrize("verb", ["succeed", "fail", "heartbeat"])
def test_unknown_ids_are_404(admin: Door, wrong: str, verb: str) -> None:
    assert admin.post(f"/callbacks/{wrong}/{verb}").status_code == 404
