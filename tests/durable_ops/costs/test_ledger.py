"""Booking: once per end; days are the sums of their entries, whatever is redriven, repeated, deleted or booked late."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from django.db import connection as django_connection
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from durable_ops.actions import repairs
from durable_ops.costs import ledger
from durable_ops.costs.bills import Basis, Meter, cents
from durable_ops.costs.booked import read_days
from durable_ops.costs.executions import execution_cost
from durable_ops.costs.prices import LIST_PRICES, Book, Item, Price, PriceBook, price_book
from durable_ops.costs.report import make_report
from durable_ops.costs.spans import Span
from durable_ops.models import CostCursor, CostDay, CostEntry
from durable_ops.models import Price as PriceRow
from execution_engine.journal import connections
from execution_engine.models import Execution, FunctionVersion
from execution_engine.selectors.costs import COLUMNS, Usage, usage_from
from tests.durable_ops.people import make_user
from tests.factories import ago, make_event, make_execution, make_operation, make_version

pytestmark = pytest.mark.usefixtures("steady_hour")

NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)
ACTOR = repairs.Actor


@pytest.fixture
def connection(transactional_db: None) -> Iterator[psycopg.Connection[Any]]:
    with connections.connect("test") as found:
        yield found


@pytest.fixture
def make_ended(transactional_db: None) -> Callable[..., Execution]:
    """An execution of one step that ran `seconds` and wrote `result`."""

    def make(version: FunctionVersion, *, start: datetime = NOON, seconds: float = 2, result: str = '"12345"', **fields: Any) -> Execution:
        end = start + timedelta(seconds=seconds)
        found = make_execution(version, **{"status": "SUCCEEDED", "started_at": start, "ended_at": end, "retention_days": 90, **fields})
        make_event(found, 1, "ExecutionStarted", start)
        make_event(found, 2, "StepStarted", start)
        make_event(found, 3, "StepSucceeded", end)
        make_operation(found, status="SUCCEEDED", payload=result, started_at=start, ended_at=end)
        make_event(found, 4, "InvocationCompleted", end, details={"StartTimestamp": start.isoformat()})
        return found

    return make


def redrive(execution: Execution, *, until: datetime, seconds: float) -> None:
    """As a redrive that succeeds would leave the rows."""
    begin = until - timedelta(seconds=seconds)
    make_event(execution, 5, "ExecutionRedriven", begin)
    make_event(execution, 6, "StepStarted", begin)
    make_event(execution, 7, "StepSucceeded", until)
    make_event(execution, 8, "InvocationCompleted", until, details={"StartTimestamp": begin.isoformat()})
    with django_connection.cursor() as cursor:
        cursor.execute(
            "update durable_execution set status = 'SUCCEEDED', ended_at = %s, redrive_count = 1 where id = %s", [until, execution.id]
        )


def sums() -> dict[tuple[Any, ...], Usage]:
    """What the entries add up to, by the key of their day."""
    found: dict[tuple[Any, ...], Usage] = {}
    for row in CostEntry.objects.values_list("day", "function", "version", "status", *COLUMNS):
        found[row[:4]] = found.get(row[:4], Usage()) + usage_from(row[4:])
    return found


def days() -> dict[tuple[Any, ...], Usage]:
    rows = CostDay.objects.values_list("day", "function", "version", "status", *COLUMNS)
    return {row[:4]: usage_from(row[4:]) for row in rows}


def test_an_end_is_booked_once(connection: psycopg.Connection[Any], make_ended: Callable[..., Execution]) -> None:
    make_ended(make_version(memory_mb=512), input='{"a":1}')
    assert ledger.turn(connection, behind=0) == 2
    assert ledger.turn(connection, behind=0) == 0
    day = CostDay.objects.get()
    assert (day.executions, day.requests, day.operations, day.mb_ms, day.bytes_written) == (1, 1, 2, 2000 * 512, 7 + 7)
    assert (day.day, day.status, CostEntry.objects.count()) == (date(2026, 11, 10), "SUCCEEDED", 1)
    assert day.byte_seconds == 7 * (90 * 86_400 + 2) + 7 * 90 * 86_400


def test_open_executions_and_what_ended_just_now_are_not_booked(
    connection: psycopg.Connection[Any], make_ended: Callable[..., Execution]
) -> None:
    version = make_version()
    make_execution(version)
    make_ended(version, start=ago(seconds=3))
    assert (ledger.turn(connection), CostEntry.objects.count()) == (0, 0)


def test_a_redrive_books_what_it_added_on_its_own_day(connection: psycopg.Connection[Any], make_ended: Callable[..., Execution]) -> None:
    execution = make_ended(make_version(), status="FAILED", retention_days=14)
    ledger.turn(connection, behind=0)
    redrive(execution, until=NOON + timedelta(days=1), seconds=3)
    ledger.turn(connection, behind=0)
    failed, succeeded = CostDay.objects.order_by("day")
    assert (failed.status, failed.executions, failed.active_ms, failed.idle_ms) == ("FAILED", 1, 2000, 0)
    assert (succeeded.status, succeeded.executions, succeeded.active_ms, succeeded.operations) == ("SUCCEEDED", 0, 3000, 1)
    assert days() == sums()


def test_two_ledgers_at_once_book_once(connection: psycopg.Connection[Any], make_ended: Callable[..., Execution]) -> None:
    version = make_version()
    ids = [make_ended(version).id for _ in range(3)]
    with connections.connect("other") as other, other.transaction(), other.cursor() as cursor:
        ledger.book(cursor, ids)
        ledger.turn(connection, behind=3600 * 24 * 365 * 10)  # makes the cursors
    ledger.turn(connection, behind=0)
    assert (CostDay.objects.get().executions, CostEntry.objects.count(), days()) == (3, 3, sums())


def test_a_crash_between_booking_and_cursor_repeats_nothing(
    connection: psycopg.Connection[Any], make_ended: Callable[..., Execution]
) -> None:
    make_ended(make_version())
    ledger.turn(connection, behind=0)
    with connection.cursor() as cursor:
        ledger.rewind(cursor, datetime(2026, 1, 1, tzinfo=UTC))
    assert ledger.turn(connection, behind=0) == 2
    assert (CostDay.objects.get().executions, CostEntry.objects.count()) == (1, 1)


def test_an_end_that_was_committed_late_is_found_by_the_later_pass(
    connection: psycopg.Connection[Any], make_ended: Callable[..., Execution]
) -> None:
    version = make_version()
    make_ended(version, start=ago(hours=7))
    ledger.turn(connection, behind=0)
    CostCursor.objects.filter(name="late").update(ended_at=ago(hours=12))
    make_ended(version, start=ago(hours=8))
    ledger.turn(connection)
    assert (CostEntry.objects.count(), days()) == (2, sums())


def test_deleting_an_execution_books_it_first(connection: psycopg.Connection[Any], make_ended: Callable[..., Execution]) -> None:
    execution = make_ended(make_version())
    repairs.delete_execution(ACTOR(user=make_user("administrator")), execution.id)
    assert (Execution.objects.count(), CostDay.objects.get().executions, days()) == (0, 1, sums())


def test_history_of_costs_outlives_the_executions(connection: psycopg.Connection[Any], make_ended: Callable[..., Execution]) -> None:
    make_ended(make_version())
    ledger.turn(connection, behind=0)
    with django_connection.cursor() as cursor:
        cursor.execute("delete from durable_execution")
    span = Span("", date(2026, 11, 1), date(2026, 11, 30))
    assert make_report(span, PriceBook(LIST_PRICES), Basis.X86).executions == 1


def test_old_entries_are_forgotten_and_their_days_kept(connection: psycopg.Connection[Any], make_ended: Callable[..., Execution]) -> None:
    make_ended(make_version(), start=ago(days=200))
    make_ended(make_version("other"))
    ledger.turn(connection, behind=0)
    ledger.keep_house(connection)
    assert (CostEntry.objects.get().function, CostDay.objects.count()) == ("other", 2)


def test_a_changed_price_of_the_server_begins_today(connection: psycopg.Connection[Any], settings: Any) -> None:
    today = datetime.now(UTC).date()
    for amount, rows in ((40, [40]), (40, [40]), (60, [40, 60]), (Decimal("50.5"), [40, Decimal("50.5")])):
        settings.SERVER_MONTHLY_USD = amount
        ledger.keep_house(connection)
        assert list(PriceRow.objects.order_by("valid_from").values_list("amount", flat=True)) == rows
    book = price_book()
    before, now = (book.find(Book.SERVER, Item.MACHINE, day) for day in (today - timedelta(days=1), today))
    assert before is not None
    assert now is not None
    assert (before.amount, now.amount, now.source) == (40, Decimal("50.5"), "setting SERVER_MONTHLY_USD")


@pytest.mark.parametrize("name", ["execution_purge", "durable_ops_cost_entry_pkey"])
def test_ends_are_found_by_index_between_two_bounds(connection: psycopg.Connection[Any], name: str) -> None:
    params = {"at": ago(hours=7), "id": "00000000-0000-0000-0000-000000000000", "behind": 6 * 3600, "limit": 1000}
    connection.execute("set enable_seqscan = off")
    plan = "\n".join(row[0] for row in connection.execute(f"explain {ledger._ENDS}", params).fetchall())
    assert name in plan
    assert re.search(r"Index Cond: \(\(retention_days = d.days\) AND .*ended_at < \(statement_timestamp", plan)


RUNS = st.lists(
    st.tuples(
        st.sampled_from(["orders", "mails"]),
        st.sampled_from(["SUCCEEDED", "FAILED", "TIMED_OUT", "STOPPED"]),
        st.integers(0, 20),  # day of its end
        st.integers(0, 900_000),  # milliseconds
        st.integers(0, 5_000),  # bytes
        st.booleans(),  # redriven
    ),
    min_size=1,
    max_size=6,
)


@hypothesis_settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(runs=RUNS, changes=st.lists(st.tuples(st.integers(1, 25), st.decimals(0, 50, places=4)), max_size=3), rest=st.integers(1, 3))
def test_days_reconcile_with_their_executions_to_the_cent(
    connection: psycopg.Connection[Any],
    make_ended: Callable[..., Execution],
    runs: list[tuple[str, str, int, int, int, bool]],
    changes: list[tuple[int, Decimal]],
    rest: int,
) -> None:
    """Executions, their entries, the days and the page say the same, also when prices change meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute("truncate durable_execution, durable_event, durable_operation, durable_function_version")
        cursor.execute("truncate durable_ops_cost_entry, durable_ops_cost_day, durable_ops_cost_cursor")
    versions = {name: make_version(name, memory_mb=memory) for name, memory in (("orders", 1024), ("mails", 128))}
    made = []
    for number, (function, status, day, ms, size, is_redriven) in enumerate(runs):
        start = datetime(2026, 10, 31, tzinfo=UTC) + timedelta(days=day, seconds=number)
        made.append((make_ended(versions[function], start=start, seconds=ms / 1000, result="x" * size, status=status), is_redriven))
        if number % rest == 0:
            ledger.turn(connection, behind=0)
    ledger.turn(connection, behind=0)
    for execution, is_redriven in made:
        if is_redriven:
            redrive(execution, until=execution.ended_at + timedelta(days=1), seconds=1)
    with connection.cursor() as cursor:
        ledger.rewind(cursor, datetime(2026, 1, 1, tzinfo=UTC))
    ledger.turn(connection, behind=0)
    prices = {day: Price(Book.AWS, Item.OPERATION, amount, 1000, date(2026, 11, day), "a test") for day, amount in changes}
    book = PriceBook([*LIST_PRICES, *prices.values()])
    meter = Meter(Basis.X86, book)

    assert days() == sums()
    of_executions = sum((execution_cost(one.id, Execution.objects.get(pk=one.id).ended_at, book).total for one, _ in made), Decimal())
    of_days = sum((meter.amount(day.day, day.usage.total) for day in read_days(date(2026, 10, 1), date(2026, 12, 31))), Decimal())
    report = make_report(Span("", date(2026, 10, 1), date(2026, 12, 31), by_month=True), book, Basis.X86)
    totals = [of_executions, of_days, report.total, report.durable.total, sum(report.amounts.values(), Decimal())]
    assert len({cents(total) for total in totals}) == 1
    assert max(totals) - min(totals) < Decimal("1e-20")
    assert report.executions == len(made)
