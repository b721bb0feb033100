"""Schedules from the command line: listed, shown, previewed, paused, fired and made up for."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command

from durable_ops.actions import schedules
from durable_ops.models import AuditEntry
from execution_engine.core.schedules import ScheduleValues
from execution_engine.models import Execution, Schedule
from tests.durable_ops.commands.test_audit import run
from tests.durable_ops.journal import register_function
from tests.durable_ops.people import make_user
from tests.durable_ops.webhooks.conftest import SYSTEM

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nightly() -> int:
    register_function("echo")
    return schedules.create_schedule(SYSTEM, ScheduleValues("nightly", "echo", "30 2 * * *", "Europe/Berlin", input='"secret"')).id


def test_they_are_listed_with_their_next_moment(nightly: int) -> None:
    schedules.create_schedule(SYSTEM, ScheduleValues("hourly", "echo", "3600", is_paused=True))

    lines = run("list_schedules").splitlines()

    assert [line.split()[0] for line in lines] == ["NAME", "hourly", "nightly"]
    assert "paused" in lines[1]
    assert [one["id"] for one in json.loads(run("list_schedules", "--function", "echo", "--json"))][1] == nightly
    assert json.loads(run("list_schedules", "--function", "other", "--json")) == []


def test_one_is_shown_by_name_or_number_with_ten_moments(nightly: int) -> None:
    shown = json.loads(run("show_schedule", "nightly", "--json"))

    assert (shown["id"], shown["cron"], shown["input"], len(shown["next_firings"])) == (nightly, "30 2 * * *", "secret", 10)
    assert "Next (UTC):" in run("show_schedule", str(nightly))
    with pytest.raises(CommandError, match=r"there is no schedule weekly \[schedule_not_found"):
        run("show_schedule", "weekly")


def test_a_rule_is_previewed_before_it_is_saved() -> None:
    lines = run("preview_schedule", "30 2 * * *", "--timezone", "Europe/Berlin").splitlines()
    assert len(lines) == len(json.loads(run("preview_schedule", "60", "--json"))["moments"]) == 10
    assert all("02:30:00 CE" in line or "03:00:00 CEST" in line for line in lines)
    with pytest.raises(CommandError, match="invalid_input"):
        run("preview_schedule", "61 * * * *")


def test_several_are_paused_and_resumed_each_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("pause_schedules", "nightly", "--dry-run") == "nightly  would be paused\n"
    assert not Schedule.objects.get().is_paused
    with pytest.raises(CommandError, match="1 of 2 were refused"):
        call_command("pause_schedules", "weekly", "nightly", "--reason", "holidays")
    assert capsys.readouterr().out.splitlines() == ["weekly  there is no schedule weekly [schedule_not_found]", "nightly  paused"]
    assert (Schedule.objects.get().is_paused, Schedule.objects.get().due_at) == (True, None)
    assert json.loads(run("pause_schedules", "nightly", "--json")) == [{"name": "nightly", "outcome": "was paused already"}]
    assert run("resume_schedules", "nightly") == "nightly  resumed\n"
    assert list(AuditEntry.objects.exclude(action="schedule.create").order_by("id").values_list("action", "reason")) == [
        ("schedule.pause", "holidays"),
        ("schedule.resume", ""),
    ]


def test_one_is_fired_now() -> None:
    assert run("trigger_schedule", "nightly", "--dry-run") == "would start 1 execution of echo\n"
    assert Execution.objects.count() == 0
    found = json.loads(run("trigger_schedule", "nightly", "--json"))
    assert Execution.objects.get(id=found["execution_id"]).name == found["name"]
    assert AuditEntry.objects.latest("id").action == "schedule.trigger"


def test_a_range_is_made_up_for_once() -> None:
    end = datetime.now(UTC).replace(microsecond=0)
    span = ("--start", (end - timedelta(days=7)).isoformat(), "--end", end.isoformat())

    assert json.loads(run("backfill_schedule", "nightly", *span, "--dry-run", "--json")) == {"firings": 7, "note": None, "started": None}
    assert Execution.objects.count() == 0
    assert run("backfill_schedule", "nightly", *span) == "started 7 of 7 firings\n"
    assert run("backfill_schedule", "nightly", *span) == "started 0 of 7 firings\n"


def test_a_range_without_a_firing_says_why() -> None:
    schedules.create_schedule(SYSTEM, ScheduleValues("hourly", "echo", "3600"))

    found = json.loads(run("backfill_schedule", "hourly", "--start", "2026-01-01", "--end", "2026-01-02", "--dry-run", "--json"))

    assert found["firings"] == 0 and "An interval counts from when the schedule was made" in found["note"]
    day = datetime.now(UTC).date() - timedelta(days=30)
    said = run("backfill_schedule", "nightly", "--start", f"{day}T12:00Z", "--end", f"{day}T13:00Z")
    assert "The rule has no moment between" in said and "the first one behind it is" in said
    with pytest.raises(CommandError, match="takes a moment"):
        run("backfill_schedule", "nightly", "--start", "yesterday", "--end", "today")


def test_a_person_acts_with_own_rights() -> None:
    make_user("viewer", "eve")
    assert "nightly" in run("list_schedules", "--user", "eve")
    with pytest.raises(CommandError, match=r"\[permission_denied\]"):
        run("trigger_schedule", "nightly", "--user", "eve")
    assert Execution.objects.count() == 0
