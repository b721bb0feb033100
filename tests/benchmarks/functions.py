"""The durable functions that are measured; the worker finds them through DURABLE_FUNCTION_MODULES."""

import time
from typing import Any

from execution_engine import DurableContext, MapConfig, durable_execution
from tests.benchmarks.measuring import FAN_LIMIT, LONG_STEPS, PAYLOAD, STEPS

# Of the executions that ran in this process: the moments after each step, one list per invocation.
MOMENTS: list[list[float]] = []


def body() -> dict[str, Any]:
    return PAYLOAD


@durable_execution(name="bench-ten")
def ten(event: Any, context: DurableContext) -> dict[str, Any]:
    for _ in range(STEPS):
        context.step(body)
    return PAYLOAD


@durable_execution(name="bench-one")
def one(event: Any, context: DurableContext) -> dict[str, Any]:
    return context.step(body)


@durable_execution(name="bench-long")
def long(event: Any, context: DurableContext) -> list[float]:
    """All steps, a suspension, the replay: answers the moments of the invocation that ends it."""
    moments = [time.perf_counter()]
    MOMENTS.append(moments)
    for _ in range(LONG_STEPS):
        context.step(body)
        moments.append(time.perf_counter())
    context.wait(seconds=1)
    return moments


def item(context: DurableContext, number: int, index: int, numbers: list[int]) -> dict[str, Any]:
    return context.step(body, name="s")


@durable_execution(name="bench-fan")
def fan(event: Any, context: DurableContext) -> int:
    return context.map(list(range(event["items"])), item, name="m", config=MapConfig(max_concurrency=FAN_LIMIT)).success_count


@durable_execution(name="bench-fan-again")
def fan_again(event: Any, context: DurableContext) -> float:
    """The map, a suspension, the replay: answers the seconds that the map took in the invocation that ends it."""
    began = time.perf_counter()
    context.map(list(range(event["items"])), item, name="m", config=MapConfig(max_concurrency=FAN_LIMIT))
    seconds = time.perf_counter() - began
    context.wait(seconds=1)
    return seconds


@durable_execution(name="bench-sleeper")
def sleeper(event: Any, context: DurableContext) -> None:
    context.step(body, name="before")
    context.wait(seconds=event["seconds"], name="sleep")
    context.step(body, name="after")


@durable_execution(name="bench-waiter")
def waiter(event: Any, context: DurableContext) -> None:
    context.step(body, name="before")
    context.create_callback(name="answer").result()
    context.step(body, name="after")
