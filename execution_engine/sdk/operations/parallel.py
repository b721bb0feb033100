"""parallel: given functions side by side (semantics: CONTEXT of sub type Parallel, holding ParallelBranch)."""

from collections.abc import Callable, Sequence
from typing import Any

from execution_engine.core.enums import OperationSubType
from execution_engine.sdk.config import ParallelConfig
from execution_engine.sdk.operations.batch import batch_plan, name_of_branch
from execution_engine.sdk.operations.branch import BatchPlan

_BRANCH = str(OperationSubType.PARALLEL_BRANCH)


def plan_parallel(functions: Sequence[Callable[..., Any]], config: ParallelConfig) -> BatchPlan:
    names = [name_of_branch(function, index) for index, function in enumerate(functions)]
    return batch_plan(_BRANCH, list(functions), names, config)
