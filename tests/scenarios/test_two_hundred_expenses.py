"""The shipped CSV: two hundred expenses from one command to their right ends."""

import csv
import json
from collections import Counter
from typing import Any

import pytest

from durable_ops.examples.expenses import FINANCE_ABOVE
from tests.scenarios.program import Program, ledger, wait_for
from tests.serving import REPOSITORY, Serving

pytestmark = pytest.mark.slow

EXPENSES = REPOSITORY / "durable_ops" / "examples" / "data" / "expenses.csv"


def amount(row: dict[str, str]) -> float | None:
    """None for a bad row."""
    try:
        number = float(row["amount"])
    except ValueError:
        return None
    return number if number > 0 and row["receipt_url"] else None


def good_amounts() -> dict[str, float]:
    with EXPENSES.open(encoding="utf-8", newline="") as file:
        return {row["expense_id"]: number for row in csv.DictReader(file) if (number := amount(row)) is not None}


def answer_all(program: Program, name: str, executions: set[str], *, rejected: set[str]) -> None:
    """Waits until each of the executions waits for this callback; rejects some and approves the others."""

    def find() -> list[dict[str, Any]] | None:
        pending = [item for item in program.everything("/callbacks?status=pending") if item["execution"] in executions]
        return pending if [item["name"] for item in pending] == [name] * len(executions) else None

    for callback in wait_for(find, f"{len(executions)} callbacks {name}"):
        program.succeed(callback["callback_id"], {"action": "rejected" if callback["execution"] in rejected else "approved"})


def test_two_hundred_expenses_come_to_their_right_ends(serving: Serving, program: Program) -> None:
    good = good_amounts()
    started = json.loads(serving.manage("start_execution", "expense-approval", "--input-csv", str(EXPENSES), "--json"))
    ids = {item["id"] for item in started}
    by_execution = {
        execution_id: str(execution["input"]["expense_id"])
        for execution_id in ids
        if (execution := program.execution(execution_id))["input"]["expense_id"] in good
    }
    large = [execution_id for execution_id, expense_id in sorted(by_execution.items()) if good[expense_id] > FINANCE_ABOVE]
    by_manager, by_finance = set(large[:5]), set(large[5:8])

    answer_all(program, "manager", set(by_execution), rejected=by_manager)
    answer_all(program, "finance", set(large[5:]), rejected=by_finance)

    ends = [program.end_of(execution_id) for execution_id in ids]
    counted = Counter(end["result"]["status"] if end["result"] else end["error"]["ErrorType"].rpartition(".")[2] for end in ends)
    rejected = by_manager | by_finance
    assert counted == {
        "completed": len(good) - len(rejected),
        "rejected_by_manager": 5,
        "rejected_by_finance": 3,
        "InvalidExpense": 20,
    }
    paid = {expense_id: amounts for expense_id, amounts in ledger(serving).items() if expense_id in good}
    assert paid == {expense_id: [good[expense_id]] for execution_id, expense_id in by_execution.items() if execution_id not in rejected}
