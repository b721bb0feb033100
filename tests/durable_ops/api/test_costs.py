from decimal import Decimal
from typing import Any

import pytest

from durable_ops.api.serializers import costs as documents
from tests.durable_ops.api.conftest import Door, refusal
from tests.durable_ops.api.test_executions import uuid_of


def test_cost_of_an_execution(admin: Door) -> None:
    started = admin.start(input={"a": 1})
    answer = admin.get(f"/executions/{started['id']}/cost").json()
    assert set(answer) == set(documents.ExecutionCostDocument().fields)
    assert (answer["execution"], answer["is_final"], answer["currency"]) == (str(uuid_of(started)), False, "USD")
    assert (answer["usage"]["operations"], answer["usage"]["bytes_written"]) == (1, 7)
    assert Decimal(answer["total"]) == sum(Decimal(line["amount"]) for line in answer["bill"]["lines"])
    assert answer["bill"]["lines"][1] == {
        "item": "operation",
        "words": "Durable operations",
        "quantity": "1",
        "price": "8",
        "per": 1_000_000,
        "valid_from": "2025-12-01",
        "source": answer["bill"]["lines"][1]["source"],
        "amount": "0.000008",
    }


def test_costs_of_days(admin: Door) -> None:
    answer = admin.get("/costs", {"since": "2026-11-01", "until": "2026-11-30"}).json()
    assert set(answer) == set(documents.CostsDocument().fields)
    assert (answer["executions"], answer["total"], len(answer["elsewhere"])) == (0, "0", 4)


@pytest.mark.parametrize(
    "query",
    [
        {"prices": "x"},
        {"since": "x"},
        {"since": "2020-01-01"},
        {"since": "2026-02-02", "until": "2026-02-01"},
        {"function": "\0"},
        {"x": "1"},
    ],
)
def test_wrong_queries_are_refused(admin: Door, query: dict[str, Any]) -> None:
    refusal(admin.get("/costs", query), 400, "invalid_input")
