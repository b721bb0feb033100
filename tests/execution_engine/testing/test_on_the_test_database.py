"""The same client on Django's test database, inside an ordinary, rolled-back `TestCase`."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext

from execution_engine import DurableContext, Duration, StepConfig, durable_execution
from execution_engine.models import Execution
from execution_engine.testing import DurableExecutionTestClient


@durable_execution(name="testing-kit-thirty-days", execution_timeout=Duration.from_days(40))
def thirty_days(event: dict[str, Any], context: DurableContext) -> dict[str, Any]:
    context.step(lambda: Group.objects.create(name="requested").pk, name="request", config=StepConfig(atomic=True))
    first = context.wait_for_callback(context.create_callback("manager", timeout=Duration.from_days(20)))
    context.wait(days=10)
    second = context.wait_for_callback(context.create_callback("finance", timeout=Duration.from_days(20)))
    context.step(lambda: Group.objects.create(name="paid").pk, name="pay")
    return {"manager": first["action"], "finance": second["action"]}


QUERIES = 36
MINE = Group.objects.filter(name__in=["requested", "paid"])


class ThirtyDays(TestCase):
    @pytest.fixture(autouse=True)
    def take_figures(self, figures: Callable[..., None]) -> None:
        self.figures = figures

    def approve_twice(self) -> None:
        client = DurableExecutionTestClient(database=True)
        execution = client.start_execution(thirty_days, {"expense": 1})
        client.skip_time({"days": 10})
        execution.get_pending_callbacks()[0].complete({"action": "approved"})
        client.skip_time({"days": 20})
        execution.get_pending_callbacks()[0].complete({"action": "approved"})
        assert execution.get_result() == {"manager": "approved", "finance": "approved"}
        assert (execution.events[-1]["EventTimestamp"] - execution.events[0]["EventTimestamp"]).days == 30
        assert MINE.all().count() == 2

    def test_a_flow_of_thirty_days(self) -> None:
        self.approve_twice()

    def test_what_it_costs(self) -> None:
        """Queries are judged, time is shown: `pytest tests/execution_engine/testing/test_on_the_test_database.py`."""
        self.approve_twice()  # imports and prepares
        MINE.all().delete()
        with CaptureQueriesContext(connection) as queries:
            self.approve_twice()
        MINE.all().delete()
        taken = []
        for _ in range(5):
            begun = time.process_time()  # not the time that other processes of a busy machine take
            self.approve_twice()
            taken.append(time.process_time() - begun)
            MINE.all().delete()
        self.figures("30 days, two approvals", milliseconds=round(min(taken) * 1000, 1), django_queries=len(queries))
        assert len(queries) == QUERIES, [query["sql"][:100] for query in queries]

    def test_everything_was_rolled_back(self) -> None:
        assert not Execution.objects.exists()
        assert not MINE.all().exists()
