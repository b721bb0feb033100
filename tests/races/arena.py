"""Many races at once: outsiders on threads of their own against one real runtime, then a look at what is stored."""

import queue
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, connections

from execution_engine.models import Event, Execution, Operation
from execution_engine.sdk.registry import DurableFunction
from tests.races.functions import MEETINGS, Meeting
from tests.waiting import PATIENCE

OUTSIDERS = 12
ROUNDS = 6  # of races that must meet: on a busy machine all of a round may miss each other, which puts nothing to the test
SWEEP_SECONDS = 0.005
ENDS = ("ExecutionSucceeded", "ExecutionFailed", "ExecutionStopped", "ExecutionTimedOut")


@dataclass(frozen=True)
class Race:
    """One execution by its name, and how long before (negative) or after the agreed instant the outsider comes, in seconds."""

    name: str
    offset: float

    @property
    def meeting(self) -> Meeting:
        return MEETINGS[self.name]


def races(count: int, seed: int) -> list[Race]:
    chance = random.Random(seed)
    made = [Race(f"{seed}-{number}", chance.uniform(-SWEEP_SECONDS, SWEEP_SECONDS)) for number in range(count)]
    MEETINGS.clear()
    MEETINGS.update({race.name: Meeting() for race in made})
    return made


def start(function: DurableFunction, race: Race) -> None:
    function.start(race.name, name=race.name)


def on_threads(calls: Sequence[Callable[[], Any]], threads: int = OUTSIDERS) -> list[Any]:
    """Makes the calls in their order, on a few threads; answers what each gave or raised."""
    waiting: queue.SimpleQueue[tuple[int, Callable[[], Any]]] = queue.SimpleQueue()
    for numbered in enumerate(calls):
        waiting.put(numbered)
    answers: list[Any] = [None] * len(calls)

    def work() -> None:
        try:
            while True:
                number, call = waiting.get_nowait()
                try:
                    answers[number] = call()
                except Exception as error:
                    answers[number] = error
        except queue.Empty:
            connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return answers


def wait_for_rest(count: int, seconds: float = PATIENCE) -> int:
    """How many of `count` executions are still open after the time; returns as soon as none is."""
    deadline = time.monotonic() + seconds
    while (still := count - Execution.objects.filter(ended_at__isnull=False).count()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return still


def forget() -> None:
    """Before other races: nothing of these is left."""
    with connection.cursor() as cursor:
        cursor.execute("truncate durable_execution, durable_operation, durable_event")


def statuses() -> dict[str, str]:
    return dict(Execution.objects.values_list("name", "status"))


def callback_statuses() -> dict[str, str]:
    return dict(Operation.objects.filter(type="CALLBACK").values_list("callback_id", "status"))


def wrongly_ended() -> int:
    """Executions whose history has not exactly one terminal event, as its last, with numbers without gaps."""
    wrong = 0
    for execution_id in Execution.objects.filter(ended_at__isnull=False).values_list("id", flat=True):
        events = list(Event.objects.filter(execution_id=execution_id).order_by("event_id").values_list("event_id", "type"))
        ends = [type_ for _, type_ in events if type_ in ENDS]
        is_right = len(ends) == 1 and events[-1][1] == ends[0] and [number for number, _ in events] == list(range(1, len(events) + 1))
        wrong += not is_right
    return wrong
