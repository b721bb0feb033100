"""The limits of a function: what is set, how much of it is taken, and the form to change it."""

from dataclasses import asdict

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from durable_ops.actions.limits import change_limits
from durable_ops.dashboard.access import actor_of, console_view
from durable_ops.dashboard.acting import act_once, posted
from durable_ops.dashboard.forms.limits import LimitsForm
from durable_ops.dashboard.htmx import render_page
from durable_ops.models import Right
from durable_ops.permissions import access_of
from execution_engine.selectors.limits import function_limits


@require_http_methods(["GET", "HEAD", "POST"])
@console_view(Right.MANAGE_LIMITS)
def edit_limits(request: HttpRequest, name: str) -> HttpResponse:
    found = function_limits([name]).get(name) if access_of(request.user).may(Right.MANAGE_LIMITS, name) else None
    if found is None:
        raise Http404("There is no such function, or no worker has registered it yet.")
    form = LimitsForm(posted(request), initial={**asdict(found.limits), "revision": found.revision})

    def changed() -> tuple[str, str]:
        data = form.cleaned_data
        change_limits(actor_of(request), name, form.limits(), revision=data["revision"], reason=data["reason"])
        return f"Limits of {name} count from now on.", reverse("dashboard:function", args=[name])

    answer = act_once(request, form, changed)
    if isinstance(answer, HttpResponse):
        return answer
    return render_page(request, "functions/limits.html", {"form": form, "found": found}, fragment="form", status=answer)
