"""The list of executions and the strip of counts above it."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from durable_ops.dashboard.access import console_view
from durable_ops.dashboard.filters import ReadFilters, read_filters
from durable_ops.dashboard.formats import count_text
from durable_ops.dashboard.htmx import is_unchanged, live_url, page_url, render_page, token, unchanged
from durable_ops.models import Right
from execution_engine.core.errors import InvalidInputError
from execution_engine.selectors.executions import Page, list_executions
from execution_engine.selectors.explain import StateCode
from execution_engine.selectors.functions import function_names
from execution_engine.selectors.overview import Overview, overview

PAGE_SIZE = 50
FACET_WORDS = {
    StateCode.QUEUED: "Queued",
    StateCode.RUNNING: "Running",
    StateCode.RETRYING: "Retrying",
    StateCode.WAITING: "Timer",
    StateCode.WAITING_FOR_CALLBACK: "Callback",
    StateCode.WAITING_FOR_SIGNAL: "Signal",
    StateCode.WAITING_FOR_CHILD: "Child",
    StateCode.POLLING: "Polling",
    StateCode.PAUSED: "Paused",
    StateCode.STRANDED: "Stranded",
    StateCode.SUCCEEDED: "Succeeded",
    StateCode.FAILED: "Failed",
    StateCode.TIMED_OUT: "Timed out",
    StateCode.STOPPED: "Stopped",
}
ALWAYS_SHOWN = frozenset(
    {StateCode.QUEUED, StateCode.RUNNING, StateCode.RETRYING, StateCode.WAITING, StateCode.WAITING_FOR_CALLBACK}
    | {StateCode.STRANDED, StateCode.SUCCEEDED, StateCode.FAILED}
)


@console_view(Right.VIEW_EXECUTION)
def execution_list(request: HttpRequest) -> HttpResponse:
    read = read_filters(request.GET)
    if (found := _whole_id(read.filters.text)) is not None:
        return HttpResponseRedirect(reverse("dashboard:execution", args=[found]))
    page, problems = _page(request, read)
    current = token([(item.id, item.event_seq, item.state, item.status_text) for item in page.items])
    if is_unchanged(request, current):
        return unchanged()
    is_first = not request.GET.get("cursor")
    # New executions appear on the first page only; further pages change as long as one of theirs is open.
    is_live = is_first or any(not item.is_terminal for item in page.items)
    context = {
        "page": page,
        "read": read,
        "problems": problems,
        "is_first": is_first,
        "live_url": live_url(request, current) if is_live else None,
        "next_url": _with(request, cursor=page.next_cursor) if page.next_cursor else None,
        "first_url": _with(request, cursor=None),
        "attribute": request.GET.get("attribute", ""),
    }
    if "seen" not in request.GET:
        context |= {"functions": function_names(), "facets": _facets(request, overview(), read)}
    return render_page(request, "executions/list.html", context, fragment="rows", url=None if "seen" in request.GET else page_url(request))


@console_view(Right.VIEW_EXECUTION)
def counts(request: HttpRequest) -> HttpResponse:
    """The strip above the list; its links keep the other filters of the page that asks."""
    found = overview()
    current = token(sorted(found.counts.items()))
    if is_unchanged(request, current):
        return unchanged()
    context = {"facets": _facets(request, found, read_filters(request.GET))}
    return render_page(request, "executions/list.html", context, fragment="facets")


def _page(request: HttpRequest, read: ReadFilters) -> tuple[Page, tuple[str, ...]]:
    try:
        return list_executions(read.filters, request.GET.get("cursor"), PAGE_SIZE), read.problems
    except InvalidInputError as error:
        return list_executions(read.filters, None, PAGE_SIZE), (*read.problems, error.message)


def _facets(request: HttpRequest, found: Overview, read: ReadFilters) -> dict[str, object]:
    chosen = read.filters.state
    current = token(sorted(found.counts.items()))
    query = request.GET.copy()
    query["seen"] = current
    items = [
        {
            "code": code,
            "words": words,
            "count": count_text(found.counts.get(code, 0), is_estimated=code in found.estimated),
            "is_empty": not found.counts.get(code),
            "is_chosen": code == chosen,
            "url": _with(request, state=None if code == chosen else code.value, cursor=None),
        }
        for code, words in FACET_WORDS.items()
        if code in ALWAYS_SHOWN or code == chosen or found.counts.get(code)
    ]
    return {
        "items": items,
        "total": count_text(found.total, is_estimated=bool(found.estimated)),
        "all_url": _with(request, state=None, cursor=None),
        "is_all": chosen is None,
        "live_url": f"{reverse('dashboard:counts')}?{query.urlencode()}",
    }


def _with(request: HttpRequest, **changes: str | None) -> str:
    query = request.GET.copy()
    for key, value in {**changes, "seen": None}.items():
        query.pop(key, None)
        if value:
            query[key] = value
    kept = {key: query[key] for key in query if query[key].strip()}
    query.clear()
    query.update(kept)
    path = reverse("dashboard:executions")
    return f"{path}?{query.urlencode()}" if query else path


def _whole_id(text: str) -> UUID | None:
    """Somebody pasted the id (or the ARN, which ends with it) of one execution."""
    try:
        return UUID(text.rpartition("/")[2]) if len(text) >= 32 else None
    except ValueError:
        return None
