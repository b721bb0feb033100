"""Whatever people send: a bad input is refused or fails with the author's error, and takes no worker down with it."""

from typing import Any

import pytest

from tests.durable_ops.examples.test_readme import INPUTS
from tests.scenarios.program import Program, wait_for

pytestmark = pytest.mark.slow

WEIRD: list[Any] = [
    None, True, [], [1, [2]], {}, {"a": 1}, 0, -1, -0.0, 1.5, 1e308, 1e-320, 10**30, 2**63,
    "", "\n\r", "<b>", "' or 1=1 --", "NaN", "\N{COLLISION SYMBOL}" * 9, "a" * 100_000,
]  # fmt: skip
MOVING = ("queued", "running")


def variants(event: dict[str, Any]) -> list[Any]:
    """The weird things themselves, each in place of each value, and each value left out."""
    replaced = [event | {name: weird} for name in event for weird in WEIRD]
    return [*WEIRD, *replaced, *({key: value for key, value in event.items() if key != name} for name in event)]


@pytest.mark.parametrize(("function", "event"), INPUTS.items(), ids=INPUTS)
def test_weird_input_is_no_problem_of_the_engine(program: Program, function: str, event: dict[str, Any]) -> None:
    started = [program.start(function, variant) for variant in variants(event)]

    def rested() -> list[dict[str, Any]] | None:
        executions = [program.execution(execution_id) for execution_id in started]
        return None if any(execution["state"] in MOVING for execution in executions) else executions

    executions = wait_for(rested, f"{len(started)} executions of {function} to end or to wait")
    error_types = {execution["error"]["ErrorType"] for execution in executions if execution["error"]}
    assert {name for name in error_types if name.startswith("execution_engine")} <= {"execution_engine.sdk.errors.StepError"}
