"""What expenses are, whichever way people are asked about them: what is valid, what is paid, how it ends."""

import math
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, NotRequired, TypedDict
from uuid import UUID

from durable_ops.examples.models import Payment
from execution_engine import DurableContext

FINANCE_ABOVE = 5_000
LARGEST_AMOUNT = 1_000_000_000  # what the ledger's column can hold, with room to spare
LONGEST_ID = 100


class Expense(TypedDict):
    """What the console's start form asks for; `validate` is what counts."""

    expense_id: str
    amount: Annotated[float, "above 5,000 finance is asked, too"]
    category: NotRequired[str]
    receipt_url: Annotated[str, "where the receipt can be seen"]


class InvalidExpense(ValueError):
    """The expense cannot be judged by anybody; its text says what is wrong."""


def validate(event: Any) -> dict[str, Any]:
    """The expense as it came, or `InvalidExpense` with everything that is wrong with it."""
    if not isinstance(event, dict):
        raise InvalidExpense("an expense must be an object with expense_id, amount, category and receipt_url")
    amount = event.get("amount")
    problems = []
    if not isinstance(event.get("expense_id"), str | int) or not 0 < len(str(event["expense_id"])) <= LONGEST_ID:
        problems.append(f"expense_id is missing or longer than {LONGEST_ID} characters")
    if isinstance(amount, bool) or not isinstance(amount, int | float) or not math.isfinite(amount):
        problems.append(f"amount must be a number, not {amount!r}")
    elif not 0 < amount <= LARGEST_AMOUNT:
        problems.append(f"amount must be over 0 and at most {LARGEST_AMOUNT:,}, not {amount}")
    if not str(event.get("receipt_url") or "").strip():
        problems.append("the receipt is missing")
    if problems:
        raise InvalidExpense("; ".join(problems))
    return {name: event.get(name) for name in ("expense_id", "amount", "category", "receipt_url")}


def describe(context: DurableContext, expense: dict[str, Any]) -> None:
    """What people search by, and what the console shows to whoever decides: approvers need not see inputs and results."""
    category = str(expense["category"] or "no category")[:100]
    context.set_attributes(expense_id=str(expense["expense_id"]), amount=expense["amount"], category=category)
    context.set_status(f"Expense {expense['expense_id']}: {expense['amount']:,.2f}, {category}")


def pay(expense: dict[str, Any], key: UUID) -> str:
    """One row in the ledger. The step is atomic: the row and the record that the step is done are one commit."""
    paid_at = datetime.now(UTC)
    amount = Decimal(str(expense["amount"]))
    Payment.objects.create(idempotency_key=key, expense_id=expense["expense_id"], amount=amount, paid_at=paid_at)
    return paid_at.isoformat()


def outcome(status: str, expense: dict[str, Any], paid_at: str | None = None) -> dict[str, Any]:
    return {"status": status, "expense_id": expense["expense_id"], "amount": expense["amount"], "paid_at": paid_at}
