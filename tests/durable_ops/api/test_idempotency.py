"""A call that is sent again under its key is answered again, not done again."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test import Client

from durable_ops.api import idempotency, urls
from durable_ops.doors import repeats
from durable_ops.models import AuditEntry, StoredAnswer
from execution_engine.models import Execution
from tests.durable_ops.api.conftest import BASE, Door, refusal
from tests.durable_ops.journal import register_function
from tests.durable_ops.people import bearer, make_user

BODY = {"function": "echo", "input": {"a": 1}}


def send(door: Door, key: str, body: Any = BODY, path: str = "/executions") -> Any:
    return door.client.post(BASE + path, body, content_type="application/json", headers={"Idempotency-Key": key})


def test_the_same_call_is_answered_again(admin: Door) -> None:
    first, second = send(admin, "k-1"), send(admin, "k-1", {"input": {"a": 1}, "function": "echo"})
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert Execution.objects.count() == 1
    assert AuditEntry.objects.filter(action="execution.start").count() == 1


def test_another_key_caller_or_route_is_another_call(admin: Door) -> None:
    first = send(admin, "k-1").json()
    others = [send(admin, "k-2"), send(Door(make_user("operator")), "k-1")]
    assert len({first["id"], *(answer.json()["id"] for answer in others)}) == 3
    assert send(admin, "k-1", {"reason": "x"}, f"/executions/{first['id']}/pause").json()["state"] == "paused"


def test_another_body_is_422(admin: Door) -> None:
    send(admin, "k-1")
    refusal(send(admin, "k-1", {**BODY, "input": 2}), 422, "idempotency_key_reused")
    assert Execution.objects.count() == 1


def test_answers_are_kept_encrypted(admin: Door, settings: Any) -> None:
    body = {**BODY, "input": {"iban": "DE12"}}
    first = send(admin, "k-1", body).json()
    assert "DE12" not in StoredAnswer.objects.get().answer
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "x" * 60, [settings.SECRET_KEY]
    assert send(admin, "k-1", body).json() == first
    settings.SECRET_KEY_FALLBACKS = []
    assert "lost" in refusal(send(admin, "k-1", body), 422, "idempotency_key_reused")["detail"]
    assert Execution.objects.count() == 1


def test_a_refusal_is_not_kept(admin: Door) -> None:
    body = {"function": "later", "input": None}
    refusal(send(admin, "k-1", body), 404, "function_not_found")
    assert StoredAnswer.objects.count() == 0
    register_function("later")
    assert send(admin, "k-1", body).status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "ü"])
def test_odd_keys_are_400(admin: Door, key: str) -> None:
    assert refusal(send(admin, key), 400, "invalid_input")["field"] == "Idempotency-Key"
    assert Execution.objects.count() == 0


def test_after_a_day_it_is_a_new_call_and_forgotten(admin: Door) -> None:
    first = send(admin, "k-1").json()
    StoredAnswer.objects.update(created_at=F("created_at") - timedelta(hours=25))
    assert send(admin, "k-1").json()["id"] != first["id"]
    send(admin, "k-2")
    StoredAnswer.objects.filter(status=201).update(created_at=F("created_at") - timedelta(hours=25))
    send(admin, "k-3")
    idempotency.forget_old()
    assert StoredAnswer.objects.count() == 1


def test_every_post_of_the_door_takes_part() -> None:
    posts = [view.post for pattern in urls.urlpatterns if hasattr(view := pattern.callback.view_class, "post")]
    assert len(posts) > 10
    assert all(hasattr(post, "__wrapped__") for post in posts)


@pytest.mark.django_db(transaction=True)
def test_duplicates_at_the_same_time_are_one_call() -> None:
    register_function("echo")
    headers = {**bearer(make_user("operator")), "Idempotency-Key": "k-1"}
    answers, begin = [], threading.Barrier(8)

    def call() -> None:
        begin.wait()
        answers.append(Client().post(f"{BASE}/executions", BODY, content_type="application/json", headers=headers))
        connection.close()

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert Execution.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_who_has_waited_too_long_is_told_to_ask_again(monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    import psycopg

    register_function("echo")
    door = Door(make_user("operator"))
    monkeypatch.setattr(repeats, "WAIT_SECONDS", 0.2)
    with psycopg.connect(database_url) as other:
        digest = repeats.digest(f"key {door.user.api_keys.get().pk}", f"{BASE}/executions", "k-1")
        other.execute("insert into durable_ops_stored_answer (digest, body_digest, status, answer) values (%s, %s, 0, '')", [digest, b""])
        refusal(send(door, "k-1"), 409, "idempotency_key_busy")
        other.rollback()
    assert send(door, "k-1").status_code == 201
    assert Execution.objects.count() == 1
