"""The operations that ran, as a picture: one below the other, contexts as boxes, the branches of a batch side by side."""

from collections import defaultdict
from dataclasses import dataclass
from uuid import UUID

from execution_engine.core.enums import OperationStatus, OperationSubType, OperationType
from execution_engine.selectors.explain import plain_title
from execution_engine.selectors.operations import SHOWN, OperationRow, list_operations

BRANCHES = 6
"""Branches of one batch that are drawn; of more, those that failed or are open come first."""
STEPS = 60
"""Operations of one context that are drawn."""
DEPTH = 6
_BATCHES = (OperationSubType.MAP, OperationSubType.PARALLEL)
_BAD = (OperationStatus.FAILED, OperationStatus.TIMED_OUT, OperationStatus.STOPPED)


@dataclass(frozen=True, slots=True)
class Node:
    """An operation; `inside` are the nodes of a context, `left_out` counts those that are not drawn and `left_out_failed` the bad ones
    among them. `is_batch` draws them side by side."""

    operation: OperationRow
    title: str
    inside: tuple["Node", ...] = ()
    left_out: int = 0
    left_out_failed: int = 0

    @property
    def is_batch(self) -> bool:
        return self.operation.sub_type in _BATCHES

    @property
    def is_context(self) -> bool:
        return self.operation.type == OperationType.CONTEXT


@dataclass(frozen=True, slots=True)
class Graph:
    """`is_cut`: only the first operations of the execution are drawn."""

    nodes: tuple[Node, ...]
    left_out: int
    is_cut: bool


def get_graph(execution_id: UUID) -> Graph:
    """One query."""
    rows = list_operations(execution_id, limit=SHOWN + 1)
    is_cut, rows = len(rows) > SHOWN, rows[:SHOWN]
    children: dict[str | None, list[OperationRow]] = defaultdict(list)
    for row in rows:
        children[row.parent_id].append(row)
    nodes = tuple(_node(row, children, 1) for row in children[None][:STEPS])
    return Graph(nodes, max(0, len(children[None]) - STEPS), is_cut)


def _node(row: OperationRow, children: dict[str | None, list[OperationRow]], depth: int) -> Node:
    inside = children.get(row.id, [])
    is_batch = row.sub_type in _BATCHES
    shown = _first(inside, BRANCHES if is_batch else STEPS) if depth < DEPTH else []
    here = {one.id for one in shown}
    rest = [one for one in inside if one.id not in here]
    title = plain_title(row.name) or row.title
    nodes = tuple(_node(one, children, depth + 1) for one in shown)
    return Node(row, title, nodes, len(rest), sum(one.status in _BAD for one in rest))


def _first(rows: list[OperationRow], limit: int) -> list[OperationRow]:
    """In order of start; when not all fit, what people look for: what failed and what is open."""
    if len(rows) <= limit:
        return rows
    wanted = sorted(rows, key=lambda row: (row.status not in _BAD, not row.is_open, row.start_event))[:limit]
    return sorted(wanted, key=lambda row: row.start_event)
