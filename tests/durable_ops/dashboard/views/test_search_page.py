"""The list's further filters, columns, saved views and exports."""

import csv
import io
import json
from typing import Any

import pytest
from django.test import Client

from durable_ops.models import SavedView
from execution_engine.models import FunctionVersion
from tests.factories import ago, make_callback, make_execution


def body(answer: Any) -> str:
    parts = answer.streaming_content if answer.streaming else [answer.content]
    return b"".join(parts).decode()


def found(client: Client, query: str) -> list[str]:
    return [row["name"] for row in json.loads(body(client.get(f"/executions/export.json?{query}")))]


@pytest.fixture
def three(version: FunctionVersion) -> None:
    error = '{"ErrorType": "CardDeclined", "ErrorMessage": "no money"}'
    make_execution(version, name="bad", status="FAILED", started_at=ago(hours=3), ended_at=ago(hours=1), error=error, redrive_count=1)
    make_execution(version, name="good", status="SUCCEEDED", started_at=ago(minutes=30), ended_at=ago(minutes=29))
    make_callback(make_execution(version, name="open", started_at=ago(minutes=5)))


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("started_from=1h", ["open", "good"]),
        ("started_to=1h", ["bad"]),
        ("ended_from=2h&ended_to=40min", ["bad"]),
        ("longer=3min", ["open", "bad"]),
        ("shorter=3min", ["good"]),
        ("error=carddeclined", ["bad"]),
        ("error=no money", ["bad"]),
        ("error=other", []),
        ("callback=1", ["open"]),
        ("origin=redriven", ["bad"]),
        ("origin=forked", []),
        ("version=1&status=failed", ["bad"]),
        ("state=waiting_for_callback&longer=1s", ["open"]),
    ],
)
def test_filters_narrow_the_list_and_its_export_alike(admin: Client, three: None, query: str, names: list[str]) -> None:
    assert found(admin, query) == names
    html = body(admin.get(f"/executions/?{query}"))
    assert [name for name in ("open", "good", "bad") if f">{name}</a>" in html or f"Select {name}" in html] == names


def test_count_is_told_with_a_filter(admin: Client, three: None) -> None:
    assert "1 in all" in body(admin.get("/executions/?status=failed"))


def test_columns_can_be_chosen(admin: Client, three: None) -> None:
    html = body(admin.get("/executions/?columns=ended,invocations"))
    heads = html[html.index("<thead>") : html.index("</thead>")]
    assert [word for word in ("State", "Name", "Ended", "Invocations") if f">{word}<" not in heads] == []
    assert ">Attributes<" not in heads


def test_csv_has_a_header_and_no_formulas(admin: Client, version: FunctionVersion) -> None:
    make_execution(version, name='=cmd|"x"', attributes={"customer": "Ä"})
    answer = admin.get("/executions/export.csv")
    rows = list(csv.DictReader(io.StringIO(body(answer).removeprefix("\ufeff"))))
    assert answer["Content-Disposition"] == 'attachment; filename="executions.csv"'
    assert [(row["name"], row["attributes"], row["status"]) for row in rows] == [('\'=cmd|"x"', '{"customer": "Ä"}', "RUNNING")]


def test_export_reads_page_by_page_to_the_end(admin: Client, version: FunctionVersion) -> None:
    for _ in range(205):
        make_execution(version)
    assert len(set(found(admin, "version=1"))) == 205


def test_export_of_a_search_that_is_not_understood_is_refused(admin: Client) -> None:
    answer = admin.get("/executions/export.csv?longer=never")
    assert (answer.status_code, "is no duration" in body(answer)) == (400, True)
    assert admin.get("/executions/export.xml").status_code == 404


def test_view_is_saved_shared_and_removed(admin: Client, sign_in: Any, three: None) -> None:
    saved = admin.post("/executions/views/", {"name": "Trouble", "query": "status=failed&columns=ended"})
    address = saved["Location"]
    assert ">Trouble</a>" in body(admin.get("/executions/"))
    viewer = sign_in("viewer")
    assert viewer.get(address)["Location"] == "/executions/?status=failed&columns=ended"
    assert viewer.post(f"{address}remove/").status_code == 404
    assert admin.post(f"{address}remove/").status_code == 302
    assert not SavedView.objects.exists()
    assert viewer.get(address).status_code == 404


@pytest.mark.parametrize(("name", "query"), [("", "q=a"), ("x" * 81, "q=a"), ("a", "q=" + "a" * 2000)])
def test_view_has_bounds(admin: Client, name: str, query: str) -> None:
    assert admin.post("/executions/views/", {"name": name, "query": query}).status_code == 400
