import io
import json

import pytest
from django.core.management import CommandError, call_command

from durable_ops.actions import executions
from durable_ops.actions.actor import Actor, Channel
from durable_ops.models import AuditEntry
from execution_engine.models import Execution
from tests.durable_ops.journal import register_function

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def ids() -> list[str]:
    register_function("echo")
    actor = Actor(user=None, channel=Channel.COMMAND)
    return [str(executions.start_execution(actor, function="echo", input=None, name=f"e{n}").id) for n in range(2)]


def statuses() -> list[str]:
    return list(Execution.objects.order_by("name").values_list("status", flat=True))


def test_pause_and_resume_a_function(ids: list[str]) -> None:
    run("pause_executions", "--function", "echo", "--reason", "incident")
    assert statuses() == ["PAUSED", "PAUSED"]
    run("resume_executions", ids[0])
    assert statuses() == ["RUNNING", "PAUSED"]
    found = json.loads(run("resume_executions", "--function", "echo", "--json"))
    assert found == [{"id": ids[1], "outcome": "resumed"}]
    assert list(AuditEntry.objects.filter(action="execution.pause").values_list("reason", flat=True)) == ["incident"] * 2


def test_redrive_what_ended(ids: list[str]) -> None:
    run("stop_executions", ids[0])
    with pytest.raises(CommandError, match="1 of 2 would not be redriven"):
        run("redrive_executions", *ids, "--dry-run")
    with pytest.raises(CommandError, match="1 of 1 would not be stopped"):
        run("stop_executions", "00000000-0000-7000-8000-000000000000", "--dry-run")
    with pytest.raises(CommandError, match="1 of 2 were not redriven"):
        run("redrive_executions", *ids)
    assert statuses() == ["RUNNING", "RUNNING"]
    assert run("redrive_executions", "--function", "echo") == ""


def test_delete_what_ended(ids: list[str]) -> None:
    run("stop_executions", ids[0])
    assert run("delete_executions", "--function", "echo", "--dry-run").split()[0] == ids[0]
    assert Execution.objects.count() == 2
    run("delete_executions", "--function", "echo")
    assert [str(row.id) for row in Execution.objects.all()] == [ids[1]]


def test_fork_starts_a_new_one(ids: list[str]) -> None:
    found = json.loads(run("fork_execution", ids[0], "--name", "copy", "--json"))
    assert (found["name"], found["kept"]) == ("copy", 0)
    assert str(Execution.objects.get(id=found["id"]).forked_from) == ids[0]
    with pytest.raises(CommandError, match="execution_already_started"):
        run("fork_execution", ids[0], "--name", "copy")
