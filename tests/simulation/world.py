"""One schedule: workers, callers, a stopper, faults, and a bounded time until everything must have ended."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from execution_engine.core.enums import EventType, ExecutionStatus
from execution_engine.core.records import ExecutionRecord, HistoryEvent
from tests.simulation.auditor import Auditor, check_end
from tests.simulation.database import Database, Transaction, execution_key
from tests.simulation.ledger import BrokenInvariantError, Ledger
from tests.simulation.outsiders import Outsiders
from tests.simulation.protocol import Protocol
from tests.simulation.scheduler import EPOCH, Scheduler, Steps
from tests.simulation.script import Handler, Script, random_script
from tests.simulation.variants import Variant
from tests.simulation.worker import Worker

MAX_STEPS = 40_000
MAX_TIME = timedelta(hours=1)
BELL_IS_HEARD = 0.5


@dataclass(frozen=True)
class Chances:
    """How rough a schedule is: faults per schedule at most, and the odds of each at one step."""

    faults: int = 4
    crash: float = 0.002
    freeze: float = 0.002
    lost_reply: float = 0.03


CHANCES = Chances()


class World:
    def __init__(self, seed: int, variant: Variant = Variant.INTACT, chances: Chances = CHANCES) -> None:
        self.scheduler = Scheduler(seed)
        self.random = self.scheduler.random
        self.chances = chances
        self.database = Database(self.scheduler)
        self.protocol = Protocol(self.scheduler, self.database, variant)
        self.outsiders = Outsiders(self.protocol)
        self.ledger = Ledger(self.database)
        self.executions = list(range(self.random.choice((1, 2, 2))))
        self.scripts = {number: random_script(self.random) for number in self.executions}
        for number, script in self.scripts.items():
            self._insert(number, script)
        self.database.on_commit += [Auditor(self.database).check_commit, self._hear]
        self._open = set(self.executions)
        self.faults_left = self.random.randint(0, chances.faults)
        self.workers = [self._start_worker() for _ in range(self.random.choice((1, 2, 2, 3)))]
        self._invite_outsiders()

    def run(self) -> None:
        """Raises `BrokenInvariantError` at the first promise that does not hold."""
        while self._open:
            if self.scheduler.step() is None or self.scheduler.steps > MAX_STEPS or self.scheduler.now > EPOCH + MAX_TIME:
                break
            if self.faults_left:
                self._perhaps_break_something()
        check_end(self.database, self.ledger, self.executions)

    def _insert(self, number: int, script: Script) -> None:
        deadline = EPOCH + timedelta(seconds=script.timeout) if script.timeout else None
        row = ExecutionRecord(
            id=UUID(int=number),
            function="simulated",
            version="1",
            name=str(number),
            status=ExecutionStatus.RUNNING,
            started_at=EPOCH,
            due_at=EPOCH,
            deadline_at=deadline,
            event_seq=1,
        )
        with self.protocol.begin() as transaction:
            transaction.write(execution_key(number), row)
            transaction.append(number, 1, HistoryEvent(EventType.EXECUTION_STARTED))
            transaction.commit()

    def _start_worker(self) -> Worker:
        handler = Handler(self.scripts, self.ledger)
        return Worker(self.protocol, self.executions, handler, lost_replies=self.chances.lost_reply if self.faults_left else 0.0)

    def _hear(self, transaction: Transaction) -> None:
        """What makes something due rings; a bell may be lost, and may be heard by several workers."""
        rows = [row for key, row in transaction.writes.items() if key[0] == "execution"]
        self._open -= {row.id.int for row in rows if row.status.is_terminal}
        if any(row.claim_id is None and row.due_at is not None and row.due_at <= self.scheduler.now for row in rows):
            for worker in self.workers:
                if self.random.random() < BELL_IS_HEARD:
                    self.scheduler.open(worker.bell)

    def _perhaps_break_something(self) -> None:
        chance = self.random.random()
        if chance < self.chances.crash:
            self.faults_left -= 1
            victim = self.random.randrange(len(self.workers))
            self.workers[victim].crash()
            self.workers[victim] = self._start_worker()
        elif chance < self.chances.crash + self.chances.freeze:
            self.faults_left -= 1
            self.scheduler.freeze(self.random.choice(self.workers).process, self.random.choice((0.5, 20, 45, 90)))

    def _invite_outsiders(self) -> None:
        for number, script in self.scripts.items():
            for call in script.all_calls:
                if call.kind == "create":
                    for caller in range(self.random.choice((1, 2, 2))):
                        self.scheduler.spawn(self._caller(number, call.id, f"{call.id} by {caller}", call.heartbeat > 0))
                elif call.kind == "signal":
                    self.scheduler.spawn(self._sender(number, call.id))
            if self.random.random() < 0.3:
                self.scheduler.spawn(self._stopper(number))
            if self.random.random() < 0.3:
                self.scheduler.spawn(self._pauser(number))

    def _caller(self, number: int, callback: str, payload: str, beats: bool) -> Steps:
        """Comes back until somebody, itself or another, has answered; looks often, because that is where races are."""
        yield self.random.choice((0.0, 0.1, 1.0, 20.0)) * self.random.random()
        while True:
            operation = self.database.latest(("operation", number, callback))
            if operation is not None:
                if beats and self.random.random() < 0.9:
                    yield from self.outsiders.heartbeat(number, callback)
                else:
                    answer = yield from self.outsiders.complete(number, callback, payload=payload)
                    self.ledger.told(number, callback, answer, payload)
                    return
            elif self.database.latest(execution_key(number)).status.is_terminal:
                return
            yield self.random.uniform(0.01, 3.0)

    def _sender(self, number: int, name: str) -> Steps:
        yield self.random.choice((0.0, 1.0, 20.0)) * self.random.random()
        yield from self.outsiders.signal(number, name, "payload")

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
