"""Tasks, processes and time under one seeded random choice."""

import heapq
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from typing import Any

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)

Steps = Generator[Any, Any, Any]
"""What a task yields: None (somebody else may go first), seconds to sleep, or a `Gate` to wait at."""


class Gate:
    """Tasks wait here until somebody opens it; whoever comes when it is open passes."""

    __slots__ = ("is_open", "waiters")

    def __init__(self) -> None:
        self.is_open = False
        self.waiters: list[Task] = []


class Process:
    """What crashes and freezes as one. Tasks of no process (callers, the database's side) never do."""

    def __init__(self) -> None:
        self.is_alive = True
        self.frozen_until = EPOCH
        self.tasks: dict[Task, None] = {}
        # An ordered set: what a seed decides must not hang on addresses.


class Task:
    __slots__ = ("done", "is_over", "process", "result", "steps")

    def __init__(self, steps: Steps, process: Process | None) -> None:
        self.steps = steps
        self.process = process
        self.is_over = False
        self.result: Any = None
        self.done = Gate()


class Scheduler:
    """Runs tasks one step at a time; which one is drawn from the seed, so a seed is a whole schedule."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.now = EPOCH
        self.steps = 0
        self._ready: list[Task] = []
        self._sleeping: list[tuple[datetime, int, Task]] = []
        self._tie = count()

    def spawn(self, steps: Steps, process: Process | None = None) -> Task:
        task = Task(steps, process)
        if process is not None:
            process.tasks[task] = None
        self._ready.append(task)
        return task

    def open(self, gate: Gate) -> None:
        gate.is_open = True
        self._ready += gate.waiters
        gate.waiters = []

    def kill(self, task: Task) -> None:
        """Ends it where it stands; transactions it had open are rolled back as its generator is closed."""
        if not task.is_over:
            self._finish(task, None)
            task.steps.close()

    def crash(self, process: Process) -> None:
        process.is_alive = False
        for task in list(process.tasks):
            self.kill(task)

    def freeze(self, process: Process, seconds: float) -> None:
        process.frozen_until = self.now + timedelta(seconds=seconds)

    def step(self) -> Task | None:
        """One step of one task; time moves when nobody is ready, and now and then before that. None: nothing can happen."""
        if self._sleeping and (not self._ready or self.random.random() < 0.02):
            moment, _, task = heapq.heappop(self._sleeping)
            self.now = max(self.now, moment)
            self._ready.append(task)
        if not self._ready:
            return None
        place = self.random.randrange(len(self._ready))
        task = self._ready[place]
        self._ready[place] = self._ready[-1]
        self._ready.pop()
        if task.is_over:
            return task
        if task.process is not None and task.process.frozen_until > self.now:
            self._sleep(task, task.process.frozen_until)
            return task
        self.steps += 1
        self._advance(task)
        return task

    def _advance(self, task: Task) -> None:
        try:
            wanted = next(task.steps)
        except StopIteration as end:
            self._finish(task, end.value)
            return
        if wanted is None:
            self._ready.append(task)
        elif not isinstance(wanted, Gate):
            self._sleep(task, self.now + timedelta(seconds=wanted))
        elif wanted.is_open:
            self._ready.append(task)
        else:
            wanted.waiters.append(task)

    def _sleep(self, task: Task, until: datetime) -> None:
        heapq.heappush(self._sleeping, (until, next(self._tie), task))

    def _finish(self, task: Task, result: Any) -> None:
        task.is_over, task.result = True, result
        if task.process is not None:
            task.process.tasks.pop(task, None)
        self.open(task.done)
