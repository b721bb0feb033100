"""Keys over REST: made, listed, rotated, revoked; the secret is told once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from durable_ops.models import ApiKey, StoredAnswer
from durable_ops.texts.secret_text import open_sealed
from tests.durable_ops.api.conftest import Door, refusal
from tests.durable_ops.people import make_user

pytestmark = pytest.mark.django_db


def test_key_is_made_and_works_within_its_limits(admin: Door) -> None:
    door = Door(make_user("operator"))
    ends = (timezone.now() + timedelta(days=1)).isoformat()
    body = {"name": "job", "scopes": ["view_execution"], "functions": ["payments-*"], "expires_at": ends, "for_aws": True}
    made = door.post("/keys", body)
    assert made.status_code == 201
    new = made.json()
    assert new["access_key_id"] == f"dop_{new['prefix']}"
    assert new["key"] not in door.get(f"/keys/{new['id']}").content.decode()
    call = {"Authorization": f"Bearer {new['key']}"}
    assert door.client.get("/api/v1/executions", headers=call).status_code == 200
    answer = door.client.post("/api/v1/executions", {"function": "payments-x"}, content_type="application/json", headers=call)
    refusal(answer, 403, "permission_denied")
    assert [one["name"] for one in door.client.get("/api/v1/keys", headers=call).json()["results"]] == ["job"]


def test_rotation_and_revocation(admin: Door) -> None:
    door = Door(make_user("operator"))
    old = door.post("/keys", {"name": "job"}).json()
    new = door.post(f"/keys/{old['id']}/rotate", {"overlap_hours": 1}).json()
    assert (new["name"], new["replaces"]) == ("job", old["id"])
    assert door.get(f"/keys/{old['id']}").json()["expires_at"] is not None
    assert door.post(f"/keys/{old['id']}/revoke", {}).json()["revoked_at"] is not None
    refusal(door.post(f"/keys/{old['id']}/rotate", {}), 409, "key_ended")


def test_secret_is_not_kept_for_a_repeated_call(admin: Door) -> None:
    door = Door(make_user("operator"))
    send = {"content_type": "application/json", "headers": {"Idempotency-Key": "once"}}
    first, second = (door.client.post("/api/v1/keys", {"name": "job"}, **send).json() for _ in range(2))
    assert first["id"] == second["id"]
    assert second["key"] is None
    kept = open_sealed(StoredAnswer.objects.get().answer)
    assert kept is not None and first["name"] in kept and first["key"] not in kept


def test_keys_of_others_are_not_there(admin: Door) -> None:
    door, key = Door(make_user("operator")), ApiKey.objects.get(user=admin.user)
    refusal(door.get(f"/keys/{key.pk}"), 404, "key_not_found")
    refusal(door.post(f"/keys/{key.pk}/rotate", {}), 404, "key_not_found")
    refusal(door.post(f"/keys/{key.pk}/revoke", {}), 404, "key_not_found")
    refusal(door.post("/keys", {"name": "x", "user": admin.user.username}), 403, "permission_denied")
    assert {one["user"] for one in admin.get("/keys").json()["results"]} == {"operator", admin.user.username}


@pytest.mark.parametrize(
    "wrong",
    [
        {"scopes": ["fly"]},
        {"functions": ["a b"]},
        {"expires_at": "2001-01-01T00:00:00Z"},
        {"name": ""},
        {"rights": []},
        {"user": "ghost"},
    ],
)
def test_bad_bodies_are_refused(admin: Door, wrong: dict[str, object]) -> None:
    answer = admin.post("/keys", {"name": "x", **wrong})
    assert answer.status_code == 400, answer.content
    assert ApiKey.objects.count() == 1
