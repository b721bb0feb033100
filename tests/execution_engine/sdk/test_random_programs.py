"""The laws on programs nobody thought of: any nesting of operations, cut off at any write."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from execution_engine import (
    CallbackTimeoutError,
    ChildConfig,
    ChildContextError,
    CompletionConfig,
    DurableContext,
    Duration,
    MapConfig,
    NestingType,
    RetryPolicy,
    StepConfig,
    StepContext,
    StepError,
    StepSemantics,
    WaitForConditionConfig,
    WaitForConditionDecision,
)
from execution_engine.core.enums import InvocationStatus
from tests.execution_engine.sdk.journal import Crash
from tests.execution_engine.sdk.test_replay_laws import LawfulJournal

Program = tuple[Any, ...]
SEMANTICS = st.sampled_from(["least", "atomic"])
LEAF = st.one_of(
    st.tuples(st.just("step"), st.integers(0, 3), SEMANTICS),
    st.tuples(st.just("wait"), st.integers(1, 100)),
    st.tuples(st.just("poll"), st.integers(1, 3)),
    st.tuples(st.just("callback"), st.integers(1, 50)),
    st.tuples(st.just("draw")),
)


def blocks(inner: st.SearchStrategy[Program]) -> st.SearchStrategy[Program]:
    body = st.lists(inner, max_size=4).map(tuple)
    return st.one_of(
        st.tuples(st.just("child"), body),
        st.tuples(st.just("virtual"), body.map(lambda found: (("step", 0, "least"), *found))),
        st.tuples(st.just("large"), body),
        st.tuples(st.just("failing"), body),
        st.tuples(st.just("map"), body),
        st.tuples(st.just("flat"), body),
        st.tuples(st.just("one by one"), body),
    )


PROGRAMS = st.lists(st.recursive(LEAF, blocks, max_leaves=8), max_size=5)
CONFIGS = {
    "least": StepConfig(),
    "most": StepConfig(step_semantics=StepSemantics.AT_MOST_ONCE_PER_RETRY),
    "atomic": StepConfig(atomic=True),
}


class Recorder:
    """Takes the place of a logger and counts its lines."""

    def __init__(self) -> None:
        self.lines: Counter[str] = Counter()

    def info(self, msg: object, *args: object, extra: Any = None) -> None:
        self.lines[str(msg)] += 1

    debug = warning = error = exception = info


def interpret(program: list[Program], context: DurableContext, path: str) -> list[Any]:
    seen: list[Any] = []
    for index, (kind, *arguments) in enumerate(program):
        here = f"{path}/{index}"
        context.logger.info(f"{here} before")
        seen.append(OPERATIONS[kind](context, here, *arguments))
        context.logger.info(f"{here} after")
    return seen


def step(context: DurableContext, path: str, failures: int, semantics: str) -> Any:
    def body(attempt: StepContext) -> tuple[str, int]:
        if attempt.attempt <= failures:
            raise ValueError(f"attempt {attempt.attempt}")
        return path, attempt.attempt

    try:
        return context.step(path, body, config=CONFIGS[semantics], retry=RetryPolicy(max_attempts=3))
    except StepError as error:
        return [str(error), error.error_type]


def poll(context: DurableContext, path: str, times: int) -> Any:
    def decide(state: int, attempt: int) -> WaitForConditionDecision:
        return WaitForConditionDecision.stop_polling() if attempt >= times else WaitForConditionDecision.continue_waiting(Duration(3))

    return context.wait_for_condition(lambda state: state + 1, WaitForConditionConfig(decide, 0), path)


def callback(context: DurableContext, path: str, seconds: int) -> Any:
    waiting = context.create_callback(path, timeout=seconds)
    context.step(f"{path} hand out", lambda: None)
    try:
        waiting.result()
    except CallbackTimeoutError as error:
        return str(error)


def child(context: DurableContext, path: str, body: list[Program], config: ChildConfig[Any] | None = None) -> Any:
    return context.run_in_child_context(path, lambda inner: interpret(body, inner, path), config)


def large(context: DurableContext, path: str, body: list[Program]) -> Any:
    found = context.run_in_child_context(path, lambda inner: [interpret(body, inner, path), "x" * 300_000])
    return [found[0], len(found[1])]


def failing(context: DurableContext, path: str, body: list[Program]) -> Any:
    def run(inner: DurableContext) -> None:
        interpret(body, inner, path)
        raise ValueError(path)

    try:
        context.run_in_child_context(path, run)
    except ChildContextError as error:
        return [str(error), error.error_type]


def batch(context: DurableContext, path: str, body: list[Program], config: MapConfig[Any]) -> Any:
    """Three branches of the same program, one of which fails."""

    def run(inner: DurableContext, item: int, index: int, items: Any) -> Any:
        seen = interpret(body, inner, f"{path}[{item}]")
        if item == 1:
            raise ValueError(path)
        return seen

    return context.map(range(3), run, path, config).to_dict()


EVERY = CompletionConfig.all_completed()
OPERATIONS: dict[str, Any] = {
    "step": step,
    "wait": lambda context, path, seconds: context.wait(path, seconds),
    "poll": poll,
    "callback": callback,
    "draw": lambda context, path: [str(context.uuid()), context.random()],
    "child": child,
    "virtual": lambda context, path, body: child(context, path, body, ChildConfig(is_virtual=True)),
    "large": large,
    "failing": failing,
    "map": lambda context, path, body: batch(context, path, body, MapConfig(completion_config=EVERY)),
    "flat": lambda context, path, body: batch(context, path, body, MapConfig(completion_config=EVERY, nesting_type=NestingType.FLAT)),
    "one by one": lambda context, path, body: batch(context, path, body, MapConfig(1, EVERY)),
}


def journal_of(program: list[Program], lines: Recorder) -> LawfulJournal:
    def handler(event: Any, context: DurableContext) -> Any:
        context.set_logger(lines)
        return interpret(program, context, "")

    return LawfulJournal(handler)


@settings(max_examples=40, deadline=None)
@given(PROGRAMS, st.data())
def test_any_program_ends_the_same_after_a_crash_at_any_write(program: list[Program], data: st.DataObject) -> None:
    whole = journal_of(program, Recorder())
    expected = whole.run()
    assert expected.status is InvocationStatus.SUCCEEDED, expected.error
    written = list(whole.written)
    assert whole.invoke() == expected
    assert whole.written == written
    if not written:
        return
    cut = journal_of(program, Recorder())
    cut.crash_after = data.draw(st.integers(0, len(written) - 1))
    with pytest.raises(Crash):
        cut.run()
    cut.crash_after = None
    assert cut.run() == expected
    assert Counter((update.id, update.action) for update in cut.written) == Counter((update.id, update.action) for update in written)


@settings(max_examples=40, deadline=None)
@given(PROGRAMS)
def test_any_program_logs_each_line_exactly_once(program: list[Program]) -> None:
    assume(not has_flat(program))  # a FLAT branch runs again on each replay until its batch is over, and logs its tail again
    lines = Recorder()
    journal = journal_of(program, lines)
    assert journal.run().status is InvocationStatus.SUCCEEDED
    assert {line: count for line, count in lines.lines.items() if count != 1} == {}
    assert len(lines.lines) == 2 * count_of(program)


def count_of(program: Any) -> int:
    return sum(1 + TIMES.get(kind, 0) * (count_of(arguments[0]) if kind in TIMES else 0) for kind, *arguments in program)


TIMES = {"child": 1, "virtual": 1, "large": 1, "failing": 1, "map": 3, "one by one": 3, "flat": 3}


def has_flat(program: Any) -> bool:
    return any(kind == "flat" or (kind in TIMES and has_flat(arguments[0])) for kind, *arguments in program)


@settings(max_examples=25, deadline=None)
@given(PROGRAMS)
def test_any_program_writes_the_same_however_its_threads_take_turns(program: list[Program]) -> None:
    written = []
    for _ in range(3):
        journal = journal_of(program, Recorder())
        assert journal.run().status is InvocationStatus.SUCCEEDED
        written.append(Counter((update.id, update.action, update.payload) for update in journal.written))
    assert written[0] == written[1] == written[2]
