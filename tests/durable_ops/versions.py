"""Three versions of a function, loaded and registered as if workers had them, and an execution that waits in the first."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.db import connection

from execution_engine import DurableContext, RetryPolicy
from execution_engine.journal import functions
from execution_engine.sdk import registry
from execution_engine.sdk.definition import RegisteredFunction
from execution_engine.sdk.registry import DurableFunction, describe
from execution_engine.testing import DurableExecutionTestClient, ExecutionUnderTest

NAME = "planned"


def first(event: Any, context: DurableContext) -> None:
    context.step("load & <b>", lambda: 1)
    context.wait("cool-off", 3600)
    context.step("pay", lambda: 1 / 0, retry=RetryPolicy(max_attempts=1))


def fitting(event: Any, context: DurableContext) -> None:
    context.step("load & <b>", lambda: 2)
    context.wait("cool-off", 60)


def changed(event: Any, context: DurableContext) -> None:
    context.step("fetch", lambda: 2)


@contextmanager
def loaded_versions() -> Iterator[dict[str, RegisteredFunction]]:
    """By version: "1", "fits" and "changed". What the process had loaded comes back afterwards."""
    known = dict(registry._functions)
    code = {"1": first, "fits": fitting, "changed": changed}
    found = {version: replace(describe(handler), name=NAME, version=version) for version, handler in code.items()}
    with connection.cursor() as cursor:
        for function in found.values():
            load(function)
            functions.register(cursor, function)
    yield found
    registry._functions.clear()
    registry._functions.update(known)


def load(function: RegisteredFunction) -> None:
    """As if the process had been started with that code."""
    registry._functions[function.name, function.version] = function


def started(function: RegisteredFunction) -> ExecutionUnderTest:
    """Run to its first suspension."""
    return DurableExecutionTestClient(database=True).start_execution(DurableFunction(function))


def id_of(execution: ExecutionUnderTest) -> UUID:
    return UUID(execution.execution_id)
