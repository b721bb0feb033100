"""Polling: nothing changed costs one query of its own connection and tells nothing; everything else goes the long way."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client, RequestFactory

from durable_ops import wsgi
from durable_ops.web import quick_poll
from execution_engine.models import Execution, FunctionVersion
from tests.durable_ops.dashboard.conftest import HTMX
from tests.durable_ops.people import make_user
from tests.factories import make_execution, make_operation, make_version

pytestmark = pytest.mark.django_db(transaction=True)  # polls are read over a connection of their own
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


@pytest.fixture
def poll() -> Iterator[Callable[..., tuple[int, str]]]:
    """Asks as a web server does, with the session of a client; answers status and body."""

    def ask(address: str, client: Client | None = None) -> tuple[int, str]:
        environ = RequestFactory(headers=HTMX).get(address).environ
        if client is not None:
            environ["HTTP_COOKIE"] = "; ".join(f"{name}={one.value}" for name, one in client.cookies.items())
        statuses: list[str] = []
        answer = wsgi.application(environ, lambda status, headers: statuses.append(status))
        body = b"".join(answer).decode()
        getattr(answer, "close", lambda: None)()
        return int(statuses[0][:3]), body

    yield ask
    wsgi.application.close()


def live_address(client: Client, execution: Execution) -> str:
    found = LIVE.search(client.get(f"/executions/{execution.id}/").content.decode())
    assert found is not None
    return found[1].replace("&amp;", "&")


def change_row(execution: Execution, **values: Any) -> None:
    """As the journal does, in SQL."""
    columns = ", ".join(f"{name} = %s" for name in values)
    with connection.cursor() as cursor:
        cursor.execute(f"update durable_execution set {columns} where id = %s", [*values.values(), execution.id])


def test_nothing_new_costs_django_nothing(admin: Client, execution: Execution, poll: Any, django_assert_num_queries: Any) -> None:
    address = live_address(admin, execution)
    with django_assert_num_queries(0):
        assert poll(address, admin) == (204, "")


@pytest.mark.parametrize("change", [{"event_seq": 4}, {"wake_seq": 9}, {"status_text": "on it"}, {"status": "PAUSED"}, {"due_at": None}])
def test_whatever_people_see_is_news(admin: Client, execution: Execution, poll: Any, change: dict[str, Any]) -> None:
    address = live_address(admin, execution)
    change_row(execution, **change)
    status, page = poll(address, admin)
    assert status == 200
    assert "stamp=" in page or change == {"status": "PAUSED"}


def test_a_stamp_opens_nothing_else(admin: Client, execution: Execution, version: FunctionVersion, poll: Any) -> None:
    address = live_address(admin, execution)
    other = make_execution(version, due_at=execution.due_at, event_seq=3)
    assert poll(address)[0] == 204  # whoever was shown the page
    assert poll(address.replace(str(execution.id), str(other.id)))[0] == 401
    for forged in (address[:-3] + "abc", re.sub(r"stamp=\d+", "stamp=9999999999", address), re.sub(r"stamp=.*", "stamp=1.2.3", address)):
        assert poll(forged)[0] == 401
    change_row(execution, event_seq=4)
    assert poll(address)[0] == 401


def test_an_old_stamp_is_renewed_with_the_page(admin: Client, execution: Execution, poll: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    address = live_address(admin, execution)
    later = quick_poll.time.time() + 301
    monkeypatch.setattr(quick_poll.time, "time", lambda: later)
    status, page = poll(address, admin)
    assert (status, "stamp=" in page) == (200, True)


def test_what_time_alone_will_change_soon_has_no_stamp(admin: Client, execution: Execution) -> None:
    change_row(execution, due_at=datetime.now(UTC) + timedelta(seconds=5))
    assert "stamp=" not in live_address(admin, execution)


def test_a_lost_connection_costs_one_long_way(admin: Client, execution: Execution, poll: Any) -> None:
    address = live_address(admin, execution)
    assert poll(address)[0] == 204
    with connection.cursor() as cursor:
        cursor.execute("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'durable:polls'")
    assert poll(address)[0] == 401
    assert poll(address)[0] == 204
