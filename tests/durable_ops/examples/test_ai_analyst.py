"""`ai-analyst`: which tools it uses, when it stops, and to whom it turns."""

from typing import Any

import pytest
from django.core.mail import EmailMessage

from durable_ops.examples import ai_analyst as example
from durable_ops.examples.ai_analyst import ai_analyst
from execution_engine import Duration, ExecutionFailedError
from execution_engine.testing import DurableExecutionTestClient

pytestmark = pytest.mark.django_db

UNANSWERABLE = "What colour is the chief executive's parrot?"


def steps(execution: Any) -> list[str]:
    return [event["Name"] for event in execution.events if event["EventType"] == "StepSucceeded"]


@pytest.mark.parametrize(
    ("question", "tools", "words"),
    [
        ("What is 12 * (3 + 4)?", ["calculator"], "= 84"),
        ("Which region had the highest revenue in march?", ["sql"], "south"),
        ("What share of units came from the south?", ["sql", "sql", "calculator"], "percent of all units (region south)"),
        ("Who approves an expense above 5,000?", ["search"], "approved by finance as well"),
    ],
)
def test_analyst_picks_its_tools_by_the_question(client: DurableExecutionTestClient, question: str, tools: list[str], words: str) -> None:
    execution = client.start_execution(ai_analyst, {"question": question})
    result = execution.get_result()
    assert words in result["result"]
    assert (result["iterations"], result["escalated"]) == (len(tools) + 1, False)
    used = [name for i, tool in enumerate(tools, 1) for name in (f"llm-iter-{i}", f"tool-{tool}-iter-{i}")]
    assert steps(execution) == [*used, f"llm-iter-{len(tools) + 1}"]


def test_analyst_asks_a_person_after_twelve_iterations(client: DurableExecutionTestClient, mailoutbox: list[EmailMessage]) -> None:
    execution = client.start_execution(ai_analyst, {"question": UNANSWERABLE})
    assert [name for name in steps(execution) if name.startswith("llm-")] == [f"llm-iter-{i}" for i in range(1, 13)]
    (callback,) = execution.get_pending_callbacks()
    callback.complete({"answer": "green"})
    assert execution.get_result() == {"result": {"answer": "green"}, "iterations": 12, "escalated": True}
    (mail,) = mailoutbox
    assert UNANSWERABLE in mail.body


def test_analyst_ends_without_a_result_when_nobody_answers_for_48_hours(client: DurableExecutionTestClient) -> None:
    execution = client.start_execution(ai_analyst, {"question": UNANSWERABLE})
    execution.skip_time(Duration(48 * 3600 - 1))
    assert execution.status == "RUNNING"
    execution.skip_time(Duration(1))
    assert execution.get_result() == {"result": None, "iterations": 12, "escalated": True}


def test_tool_that_fails_is_tried_three_times_and_then_the_model_is_told(client: DurableExecutionTestClient) -> None:
    execution = client.start_execution(ai_analyst, {"question": "What is 7 / (2 - 2)?"})
    execution.run_until_complete()
    assert "division by zero" in execution.get_result()["result"]
    assert execution.get_operation("tool-calculator-iter-1").attempt == 3


def test_model_that_fails_is_tried_three_times(client: DurableExecutionTestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def out_of_order(*_: Any) -> dict[str, Any]:
        raise OSError("the model is out of order")

    monkeypatch.setattr(example, "decide", out_of_order)
    execution = client.start_execution(ai_analyst, {"question": "What is 1 + 1?"})
    execution.run_until_complete()
    with pytest.raises(ExecutionFailedError, match="out of order"):
        execution.get_result()
    assert execution.get_operation("llm-iter-1").attempt == 3


@pytest.mark.parametrize("event", [{}, {"question": ""}, {"question": 7}, {"question": "why? " * 1000}, "why?", []])
def test_analyst_wants_a_question(client: DurableExecutionTestClient, event: Any) -> None:
    execution = client.start_execution(ai_analyst, event)
    with pytest.raises(ExecutionFailedError, match="NoQuestion"):
        execution.get_result()
