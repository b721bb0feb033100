"""Protected data: which fields are masked for whom lacks the right, and whose edited redrives need a second person."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from durable_ops.actions import protection as actions
from durable_ops.dashboard.access import actor_of, console_view
from durable_ops.dashboard.acting import act_once, posted
from durable_ops.dashboard.forms.settings import ProtectionForm
from durable_ops.dashboard.htmx import render_page
from durable_ops.models import Right


@require_http_methods(["GET", "HEAD", "POST"])
@console_view(Right.MANAGE_PROTECTION)
def protection(request: HttpRequest) -> HttpResponse:
    """The rules, and a form that sets one; `?pattern=` fills it with what that one says now. A POST without anything removes it."""
    rules = list(actions.rules())
    chosen = next((one for one in rules if one.pattern == request.GET.get("pattern")), None)
    filled = {"masked": "\n".join(chosen.masked), "needs_second_person": chosen.needs_second_person} if chosen else {}
    form = ProtectionForm(posted(request), initial={**filled, "pattern": chosen.pattern if chosen else ""})

    def act() -> tuple[str, str]:
        data = form.cleaned_data
        values = {key: data[key] for key in ("pattern", "masked", "needs_second_person", "reason")}
        kept = actions.protect(actor_of(request), **values)
        words = f"{data['pattern']} is protected so." if kept else f"Nothing of {data['pattern']} is protected any more."
        return words, reverse("dashboard:protection")

    answer = act_once(request, form, act)
    if isinstance(answer, HttpResponse):
        return answer
    authors = sorted(getattr(settings, "DURABLE_MASKED_FIELDS", {}).items())
    context = {"rules": rules, "form": form, "chosen": chosen, "authors": authors, "tab": "protection"}
    context["author_pairs"] = sorted(getattr(settings, "DURABLE_SECOND_PERSON", ()))
    return render_page(request, "settings/protection.html", context, fragment="form", status=answer)
