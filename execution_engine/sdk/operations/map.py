"""map: one branch per item (semantics: CONTEXT of sub type Map, holding MapIteration)."""

from collections.abc import Callable, Sequence
from typing import Any

from execution_engine.core.enums import OperationSubType
from execution_engine.sdk.config import MapConfig
from execution_engine.sdk.operations.base import Body
from execution_engine.sdk.operations.batch import batch_plan
from execution_engine.sdk.operations.branch import BatchPlan

_ITERATION = str(OperationSubType.MAP_ITERATION)


def plan_map(items: Sequence[Any], func: Callable[..., Any], config: MapConfig[Any]) -> BatchPlan:
    """`func(context, item, index, items)` per item; an `item_namer` is asked for every item, also those never run."""
    namer = config.item_namer
    names = [f"map-item-{index}" if namer is None else namer(item, index) for index, item in enumerate(items)]
    return batch_plan(_ITERATION, [_bound(func, item, index, items) for index, item in enumerate(items)], names, config)


def _bound(func: Callable[..., Any], item: Any, index: int, items: Sequence[Any]) -> Body:
    return lambda context: func(context, item, index, items)
