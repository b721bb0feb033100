"""Send a signal: GET shows the form (as page or in the dialog), POST acts."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from durable_ops.actions import executions as actions
from durable_ops.dashboard.access import actor_of, console_view
from durable_ops.dashboard.forms import SignalForm
from durable_ops.dashboard.htmx import render_page
from durable_ops.models import Right
from execution_engine.core.errors import CommandError, ExecutionNotFoundError
from execution_engine.selectors.executions import ExecutionSummary, get_execution


@require_http_methods(["GET", "HEAD", "POST"])
@console_view(Right.SIGNAL_EXECUTION)
def signal(request: HttpRequest, execution_id: UUID) -> HttpResponse:
    execution = find_summary(execution_id)
    form = SignalForm(posted(request), initial={"name": request.GET.get("name", "")})
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            name = form.cleaned_data["name"]
            try:
                actions.send_signal(actor_of(request), execution_id, name=name, payload=form.cleaned_data["payload"])
            except CommandError as error:
                form.add_error(None, error.message)
                status = error.status
            else:
                messages.success(request, f"Signal {name} sent.")
                return HttpResponseRedirect(reverse("dashboard:execution", args=[execution_id]))
    return render_page(request, "executions/signal.html", {"form": form, "execution": execution}, fragment="form", status=status)


def posted(request: HttpRequest) -> QueryDict | None:
    """Also an empty body is one: its form is then told what is missing."""
    return request.POST if request.method == "POST" else None


def find_summary(execution_id: UUID) -> ExecutionSummary:
    try:
        return get_execution(execution_id).summary
    except ExecutionNotFoundError as error:
        raise Http404(error.message) from error
