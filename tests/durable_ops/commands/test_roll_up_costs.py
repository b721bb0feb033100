import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from durable_ops.models import CostDay
from tests.factories import ago, make_execution, make_version

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("steady_hour")]


def test_books_what_was_loaded_from_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    version = make_version()
    make_execution(version, status="SUCCEEDED", started_at=ago(days=2), ended_at=ago(days=1))
    call_command("roll_up_costs")
    make_execution(version, status="SUCCEEDED", started_at=ago(days=4), ended_at=ago(days=3))
    call_command("roll_up_costs", "--json", since=str((ago() - timedelta(days=9)).date()))
    assert json.loads(capsys.readouterr().out)["looked_at"] == 4
    assert sum(CostDay.objects.values_list("executions", flat=True)) == 2


@pytest.mark.parametrize("day", ["yesterday", "2026-13-01"])
def test_refuses_what_is_no_day(day: str) -> None:
    with pytest.raises(CommandError, match=day):
        call_command("roll_up_costs", since=day)
