"""`report-export`: polls, sleeps in between, and fetches once."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db.models.functions import Now

from durable_ops.examples.models import ExportJob, Payment
from durable_ops.examples.report_export import report_export
from execution_engine import Duration, ExecutionFailedError
from execution_engine.testing import DurableExecutionTestClient

pytestmark = pytest.mark.django_db


def test_report_that_is_ready_at_once_is_polled_once(client: DurableExecutionTestClient) -> None:
    Payment.objects.create(idempotency_key=uuid4(), expense_id="E-1", amount=Decimal("12.50"), paid_at=datetime.now(UTC))
    execution = client.start_execution(report_export, {"report": "payments", "takes_seconds": 0})
    job = ExportJob.objects.get()
    assert execution.get_result() == {
        "status": "ready",
        "report": "payments",
        "job_id": job.pk,
        "polls": 1,
        "payments": 1,
        "total": "12.50",
    }


def test_slow_report_is_polled_until_it_is_ready(client: DurableExecutionTestClient) -> None:
    execution = client.start_execution(report_export, {"takes_seconds": 3600})
    execution.skip_time(Duration.from_seconds(60))
    assert execution.status == "RUNNING"
    ExportJob.objects.update(ready_at=Now())
    execution.run_until_complete()
    assert execution.get_result()["polls"] > 2
    assert ExportJob.objects.count() == 1


def test_report_that_never_comes_fails(client: DurableExecutionTestClient) -> None:
    execution = client.start_execution(report_export, {"takes_seconds": 600_000})
    execution.run_until_complete()
    with pytest.raises(ExecutionFailedError, match="not met in 120 attempts"):
        execution.get_result()


@pytest.mark.parametrize("seconds", [-1, 1e308, "soon", None])
def test_report_that_takes_no_sensible_time_fails_at_once(client: DurableExecutionTestClient, seconds: Any) -> None:
    execution = client.start_execution(report_export, {"takes_seconds": seconds})
    assert execution.status == "FAILED"
    assert execution.operations == []
