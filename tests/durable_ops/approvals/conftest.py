"""An approval that waits, asked by a real execution on the test database."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from durable_ops.actions.actor import Actor, Channel
from durable_ops.models import Approval
from execution_engine import durable_execution
from execution_engine.testing import DurableExecutionTestClient


@pytest.fixture
def person(db: None) -> Callable[..., User]:
    def make(name: str, *groups: str, **values: Any) -> User:
        user = User.objects.create_user(name, email=f"{name}@example.com", **values)
        user.groups.add(*(Group.objects.get_or_create(name=group)[0] for group in groups))
        return user

    return make


@pytest.fixture
def actor(person: Callable[..., User]) -> Callable[..., Actor]:
    return lambda name, *groups: Actor(person(name, *groups), channel=Channel.CONSOLE)


@pytest.fixture
def ask(db: None) -> Callable[..., tuple[Any, Approval]]:
    """Starts a function that asks, and answers (execution under test, approval)."""

    def start(**options: Any) -> tuple[Any, Approval]:
        Group.objects.get_or_create(name="managers")
        asked = {"title": "Expense E-1: 120.00", "group": "managers", "details": {"Amount": "120.00", "Category": "travel"}, **options}

        @durable_execution(name="asks-managers", version="1")
        def handler(event: dict[str, Any], context: Any) -> Any:
            decision = context.wait_for_approval("manager", **asked)
            fields = dict(decision.fields or {})
            return {"approved": decision.approved, "by": decision.by, "fields": fields, "votes": len(decision.decisions)}

        execution = DurableExecutionTestClient(database=True).start_execution(handler)
        assert execution.status == "RUNNING", execution.error
        return execution, Approval.objects.get(callback_id=execution.get_pending_callbacks()[0].callback_id)

    return start
