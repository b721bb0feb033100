"""`order-fulfilment`: the good end, and everything that is undone on the way to the others."""

from typing import Any

import pytest
from django.core.mail import EmailMessage

from durable_ops.examples import card_company
from durable_ops.examples.models import CardPayment, Shipment, StockItem
from durable_ops.examples.order_fulfilment import order_fulfilment, passes
from execution_engine import Duration, ExecutionFailedError
from execution_engine.testing import DurableExecutionTestClient

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shelf")]


def order(**changes: Any) -> dict[str, Any]:
    return {"order_id": "O-1", "items": {"mug": 2}, "amount": 25.0, "card": "card-good", "email": "ada@example.com"} | changes


def money() -> list[str]:
    return list(CardPayment.objects.values_list("state", flat=True))


def mugs() -> int:
    return StockItem.objects.get(sku="mug").available


def busy(*_: Any) -> None:
    raise card_company.CardCompanyBusy("not now")


def step_starts(execution: Any, name: str) -> list[Any]:
    return [event for event in execution.events if event["EventType"] == "StepStarted" and event["Name"] == name]


def test_approved_order_is_charged_shipped_and_confirmed(client: DurableExecutionTestClient, mailoutbox: list[EmailMessage]) -> None:
    execution = client.start_execution(order_fulfilment, order())
    assert (execution.status, money(), mugs()) == ("RUNNING", ["charged"], 2)
    execution.signal("fraud-review", {"action": "approve"})
    parcel = str(Shipment.objects.get())
    assert execution.get_result() == {"status": "completed", "order_id": "O-1", "parcel": parcel}
    (mail,) = mailoutbox
    assert mail.to == ["ada@example.com"]
    assert parcel in mail.body


def test_review_sent_early_is_kept(client: DurableExecutionTestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(card_company, "hold", busy)
        execution = client.start_execution(order_fulfilment, order())
    execution.signal("fraud-review", {"action": "approve"})
    assert execution.status == "RUNNING"
    execution.run_until_complete()
    assert execution.get_result()["status"] == "completed"


def test_rejected_order_is_refunded_and_put_back(client: DurableExecutionTestClient, mailoutbox: list[EmailMessage]) -> None:
    execution = client.start_execution(order_fulfilment, order())
    execution.signal("fraud-review", {"action": "reject"})
    assert execution.get_result() == {"status": "cancelled", "reason": "fraud"}
    assert (money(), mugs(), Shipment.objects.count(), len(mailoutbox)) == (["refunded"], 4, 0, 1)


def test_silence_for_72_hours_rejects(client: DurableExecutionTestClient) -> None:
    execution = client.start_execution(order_fulfilment, order())
    execution.skip_time(Duration(72 * 3600 - 1))
    assert execution.status == "RUNNING"
    execution.skip_time(Duration(1))
    assert execution.get_result() == {"status": "cancelled", "reason": "fraud"}
    assert (money(), mugs()) == (["refunded"], 4)


@pytest.mark.parametrize(
    ("verdict", "ships"),
    [
        ("approve", True),
        ({"action": "approved"}, True),
        ({"decision": "approve"}, True),
        ({"approved": True}, True),
        ("reject", False),
        ({"action": "reject"}, False),
        ({"approved": False}, False),
        ({"action": "hm"}, False),
        ({"comment": "approve"}, False),
        (None, False),
        ([1], False),
    ],
)
def test_only_a_clear_approval_passes(verdict: Any, ships: bool) -> None:
    assert passes(verdict) is ships


def test_stock_out_releases_the_money_and_tells_the_customer(client: DurableExecutionTestClient, mailoutbox: list[EmailMessage]) -> None:
    execution = client.start_execution(order_fulfilment, order(items={"mug": 1, "unicorn": 1}))
    assert execution.get_result() == {"status": "cancelled", "reason": "stockout"}
    assert (money(), mugs()) == (["released"], 4)
    assert [mail.subject for mail in mailoutbox] == ["Sorry, order O-1 is sold out"]
    assert len(step_starts(execution, "reserve-inventory")) == 1


@pytest.mark.parametrize(("card", "words"), [("card-declined", "declined the card"), ("card-of-nobody", "no card")])
def test_card_that_cannot_pay_is_not_tried_again(client: DurableExecutionTestClient, card: str, words: str) -> None:
    execution = client.start_execution(order_fulfilment, order(card=card))
    with pytest.raises(ExecutionFailedError, match=words):
        execution.get_result()
    assert len(step_starts(execution, "validate-payment")) == 1
    assert (money(), mugs()) == ([], 4)


def test_busy_card_company_is_asked_five_times_with_doubling_pauses(client: DurableExecutionTestClient) -> None:
    execution = client.start_execution(order_fulfilment, order(card="card-busy"))
    execution.run_until_complete()
    with pytest.raises(ExecutionFailedError, match="does not answer"):
        execution.get_result()
    failures = [event["StepFailedDetails"]["RetryDetails"] for event in execution.events if event["EventType"] == "StepFailed"]
    assert [failure.get("NextAttemptDelaySeconds") for failure in failures] == [2, 4, 8, 16, None]


def test_card_company_that_comes_back_is_paid_once(client: DurableExecutionTestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    real_hold, calls = card_company.hold, []

    def hold_and_lose_the_answer(*given: Any) -> None:
        calls.append(given)
        real_hold(*given)
        if len(calls) == 1:
            raise card_company.CardCompanyBusy("the answer was lost")

    monkeypatch.setattr(card_company, "hold", hold_and_lose_the_answer)
    execution = client.start_execution(order_fulfilment, order())
    execution.run_until_complete()
    assert (len(calls), money()) == (2, ["charged"])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"order_id": ""}, "has no order_id"),
        ({"order_id": ["O-1"]}, "must be texts"),
        ({"email": 7}, "must be texts"),
        ({"items": {}}, "has no items"),
        ({"items": ["mug"]}, "how many of each"),
        ({"items": {"mug": -2}}, "how many of each"),
        ({"items": {"mug": "2"}}, "how many of each"),
        ({"items": {"mug": True}}, "how many of each"),
        ({"amount": -1}, "a number over 0"),
        ({"amount": "25"}, "a number over 0"),
        ({"amount": 1e308}, "at most 1,000,000"),
    ],
)
def test_order_that_makes_no_sense_fails_before_anything_happens(
    client: DurableExecutionTestClient, changes: dict[str, Any], words: str
) -> None:
    execution = client.start_execution(order_fulfilment, order(**changes))
    with pytest.raises(ExecutionFailedError, match=words):
        execution.get_result()
    assert execution.operations == []
