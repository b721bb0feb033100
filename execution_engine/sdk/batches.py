"""The methods of a context that do many things side by side: map and parallel."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar, overload

from execution_engine.core.enums import OperationSubType, OperationType
from execution_engine.sdk.arguments import config_of, functions_of, items_of, name_first
from execution_engine.sdk.batch import BatchResult, batch_summary
from execution_engine.sdk.callables import original_name
from execution_engine.sdk.config import ChildConfig, MapConfig, ParallelBranch, ParallelConfig
from execution_engine.sdk.extras import ContextExtras
from execution_engine.sdk.operations.batch import run_batch
from execution_engine.sdk.operations.branch import BatchPlan
from execution_engine.sdk.operations.map import plan_map
from execution_engine.sdk.operations.parallel import plan_parallel

T = TypeVar("T")
U = TypeVar("U")

_MAP = str(OperationSubType.MAP)
_PARALLEL = str(OperationSubType.PARALLEL)
_DEFAULT_MAP: MapConfig[Any] = MapConfig()
_DEFAULT_PARALLEL = ParallelConfig()


class ContextBatches(ContextExtras):
    """Mixed into `DurableContext`, and nothing else."""

    __slots__ = ()

    @overload
    def map(
        self, inputs: Sequence[U], func: Callable[..., T], name: str | None = None, config: MapConfig[U] | None = None
    ) -> BatchResult[T]: ...
    @overload
    def map(self, inputs: str, func: Sequence[U], name: Callable[..., T], config: MapConfig[U] | None = None) -> BatchResult[T]: ...
    def map(self, inputs: Any, func: Any, name: Any = None, config: MapConfig[Any] | None = None) -> BatchResult[Any]:
        """Runs `func(context, item, index, items)` for every item, each in a context of its own; also `map("name", inputs, func)`.

        A failed item does not raise: it stands in the result, whose `throw_if_error()` raises. By default the first failure
        ends the map; see `MapConfig`. Ids depend on the index alone, so a set is refused.
        """
        if isinstance(inputs, str) and not callable(func):
            inputs, func, name = func, name, inputs
        body, name = name_first(func, name, "map")
        items, config = items_of(inputs), config_of(config, _DEFAULT_MAP, "map")
        config.completion_config.check_total(len(items))
        return self._batch(_MAP, name or original_name(body), partial(plan_map, items, body, config), len(items), config)

    @overload
    def parallel(
        self,
        functions: Sequence[Callable[..., T] | ParallelBranch[T]],
        name: str | None = None,
        config: ParallelConfig | None = None,
    ) -> BatchResult[T]: ...
    @overload
    def parallel(
        self, functions: Sequence[Callable[..., Any]], name: str | None = None, config: ParallelConfig | None = None
    ) -> BatchResult[Any]: ...
    @overload
    def parallel(self, functions: str, name: Sequence[Callable[..., Any]], config: ParallelConfig | None = None) -> BatchResult[Any]: ...
    def parallel(self, functions: Any, name: Any = None, config: ParallelConfig | None = None) -> BatchResult[Any]:
        """Runs the functions side by side, each with a context of its own; as `map`, and by default all have to succeed.

        Also `parallel("name", functions)`.
        """
        if isinstance(functions, str):
            functions, name = name, functions
        bodies, config = functions_of(functions), config_of(config, _DEFAULT_PARALLEL, "parallel")
        config.completion_config.check_total(len(bodies))
        return self._batch(_PARALLEL, name, partial(plan_parallel, bodies, config), len(bodies), config)

    def _batch(
        self, sub_type: str, name: str | None, plan: Callable[[], BatchPlan], total: int, config: MapConfig[Any] | ParallelConfig
    ) -> BatchResult[Any]:
        summary = batch_summary(f"{sub_type}Result", config.summary_generator)
        child: ChildConfig[Any] = ChildConfig(serdes=config.serdes, summary_generator=summary)
        return self._perform(OperationType.CONTEXT, sub_type, name, run_batch, plan, total, child)
