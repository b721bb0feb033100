"""map and parallel: shape, order, completion, suspension, large results."""

import threading
from typing import Any

import pytest

from execution_engine import (
    BatchCompletionError,
    BatchItemStatus,
    BatchResult,
    ChildContextError,
    CompletionConfig,
    CompletionOutcome,
    CompletionReason,
    CompletionStatus,
    DurableContext,
    ExecutionError,
    InvocationError,
    JsonSerDes,
    MapConfig,
    NestingType,
    ParallelBranch,
    ParallelConfig,
    RetryPolicy,
    SerDes,
    SerDesContext,
    complete_batch,
    continue_batch,
    durable_parallel_branch,
)
from execution_engine.core.enums import InvocationStatus, OperationAction
from execution_engine.core.identifiers import operation_id
from tests.execution_engine.sdk.journal import Journal
from tests.waiting import PATIENCE

ONCE = RetryPolicy(max_attempts=1)
FLAT = MapConfig(nesting_type=NestingType.FLAT)


def double(context: DurableContext, item: int, index: int, items: Any) -> int:
    return context.step(f"double {item}", lambda: item * 2)


def fail_odd(context: DurableContext, item: int, index: int, items: Any) -> int:
    if item % 2:
        raise ValueError(f"odd {item}")
    return item


def results_of(journal: Journal) -> Any:
    outcome = journal.run()
    assert outcome.error is None, outcome.error
    return outcome.result


def test_a_map_records_a_context_per_item_with_ids_by_index() -> None:
    journal = Journal(lambda event, context: context.map([5, 6], double, "all").get_results())
    assert results_of(journal) == "[10, 12]"
    outer = journal.named("all")
    assert (outer.id, outer.sub_type) == (operation_id(None, 1), "Map")
    for index, item in enumerate((5, 6)):
        branch, step = journal.named(f"map-item-{index}"), journal.named(f"double {item}")
        assert (branch.id, branch.sub_type, branch.parent_id) == (operation_id(outer.id, index), "MapIteration", outer.id)
        assert (step.id, step.parent_id) == (operation_id(branch.id, 1), branch.id)
    written = len(journal.written)
    assert journal.invoke().result == "[10, 12]"
    assert len(journal.written) == written


def test_parallel_takes_functions_named_branches_and_decorated_ones() -> None:
    @durable_parallel_branch(name="third")
    def add(context: DurableContext, one: int, other: int) -> int:
        return context.step(lambda: one + other)

    def handler(event: Any, context: DurableContext) -> Any:
        functions = [lambda child: child.step(lambda: 1), ParallelBranch(lambda child: 2, name="second"), add(1, 2)]
        return context.parallel(functions, name="side by side").get_results()

    journal = Journal(handler)
    assert results_of(journal) == "[1, 2, 3]"
    names = [(record.name, record.sub_type) for record in journal.durable.values() if record.parent_id == journal.named("side by side").id]
    assert sorted(names) == [("parallel-branch-0", "ParallelBranch"), ("second", "ParallelBranch"), ("third", "ParallelBranch")]


def test_no_items_are_a_start_and_an_end() -> None:
    journal = Journal(lambda event, context: context.map([], double).to_dict())
    assert results_of(journal) == '{"all": [], "completionReason": "ALL_COMPLETED"}'
    assert [update.action for update in journal.written] == ["START", "SUCCEED"]


def test_flat_branches_leave_no_record_of_their_own() -> None:
    journal = Journal(lambda event, context: context.map([5, 6], double, "all", FLAT).get_results())
    assert results_of(journal) == "[10, 12]"
    assert len(journal.durable) == 3
    step = journal.named("double 6")
    outer = journal.named("all")
    assert (step.parent_id, step.id) == (outer.id, operation_id(operation_id(outer.id, 1), 1))


def test_one_at_a_time_runs_strictly_in_order() -> None:
    journal = Journal(lambda event, context: context.map(range(3), double, config=MapConfig(max_concurrency=1)).get_results())
    assert results_of(journal) == "[0, 2, 4]"
    names = [update.name for update in journal.written]
    assert names[1:-1] == [
        name for number in range(3) for name in (f"map-item-{number}", *[f"double {2 * number // 2}"] * 2, f"map-item-{number}")
    ]


def test_branches_run_side_by_side_but_no_more_than_allowed() -> None:
    running, most, both = [0], [0], threading.Barrier(2, timeout=PATIENCE)

    def body(context: DurableContext, item: int, index: int, items: Any) -> None:
        running[0] += 1
        most[0] = max(most[0], running[0])
        both.wait()
        running[0] -= 1

    Journal(lambda event, context: context.map(range(6), body, config=MapConfig(max_concurrency=2)).success_count).run()
    assert most == [2]


@pytest.mark.parametrize(
    ("completion", "items", "statuses", "reason"),
    [
        (CompletionConfig(), [2, 1, 4], "SF", "FAILURE_TOLERANCE_EXCEEDED"),
        (CompletionConfig.all_completed(), [2, 1, 4], "SFS", "ALL_COMPLETED"),
        (CompletionConfig.all_successful(), [2, 4], "SS", "ALL_COMPLETED"),
        (CompletionConfig.first_successful(), [1, 2, 4], "FS", "MIN_SUCCESSFUL_REACHED"),
        (CompletionConfig(min_successful=2), [2, 4, 6], "SS", "MIN_SUCCESSFUL_REACHED"),
        (CompletionConfig(min_successful=3), [1, 1, 2], "FFS", "ALL_COMPLETED"),
        (CompletionConfig(min_successful=2), [2, 4], "SS", "ALL_COMPLETED"),
        (CompletionConfig(tolerated_failure_count=1), [1, 2, 3, 4], "FSF", "FAILURE_TOLERANCE_EXCEEDED"),
        (CompletionConfig(tolerated_failure_percentage=50), [1, 1, 2, 2], "FFSS", "ALL_COMPLETED"),
        (CompletionConfig(tolerated_failure_percentage=49), [1, 1, 2, 2], "FF", "FAILURE_TOLERANCE_EXCEEDED"),
    ],
)
def test_completion_policies(completion: CompletionConfig, items: list[int], statuses: str, reason: str) -> None:
    seen: list[BatchResult[int]] = []

    def handler(event: Any, context: DurableContext) -> None:
        seen.append(context.map(items, fail_odd, config=MapConfig(1, completion)))

    journal = Journal(handler)
    journal.run()
    journal.invoke()
    first, again = seen
    assert ("".join(item.status.value[0] for item in first.all), first.completion_reason.value) == (statuses, reason)
    assert again == first
    assert first.total_count == len(statuses)


def test_a_failed_item_raises_only_when_asked() -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        batch = context.map([2, 3, 5], fail_odd, config=MapConfig(completion_config=CompletionConfig.all_completed()))
        assert (batch.has_failure, batch.status, batch.success_count, batch.failure_count) == (True, BatchItemStatus.FAILED, 1, 2)
        assert [error.message for error in batch.get_errors() if error] == ["odd 3", "odd 5"]
        try:
            batch.throw_if_error()
        except ChildContextError as error:
            return [str(error), error.error_type]

    journal = Journal(handler)
    assert results_of(journal) == '["odd 3", "ValueError"]'
    assert journal.invoke().result == '["odd 3", "ValueError"]'


@pytest.mark.parametrize("outcome", list(CompletionOutcome))
def test_a_predicate_ends_the_batch_with_its_outcome(outcome: CompletionOutcome) -> None:
    asked: list[CompletionStatus] = []

    def decide(status: CompletionStatus) -> Any:
        asked.append(status)
        return complete_batch(outcome) if status.success_count >= 2 else continue_batch()

    def handler(event: Any, context: DurableContext) -> Any:
        batch = context.map([2, 4, 6], fail_odd, config=MapConfig(1, CompletionConfig(should_complete=decide)))
        if outcome is CompletionOutcome.FAILED:
            with pytest.raises(BatchCompletionError):
                batch.throw_if_error()
        return [batch.completion_reason.value, batch.status.value, batch.total_count]

    journal = Journal(handler)
    assert results_of(journal) == f'["CUSTOM_COMPLETION_{outcome.value}", "{outcome.value}", 2]'
    assert (asked[0].completed_count, asked[0].total_count) == (0, 3)
    assert [item.status for item in asked[-1].items] == [BatchItemStatus.SUCCEEDED, BatchItemStatus.SUCCEEDED, None]
    asked.clear()
    assert journal.invoke().error is None
    assert asked == []


@pytest.mark.parametrize(
    "wrong",
    [
        lambda context: context.map([1], double, config=MapConfig(max_concurrency=0)),
        lambda context: context.map([1], double, config=MapConfig(completion_config=CompletionConfig(min_successful=2))),
        lambda context: context.parallel([], config=ParallelConfig(completion_config=CompletionConfig(min_successful=1))),
        lambda context: CompletionConfig(min_successful=0),
        lambda context: CompletionConfig(tolerated_failure_count=-1),
        lambda context: CompletionConfig(tolerated_failure_percentage=101),
        lambda context: CompletionConfig(min_successful=1, should_complete=lambda status: continue_batch()),
    ],
)
def test_wrong_settings_are_refused_before_anything_is_recorded(wrong: Any) -> None:
    outcome = (journal := Journal(lambda event, context: wrong(context))).run()
    assert outcome.error.type.endswith("ValidationError")
    assert journal.written == []


@pytest.mark.parametrize("config", [MapConfig(), FLAT, MapConfig(max_concurrency=2)])
def test_branches_suspend_together_and_go_on(config: MapConfig[int]) -> None:
    def body(context: DurableContext, item: int, index: int, items: Any) -> int:
        context.wait(f"wait {item}", item + 1)
        return context.step(f"after {item}", lambda: item)

    journal = Journal(lambda event, context: context.map(range(4), body, "m", config).get_results())
    assert journal.invoke().status is InvocationStatus.PENDING
    assert sum(record.type == "WAIT" for record in journal.durable.values()) == (config.max_concurrency or 4)
    assert results_of(journal) == "[0, 1, 2, 3]"
    assert sum(update.name == "m" for update in journal.written) == 2


def test_a_branch_whose_timer_is_due_goes_on_beside_a_running_one() -> None:
    waited = threading.Event()

    class Ticking(Journal):
        def refresh(self) -> None:
            self.skip()

        def now(self) -> Any:
            return max((record.due_at for record in self.durable.values() if record.due_at), default=self.time)

    def slow(context: DurableContext) -> str:
        return context.step("slow", lambda: waited.wait(PATIENCE) and "slow")

    def short(context: DurableContext) -> str:
        context.wait(seconds=1)
        waited.set()
        return "short"

    journal = Ticking(lambda event, context: context.parallel([slow, short]).get_results())
    assert journal.invoke().result == '["slow", "short"]'


def test_branches_left_behind_write_nothing_more() -> None:
    go_on, over = threading.Event(), threading.Event()
    reached: list[str] = []

    def quick(context: DurableContext) -> str:
        return context.step("quick", lambda: "quick")

    def late(context: DurableContext) -> str:
        context.step("before", lambda: go_on.wait(PATIENCE))
        reached.append("after the batch")
        return context.step("never", lambda: "never")

    def handler(event: Any, context: DurableContext) -> Any:
        config = ParallelConfig(completion_config=CompletionConfig.first_successful())
        batch = context.parallel([late, quick], "p", config)
        go_on.set()
        over.wait(0.05)
        return [[item.status.value for item in batch.all], batch.completion_reason.value]

    journal = Journal(handler)
    assert results_of(journal) == '[["STARTED", "SUCCEEDED"], "MIN_SUCCESSFUL_REACHED"]'
    ended_at = next(
        index for index, update in enumerate(journal.written) if update.name == "p" and update.action is OperationAction.SUCCEED
    )
    assert [update.name for update in journal.written[ended_at + 1 :]] == []
    assert reached == []
    assert journal.invoke().result == '[["STARTED", "SUCCEEDED"], "MIN_SUCCESSFUL_REACHED"]'


@pytest.mark.parametrize("error", [ExecutionError("fatal"), InvocationError("again")])
def test_fatal_and_retryable_errors_of_a_branch_leave_the_batch(error: Exception) -> None:
    def broken(context: DurableContext) -> None:
        raise error

    config = ParallelConfig(completion_config=CompletionConfig.all_completed())
    outcome = (journal := Journal(lambda event, context: context.parallel([broken, lambda c: c.step(lambda: 1)], "p", config))).invoke()
    assert outcome.error.message == str(error)
    assert outcome.invocation_failed is isinstance(error, InvocationError)
    assert [update.action for update in journal.written if update.name == "p"] in (["START"], [])


def test_a_divergence_in_a_branch_fails_the_execution() -> None:
    names = ["one"]

    def body(context: DurableContext, item: int, index: int, items: Any) -> None:
        context.step(names[0], lambda: 1)
        context.wait(seconds=5)

    config = MapConfig(completion_config=CompletionConfig.all_completed())
    journal = Journal(lambda event, context: context.map([1, 2], body, config=config))
    journal.invoke()
    names[0] = "other"
    assert journal.invoke().error.type.endswith("NonDeterministicExecutionError")


@pytest.mark.parametrize(("before", "after"), [(FLAT, MapConfig()), (MapConfig(), FLAT)])
def test_a_changed_nesting_is_a_divergence(before: MapConfig[int], after: MapConfig[int]) -> None:
    config = [before]

    def body(context: DurableContext, item: int, index: int, items: Any) -> None:
        context.step(lambda: 1)
        context.wait(seconds=5)

    journal = Journal(lambda event, context: context.map([1], body, config=config[0]))
    journal.invoke()
    config[0] = after
    assert journal.invoke().error.type.endswith("NonDeterministicExecutionError")


@pytest.mark.parametrize("nesting", list(NestingType))
def test_a_large_result_is_rebuilt_from_its_branches(nesting: NestingType) -> None:
    def body(context: DurableContext, item: int, index: int, items: Any) -> str:
        letter = context.step(f"letter {item}", lambda: "x")
        if item == 2:
            raise ValueError("two")
        return letter * 100_000

    every = CompletionConfig.all_completed()
    config = MapConfig(1, every, nesting_type=nesting, summary_generator=lambda batch: f"{batch.total_count} items")
    seen: list[Any] = []

    def handler(event: Any, context: DurableContext) -> None:
        batch = context.map(range(4), body, "large", config)
        context.wait(seconds=1)
        items = [(item.status, len(item.result or ""), item.error and item.error.message) for item in batch.all]
        seen.append([batch.completion_reason, items])

    journal = Journal(handler)
    assert journal.run().status is InvocationStatus.SUCCEEDED
    journal.invoke()
    assert seen[0] == seen[1]
    assert seen[0][0] is CompletionReason.ALL_COMPLETED
    assert [size for _, size, _ in seen[0][1]] == [100_000, 100_000, 0, 100_000]
    record = journal.named("large")
    assert record.replay_children
    assert record.payload == (
        '{"type": "MapResult", "totalCount": 4, "completionReason": "ALL_COMPLETED", "startedIndexes": [], "startedCount": 0, '
        '"successCount": 3, "failureCount": 1, "status": "FAILED", "summary": "4 items"}'
    )
    assert sum(update.name == "large" for update in journal.written) == 2


class Joined(SerDes[Any]):
    def serialize(self, value: Any, serdes_context: SerDesContext) -> str:
        return "OPSERDE:" + ",".join(value.get_results()) if isinstance(value, BatchResult) else f"item {value}"

    def deserialize(self, data: str, serdes_context: SerDesContext) -> Any:
        return data.removeprefix("OPSERDE:")


@pytest.mark.parametrize(
    ("config", "item", "whole"),
    [
        (MapConfig(serdes=Joined(), item_serdes=JsonSerDes()), '"a"', "OPSERDE:a,b"),
        (MapConfig(serdes=Joined()), "item a", "OPSERDE:item a,item b"),
        (MapConfig(item_serdes=Joined()), "item a", None),
    ],
)
def test_serdes_of_items_and_of_the_whole(config: MapConfig[str], item: str, whole: str | None) -> None:
    def handler(event: Any, context: DurableContext) -> str:
        return str(context.map(["a", "b"], lambda child, value, index, items: value, "m", config))

    journal = Journal(handler)
    journal.run()
    assert journal.named("map-item-0").payload == item
    if whole is not None:
        assert journal.named("m").payload == whole


def test_the_default_format_brings_a_batch_result_back() -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        batch = context.run_in_child_context("c", lambda child: child.map([2, 3], fail_odd, config=MapConfig(1)))
        assert isinstance(batch, BatchResult)
        return batch.to_dict()

    journal = Journal(handler)
    first = results_of(journal)
    assert journal.invoke().result == first
    assert journal.named("c").payload.startswith('{"t":"br","v":{"all":{"t":"l","v":[{"t":"m","v":{"index":{"t":"i","v":0}')


def test_names_of_items() -> None:
    config = MapConfig(item_namer=lambda item, index: f"order {item}/{index}" if item else "")
    journal = Journal(lambda event, context: context.map([7, 0], double, "m", config).success_count)
    journal.run()
    children = [record.name for record in journal.durable.values() if record.sub_type == "MapIteration"]
    assert set(children) == {"order 7/0", None}


def test_batches_nest() -> None:
    def inner(context: DurableContext, item: int, index: int, items: Any) -> int:
        return sum(context.map(range(3), double).get_results()) + item

    journal = Journal(lambda event, context: context.map(range(3), inner).get_results())
    assert results_of(journal) == "[6, 7, 8]"
    assert journal.invoke().result == "[6, 7, 8]"


def test_a_map_of_many_items_needs_few_threads() -> None:
    threads: set[int] = set()

    def body(context: DurableContext, item: int, index: int, items: Any) -> int:
        threads.add(threading.get_ident())
        return item

    journal = Journal(lambda event, context: context.map(range(1000), body).success_count)
    assert results_of(journal) == "1000"
    assert len(threads) <= 64
    assert journal.invoke().result == "1000"


def test_no_branch_is_overlooked_that_ends_while_the_coordinator_looks() -> None:
    for _ in range(200):
        journal = Journal(lambda event, context: context.map(range(4), lambda child, item, *_: item).success_count)
        assert journal.invoke().result == "4"


def test_no_thread_is_left_when_the_invocation_ends() -> None:
    before = threading.active_count()
    journal = Journal(lambda event, context: context.map(range(20), double).success_count)
    journal.run()
    assert threading.active_count() == before


@pytest.mark.parametrize(("size", "waits"), [(10, 3 + 1), (20_000, 3 + 3 + 1)])
def test_a_branch_waits_for_its_steps_and_not_for_its_own_end_unless_it_is_large(size: int, waits: int) -> None:
    """Three steps and the end of the map are waited for; ends of branches go along with what comes after them."""

    def branch(context: DurableContext, item: int, index: int, items: Any) -> str:
        context.step("s", lambda: item)
        return "x" * size

    journal = Journal(lambda event, context: context.map([1, 2, 3], branch, "m", MapConfig(max_concurrency=1)).success_count)
    assert results_of(journal) == "3"
    assert journal.checkpoints == waits
    assert all(record.is_terminal for record in journal.durable.values())
