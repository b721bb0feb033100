"""Random durable functions: a program is a tree of calls, its handler plays it and returns everything that it saw."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from execution_engine import (
    BatchResult,
    CompletionConfig,
    DurableContext,
    DurableOperationError,
    Duration,
    MapConfig,
    ParallelConfig,
    RetryPolicy,
    StepConfig,
    StepSemantics,
    WaitForConditionConfig,
    WaitForConditionDecision,
)

CHILD = "generated-child"
BROKEN = "broken for good"
Program = tuple[Any, ...]
"""`("step", value, fails, at_most_once)`, `("wait", seconds)`, `("callback", fails)`, `("poll", rounds)`, `("child", [...])`,
`("parallel", [[...], ...])`, `("map", items, [...])`, `("invoke", [...])`: an execution of its own that plays steps and waits."""

SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5))
VALUES = st.one_of(SCALARS, st.lists(st.integers(), max_size=3), st.just({"a": (1, b"x")}))
STEPS = st.tuples(st.just("step"), VALUES, st.integers(0, 3), st.booleans())
WAITS = st.tuples(st.just("wait"), st.integers(1, 100))
LEAVES = st.one_of(
    STEPS,
    WAITS,
    st.tuples(st.just("invoke"), st.lists(st.one_of(STEPS, WAITS), max_size=2)),
    st.tuples(st.just("callback"), st.booleans()),
    st.tuples(st.just("poll"), st.integers(1, 3)),
)


def _nested(inner: st.SearchStrategy[Program]) -> st.SearchStrategy[Program]:
    body = st.lists(inner, max_size=3)
    return st.one_of(
        st.tuples(st.just("child"), body),
        st.tuples(st.just("parallel"), st.lists(body, min_size=1, max_size=3)),
        st.tuples(st.just("map"), st.lists(st.integers(), min_size=1, max_size=3), body),
    )


PROGRAMS = st.lists(st.recursive(LEAVES, _nested, max_leaves=6), min_size=1, max_size=4)


@dataclass
class Player:
    """Plays a program. `bodies` counts step bodies that returned; `seen` and `marks` keep each place's first value, `now()` and
    `uuid()`, and refuse others on replay. The step at a path in `broken` fails for good, and nobody catches that.
    """

    program: list[Program]
    prefix: str = ""
    max_concurrency: int = 2
    broken: set[str] = field(default_factory=set)
    children: dict[str, list[Program]] = field(default_factory=dict)
    bodies: Counter[str] = field(default_factory=Counter)
    seen: dict[str, Any] = field(default_factory=dict)
    marks: dict[str, Any] = field(default_factory=dict)

    def __call__(self, event: Any, context: DurableContext) -> str:
        return repr(self._play(self.program, context, self.prefix))

    def play_child(self, event: str, context: DurableContext) -> list[Any]:
        """The function that `invoke` asks for; `event` is the place of the invoke."""
        return [repr(value) for value in self._play(self.children[event], context, f"{event}!")]

    def _play(self, program: list[Program], context: DurableContext, path: str) -> list[Any]:
        return [self._observe(f"{path}/{place}", call, context) for place, call in enumerate(program)]

    def _observe(self, path: str, call: Program, context: DurableContext) -> Any:
        kind, *arguments = call
        try:
            value = getattr(self, f"_{kind}")(path, context, *arguments)
        except DurableOperationError as error:
            if BROKEN in error.message:
                raise
            value = [type(error).__name__, error.error_type, error.message]
        marks = (context.now(), context.uuid())
        assert self.seen.setdefault(path, value) == value, f"{path} was {self.seen[path]!r}, on replay {value!r}"
        assert self.marks.setdefault(path, marks) == marks, f"at {path} now or uuid differ on replay"
        return value

    def _step(self, path: str, context: DurableContext, value: Any, fails: int, at_most_once: bool) -> Any:
        def body(step: Any) -> Any:
            if path in self.broken:
                raise RuntimeError(BROKEN)
            if step.attempt <= fails:
                raise ValueError(f"attempt {step.attempt}")
            self.bodies[path] += 1
            return value

        semantics = StepSemantics.AT_MOST_ONCE_PER_RETRY if at_most_once else StepSemantics.AT_LEAST_ONCE_PER_RETRY
        config = StepConfig(step_semantics=semantics)
        return context.step(body, name=path, config=config, retry=RetryPolicy(max_attempts=3, initial_interval=2))

    def _wait(self, path: str, context: DurableContext, seconds: int) -> None:
        context.wait(Duration(seconds), name=path)

    def _callback(self, path: str, context: DurableContext, fails: bool) -> Any:
        return context.create_callback(f"{'fails' if fails else 'answers'} {path}").result()

    def _poll(self, path: str, context: DurableContext, rounds: int) -> int:
        def decide(state: int, attempt: int) -> WaitForConditionDecision:
            return WaitForConditionDecision.stop_polling() if state >= rounds else WaitForConditionDecision.continue_waiting(Duration(5))

        config = WaitForConditionConfig(wait_strategy=decide, initial_state=0)
        return context.wait_for_condition(lambda state, _: state + 1, config=config, name=path)

    def _child(self, path: str, context: DurableContext, body: list[Program]) -> Any:
        return context.run_in_child_context(lambda child: self._play(body, child, path), name=path)

    def _parallel(self, path: str, context: DurableContext, branches: list[list[Program]]) -> Any:
        functions = [self._branch(body, f"{path}.{number}") for number, body in enumerate(branches)]
        config = ParallelConfig(completion_config=CompletionConfig.all_completed())
        return results(context.parallel(functions, name=path, config=config))

    def _map(self, path: str, context: DurableContext, items: list[int], body: list[Program]) -> Any:
        config = MapConfig(completion_config=CompletionConfig.all_completed(), max_concurrency=self.max_concurrency)
        play = lambda child, item, index, _: [item, self._play(body, child, f"{path}.{index}")]  # noqa: E731
        return results(context.map(items, play, name=path, config=config))

    def _invoke(self, path: str, context: DurableContext, body: list[Program]) -> Any:
        self.children[path] = body
        return context.invoke(CHILD, path, name=path)

    def _branch(self, body: list[Program], path: str) -> Callable[[DurableContext], Any]:
        return lambda child: self._play(body, child, path)


def results(batch: BatchResult[Any]) -> list[Any]:
    """Of a batch whose failures are tolerated, but for what is broken."""
    if any(BROKEN in error.message for error in batch.get_errors()):
        batch.throw_if_error()
    return batch.get_results()
