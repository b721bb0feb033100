"""A slow job runs elsewhere; the execution looks now and then whether it is done, and sleeps in between.

Input: {"report": "payments", "takes_seconds": 20}
"""

from datetime import timedelta
from typing import Annotated, Any, NotRequired, TypedDict

from django.db.models import Sum
from django.db.models.functions import Now

from durable_ops.examples.models import ExportJob, Payment
from execution_engine import (
    DurableContext,
    Duration,
    StepConfig,
    WaitForConditionConfig,
    WaitStrategyConfig,
    create_wait_strategy,
    durable_execution,
)

POLLING = create_wait_strategy(
    WaitStrategyConfig[dict[str, Any]](
        should_continue_polling=lambda job: not job["ready"],
        max_attempts=120,
        initial_delay=Duration.from_seconds(2),
        max_delay=Duration.from_minutes(1),
    )
)

LONGEST_SECONDS = 7 * 86_400


class ReportInput(TypedDict):
    report: str
    takes_seconds: NotRequired[Annotated[int, "how slow the reporting service is"]]


@durable_execution(name="report-export", version="1", execution_timeout=Duration.from_days(1))
def report_export(event: Annotated[dict[str, Any], ReportInput], context: DurableContext) -> dict[str, Any]:
    """Asks the reporting service for a report, polls until its file is ready, and fetches the figures.

    Ends with {"status": "ready", "report", "job_id", "polls", "payments", "total"}.
    """
    report, seconds = str(event.get("report", "payments")), float(event.get("takes_seconds", 20))
    if not 0 <= seconds <= LONGEST_SECONDS:
        raise ValueError(f"takes_seconds must be from 0 to {LONGEST_SECONDS:,}, not {seconds}")

    job_id = context.step("start-export", lambda: start_job(report, seconds), config=StepConfig(atomic=True))
    job = context.wait_for_condition(
        lambda state, _: look_at_job(job_id, state["polls"] + 1),
        config=WaitForConditionConfig(wait_strategy=POLLING, initial_state={"ready": False, "polls": 0}),
        name="export-ready",
    )
    figures = context.step("fetch", fetch_figures)
    return {"status": "ready", "report": report, "job_id": job_id, "polls": job["polls"], **figures}


def start_job(report: str, seconds: float) -> int:
    return ExportJob.objects.create(report=report, ready_at=Now() + timedelta(seconds=seconds)).pk


def look_at_job(job_id: int, polls: int) -> dict[str, Any]:
    return {"ready": ExportJob.objects.filter(pk=job_id, ready_at__lte=Now()).exists(), "polls": polls}


def fetch_figures() -> dict[str, Any]:
    total = Payment.objects.aggregate(total=Sum("amount"))["total"] or 0
    return {"payments": Payment.objects.count(), "total": f"{total:.2f}"}
