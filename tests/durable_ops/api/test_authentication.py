from typing import Any

import pytest
from django.test import Client

from durable_ops.doors.callers import REFUSED_KEYS_PER_MINUTE
from durable_ops.models import ApiKey
from tests.durable_ops.api.conftest import Door, refusal
from tests.durable_ops.people import make_key, make_user

URL = "/api/v1/executions"


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer dop_x_y", "Basic YTpi", "Token x", "Bearer a b c", "Bearer \xe9", "\x01"])
def test_bad_credentials_are_401_with_a_hint(db: None, header: str) -> None:
    answer = Client().get(URL, headers={"Authorization": header})
    refusal(answer, 401, "authentication_failed")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="durable-ops"'


def test_key_works_and_notes_its_use(admin: Door) -> None:
    assert admin.get("/executions").status_code == 200
    assert ApiKey.objects.get().last_used_at is not None


def test_revoked_key_ends_at_once(admin: Door) -> None:
    ApiKey.objects.update(revoked_at="2026-01-01T00:00:00Z")
    refusal(admin.get("/executions"), 401, "authentication_failed")


def test_deactivated_person_ends_their_keys(admin: Door) -> None:
    admin.user.is_active = False
    admin.user.save()
    refusal(admin.get("/executions"), 401, "authentication_failed")


def test_flood_of_bad_keys_is_slowed_down_while_good_keys_work(admin: Door) -> None:
    answers = [Client().get(URL, headers={"Authorization": "Bearer dop_x_y"}).status_code for _ in range(REFUSED_KEYS_PER_MINUTE + 2)]
    assert answers == [401] * REFUSED_KEYS_PER_MINUTE + [429] * 2
    last = Client().get(URL, headers={"Authorization": "Bearer dop_x_y"})
    assert refusal(last, 429, "throttled")
    assert last.headers["Retry-After"] == "60"
    assert admin.get("/executions").status_code == 200


def signed_in(user: Any) -> Client:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    return client


def test_session_may_read_and_needs_a_csrf_token_to_change(admin: Door) -> None:
    client = signed_in(make_user("operator"))
    assert client.get(URL).status_code == 200
    body = '{"function": "echo"}'
    for headers in ({}, {"HX-Request": "true"}, {"X-CSRFToken": "a" * 32}, {"Origin": "https://evil.example"}):
        refusal(client.post(URL, body, content_type="application/json", headers=headers), 403, "permission_denied")
    client.get("/login/")
    token = "b" * 32
    client.cookies["csrftoken"] = token
    assert client.post(URL, body, content_type="application/json", headers={"X-CSRFToken": token}).status_code == 201


def test_key_needs_no_csrf_token(admin: Door) -> None:
    client = Client(enforce_csrf_checks=True, headers={"Authorization": f"Bearer {make_key(make_user('operator'))}"})
    assert client.post(URL, '{"function": "echo"}', content_type="application/json").status_code == 201


def test_key_in_the_address_is_no_key(db: None) -> None:
    key = make_key(make_user("operator"))
    assert Client().get(URL, {"key": key, "access_token": key}).status_code == 401
