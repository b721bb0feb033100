"""Demo data: the bulk mode's rows are those a list can show, and production is refused."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Max, Min
from django.db.models.functions import Now

from durable_ops.models import Approval, Decision
from execution_engine.models import Event, Execution, Operation
from execution_engine.selectors.executions import list_executions
from execution_engine.selectors.explain import StateCode
from execution_engine.selectors.search import ExecutionFilters


@pytest.fixture(autouse=True)
def mails_of_others(settings: Any) -> None:
    """The command turns mail off for its process; other tests in this one go on mailing."""
    settings.EMAIL_BACKEND = settings.EMAIL_BACKEND


def load(**options: Any) -> dict[str, Any]:
    out = StringIO()
    call_command("load_demo", json=True, stdout=out, **options)
    return dict(json.loads(out.getvalue()))


@pytest.mark.django_db(transaction=True)
def test_bulk_writes_executions_of_every_kind_that_lists_can_show() -> None:
    written = load(executions=2_000, bulk=True, operations=4, history=10)
    assert written["executions"] == Execution.objects.count() == 2_000
    assert written["operations"] == Operation.objects.count()
    assert written["events"] == Event.objects.count() > 0
    assert Event.objects.values("execution_id").distinct().count() == 10
    found = {code for code in StateCode if list_executions(ExecutionFilters(state=code)).items}
    assert {StateCode.SUCCEEDED, StateCode.FAILED, StateCode.WAITING_FOR_CALLBACK, StateCode.WAITING, StateCode.STRANDED} <= found


@pytest.mark.django_db(transaction=True)
def test_bulk_can_be_repeated() -> None:
    load(executions=5, bulk=True)
    load(executions=5, bulk=True, seed=2)
    assert Execution.objects.count() == 10


def test_production_is_refused(settings: Any) -> None:
    settings.LOCAL = False
    with pytest.raises(CommandError, match="production"):
        load(executions=1)


@pytest.mark.parametrize("options", [{"executions": 0}, {"executions": 10_000_001}, {"executions": 1, "bulk": True, "operations": 0}])
def test_numbers_have_bounds(options: dict[str, Any]) -> None:
    with pytest.raises(CommandError, match=r"takes 1 to"):
        load(**options)


@pytest.mark.django_db(transaction=True)
def test_examples_are_executed_into_every_state_and_age() -> None:
    written = load(executions=120)
    assert written["executions"] == Execution.objects.count() == 120
    states = {item.state.code for item in list_executions(ExecutionFilters(), limit=200).items}
    wanted = {StateCode.SUCCEEDED, StateCode.FAILED, StateCode.STOPPED, StateCode.PAUSED, StateCode.WAITING_FOR_CALLBACK}
    assert wanted | {StateCode.WAITING, StateCode.STRANDED} <= states
    started = Execution.objects.aggregate(oldest=Min("started_at"), newest=Max("started_at"))
    assert started["newest"] - started["oldest"] > timedelta(days=5)
    assert not Event.objects.filter(at__gt=Now()).exists()
    assert Approval.objects.filter(asked_at__lt=Now() - timedelta(hours=12)).exists()
    assert Decision.objects.filter(at__lt=Now() - timedelta(hours=1)).exists()
    ended = Execution.objects.filter(status="SUCCEEDED")
    assert all(one.event_seq == Event.objects.filter(execution_id=one.id).count() for one in ended)
