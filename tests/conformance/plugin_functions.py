"""One function that shows a plugin every kind of operation, and a plugin that writes down what it is told."""

from typing import Any, ClassVar

from execution_engine import (
    ChildConfig,
    DurableContext,
    DurableInstrumentationPlugin,
    Duration,
    InvocationEndInfo,
    InvocationStartInfo,
    JitterStrategy,
    MapConfig,
    NestingType,
    OperationChangeInfo,
    OperationEndInfo,
    OperationInfo,
    OperationStartInfo,
    RetryStrategyConfig,
    StepConfig,
    StepContext,
    UserFunctionEndInfo,
    UserFunctionStartInfo,
    create_retry_strategy,
    durable_execution,
)

ONE_SECOND = Duration.from_seconds(1)
AGAIN = create_retry_strategy(RetryStrategyConfig(max_attempts=2, initial_delay=ONE_SECOND, jitter_strategy=JitterStrategy.NONE))


class Telling(DurableInstrumentationPlugin):
    """`told` outlives the instances, of which every invocation has its own; `changed` are the statuses that changes showed."""

    told: ClassVar[list[str]] = []
    changed: ClassVar[dict[str, set[str]]] = {}

    def on_invocation_start(self, info: InvocationStartInfo) -> None:
        updated = sorted(f"{_name(one)} {_code(one.status)}" for one in info.updated_operations.values())
        self.told.append(" ".join(["invocation", "first" if info.is_first_invocation else "later", *updated]))

    def on_invocation_end(self, info: InvocationEndInfo) -> None:
        self.told.append(f"invocation ends {_code(info.status)}")

    def on_operation_start(self, info: OperationStartInfo) -> None:
        self.told.append(f"{_name(info)} starts{' again' if info.is_replayed else ''}")

    def on_operation_end(self, info: OperationEndInfo) -> None:
        error = "" if info.error is None else f": {info.error.message}"
        self.told.append(f"{_name(info)} ends {_code(info.status)}{error}{' again' if info.is_replayed else ''}")

    def on_operation_change(self, info: OperationChangeInfo) -> None:
        assert set(info.updated_operations) <= set(info.operations) and info.execution_arn
        for one in info.updated_operations.values():
            self.changed.setdefault(_name(one), set()).add(_code(one.status))

    def on_user_function_start(self, info: UserFunctionStartInfo) -> None:
        self.told.append(f"  {_name(info)} runs, attempt {info.attempt}" + (" (children only)" if info.is_replay_children else ""))

    def on_user_function_end(self, info: UserFunctionEndInfo) -> None:
        error = "" if info.error is None else f": {info.error.message}"
        self.told.append(f"  {_name(info)} ran {_code(info.outcome)}{error}")


def _name(info: OperationInfo) -> str:
    kind = "" if info.sub_type is None else getattr(info.sub_type, "value", info.sub_type)
    return f"{kind} {info.name}"


def _code(value: Any) -> str:
    return str(value.value)


class TellingFactory:
    def create_plugin(self, _info: InvocationStartInfo) -> Telling:
        return Telling()


@durable_execution(plugins=[TellingFactory()])
def watched(_event: Any, context: DurableContext) -> str:
    def flaky(step: StepContext) -> int:
        if step.attempt == 1:
            raise ConnectionError("no answer")
        return step.attempt

    def large(child: DurableContext) -> str:
        return "x" * 300_000

    def double(item: DurableContext, number: int, _index: int, _items: Any) -> int:
        return number * 2

    context.step(flaky, name="flaky", config=StepConfig(retry_strategy=AGAIN))
    context.run_in_child_context(large, name="large", config=ChildConfig(summary_generator=lambda text: f"{len(text)} letters"))
    context.map([1, 2], double, name="items", config=MapConfig(max_concurrency=1))
    context.map([3], double, name="flat", config=MapConfig(max_concurrency=1, nesting_type=NestingType.FLAT))
    context.wait(ONE_SECOND, name="pause")
    return context.create_callback(name="manager").result()
