"""Costs: of one execution, and of a span of days."""

from datetime import timedelta
from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from durable_ops.api.access import RestView
from durable_ops.api.serializers import costs as answers
from durable_ops.api.serializers import documents
from durable_ops.api.serializers.strict import read
from durable_ops.api.views.executions import parse_id
from durable_ops.costs.bills import Basis, durable_charges, make_bill, step_functions_charges
from durable_ops.costs.executions import execution_cost
from durable_ops.costs.prices import price_book
from durable_ops.costs.report import make_report
from durable_ops.costs.spans import Span, utc_today
from durable_ops.models import Right
from durable_ops.permissions import access_of
from execution_engine.core.errors import InvalidInputError
from execution_engine.selectors.executions import get_execution

MAX_DAYS = 366


class ExecutionCostView(RestView):
    rights: ClassVar = {"GET": Right.VIEW_EXECUTION}

    @documents.reads("get_execution_cost", answers.ExecutionCostDocument, answers.PricesQuery)
    def get(self, request: Request, execution_id: str) -> Response:
        """What it used, at the prices of the day of its end (or of today), beside the same run on Step Functions."""
        basis = Basis(read(answers.PricesQuery, request.query_params.dict())["prices"])
        summary = get_execution(parse_id(execution_id)).summary
        book = price_book()
        cost = execution_cost(summary.id, summary.ended_at, book, basis)
        durable = make_bill("Durable functions", durable_charges(basis), cost.parts, book)
        state_machine = make_bill("AWS Step Functions", step_functions_charges(basis), cost.parts, book)
        return Response(answers.execution_cost(cost, durable, state_machine, execution_id=str(summary.id), basis=basis))


class CostsView(RestView):
    rights: ClassVar = {"GET": Right.VIEW_EXECUTION}

    @documents.reads("get_costs", answers.CostsDocument, answers.CostsQuery)
    def get(self, request: Request) -> Response:
        """What executions that ended from `since` to `until` cost, by function and by day; at most 366 days."""
        query = read(answers.CostsQuery, request.query_params.dict())
        until = query.get("until") or utc_today()
        since = query.get("since") or until.replace(day=1)
        if not timedelta() <= until - since < timedelta(days=MAX_DAYS):
            raise InvalidInputError(f"A report covers 1 to {MAX_DAYS} days.", field="since", limit=MAX_DAYS)
        basis = Basis(query["prices"])
        span = Span(f"{since} to {until}", since, until)
        functions = access_of(request.user).chosen(Right.VIEW_EXECUTION, query["function"])
        return Response(answers.report(make_report(span, price_book(), basis, functions=functions), basis))
