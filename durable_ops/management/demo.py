"""Believable executions of the examples, of every state and age: really executed by the engine, on a clock that starts in the past."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import transaction

from durable_ops.actions import repairs
from durable_ops.actions.actor import Actor
from durable_ops.models import Approval, Decision
from execution_engine.core.enums import ExecutionStatus
from execution_engine.sdk.registry import RegisteredFunction, find_function, input_text
from execution_engine.testing.clock import VirtualClock
from execution_engine.testing.database_engine import DatabaseEngine
from execution_engine.testing.execution import ExecutionUnderTest

EXAMPLES = ("expense-approval", "order-fulfilment", "cart-reminder", "report-export", "ai-analyst")
APPROVER = "approver"
RETIRED = "win-back-mail"
OLDEST = timedelta(days=12)
CATEGORIES = ("travel", "office", "training", "hardware", "meals")
ITEMS = ("mug", "lamp", "notebook", "backpack", "unicorn")
QUESTIONS = (
    "Which region had the highest revenue in march?",
    "What is 17 * 23?",
    "How many days of holidays are there?",
    "Why is the sky blue?",
)


class LivelyClock(VirtualClock):
    """Every look takes some milliseconds, so that steps have durations."""

    def __init__(self, start_at: datetime, lots: random.Random) -> None:
        super().__init__(start_at)
        self._lots = lots

    def now(self) -> datetime:
        self.advance(min(self._lots.expovariate(25), 0.5))
        return super().now()


@dataclass(frozen=True, slots=True)
class Told:
    """A story on its way; `now` is the real present, which it never passes."""

    execution: ExecutionUnderTest
    lots: random.Random
    now: datetime
    clock: VirtualClock

    def wait(self, **parts: float) -> None:
        """Up to the given time passes."""
        moment = self.clock.now() + self.lots.uniform(0.3, 1) * timedelta(**parts)
        seconds = (min(moment, self.now) - self.clock.now()).total_seconds()
        if seconds > 0:
            self.execution.skip_time(seconds)

    def live_on(self) -> None:
        """Time passes until today."""
        self.wait(days=2 * OLDEST.days)

    def decide(self, *, approved: bool) -> None:
        """The demo's approver, who is in every group that the examples ask."""
        for approval in self.execution.get_pending_approvals()[:1]:
            approval.decide(approved, by=APPROVER, comment="" if approved else "Not in this quarter's budget.")


Story = Callable[[Told], None]


def stories(count: int, seed: int, actor: Actor) -> Iterator[UUID]:
    """Tells `count` stories, each in a transaction of its own, so that no worker meets one in the middle; yields the execution's id.

    Raises LookupError when the examples or the demo people, who decide, are not there.
    """
    if not get_user_model()._default_manager.filter(username=APPROVER, is_active=True).exists():
        raise LookupError(f"there is no demo person {APPROVER!r}")
    lots = random.Random(seed)
    now = datetime.now(UTC)
    functions = {name: found for name in EXAMPLES if (found := find_function(name)) is not None}
    if len(functions) < len(EXAMPLES):
        raise LookupError("the examples are not installed (DURABLE_EXAMPLES)")
    # A function whose code is gone: no worker serves it, and what still waits in it strands.
    functions["retired"] = replace(functions["cart-reminder"], name=RETIRED, execution_timeout=None)
    chosen = lots.choices(_STORIES, [weight for weight, *_ in _STORIES], k=count)
    for number, (_, name, oldest, story) in enumerate(chosen):
        function = functions[name]
        assert function is not None
        start = now - timedelta(seconds=lots.uniform(_YOUNGEST.get(name, 20), oldest.total_seconds()))
        with transaction.atomic():
            told = _begin(function, f"{_PREFIXES[name]}-{int(now.timestamp()):x}-{number}", _input(name, lots, number), lots, start, now)
            story(told)
            _age_approvals(told)
            execution_id = UUID(told.execution.execution_id)
            if story is _redriven and told.execution.status != ExecutionStatus.SUCCEEDED:
                repairs.redrive_execution(actor, execution_id, reason="The card company was down; try again.")
        yield execution_id


def _age_approvals(told: Told) -> None:
    """The people's side has no virtual clock: its rows are given the times of their operations."""
    for operation in told.execution.operations:
        if operation.options.approval:
            asked = Approval.objects.filter(execution_id=told.execution.execution_id, operation_id=operation.id)
            asked.update(asked_at=operation.started_at)
            if operation.ended_at is not None:
                asked.filter(closed_at__isnull=False).update(closed_at=operation.ended_at)
                Decision.objects.filter(approval__in=asked).update(at=operation.ended_at)


def _begin(function: RegisteredFunction, name: str, given: Any, lots: random.Random, start: datetime, now: datetime) -> Told:
    clock = LivelyClock(start, lots)
    engine = DatabaseEngine(clock)
    return Told(ExecutionUnderTest(engine.start(function, input_text(given), name=name), engine), lots, now, clock)


def _input(name: str, lots: random.Random, number: int) -> dict[str, Any]:
    if name == "expense-approval":
        amount = round(lots.choice((lots.uniform(20, 900), lots.uniform(5_001, 15_000))), 2)
        receipt = "" if lots.random() < 0.06 else f"https://receipts.example/E-{number}.pdf"
        return {"expense_id": f"E-{number}", "amount": amount, "category": lots.choice(CATEGORIES), "receipt_url": receipt}
    if name == "order-fulfilment":
        card = lots.choices(("card-good", "card-declined", "card-busy"), (12, 1, 1))[0]
        items = {lots.choices(ITEMS, (6, 4, 4, 3, 1))[0]: lots.randint(1, 2)}
        return {
            "order_id": f"O-{number}",
            "items": items,
            "amount": round(lots.uniform(8, 400), 2),
            "card": card,
            "email": "ada@example.com",
        }
    if name == "report-export":
        return {"report": lots.choice(("payments", "travel")), "takes_seconds": lots.choice((0, 0, 6 * 86_400))}
    if name == "ai-analyst":
        return {"question": lots.choice(QUESTIONS)}
    return {"cart_id": f"C-{number}", "email": "ada@example.com"}


def _decided(told: Told) -> None:
    approved = told.lots.random() < 0.8
    told.wait(days=1)
    told.decide(approved=approved)
    told.wait(days=1)
    told.decide(approved=approved)
    told.live_on()


def _half_decided(told: Told) -> None:
    told.wait(hours=8)
    told.decide(approved=True)


def _forgotten(told: Told) -> None:
    told.live_on()


def _untouched(told: Told) -> None:
    told.wait(seconds=1)


def _reviewed(told: Told) -> None:
    told.wait(minutes=2)
    told.wait(hours=20)
    if not told.execution.status.is_terminal:
        told.execution.signal("fraud-review", {"action": "approve" if told.lots.random() < 0.85 else "reject"})
    told.live_on()


def _stopped(told: Told) -> None:
    told.wait(hours=3)
    if not told.execution.status.is_terminal:
        told.execution.stop("Withdrawn by the applicant")


def _paused(told: Told) -> None:
    told.wait(hours=1)
    if not told.execution.status.is_terminal:
        told.execution.pause("Waiting for the auditors")


def _redriven(told: Told) -> None:
    told.wait(minutes=10)
    if not told.execution.status.is_terminal:
        told.execution.stop("Stopped before the maintenance")


_PREFIXES = {"expense-approval": "expense", "order-fulfilment": "order", "cart-reminder": "cart", "report-export": "report"}
_PREFIXES |= {"ai-analyst": "question", "retired": "cart"}
_YOUNGEST = {"retired": 86_400}
"""Seconds: its day of waiting is over, and no later story, whose engine would serve it, lies behind that moment."""

_MINUTE, _HOURS = timedelta(minutes=1), timedelta(hours=20)
# How often, of which function, started how long ago at most, and what happens.
_STORIES: tuple[tuple[int, str, timedelta, Story], ...] = (
    (24, "expense-approval", timedelta(days=4), _decided),  # people decide in real time: the question must still be open
    (6, "expense-approval", timedelta(days=3), _half_decided),
    (9, "expense-approval", timedelta(days=6), _untouched),
    (3, "expense-approval", OLDEST, _forgotten),
    (2, "expense-approval", timedelta(days=4), _stopped),
    (2, "expense-approval", timedelta(days=2), _paused),
    (24, "order-fulfilment", OLDEST, _reviewed),
    (5, "order-fulfilment", _HOURS, _forgotten),
    (3, "order-fulfilment", _MINUTE, _untouched),
    (2, "order-fulfilment", timedelta(hours=2), _redriven),
    (8, "cart-reminder", OLDEST, _forgotten),
    (4, "cart-reminder", _HOURS, _untouched),
    (2, "retired", timedelta(hours=36), _untouched),
    (5, "report-export", timedelta(days=4), _forgotten),
    (2, "report-export", _HOURS, _forgotten),
    (8, "ai-analyst", OLDEST, _forgotten),
)
