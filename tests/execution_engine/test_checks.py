"""`manage.py check` warns of durable functions that differ on replay."""

import time
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command

from durable_ops.examples import durable_functions
from execution_engine.checks import check_determinism
from execution_engine.sdk import registry
from execution_engine.sdk.registry import durable_execution


def stamp() -> float:
    return time.time()


@pytest.fixture
def own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_functions", {})


@pytest.fixture
def two_bad_functions(own_registry: None) -> None:
    @durable_execution(name="bad-one")
    def one(event: Any, context: Any) -> float:
        return stamp()

    @durable_execution(name="bad-two")
    def two(event: Any, context: Any) -> float:
        return stamp()


def test_a_breach_is_told_once_with_place_and_remedy(two_bad_functions: None) -> None:
    (found,) = check_determinism()
    assert found.id == "durable.W001"
    assert found.msg == "time.time() in stamp reads the clock, which tells another time on every replay."
    assert found.hint.startswith("Use context.now(), or do it inside a step") and "# durable: ok - reason" in found.hint
    name, _, line = str(found.obj).rpartition(":")
    assert "time.time()" in Path(name).read_text().splitlines()[int(line) - 1]


def test_a_gate_can_fail_on_it_and_a_project_can_silence_it(two_bad_functions: None, settings: Any) -> None:
    with pytest.raises(CommandError, match=r"durable\.W001"):
        call_command("check", "--tag", "durable", "--fail-level", "WARNING")
    settings.SILENCED_SYSTEM_CHECKS = ["durable.W001"]
    call_command("check", "--tag", "durable", "--fail-level", "WARNING")


def test_the_shipped_examples_are_clean() -> None:
    names = {function.name for function in registry.registered_functions()}
    assert {name.replace("_", "-") for name in durable_functions.__all__} <= names
    shipped = [message for message in run_checks(tags=["durable"]) if "examples" in str(message.obj)]
    assert shipped == []
