"""`manage.py move_executions`."""

import io
import json
from collections.abc import Iterator

import pytest
from django.core.management import CommandError, call_command

from durable_ops.models import AuditEntry
from execution_engine.models import Execution
from execution_engine.sdk.definition import RegisteredFunction
from tests.durable_ops.versions import NAME, id_of, loaded_versions, started

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def versions() -> Iterator[dict[str, RegisteredFunction]]:
    with loaded_versions() as found:
        yield found


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("move_executions", *arguments, stdout=out)
    return out.getvalue()


def pinned() -> list[str]:
    return list(Execution.objects.order_by("started_at", "id").values_list("version", flat=True))


def test_all_of_a_version_are_moved(versions: dict[str, RegisteredFunction]) -> None:
    ids = [str(id_of(started(versions["1"]))) for _ in range(2)]
    dry = run("--function", NAME, "--to-version", "fits", "--dry-run")
    assert dry.count("would be moved") == 2 and pinned() == ["1", "1"]
    assert run("--function", NAME, "--from-version", "changed", "--to-version", "fits") == ""
    found = json.loads(run("--function", NAME, "--to-version", "fits", "--reason", "fixed", "--json"))
    assert found == [{"id": one, "outcome": "moved"} for one in ids]
    assert pinned() == ["fits", "fits"]
    assert run("--function", NAME, "--to-version", "fits") == ""
    assert list(AuditEntry.objects.filter(action="execution.move").values_list("reason", flat=True)) == ["fixed"] * 2


def test_what_does_not_fit_stays_and_is_named(versions: dict[str, RegisteredFunction]) -> None:
    execution_id = str(id_of(started(versions["1"])))
    with pytest.raises(CommandError, match="1 of 1 were not moved"):
        run(execution_id, "--to-version", "changed")
    assert pinned() == ["1"]
    assert "moved" in run(execution_id, "--to-version", "changed", "--force", "--reason", "I know")
    assert pinned() == ["changed"]
