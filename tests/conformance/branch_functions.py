"""Small functions with branches and invokes, one per rule of their histories. Branches run one by one where order is asserted."""

from typing import Any

from execution_engine import (
    BatchItemStatus,
    BatchResult,
    CompletionConfig,
    CompletionDecision,
    CompletionStatus,
    DurableContext,
    Duration,
    InvokeConfig,
    InvokeError,
    MapConfig,
    NestingType,
    ParallelBranch,
    ParallelConfig,
    SerDes,
    SerDesContext,
    complete_batch,
    continue_batch,
    durable_execution,
)

ONE_SECOND = Duration.from_seconds(1)


class CardDeclined(Exception):
    """What a branch raises."""


def told(batch: BatchResult[Any]) -> list[Any]:
    """What a batch says of itself."""
    counts = [batch.success_count, batch.failure_count, batch.total_count]
    return [batch.completion_reason.value, batch.status.value, *counts, *batch.get_results()]


def in_turn(tolerance: CompletionConfig | None = None, **options: Any) -> MapConfig[Any]:
    return MapConfig(max_concurrency=1, completion_config=tolerance or CompletionConfig(), **options)


def half(_context: DurableContext, item: int, _index: int, _items: Any) -> int:
    if item % 2:
        raise CardDeclined(f"{item} is odd")
    return item // 2


@durable_execution
def two_branches(_event: Any, context: DurableContext) -> Any:
    branches = [lambda branch: branch.step(lambda _: "one", name="work"), lambda branch: branch.step(lambda _: {"two": 2}, name="work")]
    return context.parallel(branches, name="both", config=ParallelConfig(max_concurrency=1)).get_results()


@durable_execution
def named_branches(_event: Any, context: DurableContext) -> Any:
    branches = [ParallelBranch(lambda _: 1, name="first"), ParallelBranch(lambda _: 2), lambda _: 3]
    return context.parallel(branches, config=ParallelConfig(max_concurrency=1)).get_results()


@durable_execution
def no_branches(_event: Any, context: DurableContext) -> Any:
    return [told(context.parallel([], name="none")), told(context.map([], half, name="nothing"))]


@durable_execution
def branch_fails(_event: Any, context: DurableContext) -> Any:
    def fails(_branch: DurableContext) -> None:
        raise CardDeclined("no")

    batch = context.parallel([lambda _: 1, fails, lambda _: 3], name="fast", config=ParallelConfig(max_concurrency=1))
    context.wait(ONE_SECOND)
    return told(batch)


@durable_execution
def batch_is_thrown(_event: Any, context: DurableContext) -> Any:
    batch = context.map([1, 2], half, name="halves", config=in_turn(CompletionConfig(tolerated_failure_count=0)))
    batch.throw_if_error()


@durable_execution
def tolerated(_event: Any, context: DurableContext) -> Any:
    return told(context.map([2, 3, 8], half, name="halves", config=in_turn(CompletionConfig(tolerated_failure_count=1))))


@durable_execution
def tolerated_share(_event: Any, context: DurableContext) -> Any:
    return told(context.map([1, 3, 4, 6], half, name="halves", config=in_turn(CompletionConfig(tolerated_failure_percentage=25))))


@durable_execution
def enough_successes(_event: Any, context: DurableContext) -> Any:
    return told(context.map([2, 4, 6, 8], half, name="halves", config=in_turn(CompletionConfig(min_successful=2))))


@durable_execution
def predicate_decides(_event: Any, context: DurableContext) -> Any:
    def decide(status: CompletionStatus) -> CompletionDecision:
        return complete_batch() if status.items[1].status is BatchItemStatus.SUCCEEDED else continue_batch()

    return told(context.map([2, 4, 6], half, name="halves", config=in_turn(CompletionConfig(should_complete=decide))))


@durable_execution
def named_items(event: int, context: DurableContext) -> Any:
    def wait_a_little(item: DurableContext, number: int, index: int, items: Any) -> int:
        item.wait(ONE_SECOND, name="pause")
        return number * 10 + index

    batch = context.map([event, event + 1], wait_a_little, config=in_turn(item_namer=lambda item, index: f"item {item} at {index}"))
    return batch.get_results()


@durable_execution
def flat_items(_event: Any, context: DurableContext) -> Any:
    def body(item: DurableContext, number: int, _index: int, _items: Any) -> int:
        return item.step(lambda _: number + 1, name=f"add {number}")

    batch = context.map([1, 2], body, name="flat", config=in_turn(nesting_type=NestingType.FLAT))
    context.wait(ONE_SECOND)
    return batch.get_results()


@durable_execution
def branches_in_items(_event: Any, context: DurableContext) -> Any:
    def body(item: DurableContext, number: int, _index: int, _items: Any) -> Any:
        branches = [lambda _: number, lambda _: -number]
        return item.parallel(branches, name="signs", config=ParallelConfig(max_concurrency=1)).get_results()

    return context.map([5], body, name="items", config=in_turn()).get_results()


@durable_execution
def large_batch(_event: Any, context: DurableContext) -> Any:
    def body(item: DurableContext, letter: str, _index: int, _items: Any) -> str:
        return item.step(lambda _: letter * 90_000, name="text")

    batch = context.map(["a", "b", "c"], body, name="texts", config=in_turn())
    context.wait(ONE_SECOND)
    return [len(text) for text in batch.get_results()]


class Joined(SerDes[Any]):
    """One text for a whole batch."""

    def serialize(self, value: BatchResult[str], _: SerDesContext) -> str:
        return "JOINED:" + ",".join(value.get_results())

    def deserialize(self, data: str, _: SerDesContext) -> Any:
        return data


class Loud(SerDes[str]):
    """Writes capitals, so that nobody can overlook it."""

    def serialize(self, value: str, _: SerDesContext) -> str:
        return value.upper()

    def deserialize(self, data: str, _: SerDesContext) -> str:
        return data


@durable_execution
def batch_serdes(_event: Any, context: DurableContext) -> Any:
    def body(_item: DurableContext, letter: str, _index: int, _items: Any) -> str:
        return letter

    joined: Any = context.map(["a", "b"], body, name="letters", config=in_turn(serdes=Joined(), item_serdes=Loud()))
    context.wait(ONE_SECOND)
    return joined


@durable_execution
def no_concurrency(_event: Any, context: DurableContext) -> None:
    context.parallel([lambda _: 1], config=ParallelConfig(max_concurrency=0))


@durable_execution
def answers_later(event: Any, context: DurableContext) -> Any:
    context.wait(ONE_SECOND)
    return event


@durable_execution
def declines(_event: Any, context: DurableContext) -> Any:
    context.wait(ONE_SECOND)
    raise CardDeclined("not today")


@durable_execution
def asks(event: Any, context: DurableContext) -> Any:
    found = context.invoke("answers_later", {"number": event}, name="call", config=InvokeConfig(tenant_id="blue"))
    context.wait(ONE_SECOND)
    return found


@durable_execution
def asks_in_a_child(_event: Any, context: DurableContext) -> Any:
    return context.run_in_child_context(lambda child: child.invoke("answers_later", None), name="child")


@durable_execution
def is_declined(_event: Any, context: DurableContext) -> Any:
    try:
        return context.invoke("declines", "please", name="call")
    except InvokeError as error:
        return f"{error.error_type.rpartition('.')[2]}: {error.message}"


@durable_execution
def asks_nobody(_event: Any, context: DurableContext) -> Any:
    return context.invoke("nobody_registered_this", 1, name="call")
