"""What executions cost: the page of a span of days, its export, and the cost of one execution."""

from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse

from durable_ops.costs.bills import BASIS_WORDS, Basis, Bill, Meter, durable_charges, make_bill, step_functions_charges
from durable_ops.costs.booked import Day, dearest_executions, read_days
from durable_ops.costs.executions import execution_cost, operation_costs
from durable_ops.costs.prices import price_book
from durable_ops.costs.report import Report, make_report
from durable_ops.costs.spans import SPAN_WORDS, make_span, utc_today
from durable_ops.dashboard.access import console_view
from durable_ops.dashboard.charts.costs import costs_figure, costs_legend
from durable_ops.dashboard.htmx import page_url, render_page
from durable_ops.models import Right
from durable_ops.permissions import access_of
from durable_ops.texts.csv_cells import csv_lines
from execution_engine.selectors.costs import COLUMNS, COUNTED, dearest_operations
from execution_engine.selectors.executions import ExecutionDetail
from execution_engine.selectors.workers import live_workers


@console_view(Right.VIEW_EXECUTION)
def costs(request: HttpRequest) -> HttpResponse:
    """Query keys: `span` (of SPAN_WORDS), `prices` (of Basis), `function`."""
    key, basis, function = _asked(request)
    book = price_book()
    span = make_span(key, utc_today())
    machines = len({worker.host for worker in live_workers()}) or 1
    functions = access_of(request.user).chosen(Right.VIEW_EXECUTION, function)
    report = make_report(span, book, basis, functions=functions, machines=machines)
    meter = Meter(basis, book)
    dearest = dearest_executions(span, [one.function for one in report.functions])
    context = {
        "report": report,
        "figure": costs_figure(report),
        "legend": costs_legend(report),
        "comparison": _comparison(report),
        "dearest": [{"execution": one, "amount": meter.amount(one.day, one.usage.total)} for one in dearest],
        "span": key,
        "spans": SPAN_WORDS,
        "basis": basis,
        "bases": BASIS_WORDS,
        "function": function,
        "machines": machines,
        "idle_seconds": report.usage.idle_ms / 1000,
        "active_seconds": report.usage.active_ms / 1000,
    }
    return render_page(request, "costs/index.html", context, fragment="report", url=page_url(request))


@console_view(Right.VIEW_EXECUTION)
def costs_export(request: HttpRequest) -> StreamingHttpResponse:
    """One line per day, function, version and status: every quantity and the cost at the prices of that day, as CSV."""
    key, basis, function = _asked(request)
    span = make_span(key, utc_today())
    meter = Meter(basis, price_book())
    header = ("day", "function", "version", "status", "executions", *COLUMNS, "usd", "retries_usd", "prices")
    functions = access_of(request.user).chosen(Right.VIEW_EXECUTION, function)
    lines = csv_lines(header, (_cells(day, meter, basis) for day in read_days(span.since, span.until, functions)))
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="costs-{span.since}-{span.until}.csv"'
    return response


def _cells(day: Day, meter: Meter, basis: Basis) -> list[Any]:
    usage = day.usage
    numbers = [getattr(part, name) for part in (usage.total, usage.retries) for name in COUNTED]
    amounts = [f"{meter.amount(day.day, one):f}" for one in (usage.total, usage.retries)]
    counts = [usage.step_attempts, usage.active_ms, usage.idle_ms]
    return [day.day, day.function, day.version, day.status, day.executions, *numbers, *counts, *amounts, basis.value]


def cost_context(_: HttpRequest, execution: ExecutionDetail) -> dict[str, Any]:
    """The cost tab of one execution: its bill, the same run on Step Functions, and its dearest operations."""
    book = price_book()
    cost = execution_cost(execution.summary.id, execution.summary.ended_at, book)
    usages = cost.parts
    meter = Meter(Basis.X86, book)
    return {
        "cost": cost,
        "header_cost": cost.total,
        "durable": make_bill("Durable functions", durable_charges(Basis.X86), usages, book),
        "state_machine": make_bill("AWS Step Functions", step_functions_charges(Basis.X86), usages, book),
        "retries": sum((meter.amount(day, usage.retries) for day, usage in cost.parts), Decimal()),
        "idle_seconds": cost.usage.idle_ms / 1000,
        "active_seconds": cost.usage.active_ms / 1000,
        "cost_operations": operation_costs(cost, dearest_operations(execution.summary.id), book),
    }


COUNTED_EVENTS = 2_000


def header_cost(execution: ExecutionDetail) -> Decimal | None:
    """The figure in the header, at list prices. None for a long history that is not booked yet, which only the cost tab counts."""
    summary = execution.summary
    if not summary.is_terminal and summary.event_seq > COUNTED_EVENTS:
        return None
    return execution_cost(summary.id, summary.ended_at, price_book()).total


def _asked(request: HttpRequest) -> tuple[str, Basis, str]:
    key = request.GET.get("span", "")
    basis = request.GET.get("prices", "")
    function = request.GET.get("function", "").strip()
    return key if key in SPAN_WORDS else "month", Basis(basis) if basis in set(Basis) else Basis.X86, function


def _comparison(report: Report) -> list[dict[str, Any]]:
    """Every bill with its share of the highest one, for the bars."""
    bills: list[Bill] = [report.durable, *report.elsewhere, report.server]
    most = max((bill.total for bill in bills), default=0) or 1
    # Whatever costs something has a bar that can be seen.
    return [{"bill": bill, "width": f"{max(bill.total / most * 100, Decimal('0.4') if bill.total else 0):.2f}"} for bill in bills]
