"""Signals, callbacks, filters, purging and following from the command line."""

import io
import json
import re
import threading
import time
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections as django_connections

from durable_ops.actions import executions
from durable_ops.management.commands import show_execution
from durable_ops.models import Approval, Assignee, AuditEntry
from execution_engine.models import Execution, Signal
from tests.durable_ops.commands.test_audit import run
from tests.durable_ops.journal import open_callback, register_function
from tests.durable_ops.people import make_user
from tests.durable_ops.webhooks.conftest import SYSTEM

pytestmark = pytest.mark.django_db


@pytest.fixture
def ids() -> list[str]:
    register_function("echo")
    return [str(executions.start_execution(SYSTEM, function="echo", input="1", name=f"e{n}").id) for n in range(3)]


def stop(*ids: str) -> None:
    run("stop_executions", *ids)


def test_a_signal_is_kept_and_audited(ids: list[str]) -> None:
    assert json.loads(run("send_signal", ids[0], "go", "--payload", '{"a": 1}', "--json")) == {"id": ids[0], "signal": "go"}
    assert (Signal.objects.get().name, Signal.objects.get().payload) == ("go", '{"a":1}')
    assert AuditEntry.objects.get(action="execution.signal").channel == "command"
    stop(ids[0])
    with pytest.raises(CommandError, match="execution_ended"):
        run("send_signal", ids[0], "go")
    with pytest.raises(CommandError, match="payload cannot be used"):
        run("send_signal", ids[1], "go", "--payload", "{")


def test_a_callback_is_answered_by_id_or_by_its_execution(ids: list[str]) -> None:
    waiting = Execution.objects.get(id=ids[0])
    first, second = open_callback(waiting.id, "manager", heartbeat=60), open_callback(waiting.id, "finance")
    with pytest.raises(CommandError, match="'manager', 'finance'"):
        run("complete_callback", "--execution", ids[0])
    assert "kept alive" in run("complete_callback", first, "--heartbeat")
    assert run("complete_callback", "--execution", ids[0], "--name", "manager", "--result", '{"ok":true}').split() == [first, "succeeded"]
    found = json.loads(run("complete_callback", second, "--error", "no money", "--error-type", "Broke", "--json"))
    assert found == {"callback_id": second, "outcome": "failed"}
    assert set(AuditEntry.objects.filter(object_type="callback").values_list("action", flat=True)) == {"callback.succeed", "callback.fail"}
    with pytest.raises(CommandError, match="callback_completed"):
        run("complete_callback", first)


@pytest.mark.parametrize("arguments", [[], ["c", "--execution", "x"], ["c", "--result", "1", "--heartbeat"], ["c", "--result", "{"], ["c"]])
def test_callbacks_that_cannot_be_answered(arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        run("complete_callback", *arguments)


def test_an_approval_asks_for_a_person_and_a_decision(ids: list[str]) -> None:
    callback_id = open_callback(Execution.objects.get(id=ids[0]).id, "manager")
    approval = Approval.objects.create(callback_id=callback_id, execution_id=ids[0], operation_id="o", name="manager", title="Pay")
    for arguments in ([], ["--result", '{"approved": true}'], ["--error", "no money"]):
        with pytest.raises(CommandError, match="which a person decides: give --user NAME, somebody who is asked, and --result"):
            run("complete_callback", callback_id, *arguments)
    ada = make_user("approver", "ada")
    with pytest.raises(CommandError, match=re.escape('its result is {"approved": true}')):
        run("complete_callback", callback_id, "--user", "ada")
    with pytest.raises(CommandError, match="not put to you"):
        run("complete_callback", callback_id, "--user", "ada", "--result", '{"approved": true}')
    Assignee.objects.create(approval=approval, kind="user", name="ada", key=str(ada.pk))
    assert "succeeded" in run("complete_callback", callback_id, "--user", "ada", "--result", '{"approved": true}')
    assert approval.decisions.get().channel == "command"


def test_rights_are_those_of_the_person(ids: list[str]) -> None:
    make_user("viewer", "vera")
    callback_id = open_callback(Execution.objects.get(id=ids[0]).id)
    for command in (["send_signal", ids[0], "go"], ["complete_callback", callback_id], ["purge_executions", "--filter", "function=echo"]):
        stop(ids[2]) if command[0] == "purge_executions" else None
        with pytest.raises(CommandError, match="You need the right"):
            run(*command, "--user", "vera")


def test_filters_pick_what_a_command_is_for(ids: list[str]) -> None:
    stop(ids[0])
    assert json.loads(run("stop_executions", "--filter", "function=echo", "--dry-run", "--json")) == [
        {"id": one, "outcome": "would be stopped"} for one in ids[1:]
    ]
    assert [one["id"] for one in json.loads(run("list_executions", "--filter", "name=e1", "--json"))] == [ids[1]]
    with pytest.raises(CommandError, match="KEY=VALUE"):
        run("list_executions", "--filter", "colour=red")
    with pytest.raises(CommandError, match="no status"):
        run("stop_executions", "--filter", "status=ASLEEP")
    with pytest.raises(CommandError, match="one of them"):
        run("stop_executions", ids[1], "--filter", "name=e1")


def test_a_purge_takes_ended_ones_that_match_and_counts(ids: list[str]) -> None:
    stop(*ids[:2])
    dry = json.loads(run("purge_executions", "--filter", "function=echo", "--dry-run", "--json"))
    assert (dry["matched"], dry["deleted"], dry["kinds"]) == (2, 0, {"echo STOPPED": 2})
    assert Execution.objects.count() == 3
    assert run("purge_executions", "--filter", "function=echo", "--reason", "old") == "2 deleted\n"
    assert [str(one.id) for one in Execution.objects.all()] == [ids[2]]
    assert set(AuditEntry.objects.filter(action="execution.delete").values_list("reason", flat=True)) == {"old"}
    with pytest.raises(CommandError, match="at least one"):
        run("purge_executions")


@pytest.mark.django_db(transaction=True)
def test_following_prints_each_event_once_and_fails_with_the_execution(ids: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(show_execution, "LOOK_SECONDS", 0.02)
    out, failed = io.StringIO(), []

    def follow() -> None:
        try:
            call_command("show_execution", ids[0], "--follow", "--json", stdout=out)
        except CommandError as error:
            failed.append(str(error))
        finally:
            django_connections.close_all()

    thread = threading.Thread(target=follow)
    thread.start()
    while not out.getvalue():
        time.sleep(0.01)
    stop(ids[0])
    thread.join()
    events: list[dict[str, Any]] = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [event["EventType"] for event in events] == ["ExecutionStarted", "ExecutionStopped"]
    assert failed == [f"{ids[0]} ended STOPPED."]
