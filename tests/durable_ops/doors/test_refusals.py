"""Attempts that were refused leave a row; the act that was refused does not."""

from uuid import UUID

import pytest
from django.test import Client

from durable_ops.doors import refusals
from durable_ops.models import AuditEntry
from tests.durable_ops.people import bearer, make_user

pytestmark = pytest.mark.django_db
EXECUTION = UUID("6f1d9c1e-2b7a-4f55-9c3b-0d1e2f3a4b5c")


def noted() -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(action="attempt.refused").order_by("id"))


def test_a_person_in_the_console(client: Client) -> None:
    user = make_user("viewer", "vera")
    client.force_login(user)
    assert client.post(f"/executions/{EXECUTION}/stop/", {"reason": "x"}).status_code == 403
    (row,) = noted()
    assert (row.actor, row.user_id, row.key_prefix, row.channel, row.address) == ("vera", str(user.pk), "", "console", "127.0.0.1")
    assert (row.object_type, row.object_id, row.execution_id) == ("route", str(EXECUTION), EXECUTION)
    assert row.facts == {"method": "POST", "route": "dashboard:stop"}


def test_a_key_over_rest(client: Client) -> None:
    headers = bearer(make_user("viewer", "vera"))
    answer = client.post(f"/api/v1/executions/{EXECUTION}/stop", {}, content_type="application/json", headers=headers)
    assert answer.status_code == 403
    (row,) = noted()
    assert (row.actor, row.channel, row.facts["route"]) == ("vera (key tests)", "rest", "api:stop")
    assert row.key_prefix in headers["Authorization"]


def test_only_attempts_to_act_and_only_of_those_who_are_known(client: Client) -> None:
    assert client.post(f"/executions/{EXECUTION}/stop/").status_code == 302
    assert client.post("/api/v1/executions", {}, content_type="application/json").status_code == 401
    client.force_login(make_user("nobody"))
    assert client.get("/audit/").status_code == 403
    assert noted() == []


def test_a_form_without_its_token_is_an_attempt() -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(make_user("administrator", "anna"))
    assert strict.post(f"/executions/{EXECUTION}/stop/").status_code == 403
    assert noted()[0].actor == "anna"


def test_a_program_that_never_gives_up_is_noted_a_bounded_number_of_times(client: Client) -> None:
    client.force_login(make_user("viewer"))
    for _ in range(refusals.NOTED_PER_MINUTE + 5):
        client.post(f"/executions/{EXECUTION}/stop/")
    rows = noted()
    assert len(rows) == refusals.NOTED_PER_MINUTE
    assert "more" in rows[-1].facts and "more" not in rows[-2].facts


def test_a_key_over_the_lambda_api(client: Client) -> None:
    headers = bearer(make_user("viewer", "vera"))
    answer = client.post("/2015-03-31/functions/echo/invocations", "{}", content_type="application/json", headers=headers)
    assert answer.status_code == 403
    (row,) = noted()
    assert (row.actor, row.channel, row.object_id) == ("vera (key tests)", "lambda", "echo")
