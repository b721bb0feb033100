"""wait_for_approval as authors meet it, in memory: what it answers, what it refuses, what a time-out does."""

from datetime import timedelta
from typing import Any

import pytest

from execution_engine import ApprovalTimeoutError, Duration, durable_execution
from execution_engine.core.enums import ExecutionStatus
from execution_engine.core.errors import InvalidInputError
from execution_engine.sdk.errors import ExecutionFailedError
from execution_engine.testing import DurableExecutionTestClient


def asking(**options: Any) -> Any:
    @durable_execution(name="asks-people", version="1")
    def handler(event: dict, context: Any) -> Any:
        decision = context.wait_for_approval("manager", **{"title": "Expense E-1", "group": "managers", **options})
        return {"approved": decision.approved, "by": decision.by, "comment": decision.comment, "fields": decision.fields,
                "count": len(decision.decisions), "timed_out": decision.timed_out}  # fmt: skip

    return handler


def test_one_decision_answers() -> None:
    execution = DurableExecutionTestClient().start_execution(asking(details={"amount": 120}))
    approval = execution.get_pending_approvals()[0]
    assert approval.name == "manager"
    approval.decide(True, by="mona", comment="fine", fields={"account": "4711"})
    assert execution.get_result() == {
        "approved": True, "by": "mona", "comment": "fine", "fields": {"account": "4711"}, "count": 1, "timed_out": False
    }  # fmt: skip


def test_a_quorum_needs_different_people_and_one_rejection_decides() -> None:
    client = DurableExecutionTestClient()
    execution = client.start_execution(asking(quorum=2))
    execution.get_pending_approvals()[0].decide(True, by="mona")
    assert execution.status == ExecutionStatus.RUNNING
    with pytest.raises(InvalidInputError, match="decided already"):
        execution.get_pending_approvals()[0].decide(True, by="mona")
    execution.get_pending_approvals()[0].decide(True, by="max")
    assert execution.get_result()["count"] == 2

    rejected = client.start_execution(asking(quorum=3))
    rejected.get_pending_approvals()[0].decide(False, by="mona", comment="no")
    assert rejected.get_result()["approved"] is False


def test_whoever_asked_may_not_approve_unless_allowed() -> None:
    execution = DurableExecutionTestClient().start_execution(asking(requester="rita"))
    with pytest.raises(InvalidInputError, match="may not approve"):
        execution.get_pending_approvals()[0].decide(True, by="rita")
    allowed = DurableExecutionTestClient().start_execution(asking(requester="rita", requester_may_approve=True))
    allowed.get_pending_approvals()[0].decide(True, by="rita")
    assert allowed.get_result()["by"] == "rita"


def test_silence_never_approves() -> None:
    execution = DurableExecutionTestClient().start_execution(asking(timeout=Duration.from_days(7)))
    execution.skip_time(timedelta(days=7))
    with pytest.raises(ExecutionFailedError) as failed:
        execution.get_result()
    assert failed.value.error_type == f"{ApprovalTimeoutError.__module__}.ApprovalTimeoutError"

    rejected = DurableExecutionTestClient().start_execution(asking(timeout={"days": 7}, on_timeout="rejected"))
    rejected.skip_time(timedelta(days=7))
    assert rejected.get_result() == {
        "approved": False, "by": "", "comment": "nobody decided in time", "fields": None, "count": 0, "timed_out": True
    }  # fmt: skip


def test_history_and_replay_see_an_ordinary_callback() -> None:
    execution = DurableExecutionTestClient().start_execution(asking())
    assert [event["EventType"] for event in execution.events] == ["ExecutionStarted", "CallbackStarted", "InvocationCompleted"]
    assert execution.events[1]["CallbackStartedDetails"]["CallbackId"] == execution.get_pending_callbacks()[0].callback_id
    execution.get_pending_callbacks()[0].complete({"action": "rejected", "by": "a program"})
    assert execution.get_result()["approved"] is False


@pytest.mark.parametrize("answer", ['"yes"', "{}", '{"approved": "true"}', '{"action": "perhaps"}', "[]", "not json"])
def test_nothing_is_approved_on_a_guess(answer: str) -> None:
    execution = DurableExecutionTestClient().start_execution(asking())
    execution.get_pending_callbacks()[0].complete(answer)
    with pytest.raises(ExecutionFailedError, match="neither approved nor rejected"):
        execution.get_result()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"title": ""}, "1 to 200 characters"),
        ({"title": "x" * 201}, "1 to 200 characters"),
        ({"group": None}, "who may decide"),
        ({"quorum": 0}, "1 to 20 people, got 0"),
        ({"quorum": True}, "1 to 20 people, got True"),
        ({"group": None, "users": ["a"], "quorum": 2}, "only 1 users"),
        ({"on_timeout": "approved"}, "silence never approves"),
        ({"timeout": 0}, "at least 1 second"),
        ({"escalate_to": "finance"}, "escalate_after"),
        ({"escalate_after": 60}, "escalate_to"),
        ({"amount": "many"}, "amount is a number"),
        ({"amount": float("inf")}, "amount is a number"),
        ({"details": {str(n): n for n in range(51)}}, "at most 50 details, got 51"),
        ({"details": {"a": "x" * 70_000}}, "at most 65536 bytes"),
        ({"details": {"a": "\x00"}}, "without NUL"),
        ({"users": [""]}, "1 to 150 characters"),
        ({"users": ["a"] * 201}, "at most 200 names, got 201"),
        ({"for_object": object()}, "saved Django model"),
    ],
)  # fmt: skip
def test_wrong_arguments_are_refused_before_anything_is_recorded(options: dict[str, Any], said: str) -> None:
    execution = DurableExecutionTestClient().start_execution(asking(**options))
    with pytest.raises(ExecutionFailedError, match=said):
        execution.get_result()
    assert execution.operations == []
