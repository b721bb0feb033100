"""The deploy check: open executions rehearsed against the code that is loaded, as a page and as a command."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from execution_engine import DurableContext
from execution_engine.journal import functions
from execution_engine.models import Event, Execution, Operation
from execution_engine.sdk import registry
from execution_engine.sdk.definition import RegisteredFunction
from execution_engine.sdk.registry import DurableFunction, describe
from execution_engine.selectors.inflight import Scope, check_open, count_candidates, deploy_check
from execution_engine.services import executions
from execution_engine.testing import DurableExecutionTestClient

pytestmark = pytest.mark.django_db(transaction=True)
NAME = "test-inflight"


def before(event: Any, context: DurableContext) -> None:
    context.step("load", lambda: 1)
    context.wait("cool-off", 3600)


def after(event: Any, context: DurableContext) -> None:
    context.step("fetch", lambda: 1)
    context.wait("cool-off", 3600)


def named(handler: Callable[..., Any], version: str = "1", function: str = NAME) -> RegisteredFunction:
    return replace(describe(handler), name=function, version=version)


def load(function: RegisteredFunction) -> None:
    """As if this process had been started with that code."""
    registry._functions[function.name, function.version] = function


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    known = dict(registry._functions)
    yield
    registry._functions.clear()
    registry._functions.update(known)


def run(function: RegisteredFunction, count: int = 1) -> list[UUID]:
    """Executions that wait, run by a worker that had this code."""
    load(function)
    client = DurableExecutionTestClient(database=True)
    return [UUID(client.start_execution(DurableFunction(function), {"n": number}).execution_id) for number in range(count)]


def output(*arguments: Any, fails: bool = False, **options: Any) -> str:
    out = StringIO()
    if fails:
        with pytest.raises(CommandError):
            call_command("check_inflight", *arguments, stdout=out, **options)
    else:
        call_command("check_inflight", *arguments, stdout=out, **options)
    return out.getvalue()


def test_nothing_open_is_nothing_to_break() -> None:
    assert output() == "Nothing is open.\n"
    assert deploy_check(Scope()).breaking == 0


def test_the_same_code_is_not_rehearsed_unless_asked() -> None:
    run(named(before))
    assert output() == f"{NAME} version 1: 1 open, not looked at, same code\n"
    assert output("--all") == f"{NAME} version 1: 1 open, 1 fits\n"
    assert [one.rehearsal.verdict for one in check_open(Scope(everything=True))] == ["fits"]


def test_changed_code_is_rehearsed_and_fails_the_gate() -> None:
    (execution_id,) = run(named(before))
    load(named(after))
    rows = [list(model.objects.values()) for model in (Execution, Operation, Event)]
    said = output(fails=True)
    assert f"{NAME} version 1: 1 open, 1 diverges\n  {execution_id}  diverges: number 1: the history has STEP 'load'" in said
    assert [list(model.objects.values()) for model in (Execution, Operation, Event)] == rows

    found = json.loads(output("--json", fails=True))
    (version,) = found["versions"]
    (problem,) = version["problems"]
    (diverging,) = problem["diverging"]
    assert (found["breaking"], version["verdicts"], problem["execution"]) == (1, {"diverges": 1}, str(execution_id))
    assert (diverging["recorded"]["name"], diverging["asked"]["name"], diverging["change"]) == ("load", "fetch", "changed")
    assert diverging["where"].startswith(f"{__name__}:") and diverging["where"].endswith("in after")


def test_after_the_first_worker_has_the_new_code_older_executions_are_still_looked_at() -> None:
    """The fingerprint in the database is the new one then; since when it has been says which executions are older."""
    (older,) = run(named(before))
    load(named(after))
    with connection.cursor() as cursor:
        functions.register(cursor, named(after))
        functions.register(cursor, named(after))
    executions.start_execution(NAME, None)
    assert [(one.execution_id, one.rehearsal.verdict) for one in check_open(Scope())] == [(older, "diverges")]


def test_code_that_is_not_there_strands_what_is_open() -> None:
    run(named(before))
    del registry._functions[NAME, "1"]
    assert "1 missing" in output(fails=True)


def test_a_plain_function_does_not_fail_the_gate() -> None:
    plain = replace(named(before), kind="plain", is_durable=False)
    load(plain)
    with connection.cursor() as cursor:
        functions.register(cursor, plain)
    executions.start_execution(NAME, None)
    assert "1 unknown" in output("--all")


def test_functions_samples_and_budgets_bound_it() -> None:
    run(named(before), 3)
    run(named(before, function="test-inflight-other"))
    load(named(after))
    assert count_candidates(Scope()) == 3
    assert count_candidates(Scope(everything=True)) == 4
    assert [one.function for one in check_open(Scope(functions=("test-inflight-other",), everything=True))] == ["test-inflight-other"]
    assert len(list(check_open(Scope(sample=2)))) == 2
    nothing = deploy_check(Scope(everything=True, budget=-1.0))
    assert (nothing.is_complete, [row.checked for row in nothing.versions]) == (False, [0, 0])
    whole = deploy_check(Scope(everything=True))
    assert (whole.is_complete, whole.breaking, whole.versions[0].function) == (True, 3, NAME)
    assert "test-inflight-other" not in output("--function", NAME, fails=True)


@pytest.mark.parametrize("option", ["--sample", "--seconds"])
def test_bad_bounds_are_refused(option: str) -> None:
    with pytest.raises(CommandError, match=f"{option}: takes .*, not '0'"):
        call_command("check_inflight", option, "0")
