"""Schedules and limits over REST."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from durable_ops.api.serializers import schedules as shapes
from durable_ops.models import AuditEntry, Protection
from execution_engine.models import Execution, Limit, Schedule
from tests.durable_ops.api.conftest import Door, refusal
from tests.durable_ops.people import make_limited, make_user

pytestmark = pytest.mark.usefixtures("steady_hour")

BODY = {"name": "nightly", "function": "echo", "cron": "30 2 * * *", "timezone": "Europe/Berlin", "input": {"n": 1}}


def send(door: Door, method: str, path: str, body: Any = None, etag: str | None = None) -> Any:
    headers = {"If-Match": etag} if etag else {}
    return door.client.generic(method, f"/api/v1{path}", json.dumps(body or {}), content_type="application/json", headers=headers)


def test_made_changed_and_removed(admin: Door) -> None:
    made = admin.post("/schedules", BODY)
    assert made.status_code == 201, made.content
    new = made.json()
    assert set(new) == set(shapes.ScheduleDetailDocument().fields)
    assert (new["cron"], new["interval"], new["input"], len(new["next_firings"]), new["last_firings"]) == (
        "30 2 * * *",
        None,
        {"n": 1},
        10,
        [],
    )
    path = f"/schedules/{new['id']}"
    read = admin.get(path)
    assert read.json() == new and new["due_at"] == new["next_firings"][0]
    [listed] = admin.get("/schedules").json()["results"]
    assert set(listed) == set(shapes.ScheduleDocument().fields)
    changed = send(admin, "PATCH", path, {"interval": 3600, "catch_up": 5, "reason": "more often"}, read["ETag"])
    assert changed.status_code == 200 and (changed.json()["cron"], changed.json()["interval"]) == (None, 3600)
    refusal(send(admin, "PATCH", path, {"catch_up": 6}, read["ETag"]), 412, "changed_meanwhile")
    assert admin.post(f"{path}/pause", {"reason": "holidays"}).json()["due_at"] is None
    assert admin.post(f"{path}/resume").json()["is_paused"] is False
    assert send(admin, "DELETE", path).status_code == 204
    refusal(admin.get(path), 404, "schedule_not_found")
    acts = list(AuditEntry.objects.filter(object_type="schedule").order_by("id").values_list("action", "reason"))
    assert acts == [
        ("schedule.create", ""),
        ("schedule.change", "more often"),
        ("schedule.pause", "holidays"),
        ("schedule.resume", ""),
        ("schedule.delete", ""),
    ]
    facts = AuditEntry.objects.get(action="schedule.change").facts
    assert facts["before"] == {"rule": "30 2 * * *", "catch_up": 1} and facts["after"] == {"rule": "3600", "catch_up": 5}


def test_triggered_and_made_up_for(admin: Door) -> None:
    path = f"/schedules/{admin.post('/schedules', {**BODY, 'cron': '0 * * * *'}).json()['id']}"
    fired = admin.post(f"{path}/trigger").json()
    assert Execution.objects.get(id=fired["execution_id"]).name == fired["name"]
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    span = {"start": (end - timedelta(hours=3)).isoformat(), "end": end.isoformat()}
    assert admin.post(f"{path}/backfill", {**span, "dry_run": True}).json() == {"firings": 4, "note": None, "started": None}
    first, second = (admin.post(f"{path}/backfill", span).json() for _ in range(2))
    assert (first["firings"], len(first["started"]), second["started"]) == (4, 4, [])
    refusal(admin.post(f"{path}/backfill", {**span, "end": (end + timedelta(hours=9)).isoformat()}), 400, "invalid_input")


def test_a_rule_is_previewed_before_anybody_saves_it(admin: Door) -> None:
    moments = admin.get("/schedules/preview", {"cron": "0 9 * * 1", "timezone": "Asia/Tokyo"}).json()["moments"]
    assert len(moments) == 10 and all(one.endswith("T00:00:00.000Z") for one in moments)
    assert len(admin.get("/schedules/preview", {"interval": 60}).json()["moments"]) == 10
    assert "five fields" in refusal(admin.get("/schedules/preview", {"cron": "nonsense"}), 400, "invalid_input")["detail"]


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"cron": None}, 400, "invalid_input"),
        ({"interval": 60}, 400, "invalid_input"),
        ({"cron": "* * * * * *"}, 400, "invalid_input"),
        ({"timezone": "Mars"}, 400, "invalid_input"),
        ({"overlap": "perhaps"}, 400, "invalid_input"),
        ({"catch_up": 101}, 400, "invalid_input"),
        ({"name": ""}, 400, "invalid_input"),
        ({"attributes": {"a": {"b": 1}}}, 400, "invalid_input"),
        ({"function": "nobody"}, 404, "function_not_found"),
        ({"version": "9"}, 404, "function_not_found"),
        ({"surprise": 1}, 400, "invalid_input"),
    ],
)
def test_what_could_not_fire_is_refused(admin: Door, changes: dict[str, Any], status: int, code: str) -> None:
    refusal(admin.post("/schedules", {**BODY, **changes}), status, code)
    assert not Schedule.objects.exists()


def test_two_with_one_name(admin: Door) -> None:
    admin.post("/schedules", BODY)
    refusal(admin.post("/schedules", BODY), 409, "name_taken")


def test_who_may_not(admin: Door) -> None:
    path = f"/schedules/{admin.post('/schedules', BODY).json()['id']}"
    viewer, stranger = Door(make_user("viewer")), Door(make_limited("operator", "order-*"))
    assert viewer.get(path).status_code == 200
    refusal(viewer.post(f"{path}/trigger"), 403, "permission_denied")
    refusal(stranger.get(path), 404, "schedule_not_found")
    refusal(stranger.post(f"{path}/trigger"), 404, "schedule_not_found")
    assert stranger.get("/schedules").json()["results"] == []
    assert "input" not in Door(make_user("approver")).get(path).json()
    refusal(stranger.get("/functions/echo/limits"), 404, "function_not_found")
    refusal(send(viewer, "PUT", "/functions/echo/limits", {"concurrency": 1}), 403, "permission_denied")


def test_lists_are_paged_by_name(admin: Door) -> None:
    for name in ("c", "a", "b"):
        admin.post("/schedules", {**BODY, "name": name})
    first = admin.get("/schedules", {"limit": 2}).json()
    second = admin.client.get(first["next"]).json()
    assert [one["name"] for one in (*first["results"], *second["results"])] == ["a", "b", "c"] and second["next"] is None


def test_limits_are_read_set_and_cleared(admin: Door) -> None:
    path = "/functions/echo/limits"
    read = admin.get(path)
    assert set(read.json()) == set(shapes.LimitsDocument().fields) and read.json()["concurrency"] is None
    body = {"concurrency": 5, "per_key": 1, "starts": 10, "seconds": 60, "burst": 2, "priority": 30, "reason": "slow printer"}
    answer = send(admin, "PUT", path, body, read["ETag"])
    assert answer.status_code == 200, answer.content
    assert (answer.json()["concurrency"], answer.json()["starts"]) == (5, 10)
    refusal(send(admin, "PUT", path, {"concurrency": 9}, read["ETag"]), 412, "changed_meanwhile")
    assert send(admin, "PUT", path, {}, admin.get(path)["ETag"]).json()["concurrency"] is None
    rows = list(AuditEntry.objects.filter(action="limits.change").order_by("id"))
    assert [(row.reason, row.facts["before"]["concurrency"], row.facts["after"]["concurrency"]) for row in rows] == [
        ("slow printer", None, 5),
        ("", 5, None),
    ]


@pytest.mark.parametrize("body", [{"concurrency": 0}, {"per_key": -1}, {"starts": 1.5}, {"seconds": 0}, {"priority": 3601}, {"x": 1}])
def test_limits_that_are_none(admin: Door, body: dict[str, Any]) -> None:
    refusal(send(admin, "PUT", "/functions/echo/limits", body), 400, "invalid_input")
    refusal(send(admin, "PUT", "/functions/nobody/limits", {"concurrency": 1}), 404, "function_not_found")
    assert not Limit.objects.exists()


def test_masked_fields_are_masked(admin: Door) -> None:
    path = f"/schedules/{admin.post('/schedules', {**BODY, 'input': {'iban': 'DE00'}, 'attributes': {'iban': 'DE00'}}).json()['id']}"
    Protection.objects.create(pattern="echo", masked=["iban"])
    operator = Door(make_user("operator"))
    assert "DE00" not in operator.get(path).content.decode() and "DE00" not in operator.get("/schedules").content.decode()
    assert send(operator, "PATCH", path, {"catch_up": 2}).status_code == 200
    assert admin.get(path).json()["input"] == {"iban": "DE00"}
