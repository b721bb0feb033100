"""The lines of an execution, or of one of its operations, for the tab and the drawer."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest

from durable_ops.dashboard.access import masks_for
from durable_ops.models import Right
from durable_ops.permissions import has_right
from durable_ops.selectors.log_search import find_lines
from execution_engine.core.identifiers import read_number
from execution_engine.selectors.executions import ExecutionDetail
from execution_engine.selectors.logs import LEVELS, list_lines
from execution_engine.selectors.operations import list_operations

DRAWER_LINES = 50


def logs_context(request: HttpRequest, execution: ExecutionDetail) -> dict[str, Any]:
    """Lines may say what payloads hold, so they need the same right; None without it."""
    if not has_right(request.user, Right.VIEW_PAYLOAD, execution.summary.function):
        return {"lines": None}
    asked = {key: request.GET.get(key, "").strip() for key in ("text", "level")}
    after_id = read_number(request.GET.get("after", "")) or 0
    masks = masks_for(request, execution.summary.function, execution.summary.id)
    lines, following = find_lines(masks, execution.summary.id, text=asked["text"], level=asked["level"], after=after_id)
    titles = {one.id: one.title for one in list_operations(execution.summary.id)} if lines else {}
    query = {key: value for key, value in asked.items() if value}
    return {
        "lines": [{"line": line, "title": titles.get(line.operation_id or "")} for line in lines],
        "asked": asked,
        "levels": LEVELS[1:],
        "more_url": f"{request.path}?{urlencode({'tab': 'logs', **query, 'after': following})}" if following else None,
    }


def drawer_lines(request: HttpRequest, execution: ExecutionDetail, operation_id: str) -> list[Any]:
    """The first lines that this operation said."""
    if not has_right(request.user, Right.VIEW_PAYLOAD, execution.summary.function):
        return []
    masks = masks_for(request, execution.summary.function, execution.summary.id)
    return masks.lines(list_lines(execution.summary.id, operation_id=operation_id, limit=DRAWER_LINES))
