"""Plugins: which hook when, once, in order, and harmless when it raises (semantics note 8)."""

import contextlib
from collections import Counter
from typing import Any

import pytest

from execution_engine import (
    ChildConfig,
    ChildContextError,
    DurableContext,
    DurableInstrumentationPlugin,
    InvocationEndInfo,
    InvocationStartInfo,
    MapConfig,
    NestingType,
    OperationChangeInfo,
    OperationEndInfo,
    OperationStartInfo,
    PluginLoadError,
    PropagationInput,
    PropagationMetadata,
    RetryPolicy,
    StepContext,
    UserFunctionEndInfo,
    UserFunctionStartInfo,
    durable_execution,
)
from execution_engine.core.enums import InvocationStatus
from execution_engine.core.records import ErrorObject
from execution_engine.sdk import registry
from tests.execution_engine.sdk.journal import Journal


@pytest.fixture(autouse=True)
def own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_functions", {})


class Watching(DurableInstrumentationPlugin):
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def on_invocation_start(self, info: InvocationStartInfo) -> None:
        self.told.append(("invocation start", info.is_first_invocation, sorted(i.name or "" for i in info.updated_operations.values())))

    def on_invocation_end(self, info: InvocationEndInfo) -> None:
        self.told.append(("invocation end", info.is_first_invocation, info.status.value))

    def on_operation_start(self, info: OperationStartInfo) -> None:
        self.told.append(("start", info.name, info.is_replayed))

    def on_operation_end(self, info: OperationEndInfo) -> None:
        self.told.append(("end", info.name, info.status.value, info.error.message if info.error else info.result))

    def on_user_function_start(self, info: UserFunctionStartInfo) -> None:
        self.told.append(("function start", info.name, info.attempt))

    def on_user_function_end(self, info: UserFunctionEndInfo) -> None:
        self.told.append(("function end", info.name, info.attempt, info.outcome.value))

    def of(self, *kinds: str) -> list[Any]:
        return [told for told in self.told if told[0] in kinds]


def flow(event: Any, context: DurableContext) -> str:
    def flaky(step: StepContext) -> int:
        if step.attempt == 1:
            raise ValueError("first")
        return step.attempt

    context.step("flaky", flaky, retry=RetryPolicy(max_attempts=2))
    callback = context.create_callback("ask")
    context.run_in_child_context("child", lambda child: child.wait("pause", seconds=5))
    return callback.result()


def watched(handler: Any = flow) -> tuple[Watching, Journal]:
    plugin = Watching()
    function = durable_execution(name="watched", plugins=[plugin])(handler)
    return plugin, Journal(function)


def test_hooks_of_a_whole_execution() -> None:
    plugin, journal = watched()
    assert journal.invoke().status is InvocationStatus.PENDING
    assert plugin.told == [
        ("invocation start", True, []),
        ("start", "flaky", False),
        ("function start", "flaky", 1),
        ("function end", "flaky", 1, "FAILED"),
        ("invocation end", True, "PENDING"),
    ]
    plugin.told.clear()
    journal.skip()
    journal.updated = ()
    assert journal.invoke().status is InvocationStatus.PENDING
    assert plugin.told == [
        ("invocation start", False, []),
        ("start", "flaky", True),
        ("function start", "flaky", 2),
        ("function end", "flaky", 2, "SUCCEEDED"),
        ("end", "flaky", "SUCCEEDED", "2"),
        ("start", "ask", False),
        ("start", "child", False),
        ("function start", "child", 1),
        ("start", "pause", False),
        ("function end", "child", 1, "INCOMPLETE"),
        ("invocation end", False, "PENDING"),
    ]
    plugin.told.clear()
    waited = journal.named("pause").id
    journal.skip()
    journal.updated = (waited,)
    assert journal.invoke().status is InvocationStatus.PENDING
    assert plugin.told == [
        ("invocation start", False, ["pause"]),
        ("start", "ask", True),
        ("start", "child", True),
        ("function start", "child", None),
        ("end", "pause", "SUCCEEDED", None),
        ("function end", "child", None, "SUCCEEDED"),
        ("end", "child", "SUCCEEDED", "null"),
        ("invocation end", False, "PENDING"),
    ]


def test_each_operation_starts_and_ends_once_over_all_invocations() -> None:
    plugin, journal = watched()
    while journal.invoke().status is InvocationStatus.PENDING:
        before = {id_ for id_, record in journal.durable.items() if record.is_terminal}
        if not journal.skip():
            journal.answer("ok")
        journal.updated = tuple(id_ for id_, record in journal.durable.items() if record.is_terminal and id_ not in before)
    starts = Counter(name for _, name, is_replayed in plugin.of("start") if not is_replayed)
    ends = Counter(told[1] for told in plugin.of("end"))
    assert starts == ends == Counter(["flaky", "ask", "child", "pause"])
    assert [told[1] for told in plugin.of("invocation start")] == [True, False, False, False]
    assert plugin.told[-1] == ("invocation end", False, "SUCCEEDED")


def test_changes_carry_the_whole_map_and_the_arn() -> None:
    seen: list[OperationChangeInfo] = []

    class Changes(DurableInstrumentationPlugin):
        def on_operation_change(self, info: OperationChangeInfo) -> None:
            seen.append(info)

    def handler(event: Any, context: DurableContext) -> None:
        context.step("a", lambda: 1)
        context.step("b", lambda: 1)
        context.wait("c", seconds=1)

    Journal(durable_execution(name="changes", plugins=[Changes()])(handler)).run()
    told = [[(info.name, info.status.value) for info in change.updated_operations.values()] for change in seen]
    assert told == [[("a", "SUCCEEDED")], [("b", "SUCCEEDED")], [("c", "STARTED")]]
    assert [len(change.operations) for change in seen] == [1, 2, 3]
    assert all(change.execution_arn and change.execution_arn.startswith("arn:") for change in seen)
    (info,) = seen[0].updated_operations.values()
    assert info.sub_type is not None
    assert (info.sub_type.name, info.sub_type.value, info.operation_type.name) == ("STEP", "Step", "STEP")


def test_a_failed_execution_and_a_failed_invocation_are_told() -> None:
    def fail(event: Any, context: DurableContext) -> None:
        raise ValueError("bad")

    def leave(event: Any, context: DurableContext) -> None:
        raise SystemExit(1)

    for handler, status in ((fail, "FAILED"), (leave, "RETRY")):
        plugin, journal = watched(handler)
        journal.invoke()
        assert plugin.told[-1] == ("invocation end", True, status)


class Broken(DurableInstrumentationPlugin):
    def on_operation_start(self, info: OperationStartInfo) -> None:
        raise RuntimeError("broken plugin")


def test_a_broken_plugin_disturbs_nobody(caplog: pytest.LogCaptureFixture) -> None:
    plugin = Watching()
    function = durable_execution(name="broken", plugins=[Broken(), plugin])(lambda event, context: context.step("s", lambda: 1))
    assert Journal(function).run().result == "1"
    assert ("start", "s", False) in plugin.told
    assert "broken plugin" in caplog.text


def test_a_factory_makes_one_plugin_per_invocation() -> None:
    made: list[Watching] = []

    class Factory:
        def create_plugin(self, info: InvocationStartInfo) -> Watching:
            made.append(Watching())
            return made[-1]

    def handler(event: Any, context: DurableContext) -> None:
        context.wait(seconds=1)

    journal = Journal(durable_execution(name="factory", plugins=[Factory()])(handler))
    journal.run()
    assert len(made) == 2
    assert [plugin.told[0][1] for plugin in made] == [True, False]


def test_branches_are_told_too() -> None:
    def branch(context: DurableContext, item: int, index: int, items: Any) -> int:
        return context.step(lambda: item)

    plugin, journal = watched(lambda event, context: context.map([1, 2], branch, "m").success_count)
    assert journal.run().result == "2"
    assert Counter(told[1] for told in plugin.of("end")) == Counter(["m", "map-item-0", "map-item-1", None, None])


def test_a_failed_callback_is_told_with_its_error() -> None:
    plugin, journal = watched(lambda event, context: context.create_callback("ask").result())
    journal.invoke()
    waiting = journal.pending().id
    journal.answer(error=ErrorObject("refused"))
    journal.updated = (waiting,)
    journal.invoke()
    assert plugin.of("end") == [("end", "ask", "FAILED", "refused")]


def test_contexts_that_write_no_end_are_told_of_too() -> None:
    large = "x" * (256 * 1024 + 1)

    def refused(child: DurableContext) -> None:
        raise LookupError("no")

    def handler(event: Any, context: DurableContext) -> None:
        context.run_in_child_context("large", lambda child: large)
        context.run_in_child_context("virtual", lambda child: child.step("inner", lambda: 1), ChildConfig(is_virtual=True))
        with contextlib.suppress(ChildContextError):
            context.run_in_child_context("refused", refused, ChildConfig(is_virtual=True))
        context.map([1], lambda child, *_: 7, "flat", MapConfig(nesting_type=NestingType.FLAT))
        context.wait(seconds=1)

    plugin, journal = watched(handler)
    journal.run()
    ends = Counter((told[1], told[2]) for told in plugin.of("end"))
    again = {("large", "SUCCEEDED"), ("virtual", "SUCCEEDED"), ("refused", "FAILED")}
    assert {end for end, count in ends.items() if count == 2} == again
    assert ends["inner", "SUCCEEDED"] == ends["flat", "SUCCEEDED"] == ends["map-item-0", "SUCCEEDED"] == 1
    assert ("end", "refused", "FAILED", "no") in plugin.told
    assert not {"virtual", "refused", "map-item-0"} & {told[1] for told in plugin.of("start")}


def test_the_first_plugin_that_answers_says_what_an_invoke_carries() -> None:
    asked: list[PropagationInput] = []

    class Tracing(DurableInstrumentationPlugin):
        def __init__(self, answer: Any) -> None:
            self.answer = answer

        def provide_propagation_metadata(self, info: PropagationInput) -> PropagationMetadata | None:
            asked.append(info)
            if isinstance(self.answer, Exception):
                raise self.answer
            return self.answer

    answers = [
        None,
        LookupError("none"),
        "no metadata",
        PropagationMetadata(" "),
        PropagationMetadata("Root=1-a"),
        PropagationMetadata("b"),
    ]

    def handler(event: Any, context: DurableContext) -> Any:
        return context.invoke("other", 1, "call")

    journal = Journal(durable_execution(name="traced", plugins=[Tracing(answer) for answer in answers])(handler))
    journal.invoke()
    (invoke,) = journal.operations.values()
    assert invoke.options.trace == "Root=1-a"
    assert [(info.operation_id, info.target_function_name, info.parent_operation_id) for info in asked] == [(invoke.id, "other", None)] * 5
    journal.invoke()
    assert len(asked) == 5, "a replayed invoke asks nobody"


def test_a_function_makes_plugins_too() -> None:
    made: list[InvocationStartInfo] = []

    def factory(info: InvocationStartInfo) -> Watching:
        made.append(info)
        return Watching()

    Journal(durable_execution(name="made", plugins=[factory])(lambda event, context: None)).run()
    assert [info.is_first_invocation for info in made] == [True]


def test_a_plugin_that_cannot_be_loaded_stops_the_decoration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DURABLE_EXECUTION_PLUGINS", "nobody-offers-this")
    with pytest.raises(PluginLoadError, match="nobody-offers-this"):
        durable_execution(name="f")(lambda event, context: None)
