"""One execution: header, time line, operations, history, input and result."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from durable_ops.approvals.inbox import of_execution
from durable_ops.dashboard.access import console_view, masks_for
from durable_ops.dashboard.drawer import operation_context
from durable_ops.dashboard.htmx import LIVE, is_unchanged, live_url, render_page, token, unchanged, wants_fragment
from durable_ops.dashboard.logs import logs_context
from durable_ops.dashboard.payloads import error_context, make_payload, read_error
from durable_ops.dashboard.views.costs import cost_context, header_cost
from durable_ops.dashboard.views.timeline import timeline_context
from durable_ops.models import AuditEntry, Right
from durable_ops.permissions import access_of, has_right
from durable_ops.selectors.explanations import explain
from durable_ops.web.quick_poll import holds, make_stamp
from execution_engine.core.enums import EventType
from execution_engine.core.errors import ExecutionNotFoundError
from execution_engine.core.identifiers import read_number
from execution_engine.selectors.events import list_event_rows
from execution_engine.selectors.executions import ExecutionDetail, ExecutionSummary, get_execution, get_payloads
from execution_engine.selectors.explain import StateCode
from execution_engine.selectors.freshness import read_mark
from execution_engine.selectors.functions import get_source
from execution_engine.selectors.graph import get_graph
from execution_engine.selectors.logs import last_line_id
from execution_engine.selectors.operations import Ended, get_retried_error, list_operations, tree

TABLE_ROWS = 100
TABS = {
    "operations": "Operations",
    "graph": "Graph",
    "history": "History",
    "logs": "Logs",
    "data": "Input and result",
    "cost": "Cost",
    "code": "Code",
    "audit": "Audit",
}
AUDIT_ROWS = 100
ONLY = {"open": Ended.NOT_YET, "failed": Ended.BADLY}
"""Which operations the table has, by the word in its address; all without one."""


@console_view(Right.VIEW_EXECUTION)
def execution_detail(request: HttpRequest, execution_id: UUID) -> HttpResponse:
    mark = read_mark(execution_id)  # before what it vouches for
    execution = _find(request, execution_id)
    said = last_line_id(execution_id) if request.GET.get("tab") == "logs" else 0
    current = _token(execution, said)
    if is_unchanged(request, current) and ("stamp" not in request.GET or holds(request.path, request.GET["stamp"], mark)):
        return unchanged()
    stamp = None if request.GET.get("tab") == "logs" else make_stamp(request.path, mark)
    sees_audit = has_right(request.user, Right.VIEW_AUDIT, execution.summary.function)
    tabs = {key: words for key, words in TABS.items() if key != "audit" or sees_audit}
    tab = request.GET.get("tab", "")
    tab = tab if tab in tabs else "operations"
    summary = execution.summary
    context: dict[str, Any] = {
        "execution": summary,
        "detail": execution,
        "live_url": None if summary.is_terminal else live_url(request, current, stamp),
        **_error(request, summary),
        "explanation": None if summary.is_terminal else explain(execution_id, execution, access=access_of(request.user)),
        "approvals": of_execution(request.user, execution_id),
        **timeline_context(request, execution),
        "header_cost": None if tab == "cost" else header_cost(execution),
        "tab": tab,
        "tabs": tabs,
    }
    context |= _TAB_CONTEXTS[tab](request, execution)
    if not wants_fragment(request) and request.GET.get("operation"):
        context |= operation_context(request, execution, request.GET["operation"])
    return render_page(request, "executions/detail.html", context, fragment="live")


@console_view(Right.VIEW_EXECUTION)
def operation_drawer(request: HttpRequest, execution_id: UUID, operation_id: str) -> HttpResponse:
    execution = _find(request, execution_id)
    context = operation_context(request, execution, operation_id)
    if context["operation"] is None:
        raise Http404("There is no such operation.")
    if is_unchanged(request, context["drawer_token"]):
        return unchanged()
    address = f"{reverse('dashboard:execution', args=[execution_id])}?operation={operation_id}"
    context |= {"execution": execution.summary}
    url = None if "seen" in request.GET else address
    return render_page(request, "executions/operation.html", context, fragment="drawer", url=url)


def _find(request: HttpRequest, execution_id: UUID) -> ExecutionDetail:
    try:
        found = get_execution(execution_id)
    except ExecutionNotFoundError as error:
        raise Http404("There is no such execution. It may have been purged after its retention.") from error
    return masks_for(request, found.summary.function, execution_id).detail(found)


def _token(execution: ExecutionDetail, said: int) -> str:
    summary = execution.summary
    return token(summary.event_seq, summary.wake_seq, summary.state, summary.status_text, summary.invocations, said)


def _error(request: HttpRequest, execution: ExecutionSummary) -> dict[str, Any]:
    """For the header: what ended it badly and where that was raised, or what the step raised that is tried again."""
    if execution.is_terminal:
        return {} if execution.state.code is StateCode.SUCCEEDED else error_context(request, execution)
    if execution.state.code is not StateCode.RETRYING or not has_right(request.user, Right.VIEW_PAYLOAD, execution.function):
        return {}
    return {"error": read_error(masks_for(request, execution.function, execution.id).text(get_retried_error(execution.id)))}


def _operations_context(request: HttpRequest, execution: ExecutionDetail) -> dict[str, Any]:
    after, only = read_number(request.GET.get("after", "")), request.GET.get("only", "")
    only = only if only in ONLY else ""
    operations = list_operations(execution.summary.id, after=after or 0, limit=TABLE_ROWS + 1, ended=ONLY.get(only))
    is_cut = len(operations) > TABLE_ROWS
    operations = operations[:TABLE_ROWS]
    here = f"{request.path}?tab=operations" + (f"&only={only}" if only else "")
    return {
        "rows": tree(operations),
        "only": only,
        "first_url": here if after else None,
        "more_url": f"{here}&after={operations[-1].start_event}" if is_cut else None,
    }


def _history_context(request: HttpRequest, execution: ExecutionDetail) -> dict[str, Any]:
    kind = request.GET.get("type")
    kind = kind if kind in set(EventType) else None
    newest_first = request.GET.get("order") == "newest"
    follows = request.GET.get("order") == "follow"
    after = None if follows else read_number(request.GET.get("after", ""))
    page = list_event_rows(execution.summary.id, kind=kind, after=after, newest_first=newest_first or follows)
    if follows:  # the last events in the order in which they happened, as `tail -f` shows a file
        page = replace(page, items=page.items[::-1], next_after=None)
    query = request.GET.copy()
    for name in LIVE:
        query.pop(name, None)
    query["after"] = str(page.next_after)
    return {
        "history": page,
        "type": kind,
        "types": list(EventType),
        "newest_first": newest_first,
        "follows": follows,
        "more_url": f"{request.path}?{query.urlencode()}" if page.next_after else None,
    }


def _data_context(request: HttpRequest, execution: ExecutionDetail) -> dict[str, Any]:
    if not has_right(request.user, Right.VIEW_PAYLOAD, execution.summary.function):
        return {"payloads": None}
    texts = masks_for(request, execution.summary.function, execution.summary.id).payloads(get_payloads(execution.summary.id))
    labels = {"input": "Input", "result": "Result", "error": "Error"}
    made = (
        make_payload(key, label, getattr(texts, key), reverse("dashboard:payload", args=[execution.summary.id, key]))
        for key, label in labels.items()
    )
    return {"payloads": [payload for payload in made if payload is not None]}


def _code_context(_: HttpRequest, execution: ExecutionDetail) -> dict[str, Any]:
    return {"source": get_source(execution.summary.function_version_id)}


def _audit_context(_: HttpRequest, execution: ExecutionDetail) -> dict[str, Any]:
    return {"entries": AuditEntry.objects.filter(execution_id=execution.summary.id).order_by("-id")[:AUDIT_ROWS]}


def _graph_context(_: HttpRequest, execution: ExecutionDetail) -> dict[str, Any]:
    return {"graph": get_graph(execution.summary.id)}


_TAB_CONTEXTS = {
    "operations": _operations_context,
    "graph": _graph_context,
    "history": _history_context,
    "logs": logs_context,
    "data": _data_context,
    "cost": cost_context,
    "code": _code_context,
    "audit": _audit_context,
}
