"""For the admin of the surrounding project: what runs and waits for a row, on its page."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from durable_ops.approvals import inbox

SHOWN = 50


class DurableObjectAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Inherit from it (before or instead of `ModelAdmin`): the page of a row shows its executions and approvals, with links into the
    console, in one indexed query each."""

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return (*super().get_readonly_fields(request, obj), *(("durable_executions", "durable_approvals") if obj else ()))

    @admin.display(description="Executions")
    def durable_executions(self, instance: Model) -> str:
        """Those that asked for an approval of it, newest first, 50 at most."""
        found = inbox.executions_of(instance, limit=SHOWN)
        return _links((reverse("dashboard:execution", args=[one.pk]), one.name, one.status.lower().replace("_", " ")) for one in found)

    @admin.display(description="Approvals")
    def durable_approvals(self, instance: Model) -> str:
        """Newest first, 50 at most."""
        found = inbox.of_object(instance)[:SHOWN]
        return _links((reverse("dashboard:approval", args=[one.pk]), one.title, one.get_outcome_display()) for one in found)


def _links(rows: Iterable[tuple[str, str, str]]) -> str:
    """A list of address, words and state."""
    items = format_html_join("", '<li><a href="{}">{}</a>: {}</li>', rows)
    return format_html("<ul>{}</ul>", items) if items else "–"
