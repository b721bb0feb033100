import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from durable_ops.models import AuditEntry
from execution_engine.models import Execution
from tests.durable_ops.journal import register_function
from tests.durable_ops.people import make_user

pytestmark = pytest.mark.django_db


def run(*arguments: Any) -> str:
    register_function("echo")
    out = io.StringIO()
    call_command("start_execution", *map(str, arguments), stdout=out)
    return out.getvalue()


def inputs() -> list[Any]:
    return [json.loads(text) for text in Execution.objects.order_by("started_at", "id").values_list("input", flat=True)]


def test_input_name_and_version() -> None:
    shown = run("echo", "--input", ' {"a": 1} ', "--name", "n", "--version", "1")
    row = Execution.objects.get()
    assert (row.input, row.name, row.version) == ('{"a":1}', "n", "1")
    assert str(row.id) in shown
    assert AuditEntry.objects.get().actor.startswith("system")
    assert "Already there" in run("echo", "--input", '{"a":1}', "--name", "n")


def test_input_from_a_file_and_json_out(tmp_path: Path) -> None:
    file = tmp_path / "input.json"
    file.write_text('["é"]')
    found = json.loads(run("echo", "--input-file", file, "--json"))
    assert inputs() == [["é"]]
    assert found["id"] == str(Execution.objects.get().id)
    assert found["created"] is True


def test_user_acts_with_their_rights() -> None:
    make_user("operator", "olga")
    make_user("viewer", "vera")
    run("echo", "--user", "olga")
    assert Execution.objects.get().started_by == "olga"
    with pytest.raises(CommandError, match="start_execution"):
        run("echo", "--user", "vera")
    with pytest.raises(CommandError, match="no active person"):
        run("echo", "--user", "nobody-here")


CSV = 'id,amount,note,receipt\n007,12.50,"a, ""b""",http://x\n8,-3,not a number,\n9,1e999,é,+49 1\n\n'


def test_csv_starts_one_execution_per_row(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text(CSV, encoding="utf-8-sig")
    found = json.loads(run("echo", "--input-csv", file, "--json"))
    by_id = {str(row.id): json.loads(row.input) for row in Execution.objects.all()}
    assert [by_id[one["id"]] for one in found] == [
        {"id": "007", "amount": 12.5, "note": 'a, "b"', "receipt": "http://x"},
        {"id": 8, "amount": -3, "note": "not a number", "receipt": None},
        {"id": 9, "amount": "1e999", "note": "é", "receipt": "+49 1"},
    ]
    assert AuditEntry.objects.filter(action="execution.start").count() == 3


def test_csv_of_many_rows_is_quiet_in_a_pipe(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("n\n" + "".join(f"{n}\n" for n in range(250)))
    assert run("echo", "--input-csv", file) == "Started 250 executions of echo.\n"
    assert sorted(one["n"] for one in inputs()) == list(range(250))
    assert capfd.readouterr().err == ""


BAD_FILES = {
    "no header": b"",
    "more cells": b"a,b\n1,2,3\n",
    "fewer cells": b"a,b\n1,2\n1\n",
    "column twice": b"a,a\n1,2\n",
    "column without a name": b"a,\n1,2\n",
    "not UTF-8": b"a\n\xff\n",
    "NUL": b"a\nx\x00y\n",
    "open quote": b'a\n"x\n',
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_bad_csv_starts_nothing_and_says_where(tmp_path: Path, case: str) -> None:
    file = tmp_path / "rows.csv"
    file.write_bytes(BAD_FILES[case])
    with pytest.raises(CommandError, match=r"rows\.csv: "):
        run("echo", "--input-csv", file)
    assert Execution.objects.count() == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nobody"], "function_not_found"),
        (["echo", "--input", "{"], "cannot be used"),
        (["echo", "--input", "NaN"], "NaN"),
        (["echo", "--input", '"\\u0000"'], "NUL"),
        (["echo", "--input-file", "/nowhere"], "No such file"),
        (["echo", "--input-csv", "/nowhere"], "No such file"),
        (["echo", "--input-csv", "x", "--name", "n"], "--name"),
        (["echo", "--name", "a b"], "invalid_input"),
        (["echo", "--version", "99"], "function_not_found"),
        (["echo", "--input", "1", "--input-csv", "x"], "not allowed with"),
    ],
)
def test_wrong_arguments_end_with_a_sentence(arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run(*arguments)
    assert Execution.objects.count() == 0


def test_wait_reports_what_is_still_open() -> None:
    with pytest.raises(CommandError, match=r"1 of 1 had not ended after 0\.3 s"):
        run("echo", "--wait", "--timeout", "0.3")


def test_wait_ends_with_the_execution() -> None:
    run("echo", "--name", "n", "--input", "1")
    with connection.cursor() as cursor:
        cursor.execute("update durable_execution set status = 'SUCCEEDED', ended_at = now()")
    assert "SUCCEEDED" in run("echo", "--name", "n", "--input", "1", "--wait")
