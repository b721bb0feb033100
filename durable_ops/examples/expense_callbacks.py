"""The same expenses in the shape of AWS's own examples: plain callbacks, answered with {"action": "approved" | "rejected"}.

Input: {"expense_id": "E-1001", "amount": 6200.5, "category": "travel", "receipt_url": "https://receipts.example/1001.pdf"}
"""

from typing import Annotated, Any

from durable_ops.examples import mail
from durable_ops.examples.expenses import FINANCE_ABOVE, Expense, InvalidExpense, describe, outcome, pay, validate
from execution_engine import DurableContext, Duration, RetryPolicy, RetryPresets, StepConfig, StepError, durable_execution


class UnclearAnswer(ValueError):
    """Somebody answered neither approved nor rejected; nothing is paid on a guess."""


@durable_execution(name="expense-callbacks", version="1", execution_timeout=Duration.from_days(30), retention=Duration.from_days(90))
def expense_callbacks(event: Annotated[dict[str, Any], Expense], context: DurableContext) -> dict[str, Any]:
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
