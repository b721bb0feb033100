"""What author code hands to the journal is checked before it is queued, so that nothing fails behind its back."""

from typing import Any

from execution_engine import DurableContext, durable_execution
from execution_engine.models import Execution
from execution_engine.worker.runtime import Runtime


@durable_execution(name="test-attributes")
def marked(event: Any, context: DurableContext) -> int:
    context.set_attributes({"huge": 10**30, "name": "Zoë", "ratio": 0.5, "none": None})
    context.set_status("half way")
    return context.step(lambda: 1, name="one")


def test_attributes_and_status_travel_with_the_next_checkpoint(runtime: Runtime) -> None:
    handle = marked.start({})

    assert handle.result(timeout=10) == 1
    row = Execution.objects.get(id=handle.id)
    assert row.attributes == {"huge": 10**30, "name": "Zoë", "ratio": 0.5, "none": None}
    assert row.status_text == "half way"
