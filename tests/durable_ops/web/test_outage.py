"""A database that does not answer is told people as what it is, and the next request is answered as if nothing had been."""

import logging
from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection
from django.test import Client

from tests.durable_ops.people import make_user

pytestmark = pytest.mark.django_db(transaction=True)  # another connection holds what pages ask for


@pytest.fixture
def console() -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(make_user("superuser"))
    return client


@pytest.fixture
def outage(console: Client, database_url: str) -> Iterator[psycopg.Connection]:
    """Nobody learns who is signed in while this connection is open."""
    with connection.cursor() as cursor, psycopg.connect(database_url) as blocker:
        cursor.execute("set lock_timeout = '50ms'")
        blocker.execute("lock table auth_user in access exclusive mode")
        yield blocker
        cursor.execute("reset lock_timeout")


@pytest.mark.parametrize("address", ["/executions/", "/approvals/", "/settings/people/", "/admin/"])
def test_a_page_says_so_and_when_to_come_again(
    console: Client, outage: psycopg.Connection, caplog: pytest.LogCaptureFixture, address: str
) -> None:
    with caplog.at_level(logging.WARNING):
        answer = console.get(address)
    assert (answer.status_code, answer["Retry-After"], answer["Cache-Control"], answer["Referrer-Policy"]) == (
        503, "5", "no-store", "no-referrer",
    )  # fmt: skip
    text = answer.content.decode()
    assert "The database does not answer" in text
    assert "lock timeout" not in text
    assert "script" not in text
    assert not any(record.exc_info for record in caplog.records)
    outage.rollback()
    assert console.get(address).status_code == 200


def test_whoever_sent_something_is_told_to_look(console: Client, outage: psycopg.Connection) -> None:
    answer = console.post("/executions/views/", {"name": "mine", "query": ""})
    assert (answer.status_code, "before you send it again" in answer.content.decode()) == (503, True)
    assert "before you send it again" not in console.get("/executions/").content.decode()
