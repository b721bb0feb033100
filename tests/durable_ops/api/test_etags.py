"""A GET whose answer is known is 304 after few queries, and never when something changed."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from durable_ops.api.etags import require_match, tag_of
from execution_engine.core.errors import ChangedMeanwhileError
from tests.durable_ops.api.conftest import BASE, Door
from tests.durable_ops.people import make_user


def again(door: Door, path: str, tag: str) -> Any:
    return door.client.get(BASE + path, headers={"If-None-Match": tag})


def test_an_open_execution_is_304_until_it_changes(admin: Door) -> None:
    started = admin.start()
    path = f"/executions/{started['id']}"
    tag = admin.get(path).headers["ETag"]
    with CaptureQueriesContext(connection) as queries:
        answer = again(admin, path, f'"other", {tag}')
    assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", tag)
    tables = [query["sql"] for query in queries if "durable_execution" in query["sql"]]
    assert len(tables) == 1
    assert len(queries) <= 4, [query["sql"][:80] for query in queries]
    assert {one.headers["Cache-Control"] for one in (answer, admin.get(path))} == {"private, no-cache"}  # in no cache that others share
    admin.post(f"{path}/pause")
    changed = again(admin, path, tag)
    assert (changed.status_code, changed.json()["state"]) == (200, "paused")
    assert changed.headers["ETag"] != tag
    with connection.cursor() as cursor:
        cursor.execute("""update durable_execution set attributes = '{"customer": 1}'""")
    assert again(admin, path, changed.headers["ETag"]).status_code == 200


def test_whoever_may_not_read_payloads_has_another_tag(admin: Door) -> None:
    path = f"/executions/{admin.start()['id']}"
    tag = admin.get(path).headers["ETag"]
    assert again(Door(make_user("approver")), path, tag).status_code == 200


@pytest.mark.parametrize("path", ["/executions", "/functions", "/callbacks", "/batches", "/audit?action=execution.", "/approvals"])
def test_other_answers_have_the_tag_of_their_text(admin: Door, path: str) -> None:
    first = admin.client.get(BASE + path)
    assert first.headers["ETag"] == tag_of(first.content)
    assert "Authorization" in first.headers["Vary"]
    assert again(admin, path, first.headers["ETag"]).status_code == 304
    assert again(admin, path, '"x"').status_code == 200


def test_refusals_and_changes_have_none(admin: Door) -> None:
    assert "ETag" not in admin.get("/executions/nobody").headers
    assert "ETag" not in admin.post("/executions", {"function": "echo"}).headers


@pytest.mark.parametrize(("sent", "is_fine"), [(None, True), ("*", True), ("mine", True), ('"other"', False), ('W/"x"', False)])
def test_a_change_of_what_changed_meanwhile_is_412(sent: str | None, is_fine: bool) -> None:
    current = {"concurrency": 3}
    tag = tag_of(b'{"concurrency":3}') if sent == "mine" else sent
    request = Request(APIRequestFactory().put("/", headers={"If-Match": tag} if tag else {}))
    if is_fine:
        require_match(request, current)
        return
    with pytest.raises(ChangedMeanwhileError):
        require_match(request, current)
