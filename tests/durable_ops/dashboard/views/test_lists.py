"""Functions, audit log and the pages for what went wrong."""

import json
import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import strip_tags

from durable_ops.actions.actor import Actor, Channel
from durable_ops.audit import canonical, log
from durable_ops.dashboard.templatetags.dashboard import details
from durable_ops.models import AuditEntry, AuditSeal
from execution_engine.models import FunctionVersion
from tests.durable_ops.dashboard.conftest import HTMX
from tests.factories import make_execution, make_version, some_id


def test_functions_show_versions_and_who_serves_them(admin: Client, version: FunctionVersion) -> None:
    make_execution(make_version("orphan", "3"))
    html = admin.get("/functions/").content.decode()
    assert ("expense-approval" in html, "orphan" in html, html.count("tone-stranded")) == (True, True, 1)
    url = re.search(r'id="rows-live"[^>]*hx-get="([^"]+)"', html)
    assert url is not None
    assert admin.get(url.group(1), headers=HTMX).status_code == 204


def test_no_function_is_explained(admin: Client) -> None:
    html = admin.get("/functions/").content.decode()
    assert ("No function is known yet" in html, "No worker has been seen" in html) == (True, True)


@pytest.mark.parametrize("rows", [1, 3])
def test_audit_asks_for_the_rows_with_their_seals_and_for_the_chain(admin: Client, rows: int) -> None:
    append(rows)
    with CaptureQueriesContext(connection) as queries:
        html = admin.get("/audit/").content.decode()
    assert (html.count('id="entry-'), len(queries)) == (rows, 4 + 2)


def test_the_chain_is_shown_and_verified(admin: Client) -> None:
    append(2)
    assert "2 not sealed yet" in admin.get("/audit/").content.decode()
    assert "Nothing is sealed yet" in admin.get("/audit/verify/").content.decode()
    link = canonical.link(canonical.FIRST, 1, 1, "0", [])
    entry = AuditEntry.objects.order_by("id")[0]
    AuditSeal.objects.create(position=1, entry=entry, transaction_id=entry.transaction_id, sealed_at=timezone.now(), hash=link)
    html = admin.get("/audit/").content.decode()
    assert link.hex() in html and "1 sealed" in html
    broken = admin.get("/audit/verify/?newest=1000").content.decode()
    assert "The chain is broken" in broken and f"Entry {entry.id} or its seal 1 was changed" in broken


def test_audit_filters_and_pages(admin: Client) -> None:
    append(51)
    append(1, action="execution.start", reason="<b>why</b>")
    first = admin.get("/audit/").content.decode()
    older = re.search(r'href="([^"]+)" rel="next"', first)
    assert older is not None
    assert admin.get(older.group(1)).content.decode().count('id="entry-') == 2
    found = admin.get("/audit/?q=why&action=execution.start").content.decode()
    assert (found.count('id="entry-'), "&lt;b&gt;why&lt;/b&gt;" in found) == (1, True)
    assert "No entry matches" in admin.get("/audit/?q=nobody-did").content.decode()


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("action=execution.", 2), ("action=execution.stop", 1), ("channel=command", 3), ("channel=rest", 0), ("channel=nonsense", 3),
        ("since=2000-01-01", 3), ("until=2000-01-01", 0), ("since=9999-99-99", 3), ("q=\x00", 3),
    ],
)  # fmt: skip
def test_audit_is_narrowed(admin: Client, query: str, count: int) -> None:
    for action in ("execution.start", "execution.stop", "person.change"):
        append(1, action=action)
    assert admin.get(f"/audit/?{query}").content.decode().count('id="entry-') == count
    assert len(json.loads(b"".join(admin.get(f"/audit/export.json?{query}")))) == count  # type: ignore[call-overload]


def test_audit_is_exported_without_formulas(admin: Client) -> None:
    append(1, reason="=1+1")
    lines = b"".join(admin.get("/audit/export.csv")).decode("utf-8-sig").splitlines()  # type: ignore[call-overload]
    assert (lines[0].split(",")[:3], "'=1+1" in lines[1], len(lines)) == (["id", "at", "actor"], True, 2)


def test_change_is_told_as_before_and_after() -> None:
    facts = {"person": "ada", "before": {"roles": ["viewer"], "is_active": True}, "after": {"roles": [], "is_active": True}}
    assert strip_tags(details(facts)) == "person ada roles viewer → none "


def test_audit_is_not_for_viewers(sign_in: Callable[[str], Client]) -> None:
    client = sign_in("viewer")
    assert client.get("/audit/").status_code == 403
    assert 'href="/audit/"' not in client.get("/").content.decode()


def test_unknown_page_says_so(admin: Client) -> None:
    answer = admin.get("/nothing/here/")
    assert (answer.status_code, "Nothing here" in answer.content.decode()) == (404, True)


@pytest.mark.django_db
def test_unknown_page_is_there_for_strangers_too(client: Client) -> None:
    assert client.get("/nothing/here/").status_code == 404


@pytest.mark.django_db
def test_sign_in_page_tells_a_wrong_password(client: Client) -> None:
    answer = client.post("/login/", {"username": "ada", "password": "wrong"})
    assert "Please enter a correct" in answer.content.decode()


def append(count: int, action: str = "execution.stop", reason: str = "") -> None:
    actor = Actor(user=None, channel=Channel.COMMAND, address="tests")
    for _ in range(count):
        log.append(actor, log.Act(action, "execution", str(some_id(5)), execution_id=some_id(5), reason=reason, facts={"function": "f"}))
