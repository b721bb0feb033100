"""Duties that fail: logged, and no obstacle for the others."""

from typing import Any

import psycopg
import pytest

from execution_engine.journal import connections
from execution_engine.worker import duties
from execution_engine.worker.duties import Duty

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
