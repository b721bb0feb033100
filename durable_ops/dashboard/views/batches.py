"""Batches: choose, look and confirm; then progress, a result per execution, abort, and another try for what failed."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from django.contrib import messages
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from durable_ops.actions import batches as actions
from durable_ops.actions.actor import Actor
from durable_ops.actions.batch_export import exported_rows
from durable_ops.dashboard.access import actor_of, console_view
from durable_ops.dashboard.htmx import is_unchanged, live_url, render_page, token, unchanged
from durable_ops.models import Batch, BatchItem, Right
from durable_ops.permissions import access_of, has_right
from durable_ops.selectors import exports
from durable_ops.selectors.pages import newest_page
from durable_ops.selectors.searches import KEYS
from durable_ops.web.downloads import download
from execution_engine.core.errors import CommandError
from execution_engine.core.identifiers import read_number

PAGE_SIZE = 50
SAMPLE = 10


@console_view(Right.VIEW_EXECUTION)
@require_safe
def batch_list(request: HttpRequest) -> HttpResponse:
    before = request.GET.get("before", "")
    found = _visible(request).exclude(status=Batch.Status.DRAFT)
    shown, following = newest_page(found, PAGE_SIZE, read_number(before))
    outcomes = _outcomes([batch.pk for batch in shown])
    context = {
        "rows": [{"batch": batch, **_progress(batch, outcomes.get(batch.pk, {}))} for batch in shown],
        "next_url": f"{request.path}?before={following}" if following else None,
        "first_url": request.path if before else None,
    }
    return render_page(request, "batches/list.html", context, fragment="rows")


@console_view(Right.VIEW_EXECUTION)
@require_POST
def new_batch(request: HttpRequest) -> HttpResponse:
    """From the list of executions: the ticked rows, or (`scope` all) everything that its address matches."""
    query = None
    if request.POST.get("scope") == "all":
        query = {key: value for key, value in parse_qsl(request.POST.get("query", "")) if key in KEYS}
    try:
        ids = [UUID(text) for text in request.POST.getlist("id")]
        batch = actions.draft_batch(actor_of(request), act=request.POST.get("act", ""), ids=ids, query=query)
    except (CommandError, ValueError) as error:
        messages.error(request, error.message if isinstance(error, CommandError) else "That is no execution id.")
        return HttpResponseRedirect(f"{reverse('dashboard:executions')}?{request.POST.get('query', '')}")
    return HttpResponseRedirect(reverse("dashboard:batch", args=[batch.pk]))


@console_view(Right.VIEW_EXECUTION)
@require_safe
def batch_detail(request: HttpRequest, batch_id: int) -> HttpResponse:
    batch = _found(request, batch_id)
    progress = _progress(batch, _outcomes([batch_id]).get(batch_id, {}))
    outcome = request.GET.get("outcome", "")
    after = request.GET.get("after", "")
    current = token(batch.status, sorted(progress["counts"].items()))
    if is_unchanged(request, current):
        return unchanged()
    items = _items(batch, outcome, after)
    is_cut = len(items) > PAGE_SIZE
    items = items[:PAGE_SIZE]
    context = {
        "batch": batch,
        **progress,
        "items": items[:SAMPLE] if batch.status == Batch.Status.DRAFT else items,
        "hidden": max(batch.total - SAMPLE, 0),
        "outcome": outcome,
        "next_url": f"{request.path}?outcome={outcome}&after={items[-1].pk}" if is_cut else None,
        "first_url": f"{request.path}?outcome={outcome}" if after else None,
        "live_url": live_url(request, current) if batch.status == Batch.Status.RUNNING else None,
        "versions": actions.versions_of(batch) if batch.status == Batch.Status.DRAFT and batch.act == Batch.Act.MOVE else [],
        "has_file": batch.act == Batch.Act.EXPORT and batch.ended_at is not None and batch.confirmed_at is not None,
        "may_act": has_right(request.user, actions.RIGHTS[Batch.Act(batch.act)]),
        "undone": progress["counts"].get("failed", 0) + progress["counts"].get("skipped", 0),
    }
    return render_page(request, "batches/detail.html", context, fragment="live")


@console_view(Right.VIEW_EXECUTION)
@require_POST
def confirm(request: HttpRequest, batch_id: int) -> HttpResponse:
    wishes = {"to_version": request.POST.get("version", "")}
    return _command(request, batch_id, actions.confirm_batch, "Begun. Workers do it in the background.", **wishes)


@console_view(Right.VIEW_EXECUTION)
@require_POST
def abort(request: HttpRequest, batch_id: int) -> HttpResponse:
    return _command(request, batch_id, actions.abort_batch, "Aborted. What was done stays done.")


@console_view(Right.VIEW_EXECUTION)
@require_POST
def retry(request: HttpRequest, batch_id: int) -> HttpResponse:
    return _command(request, batch_id, actions.retry_batch, "What was not done is tried again.")


@console_view(Right.VIEW_EXECUTION)
@require_safe
def export(request: HttpRequest, batch_id: int, form: str) -> HttpResponseBase:
    """The rows of an export that has ended, as `csv` or `json`, masked for whoever downloads them."""
    if form not in ("csv", "json"):
        raise Http404("There is no such export.")
    batch = _found(request, batch_id)
    try:
        rows = exported_rows(batch, access_of(request.user))
    except CommandError as error:
        messages.error(request, error.message)
        return HttpResponseRedirect(reverse("dashboard:batch", args=[batch_id]))
    return download(exports.lines_of(rows, form), f"batch-{batch_id}", form)


def _command(request: HttpRequest, batch_id: int, command: Callable[..., Batch], done: str, **wishes: str) -> HttpResponse:
    actor: Actor = actor_of(request)
    try:
        batch = command(actor, batch_id, reason=request.POST.get("reason", "").strip(), **wishes)
    except CommandError as error:
        if error.status == 404:
            raise Http404(error.message) from error
        messages.error(request, error.message)
        return HttpResponseRedirect(reverse("dashboard:batch", args=[batch_id]))
    messages.success(request, done)
    return HttpResponseRedirect(reverse("dashboard:batch", args=[batch.pk]))


def _visible(request: HttpRequest) -> QuerySet[Batch]:
    return actions.visible_batches(access_of(request.user), request.user)


def _found(request: HttpRequest, batch_id: int) -> Batch:
    batch = _visible(request).select_related("retry_of").filter(pk=batch_id).first()
    if batch is None:
        raise Http404("There is no such batch. Batches are kept for 90 days.")
    return batch


def _outcomes(batch_ids: list[int]) -> dict[int, dict[str, int]]:
    found: dict[int, dict[str, int]] = {}
    rows = BatchItem.objects.filter(batch_id__in=batch_ids).values("batch_id", "outcome").annotate(number=Count("id")).order_by()
    for row in rows:
        found.setdefault(row["batch_id"], {})[row["outcome"]] = row["number"]
    return found


def _progress(batch: Batch, counts: dict[str, int]) -> dict[str, Any]:
    tried = counts.get("done", 0) + counts.get("failed", 0)
    tones = {"draft": "waiting", "running": "running", "done": "failed" if counts.get("failed") else "succeeded", "aborted": "stopped"}
    return {"counts": counts, "tried": tried, "tone": tones[batch.status], "words": batch.get_status_display()}


def _items(batch: Batch, outcome: str, after: str) -> list[BatchItem]:
    found = batch.items.defer("row").order_by("id")
    if outcome in BatchItem.Outcome.values:
        found = found.filter(outcome=outcome)
    if (number := read_number(after)) is not None:
        found = found.filter(id__gt=number)
    return list(found[: PAGE_SIZE + 1])
