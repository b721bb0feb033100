"""What author code hands to the journal is checked before it is queued, so that nothing fails behind its back."""

from typing import Any

import pytest

from execution_engine import DurableContext, durable_execution
from execution_engine.models import Execution
from execution_engine.sdk.errors import ExecutionFailedError
from execution_engine.worker.runtime import Runtime
from tests.waiting import PATIENCE


@durable_execution(name="test-attributes")
def marked(event: Any, context: DurableContext) -> int:
    context.set_attributes({"huge": 10**30, "name": "Zoë", "ratio": 0.5, "none": None})
    context.set_status("half way")
    return context.step(lambda: 1, name="one")


def test_attributes_and_status_travel_with_the_next_checkpoint(runtime: Runtime) -> None:
    handle = marked.start({})

    assert handle.result(timeout=PATIENCE) == 1
    row = Execution.objects.get(id=handle.id)
    assert row.attributes == {"huge": 10**30, "name": "Zoë", "ratio": 0.5, "none": None}
    assert row.status_text == "half way"


@durable_execution(name="test-large-result")
def answers_too_much(event: Any, context: DurableContext) -> str:
    return "x" * (6 * 1024 * 1024)


def test_a_result_above_the_limit_fails_by_name(runtime: Runtime) -> None:
    handle = answers_too_much.start({})

    with pytest.raises(ExecutionFailedError, match="the limit is 6291456"):
        handle.result(timeout=PATIENCE)
