"""Three functions as source text, so that tests can edit them, and their histories at every stage of their lives."""

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import Any

import execution_engine as sdk
from execution_engine.sdk.registry import RegisteredFunction, describe
from execution_engine.testing import DurableExecutionTestClient, ExecutionUnderTest, RecordedExecution

ORDER = """
def handler(event, context):
    order = context.step("load", lambda: {"id": event["id"], "items": 3})
    total = context.step("price", lambda: order["items"] * 10)
    if total > 20:
        context.step("check", lambda: True)
    context.wait("cool-off", 60)
    for number in range(3):
        context.step("ship", lambda: number)
    confirmed = context.wait_for_callback(lambda callback_id, _: bodies.append(callback_id), "confirm")
    paid = context.invoke("pay", {"total": total}, name="charge")
    signal = context.wait_for_signal("go")
    return {"total": total, "paid": paid, "confirmed": confirmed, "signal": signal.signal_name}
"""

BATCHES = """
def handler(event, context):
    def item(child, value, index, items):
        doubled = child.step("double", lambda: value * 2)
        child.wait("settle", 30)
        return child.step("store", lambda: doubled)

    def left(child):
        return child.step("left step", lambda: 1)

    def right(child):
        first = child.step("right step", lambda: 2)
        child.wait("rest", 600)
        return first + child.step("right end", lambda: 2)

    stored = context.map([1, 2, 3], item, "all")
    sides = context.parallel([ParallelBranch(left, name="left"), ParallelBranch(right, name="right")], "sides")
    flat = context.map(["a", "b"], lambda child, value, index, items: child.step("flat", lambda: value), "flat map", FLAT)
    context.step("sum", lambda: sum(stored.get_results()))
    answer = context.create_callback("answer")
    context.step("ask", lambda: bodies.append(answer.callback_id))
    return [answer.result(), sides.get_results(), flat.get_results()]
"""

NESTED = """
def handler(event, context):
    def deep(grand):
        grand.step("x", lambda: 1)
        grand.wait("nap", 60)
        return grand.step("y", lambda: "y" * event.get("size", 1))

    def group(child):
        first = child.step("a", lambda: 1)
        inner = child.run_in_child_context(deep, "deep")
        return [first, inner, child.step("b", lambda: 2)]

    result = context.run_in_child_context(group, "group")
    virtual = context.run_in_child_context(lambda child: child.step("v", lambda: 3), "virtual", VIRTUAL)
    ready = context.wait_for_condition(lambda state, _: state + 1, POLL, "poll")
    try:
        context.step("fails", lambda: 1 / 0, retry=ONCE)
    except StepError:
        context.step("repair", lambda: "repaired")
    context.wait("last", 10)
    return [len(result), virtual, ready]
"""

SOURCES = {"order": ORDER, "batches": BATCHES, "nested": NESTED}
bodies: list[Any] = []


def decide(state: int, attempt: int) -> sdk.WaitForConditionDecision:
    return sdk.WaitForConditionDecision.stop_polling() if state >= 2 else sdk.WaitForConditionDecision.continue_waiting(sdk.Duration(5))


def compiled(source: str) -> RegisteredFunction:
    """The function that a source text defines, with what its code needs to find."""
    names: dict[str, Any] = {
        "__name__": "shop.flows",
        "bodies": bodies,
        "logging": logging,
        "timedelta": timedelta,
        "FLAT": sdk.MapConfig(nesting_type=sdk.NestingType.FLAT),
        "VIRTUAL": sdk.ChildConfig(is_virtual=True),
        "POLL": sdk.WaitForConditionConfig(wait_strategy=decide, initial_state=0),
        "ONCE": sdk.RetryPolicy(max_attempts=1),
        **{name: getattr(sdk, name) for name in sdk.__all__},
    }
    exec(compile(source, "shop/flows.py", "exec"), names)
    return describe(names["handler"])


def _answer(execution: ExecutionUnderTest) -> None:
    execution.get_pending_callbacks()[0].complete('"yes"')


MOVES: dict[str, list[Callable[[ExecutionUnderTest], Any]]] = {
    "order": [lambda e: e.skip_time(60), _answer, lambda e: e.signal("go")],
    "batches": [lambda e: e.skip_time(30), lambda e: e.skip_time(600), _answer],
    "nested": [lambda e: e.skip_time(60), lambda e: e.skip_time(5), lambda e: e.skip_time(10)],
}


@cache
def histories(base: str) -> list[RecordedExecution]:
    """At its first suspension, after each move, and when it has succeeded."""
    client = DurableExecutionTestClient()
    client.register_function(lambda event, context: {"paid": event["total"]}, "pay")
    execution = client.start_execution(compiled(SOURCES[base]).handler, {"id": 1})
    found = [execution.record()]
    for move in MOVES[base]:
        move(execution)
        found.append(execution.record())
    assert execution.status == "SUCCEEDED", execution.describe()
    bodies.clear()
    return found
