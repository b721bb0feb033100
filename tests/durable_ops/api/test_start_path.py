"""What a start over REST asks of the database, literally: each statement more is a millisecond of the half-load figure."""

import re
import time

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from durable_ops.doors import known_keys
from durable_ops.doors.known_keys import KNOWN_KEYS
from durable_ops.models import ApiKey
from tests.durable_ops.api.conftest import Door, refusal
from tests.durable_ops.people import make_user

START = {"function": "echo", "name": "n-1", "input": {"a": 1}, "attributes": {"customer": 42}}


KEY = ["select durable_ops_api_key", "select django_content_type", "select auth_permission"]  # whose, their own rights, their groups


@pytest.fixture(autouse=True)
def _unknown_keys() -> None:
    KNOWN_KEYS.forget()


def test_a_start_is_few_statements_and_one_commit(admin: Door) -> None:
    operator = Door(make_user("operator"))
    operator.post("/executions", {**START, "name": "warm"})
    with CaptureQueriesContext(connection) as queries:
        assert operator.post("/executions", START).status_code == 201
    kinds = [kind(query["sql"]) for query in queries]
    assert [one for one in kinds if one not in KEY and "mask" not in one] == [  # a key is believed for a second
        "savepoint",  # in a test; a transaction begins, with the first statement in it, outside of one
        "with clock",
        "insert durable_ops_audit_entry",
        "release",  # the commit
        "select statement_timestamp",  # the answer
    ]


def test_a_revoked_key_starts_nothing_a_second_later(admin: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic()
    monkeypatch.setattr(known_keys.time, "monotonic", lambda: now)
    assert admin.post("/executions", START).status_code == 201
    ApiKey.objects.update(revoked_at=Now())
    assert admin.get("/functions").status_code == 401
    now += known_keys.KNOWN_SECONDS
    refusal(admin.post("/executions", {**START, "name": "n-2"}), 401, "authentication_failed")


def test_under_an_idempotency_key_it_is_still_one_commit(admin: Door) -> None:
    admin.get("/functions")  # notes that the key is in use
    headers = {"Idempotency-Key": "k-1"}
    with CaptureQueriesContext(connection) as queries:
        answer = admin.client.post("/api/v1/executions", START, content_type="application/json", headers=headers)
    assert answer.status_code == 201
    kinds = [kind(query["sql"]) for query in queries]
    # The outer transaction holds the stored answer and, in its savepoint, the start.
    assert kinds.count("savepoint") == kinds.count("release") == 2
    assert kinds[-1] == "release"
    assert len(kinds) == 14, kinds


def kind(sql: str) -> str:
    words = re.findall(r"\w+", sql.lower())
    if words[0] == "insert":
        return f"insert {words[2]}"
    if words[0] in ("select", "with", "update"):
        return f"{words[0]} {words[1]}"
    return words[0]
