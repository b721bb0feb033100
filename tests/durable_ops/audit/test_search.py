"""Reading the audit log page by page."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

import pytest
from django.test import Client

from durable_ops.models import AuditEntry
from tests.durable_ops.api.conftest import Door
from tests.durable_ops.people import make_user

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def written_at_once() -> list[str]:
    """Time and id tell of different orders, as when two statements begin one after the other and are written the other way round."""
    for name, late in (("c", 2), ("e", 0), ("a", 4), ("b", 3), ("d", 2)):
        at = NOON + timedelta(milliseconds=late)
        AuditEntry.objects.create(at=at, actor=name, channel="rest", action="x.y", object_type="x", object_id=name)
    return ["a", "b", "d", "c", "e"]


def test_rest_leaves_none_out(written_at_once: list[str]) -> None:
    door, query, read = Door(make_user("administrator")), {"limit": "1", "action": "x.y"}, []
    for _ in range(6):
        page = door.get("/audit", query).json()
        read += [entry["actor"] for entry in page["results"]]
        if page["next"] is None:
            break
        query = dict(parse_qsl(page["next"].partition("?")[2]))
    assert read == written_at_once


def test_page_leaves_none_out(written_at_once: list[str], monkeypatch: pytest.MonkeyPatch, client: Client) -> None:
    monkeypatch.setattr("durable_ops.dashboard.views.audit.PAGE_SIZE", 1)
    client.force_login(make_user("administrator"))
    address, read = "/audit/?action=x.y", []
    for _ in range(5):
        context = client.get(address).context
        read += [entry.actor for entry in context["entries"]]
        address = context["next_url"]
    assert (read, address) == (written_at_once, None)
