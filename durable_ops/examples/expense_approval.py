"""An expense is checked, approved by one or two people, and paid exactly once.

Input: {"expense_id": "E-1001", "amount": 6200.5, "category": "travel", "receipt_url": "https://receipts.example/1001.pdf"}
"""

from typing import Annotated, Any

from durable_ops.examples.expense_callbacks import expense_callbacks
from durable_ops.examples.expenses import FINANCE_ABOVE, Expense, InvalidExpense, describe, outcome, pay, validate
from execution_engine import DurableContext, Duration, RetryPolicy, RetryPresets, StepConfig, StepError, durable_execution, register

# Version 1 asked by plain callbacks; executions that began with it come to their end with it.
register(expense_callbacks, name="expense-approval", version="1")


@durable_execution(name="expense-approval", version="2", execution_timeout=Duration.from_days(30), retention=Duration.from_days(90))
def expense_approval(event: Annotated[dict[str, Any], Expense], context: DurableContext) -> dict[str, Any]:
    """Validates, asks the group managers (7 days) and above 5,000 also finance (5 days), then pays.

    Ends with {"status": "completed" | "rejected_by_manager" | "rejected_by_finance", "expense_id", "amount", "paid_at"};
    "paid_at" is null unless it was paid. Fails with InvalidExpense, or when nobody decides in time.
    """
    try:
        expense = context.step("validate", lambda: validate(event), retry=RetryPresets.none())
    except StepError as error:
        raise InvalidExpense(error.message) from None
    describe(context, expense)

    if not is_approved(context, "manager", "managers", expense, Duration.from_days(7)):
        return outcome("rejected_by_manager", expense)
    if expense["amount"] > FINANCE_ABOVE and not is_approved(context, "finance", "finance", expense, Duration.from_days(5)):
        return outcome("rejected_by_finance", expense)

    key = context.uuid()
    paid_at = context.step("pay", lambda: pay(expense, key), retry=RetryPolicy(max_attempts=5), config=StepConfig(atomic=True))
    return outcome("completed", expense, paid_at)


def is_approved(context: DurableContext, name: str, group: str, expense: dict[str, Any], timeout: Duration) -> bool:
    """Asks a group, in the console and by mail; one of them decides. Waiting costs nothing, and silence approves nothing."""
    details = {
        "Expense": expense["expense_id"],
        "Amount": f"{expense['amount']:,.2f}",
        "Category": str(expense["category"] or "-")[:100],
        "Receipt": str(expense["receipt_url"])[:500],
    }
    title = f"Expense {expense['expense_id']}: {expense['amount']:,.2f}"
    decision = context.wait_for_approval(
        name,
        title=title,
        details=details,
        group=group,
        amount=expense["amount"],
        timeout=timeout,
        remind_after=Duration.from_days(2),
    )
    return decision.approved
