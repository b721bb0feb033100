"""A search through log lines tells whoever may not see a value nothing about it."""

import json
from typing import Any

import pytest
from django.db import models
from django.test import Client

from durable_ops.models import Protection
from durable_ops.selectors import log_search
from execution_engine.models import Execution, LogLine
from tests.durable_ops.people import bearer, make_user
from tests.factories import ago, make_execution, make_version

pytestmark = pytest.mark.django_db
SECRET = "4111 2222 3333"


@pytest.fixture
def execution() -> Execution:
    """Each second line repeats a masked value of its input."""
    Protection.objects.create(pattern="pay", masked=["card"])
    made = make_execution(make_version("pay"), input=json.dumps({"card": SECRET}))
    for number in range(6):
        say(made, f"line {number}" if number % 2 else f"line {number} charges {SECRET}")
    return made


def say(execution: Execution, message: str) -> None:
    models.Model.save(LogLine(execution_id=execution.id, at=ago(), level="INFO", message=message))


def found(execution: Execution, role: str = "viewer", **asked: Any) -> tuple[list[str], str | None]:
    client = Client(headers=bearer(make_user(role, f"{role}-{asked}"[:150])))
    answer = client.get(f"/api/v1/executions/{execution.id}/logs", asked).json()
    return [line["message"] for line in answer["results"]], answer["next"]


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_part_of_a_masked_value_finds_as_much_as_anything_else(execution: Execution, limit: int) -> None:
    assert found(execution, text=SECRET[:6], limit=limit) == ([], None)
    assert found(execution, text="nobody said", limit=limit) == ([], None)
    lines, following = found(execution, "administrator", text=SECRET[:6], limit=limit)
    assert (len(lines), following is None) == (min(limit, 3), limit >= 3)


def test_what_may_be_read_is_found_page_by_page(execution: Execution) -> None:
    lines, following = found(execution, text="CHARGES", limit=2)
    assert lines == ["line 0 charges •••", "line 2 charges •••"]
    assert following is not None
    reader = Client(headers=bearer(make_user("viewer")))
    rest = reader.get(following).json()
    assert [[line["message"] for line in rest["results"]], rest["next"]] == [["line 4 charges •••"], None]


def test_a_search_hands_on_its_place_instead_of_reading_on(execution: Execution, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_search, "PAGE", 2)
    monkeypatch.setattr(log_search, "LOOKS", 2)
    client = Client()
    client.force_login(make_user("viewer"))
    address = f"/executions/{execution.id}/"
    first = client.get(address, {"tab": "logs", "text": "line 5"}).content.decode()
    assert "None of the lines looked through so far" in first
    after = LogLine.objects.order_by("id")[3].pk
    assert "Later" in first
    assert f"?tab=logs&amp;text=line+5&amp;after={after}" in first
    last = client.get(address, {"tab": "logs", "text": "line 5", "after": after}).content.decode()
    assert "line 5" in last
    assert "Later" not in last
