"""The audit log: every change by a person, key or command, newest first."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.urls import reverse
from django.utils.dateparse import parse_date

from durable_ops.actions.actor import Channel
from durable_ops.audit.search import AuditFilters, find_entries, older
from durable_ops.audit.verify import chain_state
from durable_ops.dashboard.access import console_view
from durable_ops.dashboard.htmx import page_url, render_page, wants_fragment
from durable_ops.models import Right
from durable_ops.permissions import access_of
from durable_ops.selectors.pages import first_page
from durable_ops.texts.csv_cells import csv_lines
from execution_engine.core.identifiers import read_number

PAGE_SIZE = 50
EXPORTED_ROWS = 100_000
COLUMNS = ("id", "at", "actor", "channel", "address", "key_prefix", "action", "object_type", "object_id", "execution_id", "reason", "facts")


@console_view(Right.VIEW_AUDIT)
def audit_list(request: HttpRequest) -> HttpResponse:
    """Filters: text (who, object, reason), action, door and days. Pages by entry number."""
    filters = _filters(request)
    before = request.GET.get("before", "")
    found, last_seen = find_entries(filters), read_number(before)
    entries, following = first_page((older(found, last_seen) if last_seen else found).select_related("seal"), PAGE_SIZE)
    query = request.GET.copy()
    query.pop("before", None)
    exported = query.urlencode()
    if following:
        query["before"] = str(following)
    context = {
        "entries": entries,
        "next_url": f"{request.path}?{query.urlencode()}" if following else None,
        "first_url": f"{request.path}?{exported}" if before else None,
        "filters": filters,
        "chain": None if wants_fragment(request) else chain_state(),
        "actions": ACTIONS,
        "channels": list(Channel),
        "export_urls": [(kind.upper(), f"{reverse('dashboard:audit_export', args=[kind])}?{exported}") for kind in ("csv", "json")],
    }
    return render_page(request, "audit/list.html", context, fragment="rows", url=page_url(request))


@console_view(Right.VIEW_AUDIT)
def audit_export(request: HttpRequest, kind: str) -> StreamingHttpResponse:
    """At most 100,000 entries of what the page shows, newest first, as CSV or as a JSON array; rows are read as they are sent."""
    if kind not in ("csv", "json"):
        raise Http404("Exports are CSV or JSON.")
    rows = find_entries(_filters(request)).values(*COLUMNS)[:EXPORTED_ROWS].iterator(chunk_size=1000)
    lines = csv_lines(COLUMNS, (_plain(row).values() for row in rows)) if kind == "csv" else _json_parts(rows)
    answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8" if kind == "csv" else "application/json")
    answer["Content-Disposition"] = f'attachment; filename="audit.{kind}"'
    return answer


def _filters(request: HttpRequest) -> AuditFilters:
    return replace(read_filters(request.GET), functions=access_of(request.user).functions_for(Right.VIEW_AUDIT))


def read_filters(query: QueryDict) -> AuditFilters:
    """The filters of the address; unknown values are ignored."""
    values = {key: query.get(key, "").strip() for key in ("q", "action", "channel", "since", "until")}
    channel = values["channel"] if values["channel"] in set(Channel) else ""
    return AuditFilters(values["q"], values["action"], channel, _day(values["since"]), _day(values["until"]))


def _day(text: str) -> date | None:
    try:
        found = parse_date(text)
    except ValueError:
        return None
    return found if found is not None and 1970 <= found.year <= 9000 else None


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "at": row["at"].isoformat(), "execution_id": row["execution_id"] and str(row["execution_id"])}


def _json_parts(rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    first = next(rows, None)
    if first is None:
        yield "[]\n"
        return
    yield "[" + json.dumps(_plain(first), ensure_ascii=False)
    yield from (",\n" + json.dumps(_plain(row), ensure_ascii=False) for row in rows)
    yield "]\n"


# What can be chosen, by the kind of object; an action that is not listed here is still shown and found by its name.
ACTIONS: dict[str, tuple[str, ...]] = {
    "execution": ("start", "stop", "signal", "pause", "resume", "redrive", "fork", "move", "delete"),
    "callback": ("approve", "reject", "succeed", "fail"),
    "approval": ("approve", "reject", "claim", "release", "reassign"),
    "batch": ("start", "abort", "end"),
    "api_key": ("create", "revoke"),
    "person": ("change",),
    "price": ("add",),
    "view": ("save", "remove"),
    "webhook": ("create", "change", "rotate", "test", "redeliver", "remove"),
    "alert_rule": ("create", "change", "remove"),
    "attempt": ("refused",),
}
