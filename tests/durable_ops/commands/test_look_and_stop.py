import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from durable_ops.actions import executions
from durable_ops.actions.actor import Actor, Channel
from durable_ops.models import AuditEntry
from execution_engine.models import Execution
from tests.durable_ops.journal import open_callback, register_function
from tests.durable_ops.people import make_user

pytestmark = pytest.mark.django_db


def run(*arguments: Any) -> str:
    out = io.StringIO()
    call_command(*map(str, arguments), stdout=out)
    return out.getvalue()


@pytest.fixture
def ids() -> list[str]:
    register_function("echo")
    actor = Actor(user=None, channel=Channel.COMMAND)
    return [str(executions.start_execution(actor, function="echo", input='{"a":1}', name=f"e{n}").id) for n in range(3)]


def test_list_as_a_table_and_as_json(ids: list[str]) -> None:
    lines = run("list_executions").splitlines()
    assert lines[0].split()[:3] == ["ID", "FUNCTION", "VERSION"]
    assert [line.split()[0] for line in lines[1:]] == ids[::-1]
    found = json.loads(run("list_executions", "--function", "echo", "--limit", "2", "--json"))
    assert [one["id"] for one in found] == [ids[2], ids[1]]
    assert json.loads(run("list_executions", "--name", "e0", "--json"))[0]["id"] == ids[0]
    assert json.loads(run("list_executions", "--status", "FAILED", "--json")) == []
    with pytest.raises(CommandError, match="limit"):
        run("list_executions", "--limit", "0")


def test_show_as_text_and_as_json(ids: list[str]) -> None:
    open_callback(Execution.objects.only("id").get(id=ids[0]).id, "manager")
    text = run("show_execution", ids[0], "--history")
    assert all(word in text for word in (ids[0], '{"a":1}', "CALLBACK", "manager", "ExecutionStarted", "CallbackStarted"))
    found = json.loads(run("show_execution", ids[0], "--history", "--json"))
    assert (found["id"], found["input"], [e["EventId"] for e in found["history"]]) == (ids[0], {"a": 1}, [1, 2])


@pytest.mark.parametrize("wrong", ["x", "6f1d9c1e-2b7a-4f55-9c3b-0d1e2f3a4b5c"])
def test_show_of_nothing(wrong: str) -> None:
    with pytest.raises(CommandError, match=r"no (such )?execution"):
        run("show_execution", wrong)


def test_stop_by_id_keeps_the_reason(ids: list[str]) -> None:
    assert run("stop_executions", ids[0], ids[1], "--reason", "wrong data").split() == [ids[0], "stopped", ids[1], "stopped"]
    assert dict(Execution.objects.values_list("name", "status")) == {"e0": "STOPPED", "e1": "STOPPED", "e2": "RUNNING"}
    assert list(AuditEntry.objects.filter(action="execution.stop").values_list("reason", flat=True)) == ["wrong data"] * 2


def test_stop_goes_on_after_a_refusal_and_fails_in_the_end(ids: list[str]) -> None:
    run("stop_executions", ids[0])
    out = io.StringIO()
    with pytest.raises(CommandError, match="1 of 2 were not stopped"):
        call_command("stop_executions", ids[0], ids[1], "--json", stdout=out)
    assert [one.get("code") for one in json.loads(out.getvalue())] == ["execution_ended", None]
    assert Execution.objects.get(id=ids[1]).status == "STOPPED"


def test_stop_of_a_function_can_be_rehearsed(ids: list[str]) -> None:
    register_function("other")
    kept = executions.start_execution(Actor(user=None, channel=Channel.COMMAND), function="other", input=None)
    assert run("stop_executions", "--function", "echo", "--dry-run").count("would be stopped") == 3
    assert Execution.objects.filter(status="RUNNING").count() == 4
    run("stop_executions", "--function", "echo")
    assert [row.id for row in Execution.objects.filter(status="RUNNING")] == [kept.id]


def test_stop_needs_ids_or_a_function_and_the_right(ids: list[str]) -> None:
    make_user("viewer", "vera")
    for arguments in ([], [ids[0], "--function", "echo"]):
        with pytest.raises(CommandError, match="one of them"):
            run("stop_executions", *arguments)
    with pytest.raises(CommandError, match="stop_execution"):
        run("stop_executions", ids[0], "--user", "vera")
    assert Execution.objects.filter(status="STOPPED").count() == 0
