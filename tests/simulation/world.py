"""One schedule: workers, callers, a stopper, faults, and a bounded time until everything must have ended."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from execution_engine.core.enums import EventType, ExecutionStatus, OperationStatus
from execution_engine.core.limits import Limits
from execution_engine.core.records import ErrorObject, HistoryEvent
from execution_engine.core.transitions.reopening import Asked
from tests.simulation.auditor import Auditor, check_end
from tests.simulation.database import Database, Transaction, execution_key
from tests.simulation.ledger import BrokenInvariantError, Ledger
from tests.simulation.limit_auditor import LimitAuditor
from tests.simulation.limited import KEYS, LIMIT, LimitRow, Turns, random_limits
from tests.simulation.outsiders import Outsiders
from tests.simulation.protocol import Protocol
from tests.simulation.repairs import Repairs
from tests.simulation.rows import Row
from tests.simulation.scheduler import EPOCH, Scheduler, Steps
from tests.simulation.script import CHILDREN, Handler, Script, family_script, random_script, short_script
from tests.simulation.variants import Variant
from tests.simulation.worker import Worker

MAX_STEPS = 40_000
MAX_TIME = timedelta(hours=1)
BELL_IS_HEARD = 0.5
REFUSED = ErrorObject("refused", "Refused")


@dataclass(frozen=True)
class Chances:
    """How rough a schedule is: faults per schedule at most, and the odds of each at one step."""

    faults: int = 4
    crash: float = 0.002
    freeze: float = 0.002
    lost_reply: float = 0.03


CHANCES = Chances()
FAMILY_CHANCES = Chances(faults=6)
COURIERS = 25
FAMILIES = 0.4
"""Of so many schedules children are the subject: they fail, are redriven and purged while others look."""
LIMITED = 4
"""Each so-many-th schedule has one function with limits, whose executions are more and shorter."""


class World:
    def __init__(self, seed: int, variant: Variant = Variant.INTACT, chances: Chances = CHANCES) -> None:
        self.scheduler = Scheduler(seed)
        self.random = self.scheduler.random
        self.database = Database(self.scheduler)
        self.protocol = Protocol(self.scheduler, self.database, variant)
        self.outsiders = Outsiders(self.protocol)
        self.repairs = Repairs(self.protocol)
        self.ledger = Ledger(self.database)
        self.executions = self.protocol.executions
        self.is_limited = seed % LIMITED == 1
        self.executions += range(self.random.choice((4, 6) if self.is_limited else (1, 2, 2)))
        self.is_family = not self.is_limited and self.random.random() < FAMILIES
        make = short_script if self.is_limited else family_script if self.is_family else random_script
        self.scripts = {number: make(self.random) for number in self.executions}
        for number, script in self.scripts.items():
            self._insert(number, script)
        self.database.on_commit += [Auditor(self.database).check_commit, self._hear]
        if self.is_limited:
            self._set_limits()
        self._open = set(self.executions)
        self._repairing = 0
        self.chances = FAMILY_CHANCES if self.is_family else chances
        self.faults_left = self.random.randint(0, self.chances.faults)
        self.workers = [self._start_worker() for _ in range(self.random.choice((1, 2, 2, 3)))]
        self._invite_outsiders()

    def run(self) -> None:
        """Raises `BrokenInvariantError` at the first promise that does not hold."""
        while self._open or self._repairing:
            task = self.scheduler.step()
            if task is None or self.scheduler.steps > MAX_STEPS or self.scheduler.now > EPOCH + MAX_TIME:
                break
            if self.faults_left:
                self._perhaps_break_something(next((worker for worker in self.workers if worker.courier is task), None))
        check_end(self.database, self.ledger, self.executions)

    def _insert(self, number: int, script: Script) -> None:
        deadline = EPOCH + timedelta(seconds=script.timeout) if script.timeout else None
        row = Row(
            id=UUID(int=number),
            function="simulated",
            version="1",
            name=str(number),
            status=ExecutionStatus.RUNNING,
            started_at=EPOCH,
            due_at=EPOCH,
            deadline_at=deadline,
            event_seq=1,
            timeout=script.timeout,
            key=self.random.choice(KEYS) if self.is_limited else None,
        )
        with self.protocol.begin() as transaction:
            transaction.write(execution_key(number), row)
            transaction.append(number, 1, HistoryEvent(EventType.EXECUTION_STARTED))
            transaction.commit()

    def _set_limits(self) -> None:
        limits = random_limits(self.random)
        with self.protocol.begin() as transaction:
            transaction.write(LIMIT, LimitRow(limits, 0, limits.burst, EPOCH))
            transaction.commit()
        self.database.on_commit.append(LimitAuditor(self.database, self.executions).check_commit)
        if self.random.random() < 0.6:
            self.scheduler.spawn(self._limiter())

    def _limiter(self) -> Steps:
        """Raises, lowers and lifts."""
        for _ in range(self.random.choice((1, 2, 4))):
            yield self.random.choice((0.5, 5.0, 60.0)) * self.random.random()
            yield from Turns(self.protocol).change(random_limits(self.random) if self.random.random() < 0.6 else Limits())

    def _start_worker(self) -> Worker:
        handler = Handler(self.scripts, self.ledger)
        return Worker(self.protocol, handler, lost_replies=self.chances.lost_reply if self.faults_left else 0.0)

    def _hear(self, transaction: Transaction) -> None:
        """What makes something due rings; a bell may be lost, and may be heard by several workers."""
        written = {key[1]: row for key, row in transaction.writes.items() if key[0] == "execution"}
        for number, row in written.items():
            is_over = row is None or (row.status.is_terminal and not row.owes_parent)
            (self._open.discard if is_over else self._open.add)(number)
        rows = [row for row in written.values() if row is not None]
        if any(row.claim_id is None and row.due_at is not None and row.due_at <= self.scheduler.now for row in rows):
            for worker in self.workers:
                if self.random.random() < BELL_IS_HEARD:
                    self.scheduler.open(worker.bell)

    def _perhaps_break_something(self, courier: Worker | None) -> None:
        """Likelier in the middle of what the courier does, which is little beside everything else."""
        chance = self.random.random() / (COURIERS if courier is not None else 1)
        victim = courier or self.workers[self.random.randrange(len(self.workers))]
        if chance < self.chances.crash:
            self.faults_left -= 1
            victim.crash()
            self.workers[self.workers.index(victim)] = self._start_worker()
        elif chance < self.chances.crash + self.chances.freeze:
            self.faults_left -= 1
            self.scheduler.freeze(victim.process, self.random.choice((0.5, 2, 6, 20, 45, 90)))

    def _invite_outsiders(self) -> None:
        for number in list(self.scripts):
            self._invite_callers(number)
            for chance, steps in ((0.3, self._stopper), (0.3, self._pauser)):
                if self.random.random() < chance:
                    self.scheduler.spawn(steps(number))
            for chance, repair in ((1.0 if self.is_family else 0.5, self._operator), (0.2, self._forker)):
                if self.random.random() < chance:
                    self._repairing += 1
                    self.scheduler.spawn(repair(number))
        if self.random.random() < 0.3:
            self.scheduler.spawn(self._purger())

    def _invite_callers(self, number: int) -> None:
        for call in self.scripts[number].all_calls:
            if call.kind == "create":
                for caller in range(self.random.choice((1, 2, 2))):
                    self.scheduler.spawn(self._caller(number, call.id, f"{call.id} by {caller}", call.heartbeat > 0))
            elif call.kind == "signal":
                self.scheduler.spawn(self._sender(number, call.id))

    def _caller(self, number: int, callback: str, payload: str, beats: bool) -> Steps:
        """Answers every callback id that it comes to know; looks often, because that is where races are."""
        answered: set[str] = set()
        yield self.random.choice((0.0, 0.1, 1.0, 20.0)) * self.random.random()
        while True:
            operation = self.database.latest(("operation", number, callback))
            if operation is not None and operation.callback_id not in answered:
                if beats and self.random.random() < 0.9:
                    yield from self.outsiders.heartbeat(number, operation)
                else:
                    sent = {"error": REFUSED} if self.random.random() < 0.15 else {"payload": payload}
                    answer = yield from self.outsiders.complete(number, operation, **sent)
                    self.ledger.told(number, operation.callback_id, answer, sent.get("payload"))
                    if answer.won or not self._is_open(number, callback):  # an ended execution may be redriven
                        answered.add(operation.callback_id)
            yield self.random.uniform(0.01, 3.0) if not answered else self.random.uniform(2.0, 20.0)

    def _is_open(self, number: int, callback: str) -> bool:
        operation = self.database.latest(("operation", number, callback))
        return operation is not None and operation.status is OperationStatus.STARTED

    def _operator(self, number: int) -> Steps:
        """Redrives what ended, from its failure or from some operation; now and then a child by itself, or while it is purged."""
        for _ in range(self.random.choice((1, 1, 2, 3))):
            row = self.database.latest(execution_key(number))
            while row is not None and not row.status.is_terminal:
                yield self.random.uniform(0.1, 1.0) if self.is_family else self.random.uniform(0.5, 8.0)
                row = self.database.latest(execution_key(number))
            yield self.random.choice((0.0, 1.0, 30.0)) * self.random.random()
            chosen = self.random.choice(self.scripts[number].calls).id if self.random.random() < 0.3 else None
            children = [one for one in self.executions if one >= CHILDREN]
            whom = self.random.choice(children) if children and self.random.random() < 0.3 else number
            for child in children if self.is_family and self.random.random() < 0.2 else ():
                self.scheduler.spawn(self.repairs.purge(child))
            yield from self.repairs.redrive(whom, Asked(from_operation=chosen if whom == number else None))
        self._repairing -= 1

    def _forker(self, number: int) -> Steps:
        yield self.random.choice((0.1, 5.0, 60.0)) * self.random.random()
        new = 2 * CHILDREN + number
        self.scripts[new] = self.scripts[number]
        if (yield from self.repairs.fork(number, new)):
            self._invite_callers(new)
        self._repairing -= 1

    def _purger(self) -> Steps:
        while True:
            yield self.random.uniform(0.5, 20.0)
            for number in [one for one in self.executions if CHILDREN <= one < 2 * CHILDREN]:
                if self.random.random() < 0.3:
                    yield from self.repairs.purge(number)

    def _sender(self, number: int, name: str) -> Steps:
        yield self.random.choice((0.0, 1.0, 20.0)) * self.random.random()
        while True:
            yield from self.outsiders.signal(number, name, "payload")
            waiter = None
            while waiter is None or waiter.status is not OperationStatus.STARTED:  # a redrive may have removed the first one
                yield self.random.uniform(20.0, 60.0)
                waiter = self.database.latest(("operation", number, name))

    def _stopper(self, number: int) -> Steps:
        yield self.random.choice((0.1, 5.0, 60.0)) * self.random.random()
        answer = yield from self.outsiders.stop(number)
        self.ledger.told(number, "stop", answer)

    def _pauser(self, number: int) -> Steps:
        """Pauses once or twice, and always resumes in the end."""
        for _ in range(self.random.choice((1, 2))):
            yield self.random.choice((0.1, 5.0, 60.0)) * self.random.random()
            yield from self.outsiders.pause(number)
            yield self.random.choice((0.0, 1.0, 60.0)) * self.random.random()
            yield from self.outsiders.resume(number)


def run_schedule(seed: int, variant: Variant = Variant.INTACT) -> World:
    """One schedule from its seed; a failure names the seed, which runs the same schedule again."""
    world = World(seed, variant)
    try:
        world.run()
    except BrokenInvariantError as broken:
        raise BrokenInvariantError(f"{broken} [{variant.name}: SIMULATION_SEED={seed} pytest tests/simulation -k one_seed]") from None
    return world
