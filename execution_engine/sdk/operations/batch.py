"""What map and parallel do once they know their branches: one CONTEXT around them, run or rebuilt."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from execution_engine.sdk.batch import BatchItem, BatchRecord, BatchResult
from execution_engine.sdk.completion import BatchItemStatus
from execution_engine.sdk.config import ChildConfig, MapConfig, NestingType, ParallelBranch, ParallelConfig
from execution_engine.sdk.errors import ExecutionError, InvocationError, NonDeterministicExecutionError
from execution_engine.sdk.key import OperationKey, checked_name
from execution_engine.sdk.operations.base import Body
from execution_engine.sdk.operations.branch import BatchPlan, escaped
from execution_engine.sdk.operations.branches import Coordinator, run_branch
from execution_engine.sdk.operations.child_context import run_child

if TYPE_CHECKING:
    from execution_engine.sdk.context import DurableContext

Planner = Callable[[], BatchPlan]


def run_batch(context: "DurableContext", key: OperationKey, plan: Planner, total: int, config: ChildConfig[Any]) -> Any:
    """The recorded or fresh `BatchResult`. `plan` is made inside the CONTEXT, where its exceptions fail the operation."""
    if key.invocation.witness is not None:
        key.invocation.witness.plans(key.id, total)

    def body(batch_context: "DurableContext") -> BatchResult[Any]:
        if key.found is not None and key.found.is_terminal:
            return rebuild(batch_context, key, plan(), key.found.payload)
        return Coordinator(batch_context, key, plan()).run()

    return run_child(context, key, body, config)


def rebuild(context: "DurableContext", key: OperationKey, plan: BatchPlan, payload: str | None) -> BatchResult[Any]:
    """A result that was too large to be stored, from its summary and the records of its branches."""
    record = BatchRecord.read(payload)
    if record is None or record.started_total > len(plan.bodies):
        raise NonDeterministicExecutionError(f"the record of {key} does not fit {len(plan.bodies)} branches", key.id)
    items: list[BatchItem[Any]] = []
    for index in range(record.started_total):
        if index in record.unfinished:
            items.append(BatchItem(index, BatchItemStatus.STARTED))
            continue
        try:
            items.append(BatchItem(index, BatchItemStatus.SUCCEEDED, run_branch(context, key, plan, index)))
        except (ExecutionError, InvocationError):
            raise
        except Exception as error:
            items.append(BatchItem(index, BatchItemStatus.FAILED, error=escaped(error)))
    return BatchResult(items, record.reason)


def batch_plan(item_sub_type: str, bodies: list[Body], names: list[str], config: MapConfig[Any] | ParallelConfig) -> BatchPlan:
    return BatchPlan(
        item_sub_type,
        bodies,
        [checked_name(name) or "" for name in names],
        config.max_concurrency,
        config.completion_config,
        config.item_serdes or config.serdes,
        config.nesting_type is NestingType.FLAT,
    )


def name_of_branch(function: Body, index: int) -> str:
    """A given name replaces the default, also an empty one."""
    given = function.name if isinstance(function, ParallelBranch) else None
    return f"parallel-branch-{index}" if given is None else given
