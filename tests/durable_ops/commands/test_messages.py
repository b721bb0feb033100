"""Wrong arguments and a database that is away end with one line, never a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError, connection

from durable_ops.actions import executions
from durable_ops.actions.actor import Actor, Channel
from execution_engine.management.base import DatabaseCommand
from tests.durable_ops.journal import register_function
from tests.serving import NOT_INHERITED, REPOSITORY


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["serve", "--port", "99999"], "--port takes 0 to 65535, not 99999."),
        (["serve", "--threads", "0"], "--threads takes 1 to 1024, not 0."),
        (["create_api_key", "--user", "x", "--name", "x", "--expires-days", "0"], "takes 1 to 3650 days, not '0'"),
        (["check_inflight", "--seconds", "nan"], "takes seconds above zero, not 'nan'"),
        (["list_executions", "--limit", "0"], "takes a whole number from 1, not '0'"),
    ],
)
def test_a_wrong_value_is_named_with_its_bounds(command: list[str], words: str) -> None:
    with pytest.raises(CommandError) as refused:
        call_command(*command)
    assert words in str(refused.value)


@pytest.mark.django_db
def test_a_folder_that_cannot_be_written_is_named() -> None:
    started = executions.start_execution(Actor(user=None, channel=Channel.COMMAND), function=register_function("echo"), input=None)
    with pytest.raises(CommandError, match="--output /proc/nowhere: "):
        call_command("pull_execution", str(started.id), "--output", "/proc/nowhere")


class Unlucky(DatabaseCommand):
    def handle(self, *_: object, **__: object) -> None:
        raise OperationalError("the server closed the connection")


def test_a_database_that_goes_away_is_one_line() -> None:
    with pytest.raises(CommandError, match="does not answer: the server closed the connection"):
        call_command(Unlucky(), skip_checks=True)


@pytest.mark.django_db
def test_a_database_that_is_not_migrated_is_one_line() -> None:
    with connection.cursor() as cursor:
        cursor.execute("alter table durable_execution rename to elsewhere")
    with pytest.raises(CommandError, match=r"run `manage\.py migrate`"):
        call_command("list_executions")


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "No database runs here: start `manage.py serve` first"),
        ({"PORT": "many"}, "PORT='many' is not a whole number."),
        ({"DATABASE_URL": "postgresql://nowhere/x"}, "- CELERY_BROKER_URL must name a Redis, Valkey or RabbitMQ"),
    ],
)
def test_wrong_surroundings_are_explained(environment: dict[str, str], words: str, tmp_path: Path) -> None:
    inherited = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
    command = [sys.executable, str(REPOSITORY / "manage.py"), "list_executions"]
    done = subprocess.run(command, env={**inherited, "DATA_DIR": str(tmp_path), **environment}, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr
