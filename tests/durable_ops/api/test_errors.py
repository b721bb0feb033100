import pytest
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404
from django.http.request import UnreadablePostError
from rest_framework.exceptions import ValidationError

from durable_ops.api.errors import problem_response
from execution_engine.core.errors import CommandError
from tests.durable_ops.api.conftest import Door, refusal

CASES = [
    (OperationalError("the connection is gone: password=canary"), 503, "database_unavailable"),
    (InterfaceError("closed"), 503, "database_unavailable"),
    (Http404("x"), 404, "not_found"),
    (RequestDataTooBig("x"), 413, "body_too_large"),
    (SuspiciousOperation("x"), 400, "invalid_request"),
    (UnreadablePostError("x"), 400, "invalid_request"),
]


@pytest.mark.parametrize(("error", "status", "code"), CASES, ids=lambda value: str(value)[:20])
def test_refusals_have_a_status_and_a_code(error: Exception, status: int, code: str) -> None:
    answer = problem_response(error, {})
    assert answer is not None
    assert (answer.status_code, answer.data["code"], answer.data["status"]) == (status, code, status)
    assert "canary" not in str(answer.data)
    assert (answer.headers.get("Retry-After") is not None) == (status == 503)


def test_facts_stand_beside_and_never_replace_the_fixed_keys() -> None:
    answer = problem_response(CommandError("m", status="x", code="y", detail="z", limit=5, odd=object), {})
    assert answer is not None
    assert (answer.data["status"], answer.data["code"], answer.data["detail"], answer.data["limit"]) == (400, "invalid_request", "m", 5)
    assert isinstance(answer.data["odd"], str)


def test_faults_of_ours_are_no_refusals() -> None:
    assert problem_response(ValueError("a bug"), {}) is None


@pytest.mark.parametrize(
    ("errors", "sentence"),
    [
        ({"name": ["Too long."]}, "name: Too long."),
        ({"events": {0: ["No such event."]}}, "events.0: No such event."),
        ({"executions": [{"function": ["Missing."]}]}, "executions.function: Missing."),
        (["No object."], "body: No object."),
    ],
)
def test_a_refused_field_is_told_in_plain_words(errors: object, sentence: str) -> None:
    answer = problem_response(ValidationError(errors), {})
    assert answer is not None
    assert answer.data["detail"] == sentence


@pytest.mark.parametrize("path", ["/nobody", "/alert-rules/K%0A%C2%9A", "/%0A", "/executions/a/b%0D%0Ac/"])
def test_addresses_that_are_none_are_404_as_a_problem(admin: Door, path: str) -> None:
    refusal(admin.get(path), 404, "not_found")
