"""An expense is checked, approved by one or two people, and paid exactly once.

Input: {"expense_id": "E-1001", "amount": 6200.5, "category": "travel", "receipt_url": "https://receipts.example/1001.pdf"}
"""

import math
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, NotRequired, TypedDict
from uuid import UUID

from durable_ops.examples import mail
from durable_ops.examples.models import Payment
from execution_engine import DurableContext, Duration, RetryPolicy, RetryPresets, StepConfig, StepError, durable_execution

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


class UnclearAnswer(ValueError):
    """Somebody answered neither approved nor rejected; nothing is paid on a guess."""


@durable_execution(name="expense-approval", version="1", execution_timeout=Duration.from_days(30), retention=Duration.from_days(90))
def expense_approval(event: Annotated[dict[str, Any], Expense], context: DurableContext) -> dict[str, Any]:
    """Validates, asks the manager (7 days) and above 5,000 also finance (5 days), then pays.

    Ends with {"status": "completed" | "rejected_by_manager" | "rejected_by_finance", "expense_id", "amount", "paid_at"};
    "paid_at" is null unless it was paid. Fails with InvalidExpense, with UnclearAnswer, or when nobody answers in time.
    """
    try:
        expense = context.step("validate", lambda: validate(event), retry=RetryPresets.none())
    except StepError as error:
        raise InvalidExpense(error.message) from None
    describe(context, expense)

    if not is_approved(context, "manager", expense, Duration.from_days(7)):
        return outcome("rejected_by_manager", expense)
    if expense["amount"] > FINANCE_ABOVE and not is_approved(context, "finance", expense, Duration.from_days(5)):
        return outcome("rejected_by_finance", expense)

    key = context.uuid()
    paid_at = context.step("pay", lambda: pay(expense, key), retry=RetryPolicy(max_attempts=5), config=StepConfig(atomic=True))
    return outcome("completed", expense, paid_at)


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


def is_approved(context: DurableContext, person: str, expense: dict[str, Any], timeout: Duration) -> bool:
    """Mails one person and waits for a click, or for {"action": "approved" | "rejected"}. Waiting costs nothing."""
    question = context.create_callback(person, timeout=timeout)
    context.step(f"mail-{person}", lambda: ask_by_mail(person, expense, question.approve_url, question.reject_url))
    answer = context.wait_for_callback(question)
    action = answer.get("action") if isinstance(answer, dict) else None
    if action not in ("approved", "rejected"):
        raise UnclearAnswer(f'{person} answered {answer!r}, not {{"action": "approved"}} or {{"action": "rejected"}}')
    return bool(action == "approved")


def ask_by_mail(person: str, expense: dict[str, Any], approve_url: str, reject_url: str) -> None:
    subject = f"Expense {expense['expense_id']}: {expense['amount']:,.2f} waits for you"
    mail.send(
        "expense_question", to=f"{person}@example.com", subject=subject, expense=expense, approve_url=approve_url, reject_url=reject_url
    )


def pay(expense: dict[str, Any], key: UUID) -> str:
    """One row in the ledger. The step is atomic: the row and the record that the step is done are one commit."""
    paid_at = datetime.now(UTC)
    amount = Decimal(str(expense["amount"]))
    Payment.objects.create(idempotency_key=key, expense_id=expense["expense_id"], amount=amount, paid_at=paid_at)
    return paid_at.isoformat()


def outcome(status: str, expense: dict[str, Any], paid_at: str | None = None) -> dict[str, Any]:
    return {"status": status, "expense_id": expense["expense_id"], "amount": expense["amount"], "paid_at": paid_at}
