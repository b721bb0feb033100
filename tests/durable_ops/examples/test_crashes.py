"""A process may die after any checkpoint of any example: the end is the same, and nothing was done twice."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.mail import EmailMessage

from durable_ops.examples.ai_analyst import ai_analyst
from durable_ops.examples.cart_reminder import cart_reminder
from durable_ops.examples.expense_approval import expense_approval
from durable_ops.examples.expense_callbacks import expense_callbacks
from durable_ops.examples.models import CardPayment, ExportJob, Payment, Shipment, StockItem
from durable_ops.examples.order_fulfilment import order_fulfilment
from durable_ops.examples.report_export import report_export
from execution_engine import Duration
from execution_engine.testing import DurableExecutionTestClient, ExecutionUnderTest

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shelf")]

MORE_CHECKPOINTS_THAN_ANY_EXAMPLE_HAS = 16
MUGS = 4  # on the shelf of the fixture


def approve_twice(execution: ExecutionUnderTest) -> None:
    for _ in range(2):
        execution.get_pending_callbacks()[0].complete({"action": "approved"})


def ship(execution: ExecutionUnderTest) -> None:
    execution.signal("fraud-review", {"action": "approve"})


def refuse(execution: ExecutionUnderTest) -> None:
    execution.signal("fraud-review", {"action": "reject"})


def wait_a_day(execution: ExecutionUnderTest) -> None:
    execution.skip_time(Duration.from_hours(24))


def only_watch(execution: ExecutionUnderTest) -> None:
    """It needs nobody."""


@dataclass(frozen=True)
class Journey:
    handler: Callable[..., Any]
    event: dict[str, Any]
    people: Callable[[ExecutionUnderTest], None]
    effects: Counter[str]

    def __str__(self) -> str:
        return f"{self.handler.__name__} {dict(self.effects)}"


EXPENSE = {"expense_id": "E-1", "amount": 9000, "category": "travel", "receipt_url": "https://receipts.example/1.pdf"}
ORDER = {"order_id": "O-1", "items": {"mug": 1}, "amount": 12.5, "card": "card-good", "email": "ada@example.com"}
JOURNEYS = [
    Journey(expense_approval, EXPENSE, approve_twice, Counter(payment=1)),
    Journey(expense_callbacks, EXPENSE, approve_twice, Counter(payment=1, mail=2)),
    Journey(order_fulfilment, ORDER, ship, Counter(charged=1, mug=1, parcel=1, mail=1)),
    Journey(order_fulfilment, ORDER, refuse, Counter(refunded=1, mail=1)),
    Journey(order_fulfilment, ORDER | {"items": {"unicorn": 1}}, only_watch, Counter(released=1, mail=1)),
    Journey(cart_reminder, {"cart_id": "C-1", "email": "ada@example.com"}, wait_a_day, Counter(mail=1)),
    Journey(ai_analyst, {"question": "What share of units came from the south?"}, only_watch, Counter()),
    Journey(report_export, {"report": "payments", "takes_seconds": 0}, only_watch, Counter(export=1)),
]


def effects(mails: list[EmailMessage]) -> Counter[str]:
    """Everything that was done to the world since the test began."""
    cards = Counter(CardPayment.objects.values_list("state", flat=True))
    taken = MUGS - StockItem.objects.get(sku="mug").available
    rows = {"payment": Payment, "parcel": Shipment, "export": ExportJob}
    counted = Counter({name: model.objects.count() for name, model in rows.items()})
    return +(counted + cards + Counter(mug=taken, mail=len(mails)))


@pytest.mark.parametrize("journey", JOURNEYS, ids=str)
@pytest.mark.parametrize("crash_after", [None, *range(1, MORE_CHECKPOINTS_THAN_ANY_EXAMPLE_HAS)])
def test_end_is_the_same_wherever_the_process_dies(journey: Journey, crash_after: int | None, mailoutbox: list[EmailMessage]) -> None:
    client = DurableExecutionTestClient()
    if crash_after:
        client.crash_after_checkpoints(crash_after)
    execution = client.start_execution(journey.handler, journey.event)
    journey.people(execution)
    execution.run_until_complete()
    assert execution.status == "SUCCEEDED"
    assert effects(mailoutbox) == journey.effects
