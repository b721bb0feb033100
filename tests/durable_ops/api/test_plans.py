"""Plans and version moves over REST."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import Permission

from durable_ops.api.serializers import repairs
from durable_ops.models import AuditEntry, Right
from execution_engine.models import Execution
from execution_engine.sdk.definition import RegisteredFunction
from tests.durable_ops.api.conftest import Door, refusal
from tests.durable_ops.people import make_user
from tests.durable_ops.versions import changed, id_of, load, loaded_versions, started

Versions = dict[str, RegisteredFunction]


@pytest.fixture(autouse=True)
def versions(admin: Door) -> Iterator[Versions]:
    with loaded_versions() as found:
        yield found


@pytest.fixture
def path(versions: Versions) -> str:
    return f"/executions/{id_of(started(versions['1']))}"


def test_a_move_is_planned_and_done(admin: Door, path: str) -> None:
    plan = admin.get(f"{path}/move", {"version": "fits"}).json()
    assert (plan["verdict"], plan["from_version"], plan["to_version"], plan["diverging"]) == ("fits", "1", "fits", [])
    assert set(plan) == set(repairs.MovePlanDocument().fields)
    moved = admin.post(f"{path}/move", {"version": "fits", "reason": "fixed"}).json()
    assert (moved["version"], moved["status"]) == ("fits", "RUNNING")
    assert moved["arn"].count(":fits/") == 1
    assert "ExecutionMoved" in str(admin.get(f"{path}/history").json())
    assert AuditEntry.objects.get(action="execution.move").reason == "fixed"


def test_what_diverges_is_refused_with_both_sides(admin: Door, path: str) -> None:
    plan = admin.get(f"{path}/move", {"version": "changed"}).json()
    (diverging,) = plan["diverging"]
    assert (plan["verdict"], diverging["change"]) == ("diverges", "changed")
    assert (diverging["recorded"]["name"], diverging["asked"]["name"], diverging["recorded"]["number"]) == ("load & <b>", "fetch", 1)
    assert diverging["where"].startswith(f"{changed.__module__}:")
    assert set(diverging) == set(repairs.DivergenceDocument().fields)
    assert set(diverging["asked"]) == set(repairs.PlaceDocument().fields)
    problem = refusal(admin.post(f"{path}/move", {"version": "changed", "reason": "r"}), 409, "execution_diverges")
    assert (problem["verdict"], len(problem["diverging"])) == ("diverges", 1)
    refusal(admin.post(f"{path}/move", {"version": "changed", "force": True}), 400, "invalid_input")
    assert admin.post(f"{path}/move", {"version": "changed", "force": True, "reason": "I know"}).json()["version"] == "changed"


def test_bad_moves(admin: Door, path: str) -> None:
    refusal(admin.get(f"{path}/move"), 400, "invalid_input")
    refusal(admin.post(f"{path}/move", {}), 400, "invalid_input")
    refusal(admin.post(f"{path}/move", {"version": "none"}), 404, "function_not_found")
    refusal(admin.post(f"{path}/move", {"version": "1"}), 400, "invalid_input")
    refusal(admin.get(f"{path[:-1]}x/move", {"version": "fits"}), 404, "execution_not_found")
    admin.post(f"{path}/stop")
    refusal(admin.post(f"{path}/move", {"version": "fits"}), 409, "execution_ended")
    assert Execution.objects.get().version == "1"


def test_a_redrive_and_a_fork_are_planned(admin: Door, versions: Versions) -> None:
    execution = started(versions["1"])
    execution.run_until_complete()
    path = f"/executions/{id_of(execution)}"
    plan = admin.get(f"{path}/redrive").json()
    assert set(plan) == set(repairs.RepairPlanDocument().fields)
    assert ([one["name"] for one in plan["effects"]], plan["waits"], plan["verdict"]) == (["pay"], [], "fits")
    assert admin.get(f"{path}/fork", {"version": "fits"}).json()["verdict"] == "fits"
    assert admin.get(f"{path}/fork", {"version": "changed"}).json()["verdict"] == "diverges"


def raising(event: Any, context: Any) -> None:
    raise ValueError("card 4111")


def test_messages_are_for_whoever_may_read_payloads(admin: Door, path: str, versions: Versions) -> None:
    load(replace(versions["fits"], handler=raising))
    assert "card 4111" in admin.get(f"{path}/move", {"version": "fits"}).json()["summary"]
    assert "card 4111" not in str(refusal(admin.post(f"{path}/move", {"version": "fits", "reason": "r"}), 409, "execution_diverges"))
    person = make_user("nobody")
    person.user_permissions.add(Permission.objects.get(codename=Right.REDRIVE_EXECUTION.value))
    repairer = Door(person)
    plan = repairer.get(f"{path}/move", {"version": "fits"}).json()
    assert ("card 4111" in str(plan), "the code raises ValueError" in plan["summary"], plan["verdict"]) == (False, True, "diverges")
