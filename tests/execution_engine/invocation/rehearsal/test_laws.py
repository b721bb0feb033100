"""Laws of rehearsal over random functions: no alarm for unchanged code in whatever state, and an alarm whenever the engine would refuse."""

from collections import Counter
from copy import deepcopy
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from execution_engine.invocation.rehearsal.findings import Verdict
from execution_engine.sdk.errors import NonDeterministicExecutionError
from execution_engine.testing import DurableExecutionTestClient, ExecutionUnderTest, RecordedExecution, rehearse
from tests.execution_engine.testing.generated import PROGRAMS, Player, Program

quick = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
NON_DETERMINISTIC = f"{NonDeterministicExecutionError.__module__}.{NonDeterministicExecutionError.__qualname__}"


class Watched(Counter[str]):
    """Counts bodies, and keeps the history as it is while each of them runs."""

    def __init__(self) -> None:
        super().__init__()
        self.client = DurableExecutionTestClient()
        self.histories: list[RecordedExecution] = []

    def __setitem__(self, path: str, count: int) -> None:
        super().__setitem__(path, count)
        if self.client.executions:
            self.histories.append(self.client.executions[0].record())


def run(player: Player, bodies: Watched) -> list[RecordedExecution]:
    """Every state in which the execution was seen: while bodies ran, at each suspension, at its end."""
    execution = bodies.client.start_execution(player)
    found = [execution.record()]
    while not execution.status.is_terminal:
        move_on(bodies.client, execution)
        found.append(execution.record())
    return [*bodies.histories, *found]


def move_on(client: DurableExecutionTestClient, execution: ExecutionUnderTest) -> None:
    """One answer or one timer."""
    callbacks = execution.get_pending_callbacks()
    if not callbacks:
        moment = client.next_moment
        assert moment is not None
        client.skip_time(moment - client.now)
    elif str(callbacks[0].name).startswith("fails"):
        callbacks[0].fail({"ErrorType": "Refused", "ErrorMessage": "no"})
    else:
        callbacks[0].complete("yes")


@quick
@given(PROGRAMS)
def test_unchanged_code_fits_in_every_state(program: list[Program]) -> None:
    bodies = Watched()
    player = Player(program, bodies=bodies)
    histories = run(player, bodies)
    before = dict(bodies)
    for history in histories:
        found = rehearse(player, history)
        assert (found.verdict, found.result_differs) == (Verdict.FITS, False), (found.summary, program)
        assert not found.divergences
    assert dict(bodies) == before


@quick
@given(PROGRAMS, st.data())
def test_whatever_the_engine_refuses_is_found_before(program: list[Program], data: Any) -> None:
    bodies = Watched()
    histories = [one for one in run(Player(program, bodies=bodies), bodies) if not one.status.is_terminal]
    if not histories:
        return
    history = data.draw(st.sampled_from(histories))
    changed = Player(edited(program, data))
    found = rehearse(changed, history)
    client = DurableExecutionTestClient()
    resumed = client.resume(changed, history)
    while not resumed.status.is_terminal:
        move_on(client, resumed)
    is_refused = resumed.error is not None and resumed.error.type == NON_DETERMINISTIC
    assert not (is_refused and found.verdict is Verdict.FITS), (resumed.error, program, changed.program)
    if any(one.change == "changed" for one in found.divergences):
        assert is_refused, (found.summary, program, changed.program)


def edited(program: list[Program], data: Any) -> list[Program]:
    """One call taken out, doubled, exchanged with the next or replaced, at any depth."""
    whole = [deepcopy(list(call)) for call in program]
    body = data.draw(st.sampled_from(list(bodies_of(whole))))
    place = data.draw(st.integers(0, len(body) - 1))
    kind = data.draw(st.sampled_from(["remove", "double", "exchange", "replace"]))
    if kind == "remove":
        del body[place]
    elif kind == "double":
        body.insert(place, deepcopy(body[place]))
    elif kind == "exchange" and place + 1 < len(body):
        body[place], body[place + 1] = body[place + 1], body[place]
    else:
        body[place] = ["wait", 7] if body[place][0] != "wait" else ["step", 1, 0, False]
    return [tuple(call) for call in whole]


def bodies_of(program: list[Any]) -> Any:
    """Every list of calls that is not empty."""
    if program:
        yield program
    for call in program:
        if call[0] == "parallel":
            inner = call[1]
        elif call[0] == "map":
            inner = [call[2]]
        else:
            inner = [call[1]] if call[0] == "child" else []
        for index, body in enumerate(inner):
            lists = [list(one) for one in body]
            if call[0] == "parallel":
                call[1][index] = lists
            else:
                call[-1] = lists
            yield from bodies_of(lists)
