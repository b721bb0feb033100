"""Duties that fail: logged, and no obstacle for the others."""

from typing import Any

import psycopg
import pytest

from execution_engine.journal import connections, pausing
from execution_engine.models import Duty as DutyRow
from execution_engine.models import Worker
from execution_engine.sdk.registry import register
from execution_engine.services import executions, repairs
from execution_engine.worker import duties
from execution_engine.worker.duties import Duty
from tests.execution_engine.conftest import make_runtime
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def test_failing_duty_does_not_starve_those_behind_it(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    done: list[str] = []

    def breaks(connection: psycopg.Connection[Any]) -> None:
        connection.execute("select no_such_column")

    monkeypatch.setattr(duties, "DUTIES", {"breaks": Duty(0, breaks), "works": Duty(0, lambda _: done.append("works"))})
    with connections.connect("test") as own:
        duties.ensure(own)
        duties.do_due(own, blocking=False)
        duties.do_due(own, blocking=False)
    assert done == ["works", "works"]
    assert [record.getMessage() for record in caplog.records] == ["duty breaks failed; it is tried again at its next time"] * 2


def test_lost_connection_is_told_to_whoever_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duties, "DUTIES", {"closes": Duty(0, lambda own: own.close() or own.execute("select 1"))})
    with connections.connect("test") as own:
        duties.ensure(own)
        with pytest.raises(psycopg.OperationalError):
            duties.do_due(own, blocking=False)


def test_a_row_that_somebody_keeps_does_not_keep_the_keeper(monkeypatch: pytest.MonkeyPatch) -> None:
    """It renews the claims of its process: as long as it waited for a row, they would end, one after the other."""
    monkeypatch.setattr(duties, "DUTIES", {"look-after-paused": Duty(0, pausing.look)})
    register(lambda event, context: event, name="test-duties")
    paused = executions.start_execution("test-duties", "1").id
    repairs.pause_execution(paused)
    runtime = make_runtime()
    with connections.connect("blocker") as blocker:
        blocker.execute("update durable_execution set due_at = now() where id = %s", [paused])
        blocker.execute("begin")
        blocker.execute("select 1 from durable_execution where id = %s for no key update", [paused])
        runtime.start()
        tried = wait_until(lambda: DutyRow.objects.filter(last_run_at__isnull=False).first()).last_run_at
        wait_until(lambda: Worker.objects.filter(seen_at__gt=tried).exists())
        blocker.execute("rollback")
    runtime.stop()
