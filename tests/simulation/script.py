"""Little handlers: a list of durable calls, replayed as the SDK would."""

from dataclasses import dataclass
from random import Random
from uuid import UUID

from execution_engine.core.enums import ExecutionStatus, OperationAction, OperationStatus, OperationType
from execution_engine.core.errors import ClaimLostError
from execution_engine.core.records import ErrorObject, OperationOptions, OperationRecord, OperationUpdate
from tests.simulation.entries import Ending, Release
from tests.simulation.ledger import Ledger
from tests.simulation.scheduler import Steps
from tests.simulation.session import PausedError, Session
from tests.simulation.variants import Variant

S, A, T = OperationStatus, OperationAction, OperationType
CHILDREN = 100
"""Numbers of children begin here, those of forks at twice that much and more."""


@dataclass(frozen=True)
class Call:
    """`kind`: step, once (at most once), wait, create (a callback), result (of the callback `target`), signal, both (`branches`),
    invoke (`child`).

    `fails`: attempts that raise before one returns. `fatal`: redrives before it may succeed at all. `seconds`: of the body, the wait
    or the callback's timeout (0: none).
    """

    id: str
    kind: str
    seconds: int = 0
    heartbeat: int = 0
    fails: int = 0
    target: str = ""
    branches: tuple["Call", ...] = ()
    fatal: int = 0
    child: "Script | None" = None


@dataclass(frozen=True)
class Script:
    calls: tuple[Call, ...]
    broken_invocations: int = 0
    timeout: int = 0

    @property
    def all_calls(self) -> list[Call]:
        return [inner for call in self.calls for inner in (call, *call.branches)]


def random_script(random: Random) -> Script:
    """Two to five calls; every callback created is also awaited, at once or after what lies between."""
    calls: list[Call] = []
    open_callbacks: list[str] = []
    for number in range(random.randint(2, 5)):
        name = f"op{number}"
        kind = random.choice(("step", "step", "once", "wait", "create", "create", "signal", "both", "invoke"))
        if kind == "invoke":
            calls.append(Call(name, kind, child=_random_child(random)))
        elif kind == "both":
            calls.append(Call(name, kind, branches=tuple(_random_branch(random, f"{name}.{side}") for side in (0, 1))))
        elif kind in ("step", "once"):
            fatal = random.choice((0, 0, 0, 0, 1))
            calls.append(Call(name, kind, seconds=random.choice((0, 0, 0, 1, 40)), fails=random.choice((0, 0, 1, 2)), fatal=fatal))
        elif kind == "create":
            calls.append(Call(name, kind, seconds=random.choice((0, 5, 60)), heartbeat=random.choice((0, 0, 8))))
            open_callbacks.append(name)
        else:
            calls.append(Call(name, kind, seconds=random.choice((1, 10, 20))))
        if open_callbacks and random.random() < 0.5:
            calls.append(Call(f"result{number}", "result", target=open_callbacks.pop(0)))
    calls += [Call(f"last-{target}", "result", target=target) for target in open_callbacks]
    return Script(tuple(calls), random.choice((0, 0, 0, 1)), random.choice((0, 0, 0, 30)))


def family_script(random: Random) -> Script:
    """Mostly children, most of which fail at first."""
    calls = [Call(f"op{number}", "invoke", child=_random_child(random, fatal=(0, 1, 1))) for number in range(random.choice((1, 1, 2)))]
    if random.random() < 0.5:
        calls.append(Call("last", "step", fatal=random.choice((0, 1, 2))))
    return Script(tuple(calls))


def short_script(random: Random) -> Script:
    """What waits little and often, so that many want their turn at once, and answers meet what is due already."""
    calls = []
    for number in range(random.choice((1, 2))):
        name, kind = f"op{number}", random.choice(("step", "wait", "both", "both"))
        branches = (Call(f"{name}.0", "wait", seconds=1), Call(f"{name}.1", "signal", seconds=20)) if kind == "both" else ()
        calls.append(Call(name, kind, seconds=1 if kind == "wait" else random.choice((0, 1, 8)), branches=branches))
    return Script(tuple(calls))


def _random_child(random: Random, fatal: tuple[int, ...] = (0, 0, 1)) -> Script:
    calls = []
    for number in range(random.choice((1, 1, 2))):
        kind = random.choice(("step", "step", "wait"))
        calls.append(Call(f"op{number}", kind, seconds=random.choice((1, 5)) if kind == "wait" else 0, fatal=random.choice(fatal)))
    return Script(tuple(calls))


def _random_branch(random: Random, name: str) -> Call:
    kind = random.choice(("step", "wait", "signal", "signal"))
    return Call(name, kind, seconds=random.choice((0, 1, 8)) if kind == "step" else random.choice((1, 10)), fails=random.choice((0, 1)))


class Suspended(Exception):
    """The handler waits for an operation that memory does not know the end of."""

    def __init__(self, operation_id: str) -> None:
        super().__init__()
        self.operation_id = operation_id


class FailedError(Exception):
    """An operation failed, and the handler does not catch it."""

    def __init__(self, error: ErrorObject | None) -> None:
        super().__init__()
        self.error = error or ErrorObject()


class Handler:
    """Plays the script of an execution over a session; what it invokes gets a script of its own."""

    def __init__(self, scripts: dict[int, Script], ledger: Ledger) -> None:
        self._scripts = scripts
        self._ledger = ledger

    def __call__(self, session: Session) -> Steps:
        script = self._scripts[session.number]
        if self._ledger.begin_invocation(session.number) <= script.broken_invocations:
            yield
            return Release(Ending.FAIL_INVOCATION, session.told, error=ErrorObject(type="Broken"))
        try:
            for call in script.calls:
                yield from self._PLAYERS[call.kind](self, session, call)
        except Suspended:
            return Release(Ending.SUSPEND, session.told, session.nearest_timer())
        except PausedError:
            told = session.told if session.worker.variant is Variant.PAUSE_FORGETS else session.told_before
            return Release(Ending.SUSPEND, told, session.nearest_timer())
        except FailedError as failure:
            return Release(Ending.END, session.told, status=ExecutionStatus.FAILED, error=failure.error)
        return Release(Ending.END, session.told, status=ExecutionStatus.SUCCEEDED)

    def _step(self, session: Session, call: Call) -> Steps:
        found = session.operations.get(call.id)
        while found is None or not found.is_terminal:
            if found is not None and found.status is S.PENDING:
                raise Suspended(call.id)
            is_interrupted = call.kind == "once" and found is not None and found.status is S.STARTED
            if found is None or found.status is S.READY:
                start = _update(call, T.STEP, A.START)
                if call.kind == "once":
                    yield from session.checkpoint(start)
                else:
                    session.hold(start)
            yield from self._attempt(session, call, is_interrupted)
            found = session.operations[call.id]
        _raise_failure(found)

    def _attempt(self, session: Session, call: Call, is_interrupted: bool) -> Steps:
        attempt = session.operations[call.id].attempt + 1
        if not is_interrupted:
            self._ledger.begin_body(session, call.id, attempt, at_most_once=call.kind == "once")
            yield call.seconds or None
        if session.redrives < call.fatal:
            yield from session.checkpoint(_update(call, T.STEP, A.FAIL, error=ErrorObject(call.id, "Fatal")))
        elif attempt <= call.fails or is_interrupted:
            yield from session.checkpoint(_update(call, T.STEP, A.RETRY, OperationOptions(delay=2), ErrorObject(type="Flaky")))
        else:
            yield from session.checkpoint(_update(call, T.STEP, A.SUCCEED))

    def _wait(self, session: Session, call: Call) -> Steps:
        if call.id not in session.operations:
            yield from session.checkpoint(_update(call, T.WAIT, A.START, OperationOptions(duration=call.seconds)))
        self._await(session.operations[call.id])

    def _create(self, session: Session, call: Call) -> Steps:
        if call.id not in session.operations:
            options = OperationOptions(timeout=call.seconds, heartbeat=call.heartbeat)
            yield from session.checkpoint(_update(call, T.CALLBACK, A.START, options))

    def _invoke(self, session: Session, call: Call) -> Steps:
        if call.id not in session.operations:
            assert call.child is not None
            number = CHILDREN + len(self._scripts)
            self._scripts[number] = call.child
            options = OperationOptions(function="child", child_id=str(UUID(int=number)))
            yield from session.checkpoint(_update(call, T.CHAINED_INVOKE, A.START, options))
        self._await(session.operations[call.id])

    def _signal(self, session: Session, call: Call) -> Steps:
        if call.id not in session.operations:
            yield from session.checkpoint(_update(call, T.CALLBACK, A.START, OperationOptions(signal=call.id)))
        self._await(session.operations[call.id])

    def _result(self, session: Session, call: Call) -> Steps:
        self._await(session.operations[call.target])
        yield

    def _await(self, operation: OperationRecord) -> None:
        if not operation.is_terminal:
            raise Suspended(operation.id)
        _raise_failure(operation)

    def _both(self, session: Session, call: Call) -> Steps:
        """Two branches at once. One that waits for what came meanwhile, told to its sibling, goes on before all suspend."""
        going = list(call.branches)
        while going:
            tasks = [session.scheduler.spawn(self._branch(session, branch), session.worker.process) for branch in going]
            for task in tasks:
                yield task.done
            ends = {branch: task.result for branch, task in zip(going, tasks, strict=True)}
            for end in ends.values():
                if end is not None and not isinstance(end, Suspended):
                    raise end
            waiting = {branch: session.operations[end.operation_id] for branch, end in ends.items() if end is not None}
            going = [branch for branch, found in waiting.items() if found.is_terminal or found.status is S.READY]
            if session.worker.variant is Variant.NO_LAST_LOOK:
                going = []
            if waiting and not going:
                raise Suspended("")

    def _branch(self, session: Session, call: Call) -> Steps:
        try:
            yield from self._PLAYERS[call.kind](self, session, call)
        except (Suspended, PausedError, ClaimLostError) as end:
            return end
        return None

    _PLAYERS = {
        "step": _step,
        "once": _step,
        "wait": _wait,
        "create": _create,
        "signal": _signal,
        "result": _result,
        "both": _both,
        "invoke": _invoke,
    }


def _raise_failure(operation: OperationRecord) -> None:
    """A time-out is an answer like any other here, a failure or a stop is not."""
    if operation.status in (S.FAILED, S.STOPPED):
        raise FailedError(operation.error)


def _update(
    call: Call, kind: OperationType, action: OperationAction, options: OperationOptions | None = None, error: ErrorObject | None = None
) -> OperationUpdate:
    return OperationUpdate(call.id, kind, action, options=options or OperationOptions(), error=error)
