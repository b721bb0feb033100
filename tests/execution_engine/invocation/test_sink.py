"""What author code hands to the journal is checked before it is queued, so that nothing fails behind its back."""

from typing import Any

import pytest

from execution_engine import DurableContext, durable_execution
from execution_engine.invocation.sink import check_attributes
from execution_engine.models import Execution
from execution_engine.sdk.errors import ValidationError
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


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), object(), b"bytes", "nul\x00", "\ud800", 10**5000],
    ids=["nan", "inf", "object", "bytes", "nul", "surrogate", "digits"],
)
def test_attributes_that_jsonb_refuses_are_refused_by_name(value: Any) -> None:
    with pytest.raises((ValidationError, ValueError)):
        check_attributes({"value": value})
