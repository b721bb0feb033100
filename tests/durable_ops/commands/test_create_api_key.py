import io
import json

import pytest
from django.core.management import CommandError, call_command

from durable_ops.actions import api_keys
from durable_ops.models import ApiKey, AuditEntry
from tests.durable_ops.people import make_user

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("create_api_key", *arguments, stdout=out)
    return out.getvalue()


def test_quiet_prints_the_key_and_nothing_else() -> None:
    user = make_user("superuser", "admin")
    key = run("--user", "admin", "--name", "CI", "--quiet")
    assert key.endswith("\n")
    found = api_keys.find_key(key.strip())
    assert found is not None
    assert (found.user, found.name) == (user, "CI")
    assert AuditEntry.objects.get().channel == "command"


def test_json_and_expiry() -> None:
    make_user("viewer", "vera")
    found = json.loads(run("--user", "vera", "--name", "x", "--expires-days", "7", "--json"))
    assert (found["user"], found["name"], found["prefix"]) == ("vera", "x", ApiKey.objects.get().prefix)
    assert ApiKey.objects.get().expires_at.isoformat() == found["expires_at"]


@pytest.mark.parametrize(("user", "name"), [("nobody-here", "x"), ("admin", ""), ("admin", "x" * 101)])
def test_wrong_arguments_end_with_a_sentence(user: str, name: str) -> None:
    make_user("superuser", "admin")
    with pytest.raises(CommandError, match=r"person|name"):
        run("--user", user, "--name", name)
    assert ApiKey.objects.count() == 0
