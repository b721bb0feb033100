"""The pages for operators and integrators: every command line is understood, every block of code does what the page says."""

import io
import re
import shlex
import time
from argparse import ArgumentError
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command, get_commands, load_command_class
from django.core.management.base import CommandError
from django.db import connection

from durable_ops.webhooks import signing
from execution_engine.models import Execution
from tests.durable_ops.journal import register_function
from tests.durable_ops.people import make_user

OURS = {name: app for name, app in get_commands().items() if app in {"durable_ops", "execution_engine"}}
LINE = re.compile(r"(?:python )?manage\.py (\w+)([^`\n|#>]*)")
# What a reader puts in the place of a word; nothing for an ellipsis.
STANDS_FOR = {"ID": "00000000-0000-7000-8000-000000000000", "N": "1", "4711:3f8a...": f"4711:{64 * '0'}", "...": ""}


def pages(repository: Path) -> list[Path]:
    return [*repository.glob("*.md"), *repository.glob("[de]*/README.md"), *repository.glob("[de]*/docs/*.md")]


def command_lines(repository: Path) -> Iterator[tuple[str, str, str]]:
    """Page, command and arguments of each line that shows a command of ours with arguments."""
    for page in pages(repository):
        for name, rest in LINE.findall(page.read_text()):
            if name in OURS and "--" in rest and "[" not in rest:
                yield page.name, name, rest


def test_every_command_line_is_understood(repository: Path) -> None:
    lines = list(command_lines(repository))
    assert len(lines) > 20
    broken = [f"{page}: {name}{rest}" for page, name, rest in lines if not is_understood(name, rest)]
    assert broken == []


def is_understood(name: str, rest: str) -> bool:
    words = [STANDS_FOR.get(word, word) for word in shlex.split(rest.rstrip(" )"))]
    parser = load_command_class(OURS[name], name).create_parser("manage.py", name)
    parser.allow_abbrev = False
    try:
        parser.parse_args([word for word in words if word])
    except (CommandError, ArgumentError, SystemExit):
        return False
    return True


def block(repository: Path, page: str, language: str, words: str) -> str:
    found = re.findall(rf"^```{language}\n(.*?)^```$", (repository / "durable_ops/docs" / page).read_text(), re.MULTILINE | re.DOTALL)
    [only] = [one for one in found if words in one]
    return str(only)


def test_the_receiver_of_webhooks_knows_ours(repository: Path) -> None:
    names: dict[str, Any] = {}
    exec(block(repository, "webhooks.md", "python", "def is_ours"), names)
    secret, body, now = signing.new_secret(), b'{"type": "webhook.test"}', int(time.time())
    sent = {"webhook-id": "m-1", "webhook-timestamp": str(now), "webhook-signature": signing.signature(secret, "m-1", now, body)}
    assert names["is_ours"](secret, sent, body)
    assert not names["is_ours"](secret, sent, body + b" ")
    assert not names["is_ours"](signing.new_secret(), sent, body)
    assert not names["is_ours"](secret, sent | {"webhook-timestamp": str(now - 3600)}, body)


@pytest.mark.django_db
def test_auditors_can_ask_for_what_was_seen(repository: Path) -> None:
    query = re.findall(r"^```\n(select .*?)^```$", (repository / "durable_ops/docs/approvals.md").read_text(), re.MULTILINE | re.DOTALL)[0]
    with connection.cursor() as cursor:
        cursor.execute(query.rstrip().rstrip(";"))
        names = ["digest_key", "by", "approved", "at", "channel", "fields", "digest", "content"]
        assert [column.name for column in cursor.description] == names


@pytest.mark.django_db(transaction=True)
def test_boto3_does_what_the_page_on_the_lambda_api_shows(
    repository: Path, live_server: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_user("administrator", "admin")
    register_function("expense-approval")
    out = io.StringIO()
    call_command("create_api_key", "--user", "admin", "--name", "orders", "--for-aws", stdout=out)
    for line in out.getvalue().split():
        monkeypatch.setenv(*line.split("=", 1))
    exec(block(repository, "lambda.md", "python", "boto3").replace("https://durable.example.com", live_server.url), {})
    assert Execution.objects.get().function == "expense-approval"
    assert "ExecutionStarted" in capsys.readouterr().out
