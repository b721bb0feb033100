"""Webhooks: make them, see what was sent and how it was answered, test one, send again."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from durable_ops.actions import webhooks as actions
from durable_ops.dashboard.access import actor_of, console_view
from durable_ops.dashboard.acting import act_once, posted
from durable_ops.dashboard.forms.fields import ReasonForm
from durable_ops.dashboard.forms.webhooks import WebhookForm
from durable_ops.dashboard.htmx import render_page
from durable_ops.models import Delivery, Right, Webhook
from durable_ops.selectors.pages import newest_page
from durable_ops.webhooks.events import LABELS
from durable_ops.webhooks.listing import STATES, deliveries_in
from execution_engine.core.errors import CommandError
from execution_engine.core.identifiers import read_number

SHOWN = 50
WORDS = {"": "All", "waiting": "Waiting", "sent": "Delivered", "given_up": "Given up"}


@require_http_methods(["GET", "HEAD", "POST"])
@console_view(Right.MANAGE_WEBHOOKS)
def webhook_list(request: HttpRequest) -> HttpResponse:
    """All webhooks and the form for a new one. The new secret is shown only in the answer to its POST."""
    form, made, status = WebhookForm(posted(request), initial={"functions": "*"}), None, 200
    if request.method == "POST":
        made = _make(request, form)
        status = 200 if made else 422
        form = WebhookForm(initial={"functions": "*"}) if made else form
    context = {"hooks": Webhook.objects.order_by("name", "id"), "form": form, "made": made, "events": LABELS, "tab": "webhooks"}
    return render_page(request, "settings/webhooks.html", context, fragment="hooks", status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@console_view(Right.MANAGE_WEBHOOKS)
def webhook_detail(request: HttpRequest, webhook_id: int) -> HttpResponse:
    """What it is told, its deliveries, and the form that changes it."""
    hook = _found(webhook_id)
    initial = {name: getattr(hook, name) for name in ("name", "url", "functions", "events")}
    form = WebhookForm(posted(request), initial=initial)

    def change() -> tuple[str, str]:
        actions.change_webhook(actor_of(request), webhook_id, dict(form.cleaned_data))
        return "Saved. It counts from the next event on.", _address(webhook_id)

    done = act_once(request, form, change)
    return done if isinstance(done, HttpResponse) else _page(request, hook, form=form, status=done)


@console_view(Right.MANAGE_WEBHOOKS)
@require_POST
def rotate(request: HttpRequest, webhook_id: int) -> HttpResponse:
    """The new secret is shown only in this answer."""
    made = actions.rotate_secret(actor_of(request), _found(webhook_id).pk)
    return _page(request, made.webhook, made=made)


@console_view(Right.MANAGE_WEBHOOKS)
@require_POST
def send_test(request: HttpRequest, webhook_id: int) -> HttpResponse:
    def act() -> tuple[str, str]:
        hook = actions.send_test(actor_of(request), webhook_id).webhook
        words = "A test is on its way; its answer shows below in a second or two."
        return words if hook.is_active else "The test is sent once the webhook is switched on.", _address(webhook_id)

    return _acted(request, webhook_id, act)


@console_view(Right.MANAGE_WEBHOOKS)
@require_POST
def switch(request: HttpRequest, webhook_id: int) -> HttpResponse:
    """Off, or on again."""
    is_active = request.POST.get("is_active") == "on"

    def act() -> tuple[str, str]:
        actions.change_webhook(actor_of(request), webhook_id, {"is_active": is_active}, reason=request.POST.get("reason", "")[:1000])
        words = "Switched on: it hears what happens from now on." if is_active else "Switched off: nothing is sent."
        return words, _address(webhook_id)

    return _acted(request, webhook_id, act)


@require_http_methods(["GET", "HEAD", "POST"])
@console_view(Right.MANAGE_WEBHOOKS)
def remove(request: HttpRequest, webhook_id: int) -> HttpResponse:
    hook = _found(webhook_id)
    form = ReasonForm(posted(request))

    def act() -> tuple[str, str]:
        actions.remove_webhook(actor_of(request), webhook_id, reason=form.cleaned_data["reason"])
        return f"Webhook {hook.name} is removed.", reverse("dashboard:webhooks")

    done = act_once(request, form, act)
    if isinstance(done, HttpResponse):
        return done
    context = {"hook": hook, "form": form, "waiting": hook.deliveries.filter(STATES["waiting"]).count(), "tab": "webhooks"}
    return render_page(request, "settings/webhook_remove.html", context, fragment="form", status=done)


@console_view(Right.MANAGE_WEBHOOKS)
@require_POST
def redeliver(request: HttpRequest, delivery_id: int) -> HttpResponse:
    found = get_object_or_404(Delivery.objects.only("webhook_id"), pk=delivery_id)

    def act() -> tuple[str, str]:
        again = actions.redeliver(actor_of(request), delivery_id)
        return f"{again.event} is sent again, under the same id.", _address(again.webhook_id)

    return _acted(request, found.webhook_id, act)


def _make(request: HttpRequest, form: WebhookForm) -> actions.NewSecret | None:
    if not form.is_valid():
        return None
    data = form.cleaned_data
    try:
        types = data["events"]
        return actions.create_webhook(actor_of(request), name=data["name"], url=data["url"], types=types, functions=data["functions"])
    except CommandError as error:
        form.add_error(str(error.facts.get("field")) if error.facts.get("field") in form.fields else None, error.message)
        return None


def _acted(request: HttpRequest, webhook_id: int, act: Callable[[], tuple[str, str]]) -> HttpResponse:
    _found(webhook_id)
    form = ReasonForm(request.POST)
    done = act_once(request, form, act)
    return done if isinstance(done, HttpResponse) else _page(request, _found(webhook_id), refused=form, status=done)


def _page(request: HttpRequest, hook: Webhook, *, status: int = 200, **more: Any) -> HttpResponse:
    state = request.GET.get("state", "")
    rows, following = newest_page(deliveries_in(hook, state), SHOWN, read_number(request.GET.get("before", "")))
    initial = {name: getattr(hook, name) for name in ("name", "url", "functions", "events")}
    context: dict[str, Any] = {"hook": hook, "rows": rows, "next_before": following, "state": state, "states": WORDS, "events": LABELS}
    context |= {"form": WebhookForm(initial=initial), "tab": "webhooks", **more}
    return render_page(request, "settings/webhook.html", context, fragment="rows", status=status)


def _found(webhook_id: int) -> Webhook:
    return get_object_or_404(Webhook, pk=webhook_id)


def _address(webhook_id: int) -> str:
    return reverse("dashboard:webhook", args=[webhook_id])
