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


def test_scopes_functions_and_end() -> None:
    make_user("operator", "otto")
    limits = ("--scopes", "start_execution, view_execution", "--functions", "payments-*", "--expires-days", "7")
    found = json.loads(run("--user", "otto", "--name", "x", *limits, "--json"))
    assert (found["scopes"], found["functions"], "access_key_id" in found) == (["start_execution", "view_execution"], ["payments-*"], False)


def test_for_aws_prints_what_its_clients_read() -> None:
    make_user("operator", "otto")
    lines = dict(line.split("=", 1) for line in run("--user", "otto", "--name", "x", "--for-aws").splitlines())
    assert set(lines) == {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
    signing = api_keys.find_signing_key(lines["AWS_ACCESS_KEY_ID"])
    assert signing is not None
    assert signing[1] == lines["AWS_SECRET_ACCESS_KEY"]
    assert api_keys.find_signing_key(lines["AWS_ACCESS_KEY_ID"])
    assert run("--user", "otto", "--name", "x", "--for-aws", "--quiet").count("\n") == 1


def test_scope_that_the_person_lacks_is_refused() -> None:
    make_user("viewer", "vera")
    with pytest.raises(CommandError, match="stop_execution"):
        run("--user", "vera", "--name", "x", "--scopes", "stop_execution")
