"""Cursors are ours, unchanged, and of this list; every list goes through to its end."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.durable_ops.api.conftest import Door, refusal
from tests.durable_ops.api.test_executions import uuid_of
from tests.durable_ops.journal import open_callback

LISTS = ["/executions", "/executions/{e}/history", "/executions/{e}/operations", "/callbacks"]


@pytest.fixture
def filled(admin: Door) -> dict[str, Any]:
    found = [admin.start() for _ in range(5)]
    for _ in range(5):
        open_callback(uuid_of(found[0]), "several")
    return found[0]


@pytest.mark.parametrize("path", LISTS)
def test_every_row_comes_once(admin: Door, filled: dict[str, Any], path: str) -> None:
    path = path.format(e=filled["id"])
    whole = admin.get(path).json()["results"]
    assert len(whole) >= 5
    seen, address = [], f"/api/v1{path}?limit=2"
    while address:
        answer = admin.client.get(address).json()
        assert len(answer["results"]) <= 2
        seen += answer["results"]
        address = answer["next"]
    key = next(name for name in ("callback_id", "EventId", "id") if name in whole[0])
    assert [one[key] for one in seen] == [one[key] for one in whole]


@pytest.mark.parametrize("path", LISTS)
def test_changed_cursors_are_400(admin: Door, filled: dict[str, Any], path: str) -> None:
    path = path.format(e=filled["id"])
    cursor = parse_qs(urlsplit(admin.get(path, {"limit": 1}).json()["next"]).query)["cursor"][0]
    place, _, mac = cursor.rpartition("~")
    for forged in (f"{place}0~{mac}", f"{place}~{mac[:-1]}", place, "1", "x~y", mac, cursor.upper(), "é"):
        refusal(admin.get(path, {"cursor": forged}), 400, "invalid_cursor")
    other = "/callbacks" if path != "/callbacks" else "/executions"
    refusal(admin.get(other, {"cursor": cursor}), 400, "invalid_cursor")
