"""The pages on costs: what they say, what they ask the database, who may see and change them."""

import csv
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from durable_ops.costs import ledger
from durable_ops.models import AuditEntry, Price
from execution_engine.models import Execution, FunctionVersion
from tests.durable_ops.dashboard.conftest import HTMX
from tests.factories import make_event, make_execution, make_operation, make_version

pytestmark = pytest.mark.usefixtures("steady_hour")

SIGN_IN = 4


def today() -> date:
    return datetime.now(UTC).date()


@pytest.fixture
def make_booked(version: FunctionVersion) -> Callable[..., Execution]:
    """An execution that ended a minute into today, booked at once."""

    def make(version: FunctionVersion = version, **fields: Any) -> Execution:
        end = datetime.combine(today(), datetime.min.time(), UTC) + timedelta(minutes=1)
        found = make_execution(version, **{"status": "SUCCEEDED", "started_at": end - timedelta(hours=1), "ended_at": end, **fields})
        make_event(found, 1, "ExecutionStarted", found.started_at)
        make_event(found, 2, "StepSucceeded", end, operation_id="a")
        make_operation(found, status="SUCCEEDED", id="a", payload='"done"', ended_at=end)
        began = (end - timedelta(seconds=2)).isoformat()
        make_event(found, 3, "InvocationCompleted", end, details={"StartTimestamp": began})
        with connection.cursor() as cursor:
            ledger.book(cursor, [found.id])
        return found

    return make


@pytest.mark.parametrize("number", [1, 5])
def test_the_page_reads_days_and_asks_the_same_whatever_there_is(admin: Client, make_booked: Callable[..., Execution], number: int) -> None:
    for one in range(number):
        make_booked(make_version(f"function-{one}"), status="FAILED" if one else "SUCCEEDED")
    with CaptureQueriesContext(connection) as queries:
        html = admin.get("/costs/").content.decode()
    # Prices, live workers, days by function and by bucket, dearest executions.
    assert len(queries) == SIGN_IN + 5
    assert not [query for query in queries if "durable_event" in query["sql"] or "durable_operation" in query["sql"]]
    assert html.count('class="row-link" href="?span=') == number


def test_the_sum_its_arithmetic_and_the_alternatives_are_shown(admin: Client, make_booked: Callable[..., Execution]) -> None:
    execution = make_booked()
    html = admin.get("/costs/").content.decode()
    # 1 request, 2 operations, 2 s at 1 GB: 0.0000002 + 0.000016 + 0.0000333334, and a few bytes.
    figures = ("0.000050 <small>USD</small>", "2 × 25.00 / 1,000,000 = 0.000050", "59 min 58 s", "2 s")
    for text in (*figures, "Self-hosted cluster, from", "This server"):
        assert text in html, text
    assert f'href="/executions/{execution.id}/?tab=cost"' in html


@pytest.mark.parametrize(
    "query", ["?span=last", "?span=30d", "?span=90d", "?span=12m", "?span=x&prices=y", "?function=%00", "?prices=published"]
)
def test_every_span_and_price_set_answers(admin: Client, make_booked: Callable[..., Execution], query: str) -> None:
    make_booked()
    assert admin.get(f"/costs/{query}").status_code == 200
    assert admin.get(f"/costs/{query}", headers=HTMX).content.decode().lstrip().startswith("<form")


def test_nothing_booked_is_said(admin: Client) -> None:
    assert "Nothing ended in this time" in admin.get("/costs/").content.decode()


def test_the_filter_keeps_one_function(admin: Client, make_booked: Callable[..., Execution]) -> None:
    make_booked()
    make_booked(make_version("other"))
    html = admin.get("/costs/?function=other").content.decode()
    assert ("expense-approval" in html, html.count('class="row-link" href="?span=')) == (False, 1)


def test_export_has_every_quantity_and_no_formula(admin: Client, make_booked: Callable[..., Execution]) -> None:
    make_booked(make_version("=cmd"))
    answer = admin.get("/costs/costs.csv")
    assert answer["Content-Type"].startswith("text/csv")
    row = next(csv.DictReader(StringIO(answer.getvalue().decode("utf-8-sig"))))
    assert (row["day"], row["function"], row["executions"], row["operations"], row["mb_ms"]) == (str(today()), "'=cmd", "1", "2", "2048000")
    assert Decimal(row["usd"]) > Decimal("0.0000495")


def test_calculator_shows_the_published_example_and_takes_numbers(admin: Client) -> None:
    html = admin.get("/costs/calculator/?example=expenses").content.decode()
    for text in ("0.01 + 0.20 + 4.17 + 0.16 = 4.54", "10.00 + 15.00 = 25.00", "82 %"):
        assert text in html
    html = admin.get("/costs/calculator/?volume=1000000&operations=0&seconds=2&kilobytes=0&invocations=0&basis=aws-arm").content.decode()
    assert "2,000,000 × 0.0000133334 = 26.67" in html


@pytest.mark.parametrize(
    "query",
    ["volume=-1", "volume=x", "seconds=NaN", "seconds=1e999", "memory_mb=1", "basis=x", "elsewhere=Infinity", f"volume={10**20}"],
)
def test_calculator_refuses_what_is_no_number_of_work(admin: Client, query: str) -> None:
    answer = admin.get(f"/costs/calculator/?{query}")
    assert (answer.status_code, 'role="alert"' in answer.content.decode()) == (200, True)


def test_price_book_has_every_source(admin: Client) -> None:
    html = admin.get("/costs/prices/").content.decode()
    for text in ("0.0000166667", "0.0000133334", "https://aws.amazon.com/lambda/pricing/", "1,200.00", "Add a price"):
        assert text in html


def price(**changes: str) -> dict[str, str]:
    values = {"book": "aws", "item": "operation", "amount": "9.50", "per": "1000000", "source": "announced"}
    return {**values, "valid_from": str(today()), **changes}


def test_a_new_price_counts_from_today_and_is_audited(admin: Client, make_booked: Callable[..., Execution]) -> None:
    make_booked()
    assert admin.post("/costs/prices/", price()).status_code == 302
    assert (Price.objects.get().amount, AuditEntry.objects.get().action) == (Decimal("9.5"), "price.add")
    assert "9.50 per 1,000,000" in admin.get("/costs/").content.decode()
    assert admin.post("/costs/prices/", price(amount="9.75")).status_code == 302
    assert Price.objects.get().amount == Decimal("9.75")


@pytest.mark.parametrize(
    "change",
    [
        {"valid_from": "2020-01-01"},
        {"valid_from": "soon"},
        {"item": "transition"},
        {"book": "x"},
        {"amount": "-1"},
        {"amount": "NaN"},
        {"per": "0"},
        {"source": " "},
    ],
)
def test_prices_of_days_that_are_over_and_nonsense_are_refused(admin: Client, change: dict[str, str]) -> None:
    answer = admin.post("/costs/prices/", price(**change))
    assert (answer.status_code, "field-error" in answer.content.decode()) == (400, True)
    assert (Price.objects.count(), AuditEntry.objects.count()) == (0, 0)


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_prices_are_read_by_all_and_added_by_administrators(sign_in: Callable[[str], Client], role: str) -> None:
    client = sign_in(role)
    assert "Add a price" not in client.get("/costs/prices/").content.decode()
    assert client.post("/costs/prices/", price()).status_code == 403
    assert Price.objects.count() == 0


def test_cost_tab_and_header(admin: Client, make_booked: Callable[..., Execution]) -> None:
    execution = make_booked()
    assert "0.000050 USD" in admin.get(f"/executions/{execution.id}/").content.decode()
    html = admin.get(f"/executions/{execution.id}/?tab=cost").content.decode()
    for text in ("Durable operations", "8.00 per 1,000,000", "The same run on Step Functions", "State transitions", "59 min 58 s"):
        assert text in html, text
    assert len(re.findall(r'class="table bill"', html)) == 2


def test_an_open_execution_shows_what_it_has_cost_so_far(admin: Client, version: FunctionVersion) -> None:
    execution = make_execution(version)
    make_event(execution, 1, "ExecutionStarted", execution.started_at)
    html = admin.get(f"/executions/{execution.id}/?tab=cost").content.decode()
    assert ("Cost so far" in html, "0.0000080 USD" in html) == (True, True)
