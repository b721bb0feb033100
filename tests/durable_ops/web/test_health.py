"""`/healthz` tells a load balancer and a script the truth."""

import pytest
from django.db import connection
from django.test import Client

pytestmark = pytest.mark.django_db


def make_worker(*, silent_seconds: int = 0, is_draining: bool = False) -> None:
    """The row as a runtime would have written it; the model itself refuses to write."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            insert into durable_worker (boot_id, host, pid, parent_pid, process_started_at, started_at, seen_at,
                                        threads, in_flight, lost_threads, is_draining, version_ids)
            values (gen_random_uuid(), 'test', 1, 1, '', statement_timestamp(), statement_timestamp() - make_interval(secs => %s),
                    1, 0, 0, %s, '[]')
            """,
            [silent_seconds, is_draining],
        )


def test_healthz_without_a_worker_says_so(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (503, {"status": "unavailable", "web": True, "database": True, "workers": 0})


def test_healthz_with_a_worker_answers_200_for_any_host_name(client: Client) -> None:
    make_worker()
    answer = client.get("/healthz", headers={"host": "10.1.2.3"})
    assert (answer.status_code, answer.json()["status"], answer["Cache-Control"]) == (200, "ok", "no-store")


@pytest.mark.parametrize("state", [{"silent_seconds": 60}, {"is_draining": True}])
def test_healthz_ignores_workers_that_take_nothing(client: Client, state: dict[str, int]) -> None:
    make_worker(**state)  # type: ignore[arg-type]
    assert client.get("/healthz").status_code == 503
