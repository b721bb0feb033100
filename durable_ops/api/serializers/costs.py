"""Costs as JSON. Sums of money are texts, so that no reader rounds them: `"0.000034"`."""

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from durable_ops.api.serializers.strict import StrictSerializer, Text
from durable_ops.costs.bills import Basis, Bill
from durable_ops.costs.executions import ExecutionCost
from durable_ops.costs.report import Report
from execution_engine.selectors.costs import COUNTED, Quantities, Usage


class PricesQuery(StrictSerializer):
    prices = serializers.ChoiceField([one.value for one in Basis], required=False, default=Basis.X86.value)


class CostsQuery(PricesQuery):
    since = serializers.DateField(required=False, help_text="first day (UTC); the first of this month when absent")
    until = serializers.DateField(required=False, help_text="last day; today when absent")
    function = Text(required=False, default="", allow_blank=True, max_length=256)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "since" in attrs and "until" in attrs and attrs["since"] > attrs["until"]:
            raise serializers.ValidationError({"until": ["Lies before since."]})
        return attrs


class QuantitiesDocument(serializers.Serializer[Any]):
    requests = serializers.IntegerField()
    operations = serializers.IntegerField()
    mb_ms = serializers.IntegerField(help_text="active compute: megabytes times milliseconds; 1,024,000 are a GB-second")
    bytes_written = serializers.IntegerField()
    byte_seconds = serializers.IntegerField(help_text="retained: bytes times seconds; 2,592 x 10^12 are a GB-month")


class UsageDocument(QuantitiesDocument):
    retries = QuantitiesDocument(help_text="a part of the above")
    step_attempts = serializers.IntegerField()
    active_ms = serializers.IntegerField()
    idle_ms = serializers.IntegerField(help_text="waiting and queueing, which cost nothing")


class LineDocument(serializers.Serializer[Any]):
    item = serializers.CharField()
    words = serializers.CharField()
    quantity = serializers.CharField()
    price = serializers.CharField(help_text="US dollars for `per` units")
    per = serializers.IntegerField()
    valid_from = serializers.DateField()
    source = serializers.CharField()  # type: ignore[assignment]
    amount = serializers.CharField()


class BillDocument(serializers.Serializer[Any]):
    words = serializers.CharField()
    total = serializers.CharField()
    lines = LineDocument(many=True)


class ExecutionCostDocument(serializers.Serializer[Any]):
    execution = serializers.UUIDField()
    currency = serializers.CharField()
    prices = serializers.CharField()
    is_final = serializers.BooleanField(help_text="it has ended and is booked")
    total = serializers.CharField()
    usage = UsageDocument()
    bill = BillDocument()
    step_functions = BillDocument(help_text="the same run as a standard state machine")


class FunctionCostDocument(serializers.Serializer[Any]):
    function = serializers.CharField()
    executions = serializers.IntegerField()
    total = serializers.CharField()
    retries = serializers.CharField()
    failed = serializers.CharField()
    usage = UsageDocument()


class DayCostDocument(serializers.Serializer[Any]):
    day = serializers.DateField()
    function = serializers.CharField()
    total = serializers.CharField()


class CostsDocument(serializers.Serializer[Any]):
    since = serializers.DateField()
    until = serializers.DateField()
    currency = serializers.CharField()
    prices = serializers.CharField()
    executions = serializers.IntegerField()
    total = serializers.CharField()
    retries = serializers.CharField()
    failed = serializers.CharField()
    usage = UsageDocument()
    bill = BillDocument()
    elsewhere = BillDocument(many=True)
    functions = FunctionCostDocument(many=True)
    days = DayCostDocument(many=True)


def execution_cost(cost: ExecutionCost, durable: Bill, state_machine: Bill, *, execution_id: str, basis: Basis) -> dict[str, Any]:
    return {
        "execution": execution_id,
        "currency": "USD",
        "prices": basis.value,
        "is_final": cost.is_final,
        "total": money(cost.total),
        "usage": usage(cost.usage),
        "bill": bill(durable),
        "step_functions": bill(state_machine),
    }


def report(found: Report, basis: Basis) -> dict[str, Any]:
    return {
        "since": found.span.since.isoformat(),
        "until": found.span.until.isoformat(),
        "currency": "USD",
        "prices": basis.value,
        "executions": found.executions,
        "total": money(found.total),
        "retries": money(found.retries),
        "failed": money(found.failed),
        "usage": usage(found.usage),
        "bill": bill(found.durable),
        "elsewhere": [bill(one) for one in (*found.elsewhere, found.server)],
        "functions": [
            {
                "function": one.function,
                "executions": one.executions,
                "total": money(one.total),
                "retries": money(one.retries),
                "failed": money(one.failed),
                "usage": usage(one.usage),
            }
            for one in found.functions
        ],
        "days": [
            {"day": day.isoformat(), "function": function, "total": money(amount)}
            for (day, function), amount in sorted(found.amounts.items())
        ],
    }


def bill(found: Bill) -> dict[str, Any]:
    lines = [
        {
            "item": line.price.item.value,
            "words": line.words,
            "quantity": money(line.quantity),
            "price": money(line.price.amount),
            "per": line.price.per,
            "valid_from": line.price.valid_from.isoformat(),
            "source": line.price.source,
            "amount": money(line.amount),
        }
        for line in found.lines
    ]
    return {"words": found.words, "total": money(found.total), "lines": lines}


def usage(found: Usage) -> dict[str, Any]:
    return {
        **_quantities(found.total),
        "retries": _quantities(found.retries),
        "step_attempts": found.step_attempts,
        "active_ms": found.active_ms,
        "idle_ms": found.idle_ms,
    }


def money(amount: Decimal) -> str:
    """Every digit, without exponent and without zeros behind."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _quantities(found: Quantities) -> dict[str, int]:
    return {name: getattr(found, name) for name in COUNTED}
