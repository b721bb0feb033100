"""Alert rules: what is watched, who is told, what was found."""

from typing import Any

from django.db.models import Count, Max, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from durable_ops.actions import alerts as actions
from durable_ops.alerts.notices import sentence
from durable_ops.dashboard.access import actor_of, console_view
from durable_ops.dashboard.acting import act_once, posted
from durable_ops.dashboard.forms.alerts import AlertRuleForm, initial_of
from durable_ops.dashboard.forms.fields import ReasonForm
from durable_ops.dashboard.htmx import render_page
from durable_ops.models import Alert, AlertRule, Right

ALERTS_SHOWN = 50


@require_http_methods(["GET", "HEAD", "POST"])
@console_view(Right.MANAGE_WEBHOOKS)
def alert_list(request: HttpRequest) -> HttpResponse:
    """All rules, what they found lately, and the form of a new one."""
    form = AlertRuleForm(posted(request), initial={"functions": "*", "is_active": True})

    def make() -> tuple[str, str]:
        rule = actions.create_rule(actor_of(request), form.values())
        return f"Rule {rule.name} is watched from now on.", reverse("dashboard:alerts")

    done = act_once(request, form, make)
    if isinstance(done, HttpResponse):
        return done
    opened = Count("alerts", filter=Q(alerts__resolved_at=None, alerts__fired_at__isnull=False))
    rules = AlertRule.objects.select_related("webhook").annotate(firing=opened, last_at=Max("alerts__fired_at")).order_by("name", "id")
    context = {"rules": rules, "alerts": _alerts(), "form": form, "tab": "alerts"}
    return render_page(request, "settings/alerts.html", context, fragment="rules", status=done)


@require_http_methods(["GET", "HEAD", "POST"])
@console_view(Right.MANAGE_WEBHOOKS)
def alert_detail(request: HttpRequest, rule_id: int) -> HttpResponse:
    """The form that changes a rule, and what it found."""
    rule = get_object_or_404(AlertRule, pk=rule_id)
    form = AlertRuleForm(posted(request), initial=initial_of(rule))

    def change() -> tuple[str, str]:
        actions.change_rule(actor_of(request), rule_id, form.values())
        return "Saved. It counts from the next look on.", reverse("dashboard:alert", args=[rule_id])

    done = act_once(request, form, change)
    if isinstance(done, HttpResponse):
        return done
    context = {"rule": rule, "alerts": _alerts(rule=rule), "form": form, "tab": "alerts"}
    return render_page(request, "settings/alert.html", context, fragment="form", status=done)


@require_http_methods(["GET", "HEAD", "POST"])
@console_view(Right.MANAGE_WEBHOOKS)
def alert_remove(request: HttpRequest, rule_id: int) -> HttpResponse:
    rule = get_object_or_404(AlertRule, pk=rule_id)
    form = ReasonForm(posted(request))

    def act() -> tuple[str, str]:
        actions.remove_rule(actor_of(request), rule_id, reason=form.cleaned_data["reason"])
        return f"Rule {rule.name} is removed.", reverse("dashboard:alerts")

    done = act_once(request, form, act)
    if isinstance(done, HttpResponse):
        return done
    return render_page(request, "settings/alert_remove.html", {"rule": rule, "form": form, "tab": "alerts"}, fragment="form", status=done)


def _alerts(**which: Any) -> list[dict[str, Any]]:
    """What people were told of, newest first. One query."""
    found = Alert.objects.filter(fired_at__isnull=False, **which).select_related("rule").order_by("-id")[:ALERTS_SHOWN]
    return [{"alert": one, "words": sentence(one.rule, one.function, one.highest)} for one in found]
