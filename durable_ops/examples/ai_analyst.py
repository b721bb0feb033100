"""An agent that thinks, uses a tool, thinks again, and hands over to a person when it does not get there.

Input: {"question": "Which region had the highest revenue in march?"}
Every thought and every use of a tool is a step: after a crash it goes on where it was, and pays for no thought twice.
"""

from collections.abc import Callable
from typing import Annotated, Any, TypedDict

from durable_ops.examples import mail
from durable_ops.examples.analyst.calculator import calculate
from durable_ops.examples.analyst.model import decide
from durable_ops.examples.analyst.sales import query
from durable_ops.examples.analyst.search import search
from execution_engine import CallbackTimeoutError, DurableContext, Duration, RetryPolicy, StepError, durable_execution

MAX_ITERATIONS = 12
LONGEST_QUESTION = 2_000  # characters
THREE_ATTEMPTS = RetryPolicy(max_attempts=3, initial_interval=Duration.from_seconds(1))
TOOLS: dict[str, Callable[[str], Any]] = {"search": search, "sql": query, "calculator": calculate}


class NoQuestion(ValueError):
    """There is nothing to find out, or it is longer than a question should be."""


class Question(TypedDict):
    question: str


@durable_execution(name="ai-analyst", version="1", execution_timeout=Duration.from_days(7))
def ai_analyst(event: Annotated[dict[str, Any], Question], context: DurableContext) -> dict[str, Any]:
    """Answers a question from the handbook, the sales figures or by arithmetic, in at most 12 iterations.

    Then a person is asked for up to 48 hours. Ends with {"result", "iterations", "escalated"}; "result" is the answer's
    text, or what the person answered, or null when nobody did.
    """
    question = event.get("question") if isinstance(event, dict) else None
    if not isinstance(question, str) or not 0 < len(question.strip()) <= LONGEST_QUESTION:
        raise NoQuestion(f'ask as {{"question": "..."}}, in at most {LONGEST_QUESTION:,} characters')

    notes: list[dict[str, Any]] = []
    for i in range(1, MAX_ITERATIONS + 1):
        decision = think(context, i, question, notes)
        if "answer" in decision:
            return {"result": decision["answer"], "iterations": i, "escalated": False}
        notes.append(use_tool(context, i, decision["tool"], decision["argument"]))

    return {"result": ask_a_person(context, question, notes), "iterations": MAX_ITERATIONS, "escalated": True}


def think(context: DurableContext, i: int, question: str, notes: list[dict[str, Any]]) -> dict[str, Any]:
    return context.step(f"llm-iter-{i}", lambda: decide(question, notes), retry=THREE_ATTEMPTS)


def use_tool(context: DurableContext, i: int, tool: str, argument: str) -> dict[str, Any]:
    """What the tool said, or why it failed: the model is told and decides what to make of it."""
    note = {"tool": tool, "argument": argument, "output": None, "error": None}
    try:
        return note | {"output": context.step(f"tool-{tool}-iter-{i}", lambda: TOOLS[tool](argument), retry=THREE_ATTEMPTS)}
    except StepError as error:
        return note | {"error": error.message}


def ask_a_person(context: DurableContext, question: str, notes: list[dict[str, Any]]) -> Any:
    context.set_status(f"Nobody knows yet: {question[:200]}")
    escalation = context.create_callback("escalation", timeout=Duration.from_hours(48))
    context.step(
        "mail-escalation",
        lambda: mail.send(
            "analyst_escalation", to="analysts@example.com", subject=f"Please answer: {question[:80]}", question=question, notes=notes
        ),
    )
    try:
        return context.wait_for_callback(escalation)
    except CallbackTimeoutError:
        return None
