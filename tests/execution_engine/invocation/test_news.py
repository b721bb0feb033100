"""What an invocation is told about: completed by time or by outsiders since the last one."""

import json
from typing import Any

import pytest

from execution_engine import DurableContext, DurableInstrumentationPlugin, Duration, durable_execution
from execution_engine.models import Execution
from execution_engine.worker.runtime import Runtime
from tests.waiting import wait_until

told: list[list[str]] = []


class Listening(DurableInstrumentationPlugin):
    def on_invocation_start(self, info: Any) -> None:
        told.append([operation.name for operation in info.updated_operations.values()])


@durable_execution(name="news", plugins=[Listening()])
def news(_event: Any, context: DurableContext) -> str:
    context.step(lambda: "done by the claim's holder", name="step")
    context.wait(Duration.from_seconds(1), name="pause")
    return "ended"


@pytest.mark.usefixtures("runtime")
def test_a_timer_that_fired_between_invocations_is_news(runtime: Runtime) -> None:
    told.clear()
    handle = news.start({})
    wait_until(Execution.objects.filter(id=handle.id, status="SUCCEEDED").exists)
    assert json.loads(Execution.objects.get(id=handle.id).result or "null") == "ended"
    assert told == [[], ["pause"]]
