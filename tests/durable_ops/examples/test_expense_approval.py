"""`expense-approval` and `expense-callbacks` from their input to every one of their ends."""

import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.db import DatabaseError

from durable_ops.examples.expense_approval import expense_approval
from durable_ops.examples.expense_callbacks import expense_callbacks
from durable_ops.examples.expenses import InvalidExpense, validate
from durable_ops.examples.models import Payment
from durable_ops.models import Approval
from execution_engine import Duration, ExecutionFailedError
from execution_engine.testing import DurableExecutionTestClient

pytestmark = pytest.mark.django_db

APPROVED, REJECTED = {"action": "approved"}, {"action": "rejected"}
RECEIPT = "https://receipts.example/1.pdf"


@pytest.fixture(params=[expense_approval, expense_callbacks], ids=["approvals", "callbacks"])
def function(request: pytest.FixtureRequest) -> Any:
    """What holds for one way of asking people holds for the other."""
    return request.param


def expense(amount: Any = 120, **changes: Any) -> dict[str, Any]:
    return {"expense_id": "E-1", "amount": amount, "category": "travel", "receipt_url": RECEIPT} | changes


def answer(execution: Any, *answers: Any) -> list[str]:
    """Answers the pending callbacks one after the other; returns who was asked."""
    asked = []
    for each in answers:
        (callback,) = execution.get_pending_callbacks()
        asked.append(callback.name)
        callback.complete(each)
    return asked


def test_small_expense_is_paid_after_the_manager(client: DurableExecutionTestClient, function: Any) -> None:
    execution = client.start_execution(function, expense(120.5))
    assert answer(execution, APPROVED) == ["manager"]
    result = execution.get_result()
    assert {**result, "paid_at": "then"} == {"status": "completed", "expense_id": "E-1", "amount": 120.5, "paid_at": "then"}


def test_expense_can_be_searched_by_what_people_know(client: DurableExecutionTestClient, function: Any) -> None:
    execution = client.start_execution(function, expense(120.5))
    assert execution.attributes == {"expense_id": "E-1", "amount": 120.5, "category": "travel"}
    assert execution.status_text == "Expense E-1: 120.50, travel"


def test_paid_at_is_the_real_moment_of_the_payment(client: DurableExecutionTestClient, function: Any) -> None:
    execution = client.start_execution(function, expense())
    before = datetime.now(UTC)
    answer(execution, APPROVED)
    paid_at = datetime.fromisoformat(execution.get_result()["paid_at"])
    assert before <= paid_at <= datetime.now(UTC)
    assert paid_at.utcoffset() == timedelta(0)


def test_large_expense_needs_finance_too(client: DurableExecutionTestClient, function: Any) -> None:
    execution = client.start_execution(function, expense(5000.01))
    assert answer(execution, APPROVED, APPROVED) == ["manager", "finance"]
    assert execution.get_result()["status"] == "completed"


def test_expense_at_the_limit_does_not_need_finance(client: DurableExecutionTestClient, function: Any) -> None:
    execution = client.start_execution(function, expense(5000))
    assert answer(execution, APPROVED) == ["manager"]
    assert execution.get_result()["status"] == "completed"


def test_ledger_has_one_row_per_paid_expense(client: DurableExecutionTestClient, function: Any) -> None:
    answer(client.start_execution(function, expense(6200.5)), APPROVED, APPROVED)
    (payment,) = Payment.objects.all()
    assert (payment.expense_id, payment.amount) == ("E-1", Decimal("6200.50"))


@pytest.mark.parametrize(("answers", "status"), [([REJECTED], "rejected_by_manager"), ([APPROVED, REJECTED], "rejected_by_finance")])
def test_rejected_expense_is_not_paid(client: DurableExecutionTestClient, function: Any, answers: list[Any], status: str) -> None:
    execution = client.start_execution(function, expense(9000))
    answer(execution, *answers)
    assert execution.get_result() == {"status": status, "expense_id": "E-1", "amount": 9000, "paid_at": None}
    assert not Payment.objects.exists()


def test_each_person_is_mailed_once_and_replay_sends_nothing(client: DurableExecutionTestClient, mailoutbox: list[EmailMessage]) -> None:
    answer(client.start_execution(expense_callbacks, expense(9000)), APPROVED, APPROVED)
    assert [mail.to for mail in mailoutbox] == [["manager@example.com"], ["finance@example.com"]]


def test_mail_has_what_a_person_needs_to_decide(client: DurableExecutionTestClient, mailoutbox: list[EmailMessage]) -> None:
    client.start_execution(expense_callbacks, expense(9000, category="R&D"))
    (mail,) = mailoutbox
    assert mail.subject == "Expense E-1: 9,000.00 waits for you"
    for fact in ("E-1", "9000", "R&D", RECEIPT, "/approve", "/reject"):
        assert fact in mail.body


@pytest.mark.parametrize(("days", "answers", "person"), [(7, [], "manager"), (5, [APPROVED], "finance")])
def test_silence_fails_the_execution(client: DurableExecutionTestClient, function: Any, days: int, answers: list[Any], person: str) -> None:
    execution = client.start_execution(function, expense(9000))
    answer(execution, *answers)
    execution.skip_time(Duration(days * 86_400 - 1))
    assert execution.status == "RUNNING"
    execution.skip_time(Duration(1))
    assert execution.status == "FAILED"
    with pytest.raises(ExecutionFailedError, match="TimeoutError"):
        execution.get_result()
    assert execution.get_operation(person).status == "TIMED_OUT"


@pytest.mark.parametrize("unclear", [None, "yes", {"action": "maybe"}, {"approved": True}, [1]])
def test_unclear_answer_pays_nothing(client: DurableExecutionTestClient, unclear: Any) -> None:
    execution = client.start_execution(expense_callbacks, expense())
    (callback,) = execution.get_pending_callbacks()
    callback.complete('"yes"' if unclear == "yes" else unclear)
    with pytest.raises(ExecutionFailedError, match="UnclearAnswer"):
        execution.get_result()
    assert not Payment.objects.exists()


def test_failed_callback_fails_the_execution_with_its_words(client: DurableExecutionTestClient, function: Any) -> None:
    execution = client.start_execution(function, expense())
    execution.get_pending_callbacks()[0].fail("the approver left")
    with pytest.raises(ExecutionFailedError, match="the approver left"):
        execution.get_result()


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        (expense(0), "over 0"),
        (expense(-12.5), "over 0"),
        (expense(1e12), "at most"),
        (expense("twelve"), "a number, not 'twelve'"),
        (expense(None), "a number"),
        (expense(True), "a number"),
        (expense([1]), "a number"),
        (expense(10**400), ""),
        (expense(receipt_url=""), "receipt is missing"),
        (expense(receipt_url="  "), "receipt is missing"),
        (expense(receipt_url=None), "receipt is missing"),
        (expense(expense_id=""), "expense_id is missing"),
        (expense(expense_id=["E-1"]), "expense_id is missing"),
        (expense(expense_id="E" * 101), "longer than 100 characters"),
        ({}, "receipt is missing"),
        ("E-1", "must be an object"),
        ([], "must be an object"),
    ],
)
def test_bad_expense_fails_with_the_authors_error(
    client: DurableExecutionTestClient, function: Any, mailoutbox: list[EmailMessage], event: Any, problem: str
) -> None:
    execution = client.start_execution(function, event)
    assert execution.status == "FAILED"
    assert execution.error is not None
    assert execution.error.type == "durable_ops.examples.expenses.InvalidExpense"
    assert problem in (execution.error.message or "")
    assert not mailoutbox


def test_validation_names_everything_that_is_wrong() -> None:
    with pytest.raises(
        InvalidExpense,
        match=r"expense_id is missing or longer than 100 characters; amount must be a number, not None; the receipt is missing",
    ):
        validate({})


def test_validation_is_not_tried_again(client: DurableExecutionTestClient, function: Any) -> None:
    execution = client.start_execution(function, expense(-1))
    assert [event["EventType"] for event in execution.events].count("StepStarted") == 1


def test_expense_id_may_be_a_number_and_stays_one(client: DurableExecutionTestClient, function: Any) -> None:
    execution = client.start_execution(function, expense(expense_id=1001))
    answer(execution, APPROVED)
    assert execution.get_result()["expense_id"] == 1001


def test_payment_is_tried_again_and_made_once(client: DurableExecutionTestClient, function: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    attempts = []

    def pay_at_the_third_attempt(*given: Any) -> str:
        attempts.append(given)
        paid_at = pay(*given)
        if len(attempts) < 3:
            raise DatabaseError("the connection was lost after the row was written")
        return paid_at

    module = sys.modules[function.definition.handler.__module__]
    pay = module.pay
    monkeypatch.setattr(module, "pay", pay_at_the_third_attempt)
    execution = client.start_execution(function, expense())
    answer(execution, APPROVED)
    execution.run_until_complete()
    assert execution.get_result()["status"] == "completed"
    assert (len(attempts), Payment.objects.count()) == (3, 1)


def test_payment_that_never_works_fails_after_five_attempts(
    client: DurableExecutionTestClient, function: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_ledger(*_: Any) -> str:
        raise OSError("the ledger is closed")

    monkeypatch.setattr(sys.modules[function.definition.handler.__module__], "pay", no_ledger)
    execution = client.start_execution(function, expense())
    answer(execution, APPROVED)
    execution.run_until_complete()
    with pytest.raises(ExecutionFailedError, match="the ledger is closed"):
        execution.get_result()
    assert execution.get_operation("pay").attempt == 5


@pytest.mark.parametrize("unclear", [None, "yes", {"action": "maybe"}, [1]])
def test_an_approval_is_never_guessed(client: DurableExecutionTestClient, unclear: Any) -> None:
    execution = client.start_execution(expense_approval, expense())
    execution.get_pending_callbacks()[0].complete('"yes"' if unclear == "yes" else unclear)
    with pytest.raises(ExecutionFailedError, match="neither approved nor rejected"):
        execution.get_result()
    assert not Payment.objects.exists()


def test_approvals_ask_the_groups_with_what_they_need_to_decide() -> None:
    client = DurableExecutionTestClient(database=True)
    client.start_execution(expense_approval, expense(9000, category="R&D"))
    approval = Approval.objects.get()
    assert (approval.title, [one.name for one in approval.assignees.all()]) == ("Expense E-1: 9,000.00", ["managers"])
    assert approval.details == [["Expense", "E-1"], ["Amount", "9,000.00"], ["Category", "R&D"], ["Receipt", RECEIPT]]
