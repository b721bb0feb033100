"""What the database says, read when it is asked for: executions, queue, workers, what is still to be sent."""

from collections.abc import Collection, Iterator

from django.db.models import Count, DurationField, ExpressionWrapper, Min, Sum
from django.db.models.functions import Now
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from durable_ops.models import Approval, CostDay, Delivery, Outbox
from execution_engine.selectors.gauges import OpenCount, open_counts
from execution_engine.selectors.workers import live_workers

_AGE = ExpressionWrapper(Now() - Min("created_at"), output_field=DurationField())


class Figures(Collector):
    """Of these functions, None for all. Seven queries, whatever is there."""

    def __init__(self, functions: Collection[str] | None = None) -> None:
        self._functions = functions

    def collect(self) -> Iterator[Metric]:
        workers = [one for one in live_workers() if not one.is_draining]
        served = {version for one in workers for version in one.version_ids}
        opened = open_counts(served, self._functions)
        yield _open(opened)
        yield _queue_age(opened)
        yield from self._ended()
        yield _gauge("durable_workers", "Worker children that take work.", len(workers))
        yield _gauge("durable_worker_threads", "Handler threads of all workers.", sum(one.threads for one in workers))
        yield _gauge("durable_worker_threads_busy", "Handler threads that run an invocation.", sum(one.in_flight for one in workers))
        yield _gauge("durable_worker_threads_lost", "Handler threads whose handler hangs.", sum(one.lost_threads for one in workers))
        yield from _outbox()
        yield _gauge("durable_approvals_open", "Approvals that wait for a decision.", Approval.objects.filter(closed_at=None).count())

    def _ended(self) -> Iterator[Metric]:
        rows = CostDay.objects.values("function", "status").order_by("function", "status")
        rows = rows if self._functions is None else rows.filter(function__in=self._functions)
        ended = CounterMetricFamily("durable_executions_ended", "Executions that ended.", labels=["function", "status"])
        attempts = CounterMetricFamily("durable_step_attempts", "Attempts at steps of those.", labels=["function", "status"])
        for row in rows.annotate(number=Sum("executions"), tried=Sum("step_attempts")):
            labels = [row["function"], row["status"].lower()]
            ended.add_metric(labels, row["number"])
            attempts.add_metric(labels, row["tried"])
        yield ended
        yield attempts


def _open(opened: list[OpenCount]) -> Metric:
    found = GaugeMetricFamily("durable_executions_open", "Executions that have not ended.", labels=["function", "state"])
    for one in opened:
        found.add_metric([one.function, one.state.value], one.number)
    return found


def _queue_age(opened: list[OpenCount]) -> Metric:
    help_text = "How long the first execution of a function has been due, and nobody has taken it."
    found = GaugeMetricFamily("durable_queue_age_seconds", help_text, labels=["function", "state"])
    for one in opened:
        if one.oldest is not None:
            found.add_metric([one.function, one.state.value], one.oldest.total_seconds())
    return found


def _outbox() -> Iterator[Metric]:
    waiting = GaugeMetricFamily("durable_outbox_waiting", "Mails and webhooks that are still to be sent.", labels=["kind"])
    oldest = GaugeMetricFamily("durable_outbox_oldest_seconds", "How long the first of them has waited.", labels=["kind"])
    for kind, model in (("mail", Outbox), ("webhook", Delivery)):
        rows = model.objects.filter(sent_at=None, due_at__isnull=False)
        row = rows.aggregate(number=Count("id"), oldest=_AGE)
        waiting.add_metric([kind], row["number"])
        oldest.add_metric([kind], row["oldest"].total_seconds() if row["oldest"] else 0)
    yield waiting
    yield oldest


def _gauge(name: str, help_text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, help_text, value=value)
