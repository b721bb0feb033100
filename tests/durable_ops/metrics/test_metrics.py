"""What Prometheus reads, who may, and what it costs."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from prometheus_client.parser import text_string_to_metric_families

from durable_ops.metrics.view import is_allowed
from durable_ops.models import CostDay
from tests.durable_ops.people import bearer, make_limited, make_user
from tests.factories import ago, make_callback, make_execution, make_version, make_worker


@pytest.fixture
def busy(db: None) -> None:
    served, left = make_version(function="served"), make_version(function="left")
    make_worker(served)
    make_execution(served, due_at=ago(seconds=90))
    make_callback(make_execution(served))
    make_execution(served, status="PAUSED")
    make_execution(left, due_at=ago(seconds=30))
    make_execution(left, status="FAILED", ended_at=ago())
    CostDay.objects.create(day="2026-11-20", function="served", version="1", status="SUCCEEDED", executions=3, step_attempts=7)
    CostDay.objects.create(day="2026-11-21", function="served", version="1", status="SUCCEEDED", executions=2, step_attempts=2)


def scrape(client: Client, **headers: str) -> dict[tuple[str, ...], float]:
    answer = client.get("/metrics", headers=headers)
    assert answer.status_code == 200, answer.content
    families = text_string_to_metric_families(answer.content.decode())
    return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}


def test_figures_say_what_is_there(busy: None) -> None:
    found = scrape(Client(), **bearer(make_user("viewer")))
    expected = {
        ("durable_executions_open", "served", "queued"): 1,
        ("durable_executions_open", "served", "waiting"): 1,
        ("durable_executions_open", "served", "paused"): 1,
        ("durable_executions_open", "left", "stranded"): 1,
        ("durable_executions_ended_total", "served", "succeeded"): 5,
        ("durable_step_attempts_total", "served", "succeeded"): 9,
        ("durable_workers",): 1,
        ("durable_outbox_waiting", "mail"): 0,
        ("durable_outbox_waiting", "webhook"): 0,
        ("durable_approvals_open",): 0,
    }
    assert {key: found.get(key) for key in expected} == expected
    assert 90 <= found["durable_queue_age_seconds", "served", "queued"] < 120
    assert ("durable_queue_age_seconds", "served", "waiting") not in found


def test_queries_do_not_grow(busy: None) -> None:
    client, headers = Client(), bearer(make_user("superuser"))
    scrape(client, **headers)
    with CaptureQueriesContext(connection) as queries:
        scrape(client, **headers)
    # The key; workers, open executions, ended ones, mails, webhooks, approvals.
    assert len(queries) == 7


def test_requests_are_counted_by_route_without_names(busy: None) -> None:
    client, headers = Client(), bearer(make_user("viewer"))
    key = ("durable_http_request_seconds_count", "GET", "/api/v1/executions/<str:execution_id>", "4xx")
    before = scrape(client, **headers).get(key, 0)
    client.get("/api/v1/executions/secret-canary", headers=headers)
    client.generic("BREW", "/api/v1/functions", headers=headers)
    text = client.get("/metrics", headers=headers).content.decode()
    assert "canary" not in text
    assert "BREW" not in text
    assert scrape(client, **headers)[key] == before + 1
    assert not re.search(r'route="[^"]*[0-9a-f]{8}-', text)


def test_who_may_read(busy: None, settings: Any) -> None:
    assert Client().get("/metrics").status_code == 401
    assert Client().get("/metrics", headers=bearer(make_user("nobody"))).status_code == 403
    found = scrape(Client(), **bearer(make_limited("viewer", "serv*")))
    assert {key[1] for key in found if key[0].startswith("durable_executions")} == {"served"}
    settings.METRICS_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    assert ("durable_executions_open", "left", "stranded") in scrape(Client())
    assert Client(REMOTE_ADDR="10.0.0.1").get("/metrics").status_code == 401


@pytest.mark.parametrize(("address", "is_fine"), [("10.1.2.3", True), ("10.2.0.1", False), ("", False), ("::1", False), ("x", False)])
def test_addresses_of_the_setting(settings: Any, address: str, is_fine: bool) -> None:
    settings.METRICS_ALLOWED_NETWORKS = ["10.1.0.0/16"]
    assert is_allowed(address) is is_fine
