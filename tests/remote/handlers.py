"""Handlers of AWS's Python SDK that run in another process; `marks` is a directory in which bodies leave a file for each time they ran."""

import time
from pathlib import Path
from typing import Any

from aws_durable_execution_sdk_python import DurableContext, StepContext, durable_execution
from aws_durable_execution_sdk_python.config import Duration, StepConfig
from aws_durable_execution_sdk_python.retries import RetryStrategyConfig, create_retry_strategy


def ran(event: dict[str, Any], name: str) -> int:
    """Leaves a mark and answers how many there are."""
    folder = Path(event["marks"]) / name
    folder.mkdir(exist_ok=True)
    (folder / str(time.monotonic_ns())).touch()
    return len(list(folder.iterdir()))


@durable_execution
def everything(event: dict[str, Any], context: DurableContext) -> dict[str, Any]:
    """A step, a retry, a wait, a child context, a map, an invoke and a callback, each with its result."""
    found: dict[str, Any] = {"step": context.step(lambda _: ran(event, "step"), name="step")}

    def fails_once(_: StepContext) -> int:
        count = ran(event, "retried")
        if count < 2:
            raise RuntimeError("not yet")
        return count

    retries = create_retry_strategy(RetryStrategyConfig(max_attempts=3, initial_delay=Duration.from_seconds(1)))
    found["retried"] = context.step(fails_once, name="retried", config=StepConfig(retry_strategy=retries))
    context.wait(Duration.from_seconds(1), name="rest")
    found["child"] = context.run_in_child_context(lambda child: child.step(lambda _: 7, name="inner"), name="child")
    found["map"] = context.map([1, 2, 3], lambda child, item, *_: child.step(lambda _: item * 10, name="times"), name="map").get_results()
    found["invoke"] = context.invoke("remote-plain", {"n": 20}, name="invoke")
    found["callback"] = context.wait_for_callback(lambda callback_id, _: ran(event, f"callback-{callback_id}"), name="ask")
    return found


@durable_execution
def long_step(event: dict[str, Any], context: DurableContext) -> dict[str, Any]:
    """The first time its second step waits for somebody to kill the process."""
    first = context.step(lambda _: ran(event, "first"), name="first")

    def second(_: StepContext) -> int:
        count = ran(event, "second")
        while count == 1 and not (Path(event["marks"]) / "go-on").exists():
            time.sleep(0.05)
        return count

    found = {"first": first, "second": context.step(second, name="second")}
    return {**found, "third": context.step(lambda _: ran(event, "third"), name="third")}


@durable_execution
def asks(event: dict[str, Any], context: DurableContext) -> Any:
    before = context.step(lambda _: 1, name="before")
    answer = context.create_callback(name="ask").result()
    return [before, answer, context.step(lambda _: 2, name="after")]


def plain(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return {"doubled": event["n"] * 2}


HANDLERS = {"remote-everything": everything, "remote-long-step": long_step, "remote-asks": asks, "remote-plain": plain}
