"""Authors can import, write and test functions where neither Django nor a database is set up."""

import subprocess
import sys
import tomllib
from pathlib import Path

AWS_NAMES = [
    "Duration",
    "StepConfig",
    "StepSemantics",
    "JitterStrategy",
    "ChildConfig",
    "CallbackConfig",
    "WaitForCallbackConfig",
    "DurableContext",
    "StepContext",
    "WaitForCallbackContext",
    "durable_step",
    "durable_with_child_context",
    "durable_wait_for_callback",
    "durable_execution",
    "RetryPresets",
    "RetryStrategyConfig",
    "create_retry_strategy",
    "RetryDecision",
    "SerDes",
    "SerDesContext",
    "WaitForConditionCheckContext",
    "WaitForConditionConfig",
    "WaitForConditionDecision",
    "WaitStrategyConfig",
    "create_wait_strategy",
    "CallbackError",
    "DurableExecutionsError",
    "InvocationError",
    "ExecutionError",
    "ValidationError",
    "StepError",
    "ChildContextError",
    "CallbackTimeoutError",
    "DurableOperationError",
]
FOREIGN = ("django", "celery", "psycopg")


def test_the_public_names_import_without_django_celery_or_a_driver() -> None:
    code = f"import sys; from execution_engine import {', '.join(AWS_NAMES)}; print([m for m in {FOREIGN} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_the_version_is_the_packages() -> None:
    import execution_engine

    project = tomllib.loads((Path(execution_engine.__file__).parent.parent / "pyproject.toml").read_text())
    assert execution_engine.__version__ == project["project"]["version"]


def test_everything_listed_is_there() -> None:
    import execution_engine

    assert [name for name in execution_engine.__all__ if not hasattr(execution_engine, name)] == []
    assert sorted(execution_engine.__all__) == sorted(set(execution_engine.__all__))
