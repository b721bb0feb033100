"""Thirty days with two approvals, inside an ordinary `TestCase` that rolls everything back."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import TestCase

from durable_ops.models import Approval, Outbox
from execution_engine import DurableContext, Duration, durable_execution
from execution_engine.testing import DurableExecutionTestClient


@durable_execution(name="thirty-days-of-approvals", version="1")
def thirty_days(event: dict[str, Any], context: DurableContext) -> list[str]:
    manager = context.wait_for_approval("manager", title="Budget", group="managers", timeout=Duration.from_days(20))
    context.wait("cool-off", Duration.from_days(9))
    finance = context.wait_for_approval("finance", title="Payment", group="managers", timeout=Duration.from_days(20))
    return [manager.by, finance.by]


class ThirtyDays(TestCase):
    @pytest.fixture(autouse=True)
    def _figures(self, figures: Callable[..., None]) -> None:
        self.figures = figures

    def decide(self, execution: Any) -> None:
        execution.skip_time(Duration.from_days(10))
        execution.get_pending_approvals()[0].decide(True, by="mona")

    def test_two_approvals_decide_a_month(self) -> None:
        mona = User.objects.create_user("mona", email="mona@example.com")
        mona.groups.add(Group.objects.get_or_create(name="managers")[0])
        began = time.process_time()
        execution = DurableExecutionTestClient(database=True).start_execution(thirty_days, {})
        self.decide(execution)
        self.decide(execution)
        assert execution.get_result() == ["mona", "mona"]
        self.figures("thirty days with two approvals", process_ms=round((time.process_time() - began) * 1000))
        assert (Approval.objects.filter(outcome="approved").count(), Outbox.objects.count()) == (2, 2)
