"""Polling: nothing changed costs one query and tells nothing; everything else goes the long way."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from durable_ops import quick_poll
from execution_engine.models import Execution, FunctionVersion
from tests.durable_ops.dashboard.conftest import HTMX
from tests.durable_ops.people import make_user
from tests.factories import make_execution, make_operation, make_version

pytestmark = pytest.mark.django_db
LIVE = re.compile(r'id="detail-live"[^>]*hx-get="([^"]+)"')


@pytest.fixture
def version(db: None) -> FunctionVersion:
    return make_version()


@pytest.fixture
def execution(version: FunctionVersion) -> Execution:
    due_at = datetime.now(UTC) + timedelta(hours=1)
    execution = make_execution(version, due_at=due_at, event_seq=3)
    make_operation(execution, "WAIT", "STARTED", name="pause", due_at=due_at, options={"duration": 3600})
    return execution


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(make_user("superuser"))
    return client


def live_address(client: Client, execution: Execution) -> str:
    found = LIVE.search(client.get(f"/executions/{execution.id}/").content.decode())
    assert found is not None
    return found[1].replace("&amp;", "&")


def change_row(execution: Execution, **values: Any) -> None:
    """As the journal does, in SQL."""
    columns = ", ".join(f"{name} = %s" for name in values)
    with connection.cursor() as cursor:
        cursor.execute(f"update durable_execution set {columns} where id = %s", [*values.values(), execution.id])


def test_nothing_new_is_one_query(admin: Client, execution: Execution, django_assert_num_queries: Any) -> None:
    address = live_address(admin, execution)
    with django_assert_num_queries(1):
        answer = admin.get(address, headers=HTMX)
    assert (answer.status_code, answer.content, answer["Cache-Control"]) == (204, b"", "no-store")


@pytest.mark.parametrize("change", [{"event_seq": 4}, {"wake_seq": 9}, {"status_text": "on it"}, {"status": "PAUSED"}, {"due_at": None}])
def test_whatever_people_see_is_news(admin: Client, execution: Execution, change: dict[str, Any]) -> None:
    address = live_address(admin, execution)
    change_row(execution, **change)
    answer = admin.get(address, headers=HTMX)
    assert answer.status_code == 200
    assert "stamp=" in answer.content.decode() or change == {"status": "PAUSED"}


def test_a_stamp_opens_nothing_else(admin: Client, execution: Execution, version: FunctionVersion) -> None:
    address = live_address(admin, execution)
    other = make_execution(version, due_at=execution.due_at, event_seq=3)
    assert Client().get(address).status_code == 204  # whoever was shown the page
    assert Client().get(address.replace(str(execution.id), str(other.id))).status_code == 302
    for forged in (address[:-3] + "abc", re.sub(r"stamp=\d+", "stamp=9999999999", address), re.sub(r"stamp=.*", "stamp=1.2.3", address)):
        assert Client().get(forged).status_code == 302
    change_row(execution, event_seq=4)
    assert Client().get(address).status_code == 302


def test_an_old_stamp_is_renewed_with_the_page(admin: Client, execution: Execution, monkeypatch: pytest.MonkeyPatch) -> None:
    address = live_address(admin, execution)
    later = quick_poll.time.time() + 301
    monkeypatch.setattr(quick_poll.time, "time", lambda: later)
    answer = admin.get(address, headers=HTMX)
    assert (answer.status_code, "stamp=" in answer.content.decode()) == (200, True)


def test_what_time_alone_will_change_soon_has_no_stamp(admin: Client, execution: Execution) -> None:
    change_row(execution, due_at=datetime.now(UTC) + timedelta(seconds=5))
    assert "stamp=" not in live_address(admin, execution)
