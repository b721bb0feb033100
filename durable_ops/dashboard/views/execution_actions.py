"""Send a signal: GET shows the form (as page or in the dialog), POST acts."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from durable_ops.actions import executions as actions
from durable_ops.dashboard.access import actor_of, console_view
from durable_ops.dashboard.acting import act_once, posted
from durable_ops.dashboard.forms.executions import SignalForm
from durable_ops.dashboard.htmx import render_page
from durable_ops.models import Right
from execution_engine.core.errors import ExecutionNotFoundError
from execution_engine.selectors.executions import ExecutionSummary, get_execution


@require_http_methods(["GET", "HEAD", "POST"])
@console_view(Right.SIGNAL_EXECUTION)
def signal(request: HttpRequest, execution_id: UUID) -> HttpResponse:
    execution = find_summary(execution_id)
    form = SignalForm(posted(request), initial={"name": request.GET.get("name", "")})

    def act() -> tuple[str, str]:
        name = form.cleaned_data["name"]
        actions.send_signal(actor_of(request), execution_id, name=name, payload=form.cleaned_data["payload"])
        return f"Signal {name} sent.", reverse("dashboard:execution", args=[execution_id])

    answer = act_once(request, form, act)
    if isinstance(answer, HttpResponse):
        return answer
    return render_page(request, "executions/signal.html", {"form": form, "execution": execution}, fragment="form", status=answer)


def find_summary(execution_id: UUID) -> ExecutionSummary:
    try:
        return get_execution(execution_id).summary
    except ExecutionNotFoundError as error:
        raise Http404(error.message) from error
