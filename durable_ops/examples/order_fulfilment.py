"""An order is paid, packed, checked for fraud and shipped; what goes wrong on the way is undone.

Input: {"order_id": "O-1", "items": {"mug": 2}, "amount": 39.8, "card": "card-good", "email": "ada@example.com"}
Other cards: card-declined, card-busy. Never in stock: unicorn. Let it ship with the signal `fraud-review` and the
payload {"action": "approve"}.
"""

from decimal import Decimal
from typing import Annotated, Any, Literal, TypedDict

from django.db.models import F

from durable_ops.examples import card_company, mail
from durable_ops.examples.card_company import CardDeclined, InvalidCard
from durable_ops.examples.models import Shipment, StockItem
from execution_engine import DurableContext, Duration, RetryPolicy, StepConfig, StepError, durable_execution

CARD_RETRY = RetryPolicy(
    max_attempts=5,
    initial_interval=Duration.from_seconds(2),
    backoff=2.0,
    max_interval=Duration.from_seconds(30),
    non_retryable=[CardDeclined, InvalidCard],
)
ATOMIC = StepConfig(atomic=True)
LARGEST_AMOUNT = 1_000_000
LONGEST_TEXT = 200


class Order(TypedDict):
    """What the console's start form asks for; `check_order` is what counts."""

    order_id: str
    items: Annotated[dict[str, int], 'article and number, as {"mug": 2}; a unicorn is never in stock']
    amount: float
    card: Literal["card-good", "card-declined", "card-busy"]
    email: str


class InvalidOrder(ValueError):
    """The order cannot be understood."""


class OutOfStock(Exception):
    """The shelf holds less than was ordered."""


@durable_execution(name="order-fulfilment", version="1", execution_timeout=Duration.from_days(7))
def order_fulfilment(event: Annotated[dict[str, Any], Order], context: DurableContext) -> dict[str, Any]:
    """Holds the money, takes the goods, charges, waits up to 72 hours for the fraud review, ships and confirms.

    Ends with {"status": "completed", "order_id", "parcel"}, or {"status": "cancelled", "reason": "stockout" | "fraud"}
    with everything undone. Fails when the card does not pay.
    """
    check_order(event)
    order_id, items, email = event["order_id"], event["items"], event["email"]
    payment = context.uuid()
    context.set_attributes(order_id=order_id)

    context.step("validate-payment", lambda: hold_payment(event, payment), retry=CARD_RETRY)
    try:
        context.step("reserve-inventory", lambda: reserve(items), retry=RetryPolicy(non_retryable=[OutOfStock]), config=ATOMIC)
    except StepError as error:
        if not (error.error_type or "").endswith("OutOfStock"):
            raise
        context.step("notify-stockout", lambda: write_to(email, f"Sorry, order {order_id} is sold out", "order_stockout", event))
        context.step("release-payment", lambda: card_company.release(payment))
        return {"status": "cancelled", "reason": "stockout"}
    context.step("charge", lambda: card_company.charge(payment))

    review = context.wait_for_signal("fraud-review", timeout=Duration.from_hours(72), on_timeout="reject")
    if not passes(review.payload):
        context.step("refund", lambda: card_company.refund(payment))
        context.step("return-inventory", lambda: put_back(items), config=ATOMIC)
        context.step("notify-refund", lambda: write_to(email, f"Order {order_id} was cancelled", "order_refund", event))
        return {"status": "cancelled", "reason": "fraud"}

    parcel = context.step("ship", lambda: ship(order_id), config=ATOMIC)
    context.step("confirm", lambda: write_to(email, f"Order {order_id} is on its way", "order_confirmation", event, parcel))
    return {"status": "completed", "order_id": order_id, "parcel": parcel}


def check_order(event: Any) -> None:
    """Pure, so it needs no step: a replay judges the same input in the same way."""
    missing = [name for name in ("order_id", "items", "amount", "card", "email") if not (isinstance(event, dict) and event.get(name))]
    if missing:
        raise InvalidOrder(f"the order has no {', '.join(missing)}")
    if not all(isinstance(event[name], str) and len(event[name]) <= LONGEST_TEXT for name in ("order_id", "card", "email")):
        raise InvalidOrder(f"order_id, card and email must be texts of at most {LONGEST_TEXT} characters")
    if isinstance(event["amount"], bool) or not isinstance(event["amount"], int | float) or not 0 < event["amount"] <= LARGEST_AMOUNT:
        raise InvalidOrder(f"amount must be a number over 0 and at most {LARGEST_AMOUNT:,}, not {event['amount']!r}")
    counts = event["items"].values() if isinstance(event["items"], dict) else [None]
    if not all(type(count) is int and count > 0 for count in counts):
        raise InvalidOrder('items must name how many of each article, as {"mug": 2}')


def hold_payment(order: dict[str, Any], payment: Any) -> None:
    card_company.hold(payment, order["order_id"], Decimal(str(order["amount"])), order["card"])


def reserve(items: dict[str, int]) -> None:
    """All or nothing: the step is atomic, and an exception rolls back what was taken. Sorted, so that no two orders block each other."""
    for sku, count in sorted(items.items()):
        if not StockItem.objects.filter(sku=sku, available__gte=count).update(available=F("available") - count):
            raise OutOfStock(f"there are not {count} of {sku}")


def put_back(items: dict[str, int]) -> None:
    for sku, count in sorted(items.items()):
        StockItem.objects.filter(sku=sku).update(available=F("available") + count)


def passes(verdict: Any) -> bool:
    """True for "approve" and for {"action": "approve"}, as "decision" or {"approved": true} too. Nothing else ships goods."""
    if isinstance(verdict, dict):
        verdict = next((verdict[key] for key in ("action", "decision", "approved") if key in verdict), None)
    return verdict is True or verdict in ("approve", "approved")


def ship(order_id: str) -> str:
    return str(Shipment.objects.create(order_id=order_id))


def write_to(email: str, subject: str, template: str, order: dict[str, Any], parcel: str = "") -> None:
    mail.send(template, to=email, subject=subject, order=order, parcel=parcel)
